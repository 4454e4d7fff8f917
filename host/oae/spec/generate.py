"""Writes every file that is derived from `link.toml`; `--check` only says which are stale."""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from oae.spec import crc32c, lua
from oae.spec.loader import NOTICE, REFUSALS, Specification

ROOT = Path(__file__).resolve().parents[3]
ENUMERATIONS = {
    "operation": "Operation",
    "balance": "Balance",
    "kind": "Kind",
    "state": "State",
    "link_state": "LinkState",
    "outcome": "Outcome",
    "abort_reason": "AbortReason",
    "malformed_reason": "MalformedReason",
    "channel": "Channel",
    "event": "EventCode",
    "evidence": "Evidence",
}
# The same for what concerns the board only.
BOARD_ENUMERATIONS = {
    "board_control": "BoardControl",
    "injection": "Injection",
    "serial_operation": "SerialOperation",
    "serial_status": "SerialStatus",
}
# Width in bits of each enumeration in the Verilog header.
WIDTHS = {
    "operation": 5,
    "balance": 3,
    "kind": 8,
    "state": 3,
    "link_state": 2,
    "outcome": 2,
    "abort_reason": 6,
    "malformed_reason": 4,
    "channel": 3,
    "event": 8,
}
BOARD_WIDTHS = {"board_control": 3, "injection": 2, "serial_operation": 8, "serial_status": 8}


def verilog_header(specification: Specification) -> Iterator[str]:
    """`oae_defs.vh`: macros, so that a module pays (and is warned) only for what it uses."""
    yield f"// {NOTICE}"
    yield "`ifndef OAE_DEFS_VH"
    yield "`define OAE_DEFS_VH"
    yield ""
    protocol = specification.tables["protocol"]
    yield f"`define OAE_PROTOCOL_VERSION 16'd{protocol['version']}"
    yield f"`define OAE_REGISTER_MAP 16'd{protocol['register_map']}"
    for row in specification.rows("constant"):
        yield f"`define OAE_{row['name']} {row['width']}'d{row['value']}  // {row['text']}"
    for table, width in WIDTHS.items():
        yield from _codes(specification, table, width)
        if table == "channel":
            yield f"`define OAE_CHANNELS {len(specification.rows(table))}"
    yield ""
    for row in specification.rows("register"):
        yield f"`define OAE_REGISTER_{row['name']} 8'h{row['address']:02x}"
    yield f"`define OAE_COUNTERS {len(specification.counters)}"
    yield ""
    yield "`endif"


def _codes(specification: Specification, table: str, width: int) -> Iterator[str]:
    yield ""
    for row in specification.rows(table):
        yield f"`define OAE_{table.upper()}_{row['name']} {width}'d{row['code']}"


def verilog_board(specification: Specification) -> Iterator[str]:
    """`oae_board_defs.vh`: registers and serial protocol of the board around an end."""
    board = specification.tables["board"]
    yield f"// {NOTICE}"
    yield "`ifndef OAE_BOARD_DEFS_VH"
    yield "`define OAE_BOARD_DEFS_VH"
    yield ""
    yield f"`define OAE_BOARD_REGISTER_MAP 32'd{board['register_map']}"
    yield f"`define OAE_SERIAL_READ_MAX 8'd{board['serial_read_max']}"
    for table, width in BOARD_WIDTHS.items():
        yield from _codes(specification, table, width)
    yield ""
    for row in specification.rows("board_register"):
        yield f"`define OAE_BOARD_REGISTER_{row['name']} 16'h{row['address']:04x}"
    yield ""
    yield "`endif"


def verilog_counters(specification: Specification) -> Iterator[str]:
    """`oae_counter_table.vh`: which event increments which counter, included by oae_counters.

    Each channel has a bank of counters of its own, because each tells at most one event a cycle.
    """
    yield f"// {NOTICE}"
    yield "// verilator lint_off UNUSEDSIGNAL"
    places = []
    for channel in specification.rows("channel"):
        codes = [e["code"] for e in specification.rows("event") if e["channel"] == channel["name"]]
        bank = [counter for counter in specification.counters if counter.code in codes]
        yield f"// Channel {channel['name']}: {{counted, place in its bank}}."
        yield f"function automatic [5:0] place_{channel['name'].lower()};"
        yield "  input [7:0] code;"
        yield "  input [7:0] info;"
        yield "  begin"
        yield f"    place_{channel['name'].lower()} = 6'd0;"
        for index, counter in enumerate(bank):
            places.append((specification.counters.index(counter), channel["code"], index))
            match = f"code == 8'h{counter.code:02x}"
            if counter.info is not None:
                bits, width = ("[1:0]", 2) if counter.mask == 0x03 else ("", 8)
                match += f" && info{bits} == {width}'d{counter.info}"
            yield f"    if ({match}) place_{channel['name'].lower()} = 6'd{32 + index};"
        yield "  end"
        yield "endfunction"
    yield "// Where the counter of a register stands: {channel, place in its bank}."
    yield "function automatic [7:0] counter_place;"
    yield "  input [7:0] place_of;"
    yield "  case (place_of)"
    for index, channel_code, place in sorted(places):
        name = specification.counters[index].name
        yield f"    8'd{index}: counter_place = {{3'd{channel_code}, 5'd{place}}};  // {name}"
    yield "    default: counter_place = 8'hff;"
    yield "  endcase"
    yield "endfunction"
    yield "// verilator lint_on UNUSEDSIGNAL"


