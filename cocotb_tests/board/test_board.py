"""Two boards; the tests themselves are in bench_board.py."""

import pytest

from cocotb_tests.runner import ROOT, run

HERE = "cocotb_tests"
SOURCES = [
    *(ROOT / "hdl" / "rtl.f").read_text().split(),
    *(ROOT / "hdl" / "board" / "board.f").read_text().split(),
    f"{HERE}/register_bridge/oae_serial_line.v",
    f"{HERE}/board/oae_board_pair.v",
]


def check(simulator: str) -> None:
    run("oae_board_pair", "cocotb_tests.board.bench_board", simulator=simulator, sources=SOURCES)


def test_board() -> None:
    check("verilator")


@pytest.mark.long
def test_board_on_icarus() -> None:
    check("icarus")
