"""Standard streams that are full or closed: every command says so plainly, and no traceback is shown."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.commands import COMMANDS
from app.cli.output import drop_output
from engine.paths import own_process

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full"),
]
RUN = [*own_process("app.cli")[:3]]
CALLS = [["--version"], ["--help"], ["completion", "zsh"], *([name, "--help"] for name in ("search", "runs"))]


def ended(arguments: list[str], redirected: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run `carrel` in a shell that redirects its streams."""
    return subprocess.run(
        ["sh", "-c", f'"$@" {redirected}', "sh", *RUN, *arguments],
        env={**os.environ, "CARREL_HOME": os.fspath(home)},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize(("redirected", "reason"), [(">/dev/full", "No space left"), (">&-", "it is closed")])
@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_output_that_cannot_be_written_is_said_plainly(
    call: list[str], redirected: str, reason: str, tmp_path: Path
) -> None:
    told = ended(call, redirected, tmp_path)
    assert told.returncode == 1
    assert told.stderr.startswith("carrel: The output could not be written: ")
    assert reason in told.stderr
    assert told.stderr.count("\n") == 1


@pytest.mark.parametrize("redirected", ["2>/dev/full", "2>&-", "<&-", "<&- 2>&-"])
def test_an_error_stream_or_input_that_is_gone_ends_nothing(redirected: str, tmp_path: Path) -> None:
    told = ended(["--help"], redirected, tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    assert all(name in told.stdout for name in COMMANDS)


def test_a_stream_without_a_descriptor_leaves_none_open() -> None:
    before = os.listdir("/proc/self/fd")
    drop_output(io.StringIO())
    assert os.listdir("/proc/self/fd") == before


def test_no_file_of_the_library_takes_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    look = (
        "import os, sys; from app.cli.output import safe_output\n"
        "with safe_output():\n    assert os.open('/', os.O_RDONLY) > 2\n    print('seen', file=sys.stderr)\n"
    )
    script = f'"{sys.executable}" -c "$0" <&- >&-'
    root = os.fspath(Path(__file__).parents[3])
    told = subprocess.run(["sh", "-c", script, look], env={**os.environ, "PYTHONPATH": root}, capture_output=True)
    assert b"seen" in told.stderr


@pytest.mark.parametrize("place", ["a file", "a broken link", "below a file"])
@pytest.mark.parametrize("call", [["status"], ["add", "."], ["log", "--on"], ["search", "x"]], ids=" ".join)
def test_a_home_that_cannot_be_one_is_said_plainly(place: str, call: list[str], tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    (tmp_path / "a broken link").symlink_to("/nowhere/at/all\x1b")
    (tmp_path / "below a file").symlink_to("a file/x")
    told = ended(call, "", tmp_path / place)
    assert told.returncode in (1, 2)
    assert told.stderr.startswith("carrel: ")
    assert "Something unexpected" not in told.stderr
    assert "Traceback" not in told.stderr