def _equations(columns: list[tuple[str, int]]) -> Iterator[str]:
    for output in range(32):
        terms = [name for name, image in columns if image >> output & 1]
        yield f"    next[{output}] = {' ^ '.join(terms) if terms else chr(39).join(['1', 'b0'])};"


def _crc_function(name: str, text: str, state_bytes: int, zero_bytes: int) -> Iterator[str]:
    columns = [(f"from_word[{i}]", image) for i, image in enumerate(crc32c.data_map(zero_bytes))]
    columns += [(f"from_crc[{i}]", image) for i, image in enumerate(crc32c.state_map(state_bytes))]
    yield f"  // {text}"
    yield f"  function automatic [31:0] {name};"
    yield "    input [31:0] from_crc;"
    yield "    input [63:0] from_word;"
    yield "    reg [31:0] next;"
    yield "  begin"
    yield from _equations(columns)
    yield f"    {name} = next;"
    yield "  end"
    yield "  endfunction"


def verilog_crc(specification: Specification) -> Iterator[str]:
    """`oae_crc32c.vh`: CRC steps as explicit exclusive-or equations, included by modules."""
    del specification
    shifted = crc32c.step(crc32c.INITIAL, bytes(16))
    yield f"// {NOTICE}"
    yield "`define OAE_CRC_INITIAL 32'hffffffff"
    yield "// The register that already counts the 16-byte trailer to come, before the record."
    yield f"`define OAE_CRC_RECORD_INITIAL 32'h{shifted:08x}"
    yield "// verilog_format: off"
    yield "// verilator lint_off UNUSEDSIGNAL"
    yield from _crc_function(
        "oae_crc_word", "CRC register after 8 more bytes, byte 0 in from_word[7:0].", 8, 0
    )
    yield from _crc_function(
        "oae_crc_record_word",
        "The same for a register that runs 16 bytes ahead: the word moved past the trailer.",
        8,
        16,
    )
    yield "// verilator lint_on UNUSEDSIGNAL"
    yield "// verilog_format: on"


