"""The report says what the result says, whole and safe, and a real browser shows it."""

import json
import shutil
import struct
import subprocess
import zlib
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae.capture import write
from oae.capture.read import Capture
from oae.capture.record import CUT_SHORT
from oae.check.capture import check
from oae.check.findings import BenchError
from oae.check.verdict import Verdict
from oae.errors import OaeError
from oae.report.exports import export
from oae.report.moments import Handshake, Sent, Step
from oae.report.names import key, names
from oae.report.packing import DIGITS, packed
from oae.report.page import render, write_report
from oae.report.story import MOST, stories
from oae.report.times import exact, readable
from oae.report.writing import ReportError
from oae.spec.constants import CHANNEL_OF, Channel, EventCode, Operation
from oae.testing import requirement
from oae.trace import Event, Fate, Receive, Transmit

from host.tests.capture.report_sample import HOSTILE, Sample, many, sample

TITLE = f"a run {HOSTILE}"
AGAIN = "oae run --scenario 'a&b.toml' <x>"
TWO_MEGABYTES = 2_000_000
HEAD_BYTES = 28  # so many tell what a frame is of
OPERATIONS = ("DATA", "ACK", "COMMIT", "DONE", "ABORT", "ABORTED")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return sample(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def page(run: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(run.result, path, title=TITLE, again=AGAIN, capture=run.capture)
    return path


class Elements(HTMLParser):
    """Every element with its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.text: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names[tag] += 1
        self.attributes += attrs
        self.open.append(dict(attrs).get("id") or tag)

    def handle_data(self, data: str) -> None:
        if self.open:
            self.text[self.open[-1]] = self.text.get(self.open[-1], "") + data + " "


def data_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Elements(text).text["data"])
    return found


def unpacked(text: str) -> list[int]:
    """The inverse of `packed`, written by the definition of source maps."""
    numbers, value, shift = [], 0, 0
    for digit in map(DIGITS.index, text):
        value |= (digit & 31) << shift
        shift += 5
        if not digit & 32:
            numbers.append(-(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    return numbers


# ---------------------------------------------------------------------- the file


@requirement("OAE-RPT-001")
def test_page_needs_nothing_from_elsewhere(page: Path) -> None:
    text = page.read_text()
    found = Elements(text)
    for name, value in found.attributes:
        if name in ("src", "href", "action", "srcset", "data"):
            assert value is not None
            assert value.startswith("#") or value == "data:,"
    style = found.text["style"]
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style
    assert not {"link", "img", "iframe", "object"} & (set(found.names) - {"link"})
    assert found.names["link"] == 1  # the empty icon


@requirement("OAE-RPT-001")
def test_nothing_from_the_capture_becomes_markup(page: Path, run: Sample) -> None:
    text = page.read_text()
    found = Elements(text)
    assert found.names["script"] == 2  # the data, and the page's own
    assert HOSTILE not in text
    assert run.result.findings[0].text in "".join(found.text.values())


@requirement("OAE-RPT-001")
def test_no_comment_of_a_packet_becomes_markup(run: Sample, tmp_path: Path) -> None:
    capture = tmp_path / "tap.pcapng"
    row = run.result.transactions[0]
    first = next(
        item for item in run.trace if isinstance(item, Transmit) and item.data[14] & 31 == 1
    )
    with capture.open("wb") as file:
        writer = write.Writer(file, [write.Interface("tap", "")], "", "")
        writer.packet(0, row.marks["OPENED"][0], first.data, comment=HOSTILE)
        writer.finish()
    result = replace(run.result, transactions=[replace(row, id=0, end=0)])
    text = render(result, stories(result, capture), title="", again="")
    assert [moment[3] for moment in data_of(text)["moments"]] == [HOSTILE]
    assert Elements(text).names["script"] == 2


@requirement("OAE-RPT-001")
def test_verdict_and_what_explains_it_stand_in_the_page(page: Path, run: Sample) -> None:
    found = Elements(page.read_text())
    every = " ".join(" ".join(found.text.values()).split())
    finding = run.result.findings[0]
    assert found.text["verdict"].strip() == "FAIL"
    assert finding.requirement in every
    for packet in (finding.packet, *finding.explained_by):
        assert f"{packet:,}" in every
    for standing in run.result.promises:
        assert str(standing.promise) in every
        assert standing.requirement in every
    assert AGAIN in every


@requirement("OAE-RPT-001")
@pytest.mark.parametrize("verdict", list(Verdict))
def test_page_bears_every_verdict(run: Sample, verdict: Verdict) -> None:
    result = replace(run.result, verdict=verdict, transactions=[], findings=[])
    found = Elements(render(result, [], title="", again=""))
    assert found.text["verdict"].strip() == verdict.replace("_", " ")


@requirement("OAE-RPT-001")
def test_what_cannot_be_known_or_trusted_is_shown(run: Sample) -> None:
    unknown = replace(run.result.findings[0], certain=False, absence=True, text="a delivery")
    error = BenchError(1234, 5678, "the clock runs backwards")
    result = replace(run.result, findings=[], unknowns=[unknown], bench_errors=[error])
    text = render(result, stories(result, None), title="", again="")
    every = " ".join(" ".join(Elements(text).text.values()).split())
    for told in (
        error.text,
        "1,234",
        "5.678 µs",
        unknown.text,
        "may stand in what the capture lost",
    ):
        assert told in every
    assert 'class="finding BENCH_ERROR"' in text
    assert 'class="finding INCONCLUSIVE"' in text


@requirement("OAE-RPT-001")
def test_at_most_twenty_findings_are_shown_and_the_others_counted(run: Sample) -> None:
    found = run.result.findings * 30
    result = replace(run.result, findings=found, finding_count=5000)
    text = render(result, stories(result, None), title="", again="")
    assert text.count('<details class="finding') == 20
    assert "the first 20 of 5000" in text


@requirement("OAE-RPT-001")
@pytest.mark.parametrize("count", [2_000, pytest.param(20_000, marks=pytest.mark.long)])
def test_20000_transactions_stay_under_2_megabytes(run: Sample, count: int) -> None:
    """Fewer as well, taken as many times."""
    result = many(run.result, count)
    short = stories(run.result, run.capture)
    length = run.result.end - run.result.start
    told = []
    for number in range(count):
        shift = number // len(short) * length
        told.append([_later(moment, shift) for moment in short[number % len(short)]])
    text = render(result, told, title="", again="")
    empty = render(replace(run.result, transactions=[]), [], title="", again="")
    assert len(data_of(text)["transactions"]) == count
    grown = len(text.encode()) - len(empty.encode())
    assert grown * 20_000 / count + len(empty.encode()) < TWO_MEGABYTES


def _later(moment: Step | Handshake | Sent, shift: int) -> Step | Handshake | Sent:
    if isinstance(moment, Sent):
        heard = [(time + shift, told) for time, told in moment.heard]
        return replace(moment, time=moment.time + shift, heard=heard)
    return replace(moment, time=moment.time + shift)


@requirement("OAE-RPT-001")
def test_a_report_that_cannot_be_written_leaves_nothing(run: Sample, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.mkdir()
    with pytest.raises(ReportError, match=r"report\.html"):
        write_report(run.result, target, title="", again="")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


@requirement("OAE-RPT-001")
@given(st.lists(st.integers(-(2**50), 2**50)))
def test_packed_numbers_come_out_again(numbers: list[int]) -> None:
    assert unpacked(packed(numbers)) == numbers


@requirement("OAE-RPT-001")
@given(st.integers(0, 10**12))
def test_times_are_read_as_they_were_written(nanoseconds: int) -> None:
    scale = {"ns": 1, "µs": 10**3, "ms": 10**6, "s": 10**9}
    value, unit = exact(nanoseconds).split()
    assert round(float(value) * scale[unit]) == nanoseconds
    value, unit = readable(nanoseconds).split()
    assert float(value) * scale[unit] == pytest.approx(nanoseconds, rel=1e-3, abs=0.5)


# ---------------------------------------------------------------------- stories


@requirement("OAE-RPT-001")
def test_every_frame_of_a_transaction_is_told(run: Sample) -> None:
    """Sent frames, and how often each was heard, against the trace itself."""
    sent, heard = Counter[tuple[int, str]](), Counter[tuple[int, str]]()
    operation_of: dict[tuple[int, int], str] = {}
    for item in run.trace:
        if isinstance(item, Transmit) and len(item.data) >= HEAD_BYTES:
            operation = Operation(item.data[14] & 31)
            if operation.name in OPERATIONS:
                sent[item.end, operation.name] += 1
                operation_of[item.end, item.number] = operation.name
        elif isinstance(item, Receive) and (1 - item.end, item.number) in operation_of:
            heard[1 - item.end, operation_of[1 - item.end, item.number]] += 1
    frames = [
        moment
        for story in stories(run.result, run.capture)
        for moment in story
        if isinstance(moment, Sent)
    ]
    assert Counter((frame.end, frame.operation) for frame in frames) == sent
    told: Counter[tuple[int, str]] = Counter()
    for frame in frames:
        told[frame.end, frame.operation] += len(frame.heard)
    assert told == heard
    assert min(len(frame.heard) for frame in frames) == 0  # some were lost
    assert max(len(frame.heard) for frame in frames) == 2  # some were duplicated


@requirement("OAE-RPT-001")
def test_fates_and_steps_are_told(run: Sample) -> None:
    told = stories(run.result, run.capture)
    comments = [m.fate for story in told for m in story if isinstance(m, Sent) and m.fate]
    fates = [comment for comment in comments if comment != CUT_SHORT]
    struck = [
        item
        for item in run.trace
        if isinstance(item, Fate) and item.faults and item.operation in (1, 2, 8, 9, 22, 23)
    ]
    assert len(fates) == len(struck)
    assert any("rule" in fate for fate in fates)
    steps = Counter(m.text for story in told for m in story if isinstance(m, Step))
    events = Counter(
        EventCode(item.code).name.replace("_", " ")
        for item in run.trace
        if isinstance(item, Event)
        and CHANNEL_OF[EventCode(item.code)] in (Channel.INITIATOR, Channel.RESPONDER)
    )
    for name in ("OPENED", "DECIDED", "DELIVERED", "TOLD", "REFLECTED", "ANSWER REPEATED"):
        assert steps[name] == events[name] > 0


@requirement("OAE-RPT-001")
def test_without_a_capture_the_result_tells_the_story(run: Sample) -> None:
    for row, story in zip(run.result.transactions, stories(run.result, None), strict=True):
        times = sorted(time for time, _ in row.marks.values())
        moments = [moment.time for moment in story if not isinstance(moment, Handshake)]
        assert moments == times


@requirement("OAE-RPT-001")
def test_a_long_story_is_shortened_in_its_middle(run: Sample, tmp_path: Path) -> None:
    """A COMMIT that goes again and again: begin and end are shown, and how much is left out."""
    row = run.result.transactions[0]
    first = next(
        item for item in run.trace if isinstance(item, Transmit) and item.data[14] & 31 == 1
    )
    capture = tmp_path / "tap.pcapng"
    with capture.open("wb") as file:
        writer = write.Writer(file, [write.Interface("tap", "")], "", "")
        for number in range(500):
            writer.packet(0, row.marks["OPENED"][0] + number, first.data)
        writer.finish()
    result = replace(run.result, transactions=[replace(row, end=0)])
    (story,) = stories(result, capture)
    assert len(story) == MOST + 1
    assert sum("left out" in m.text for m in story if isinstance(m, Step)) == 1
    assert story[-1].time == row.marks["OPENED"][0] + 499


@requirement("OAE-RPT-001")
@pytest.mark.parametrize("tags", [b"", b"\x81\x00\x00\x05", b"\x88\xa8\x00\x05\x81\x00\x00\x06"])
def test_tagged_frames_of_a_tap_are_found(run: Sample, tmp_path: Path, tags: bytes) -> None:
    """From frames only: direction by source address, VLAN tags skipped."""
    capture = tmp_path / "tap.pcapng"
    sent: Counter[tuple[int, str]] = Counter()
    with capture.open("wb") as file:
        writer = write.Writer(file, [write.Interface("tap", "")], "", "")
        for item in run.trace:
            if isinstance(item, Transmit) and len(item.data) >= HEAD_BYTES:
                data = item.data[:12] + tags + item.data[12:]
                writer.packet(0, item.cycle * 16, data)
                operation = Operation(item.data[14] & 31).name
                if operation in OPERATIONS:
                    sent[item.end, operation] += 1
        writer.finish()
    speaks_first = next(item.end for item in run.trace if isinstance(item, Transmit))
    assert speaks_first == 0
    told = Counter(
        (moment.end, moment.operation)
        for story in stories(run.result, capture)
        for moment in story
        if isinstance(moment, Sent)
    )
    assert told == sent


@requirement("OAE-RPT-001")
@pytest.mark.parametrize("count", [30, pytest.param(1_000, marks=pytest.mark.long)])
def test_damaged_captures_make_reports_and_exports_too(
    run: Sample, tmp_path: Path, count: int
) -> None:
    """Whatever stands in frames and evidence, if the check has a result then it can be shown."""
    random = Random(5)
    whole = run.capture.read_bytes()
    damaged = tmp_path / "damaged.pcapng"
    shown_ones = 0
    for _ in range(count):
        content = bytearray(whole)
        for _ in range(random.choice([1, 5, 50, 400])):
            content[random.randrange(600, len(content))] = random.randrange(256)
        damaged.write_bytes(content)
        try:
            result = check(Capture(damaged))
        except OaeError:
            continue
        shown_ones += 1
        write_report(result, tmp_path / "page.html", title="", again="", capture=damaged)
        for what in ("perfetto", "jsonl", "csv"):
            export(result, what, tmp_path / what, capture=damaged)
    assert shown_ones > count / 2


@requirement("OAE-RPT-001")
def test_names_tell_sessions_apart(run: Sample) -> None:
    row = run.result.transactions[0]
    later = replace(
        row, sessions="1/2", marks={name: (t + 10**6, p) for name, (t, p) in row.marks.items()}
    )
    known = names([later, row])
    assert known[key(later)] == f"{known[key(row)]}.2"


# ---------------------------------------------------------------------- in a browser


def browser(*options: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("chromium")
    assert program is not None, "chromium is missing: install the Debian package chromium"
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
    command = [program, *flags, "--virtual-time-budget=3000", "--enable-logging=stderr", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def shown(page: Path, fragment: str = "") -> Elements:
    done = browser("--dump-dom", f"{page.as_uri()}{fragment}")
    assert "CONSOLE" not in done.stderr, done.stderr
    return Elements(done.stdout)


@requirement("OAE-RPT-001")
def test_browser_draws_everything_without_an_error(page: Path, run: Sample) -> None:
    found = shown(page)
    assert "FAIL" in found.text["title"]
    assert "broken" not in found.text["title"].replace(HOSTILE, "")
    assert found.text["verdict"].strip() == "FAIL"
    rows = len(run.result.transactions)
    assert f"{rows} transactions, page 1" in found.text["shown"]
    labels = " ".join(value or "" for name, value in found.attributes if name == "aria-label")
    for drawing in (
        "Timeline",
        "Sequence chart",
        "Distribution",
        "Time from the end of each fault",
    ):
        assert drawing in labels
    # Those with a finding come first, and the first is open.
    finding = run.result.findings[0]
    name = names(run.result.transactions)[finding.end, finding.sessions, finding.id]
    assert f"Sequence chart of {name};" in labels


@requirement("OAE-RPT-001")
def test_browser_opens_the_transaction_that_the_address_names(page: Path, run: Sample) -> None:
    known = names(run.result.transactions)
    told = stories(run.result, run.capture)
    row, story = next(
        (row, story)
        for row, story in zip(run.result.transactions, told, strict=True)
        if any(isinstance(moment, Sent) and not moment.heard for moment in story)
    )
    found = shown(page, f"#transaction={known[key(row)]}")
    assert any(
        value is not None and value.startswith(f"Sequence chart of {known[key(row)]};")
        for name, value in found.attributes
        if name == "aria-label"
    )
    drawn = Counter(found.text["text"].replace(",", " ").split())
    frames = Counter(moment.operation for moment in story if isinstance(moment, Sent))
    for operation, count in frames.items():
        assert drawn[operation] >= count


@requirement("OAE-RPT-001")
@pytest.mark.long
def test_browser_says_so_if_a_transaction_is_not_there(page: Path) -> None:
    done = browser("--dump-dom", f"{page.as_uri()}#transaction=a-999999")
    assert "The report has no transaction a-999999." in done.stdout


class Picture:
    """The filtered lines of a PNG as it was written: a line like its neighbour is all zeros."""

    def __init__(self, path: Path) -> None:
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        place, packed_lines = 8, b""
        while place < len(content):
            size, kind = struct.unpack_from(">L4s", content, place)
            body = content[place + 8 :][:size]
            if kind == b"IHDR":
                width, height, depth, colours = struct.unpack_from(">LLBB", body)
                assert (depth, colours) in ((8, 2), (8, 6))
                channels = 3 if colours == 2 else 4
            elif kind == b"IDAT":
                packed_lines += body
            place += 12 + size
        lines = numpy.frombuffer(zlib.decompress(packed_lines), numpy.uint8)
        self.lines = lines.reshape(height, 1 + width * channels)[:, 1:]
        self.corner = self.lines[0, :3]  # nothing precedes it, so no filter changes it


@requirement("OAE-RPT-001")
@pytest.mark.parametrize(
    ("dark", "width"), [(False, 1400), pytest.param(True, 500, marks=pytest.mark.long)]
)
def test_picture_is_not_blank(page: Path, tmp_path: Path, dark: bool, width: int) -> None:
    options = [f"--window-size={width},2400", f"--screenshot={tmp_path / 'page.png'}"]
    if dark:
        options.append("--blink-settings=preferredColorScheme=0")
    browser(*options, page.as_uri())
    picture = Picture(tmp_path / "page.png")
    assert (picture.corner.max() < 64) == dark
    for part in numpy.array_split(picture.lines, 6):
        assert (part != 0).mean() > 0.005


@requirement("OAE-RPT-001")
def test_times_lose_no_nanosecond() -> None:
    assert exact(1_700_000_000_000_002_784) == "1700000000.000002784 s"
    assert exact(-1_500) == "-1.5 µs"
    assert exact(2_000_000) == "2 ms"
    assert exact(999) == "999 ns"
