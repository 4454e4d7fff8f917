"""What the benchmark makes of its figures."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae.bench import benchmark
from oae.bench.benchmark import LIVE_LIVE, PYTHON_LIVE, SCAPY, TARGETS, Figure
from oae.testing import requirement

FIGURES = st.builds(
    Figure,
    st.sampled_from([LIVE_LIVE, PYTHON_LIVE, SCAPY]),
    outstanding=st.just(8),
    count=st.integers(1, 100_000),
    seconds=st.floats(0.1, 100),
    latency_ns=st.none() | st.integers(1, 1_000_000),
    clock=st.just("a clock"),
)


@requirement("OAE-BRN-006")
@given(FIGURES)
def test_a_target_is_missed_by_rate_or_latency_or_met(figure: Figure) -> None:
    missed = list(figure.missed())
    target = TARGETS.get(figure.pair)
    if target is None:
        assert missed == []
        return
    met = figure.count / figure.seconds >= target.rate
    if target.latency_ns is not None:
        met &= figure.latency_ns is not None and figure.latency_ns < target.latency_ns
    assert met == (not missed)
    assert all(line.startswith(figure.pair) for line in missed)


@requirement("OAE-BRN-006")
@pytest.mark.parametrize(("seconds", "code"), [(1.0, 0), (10.0, 1)])
def test_the_exit_code_says_whether_a_target_is_missed(
    seconds: float,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = [
        Figure(PYTHON_LIVE, 8, 4_000, seconds, 50_000, "a clock, to 1,222 ns", {"a": 250, "b": 50}),
        Figure(SCAPY, 1, 40, 1.0, 25_000_000, "another clock"),
    ]
    monkeypatch.setattr(benchmark, "measure", lambda *_: (found, []))
    monkeypatch.setattr("sys.argv", ["benchmark"])
    assert benchmark.main() == code
    shown = capsys.readouterr().out
    assert f"{100 / seconds:,.1f}" in shown  # times as fast as scapy
    assert "python-live, veth: a clock, to 1,222 ns" in shown
    assert ("missed: python-live, veth: 400 a second, not 2,000" in shown) == (code == 1)
    monkeypatch.setattr("sys.argv", ["benchmark", "--json"])
    assert benchmark.main() == code
    assert len(json.loads(capsys.readouterr().out)["missed"]) == code