def python_constants(specification: Specification) -> Iterator[str]:
    """`constants.py`: one IntEnum a table."""
    yield f'"""{NOTICE}"""'
    yield ""
    yield "from enum import IntEnum"
    yield "from typing import Final"
    yield ""
    protocol = specification.tables["protocol"]
    yield f"PROTOCOL_VERSION: Final = {protocol['version']}"
    yield f"REGISTER_MAP: Final = {protocol['register_map']}"
    for row in specification.rows("constant"):
        value = f"0x{row['value']:04X}" if row["name"] == "ETHERTYPE" else row["value"]
        yield f"{row['name']}: Final = {value}"
    board = specification.tables["board"]
    yield f"BOARD_REGISTER_MAP: Final = {board['register_map']}"
    yield f"SERIAL_READ_MAX: Final = {board['serial_read_max']}"
    for table, name in [*ENUMERATIONS.items(), *BOARD_ENUMERATIONS.items()]:
        yield ""
        yield ""
        yield f"class {name}(IntEnum):"
        yield f'    """Codes of `{table}` in link.toml."""'
        yield ""
        for row in specification.rows(table):
            yield f"    {row['name']} = {row['code']}"
    yield ""
    yield ""
    yield "BALANCE_OF: Final = {"
    for row in specification.rows("operation"):
        yield f"    Operation.{row['name']}: Balance.{row['balance']},"
    yield "}"
    for what in ("guard", "record", "sync", "nothing"):
        names = [r["name"] for r in specification.rows("operation") if r["carries"] == what]
        if len(names) == 1:
            yield f"CARRIES_{what.upper()}: Final = frozenset({{Operation.{names[0]}}})"
            continue
        yield f"CARRIES_{what.upper()}: Final = frozenset("
        yield "    {"
        for name in names:
            yield f"        Operation.{name},"
        yield "    }"
        yield ")"
    yield "CHANNEL_OF: Final = {"
    for row in specification.rows("event"):
        yield f"    EventCode.{row['name']}: Channel.{row['channel']},"
    yield "}"
    yield "EVENT_STATES: Final = {"
    for row in specification.rows("event"):
        if "states" in row:
            yield f'    EventCode.{row["name"]}: "{row["states"]}",'
    yield "}"
    yield "# (name, event code, code in info or None, mask on info), in register order."
    yield "COUNTERS: Final[tuple[tuple[str, int, int | None, int], ...]] = ("
    for counter in specification.counters:
        yield f'    ("{counter.name}", 0x{counter.code:02X}, {counter.info}, 0x{counter.mask:02X}),'
    yield ")"
    yield "FIELD: Final = {"
    for row in specification.rows("field"):
        yield f'    "{row["name"]}": ({row["offset"]}, {row["bytes"]}),'
    yield "}"
    yield "SYNC_FIELD: Final = {"
    for row in specification.rows("sync_field"):
        yield f'    "{row["name"]}": ({row["offset"]}, {row["bytes"]}),'
    yield "}"
    yield "EVIDENCE_HEAD: Final = {"
    for row in specification.rows("evidence_head"):
        yield f'    "{row["name"]}": ({row["offset"]}, {row["bytes"]}),'
    yield "}"
    yield "# Bytes of each field after the head, in their order."
    yield "EVIDENCE_FIELDS: Final[dict[Evidence, dict[str, int]]] = {"
    for row in specification.rows("evidence"):
        fields = [f'"{name}": {size}' for name, size in row["fields"]]
        line = f"    Evidence.{row['name']}: {{{', '.join(fields)}}},"
        yield from [line] if len(line) <= 100 else _long(row["name"], fields)
    yield "}"
    yield "REGISTER: Final = {"
    for row in specification.rows("register"):
        yield f'    "{row["name"]}": 0x{row["address"]:02X},'
    yield "}"
    yield "BOARD_REGISTER: Final = {"
    for row in specification.rows("board_register"):
        yield f'    "{row["name"]}": 0x{row["address"]:03X},'
    yield "}"
    yield "BOARD_WRITABLE: Final = frozenset("
    yield "    {"
    for row in specification.rows("board_register"):
        if row["access"] == "write":
            yield f'        "{row["name"]}",'
    yield "    }"
    yield ")"


def _long(name: str, fields: list[str]) -> Iterator[str]:
    yield f"    Evidence.{name}: {{"
    yield from (f"        {field}," for field in fields)
    yield "    },"


def cpp_header(specification: Specification) -> Iterator[str]:
    """`oae_defs.h`: the same codes for C++ mains."""
    yield f"// {NOTICE}"
    yield "#pragma once"
    yield "#include <cstdint>"
    yield ""
    yield "namespace oae {"
    yield f"constexpr uint16_t kProtocolVersion = {specification.tables['protocol']['version']};"
    for row in specification.rows("constant"):
        yield f"constexpr uint32_t {row['name']} = {row['value']};  // {row['text']}"
    for table, name in ENUMERATIONS.items():
        yield ""
        yield f"enum class {name} : uint8_t {{"
        for row in specification.rows(table):
            yield f"  {row['name']} = {row['code']},"
        yield "};"
    yield ""
    yield "struct Counter {"
    yield "  const char* name;"
    yield "  uint8_t code;"
    yield "  int info;  // code in info, -1 for any"
    yield "  uint8_t mask;"
    yield "};"
    yield "constexpr Counter kCounters[] = {"
    for counter in specification.counters:
        info = -1 if counter.info is None else counter.info
        yield f'    {{"{counter.name}", 0x{counter.code:02x}, {info}, 0x{counter.mask:02x}}},'
    yield "};"
    yield "}  // namespace oae"


def _table(title: str, heads: list[str], rows: list[list[object]]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(str(cell) for cell in row)} |"
    yield ""


def documents(specification: Specification) -> Iterator[str]:
    """`docs/tables.md`: every table for readers."""
    rows = specification.rows
    yield "# Wire format, codes, events, counters and registers"
    yield ""
    yield f"<!-- {NOTICE} -->"
    yield ""
    yield from _table(
        "Frame fields",
        ["bytes", "field", "meaning"],
        [[_span(r), r["name"], r["text"]] for r in rows("field")],
    )
    yield from _table(
        "Record of SYNC and SYNC_ACK",
        ["bytes of the record", "field", "meaning"],
        [[_span(r), r["name"], r["text"]] for r in rows("sync_field")],
    )
    yield from _table(
        "Operations",
        ["code", "operation", "balance", "carries", "source", "meaning"],
        [
            [r["code"], r["name"], r["balance"], r["carries"], r["source"], r["text"]]
            for r in rows("operation")
        ],
    )
    for table, title in (
        ("balance", "Balance codes"),
        ("kind", "Kinds of record"),
        ("state", "Transaction states"),
        ("link_state", "Link states"),
        ("outcome", "Outcomes"),
        ("abort_reason", "Abort reasons"),
        ("malformed_reason", "Malformed reasons, in the order of test"),
        ("channel", "Event channels, in the order in which the steps of one cycle take effect"),
    ):
        yield from _codes_table(specification, table, title)
    yield from _table(
        "Event words",
        ["code", "event", "channel", "info", "value", "meaning"],
        [
            [
                f"0x{r['code']:02X}",
                r["name"],
                r["channel"],
                r.get("info", ""),
                r.get("value", ""),
                r["text"],
            ]
            for r in rows("event")
        ],
    )
    yield from _table(
        "Registers",
        ["word address", "register", "meaning"],
        [[f"0x{r['address']:02X}", r["name"], r["text"]] for r in rows("register")],
    )
    yield from _table(
        "Registers of the board",
        ["word address", "register", "access", "meaning"],
        [
            [f"0x{r['address']:03X}", r["name"], r["access"], r["text"]]
            for r in rows("board_register")
        ],
    )
    for table, title in (
        ("board_control", "Bits of CONTROL"),
        ("injection", "Kinds of INJECT"),
        ("serial_operation", "Operations of the serial protocol"),
        ("serial_status", "Status of its answers"),
    ):
        yield from _codes_table(specification, table, title)
    yield from _table(
        "Head of an evidence packet",
        ["bytes", "field", "meaning"],
        [[_span(r), r["name"], r["text"]] for r in rows("evidence_head")],
    )
    yield from _table(
        "Evidence packets, after the head",
        ["type", "evidence", "fields (bytes)", "tail", "meaning"],
        [
            [
                r["code"],
                r["name"],
                ", ".join(f"{name} ({size})" for name, size in r["fields"]),
                r.get("tail", ""),
                r["text"],
            ]
            for r in rows("evidence")
        ],
    )
    base = next(r["address"] for r in rows("register") if r["name"] == "COUNTERS")
    yield from _table(
        "Counters",
        ["word address", "counter", "counts"],
        [[f"0x{base + i:02X}", c.name, c.text] for i, c in enumerate(specification.counters)],
    )
    yield f"A responder can refuse with {', '.join(REFUSALS)} only."


def _codes_table(specification: Specification, table: str, title: str) -> Iterator[str]:
    rows = specification.rows(table)
    yield from _table(
        title,
        ["code", "name", "meaning"],
        [[row["code"], row["name"], row["text"]] for row in rows],
    )


def _span(row: dict[str, int]) -> str:
    last = row["offset"] + row["bytes"] - 1
    return str(last) if row["bytes"] == 1 else f"{row['offset']}..{last}"


OUTPUTS: dict[str, Callable[[Specification], Iterator[str]]] = {
    "hdl/rtl/oae_defs.vh": verilog_header,
    "hdl/rtl/oae_counter_table.vh": verilog_counters,
    "hdl/rtl/oae_crc32c.vh": verilog_crc,
    "hdl/board/oae_board_defs.vh": verilog_board,
    "hdl/sim/oae_defs.h": cpp_header,
    "host/oae/spec/constants.py": python_constants,
    "docs/tables.md": documents,
    "host/oae/wireshark/oae.lua": lua.dissector,
}


def main(arguments: list[str] | None = None) -> int:
    """Write the generated files, or with `--check` exit 1 if one is stale."""
    parser = argparse.ArgumentParser(prog="python -m oae.spec.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, name stale files")
    options = parser.parse_args(arguments)
    specification = Specification()
    stale = []
    for name, write in OUTPUTS.items():
        path = ROOT / name
        text = "\n".join(write(specification)).rstrip("\n") + "\n"
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if not options.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"wrote {name}")
    if options.check and stale:
        print(f"stale: {' '.join(stale)}; run `make generate`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
