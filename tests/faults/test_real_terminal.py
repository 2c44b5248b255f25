"""The program on a real terminal and in a real pipe: what file names and texts may do there, and how it ends."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from app.tui.ending_signals import SIGNALLED

PROGRAM = Path(sys.executable).with_name("carrel")
TITLE = b"\x1b]0;owned\x07"  # another title of the window
EMPTY_SCREEN = b"\x1b[2J\x1b[1;1H"  # the same that Carrel writes, but not from here
RED = b"\x1b[31m"
C1 = b"\xc2\x9b31m"  # U+009B, which some terminals take for ESC [
TURNED = "\u202e".encode()  # turns the line around
STEERING = (TITLE, EMPTY_SCREEN, RED, C1, TURNED, b"\x07", b"\x08", b"\x9b", b"\x7f")
NAME = b"harbour" + TITLE + EMPTY_SCREEN + RED + C1 + TURNED + b"\x08\x7f\xff.md"

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not PROGRAM.exists(), reason="the program carrel is not installed beside this Python"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("terminal")
    notes = base / "notes"
    notes.mkdir()
    text = b"# Harbour" + TITLE + RED + C1 + TURNED + b"\n\nThe harbour " + EMPTY_SCREEN + b" at night.\n"
    (notes / os.fsdecode(NAME)).write_bytes(text)
    (notes / os.fsdecode(b"broken" + NAME.replace(b".md", b".pdf"))).write_bytes(b"%PDF-1.4 broken")
    for number in range(60):
        (notes / f"n{number}.md").write_text(f"# Quay {number}\n\nA quay of the harbour, number {number}.\n")
    assert run(base, "add", os.fspath(notes)).returncode == 0
    assert run(base, "sync").returncode == 0
    return base


def environment(base: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CARREL") and name != "NO_COLOR"}
    return {**kept, "CARREL_HOME": os.fspath(base / "home"), "TERM": "xterm-256color", "COLUMNS": "200"}


def run(base: Path, *arguments: str | bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [PROGRAM, *arguments], cwd=base / "notes", env=environment(base), capture_output=True, check=False, timeout=120
    )


def on_terminal(base: Path, arguments: Sequence[str | bytes], columns: int = 200) -> tuple[bytes, int]:
    """Return what a command writes to a terminal, standard error among it, and its exit code."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, *arguments],
        cwd=base / "notes",
        env={**environment(base), "COLUMNS": str(columns)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    try:
        while piece := os.read(ours, 65536):
            written += piece
    except OSError as error:  # how a terminal ends
        assert error.errno == errno.EIO
    os.close(ours)
    return written, process.wait(120)


def test_the_place_of_a_row_leads_to_its_file_on_a_terminal_alone(home: Path) -> None:
    written, _ = on_terminal(home, ("search", "--fusion", "keyword", "number", "--limit", "60"))
    hostile, _ = on_terminal(home, ("search", "--fusion", "keyword", "night"))
    link = re.compile(rb"\x1b\]8;;file://[\w.-]+(/[!-~]+)\x1b\\\x1b\[36m(.+?)\x1b\[0m\x1b\]8;;\x1b\\")
    paths = [os.fsdecode(unquote_to_bytes(path)) for path, _ in link.findall(written)]
    assert paths and all(Path(path).is_file() for path in paths)
    assert unquote_to_bytes(link.findall(hostile)[0][0]) == os.fsencode(home / "notes") + b"/" + NAME
    piped = run(home, "search", "--fusion", "keyword", "night").stdout
    plain, _ = on_terminal(home, ("--no-color", "search", "--fusion", "keyword", "night"))
    assert b"\x1b]8" not in piped and b"\x1b]8" not in plain


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP, None])
@pytest.mark.parametrize("arguments", [("pick", "quay"), ("pick", "--height", "8", "quay"), ("browse", "quay")])
def test_a_screen_that_is_told_to_end_gives_the_terminal_back(
    home: Path, arguments: tuple[str, ...], ending: signal.Signals | None
) -> None:
    """Without a signal the terminal itself is closed, as a window is, and its processes are told so."""
    log = home / "home" / "state" / "carrel.log"
    log.unlink(missing_ok=True)
    picked = home / "picked"
    process, terminal = pty.fork()
    if process == 0:
        out = os.open(picked, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        if arguments[0] == "pick":
            os.dup2(out, 1)
        os.chdir(home / "notes")
        os.execve(PROGRAM, ["carrel", *arguments], environment(home))
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    before = termios.tcgetattr(terminal)
    written = b""
    while b"quay" not in written.lower() or select.select([terminal], [], [], 0.5)[0]:
        written += os.read(terminal, 65536)
    if ending is None:
        os.close(terminal)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        assert code == SIGNALLED + signal.SIGHUP
        if "--height" not in arguments:  # below a prompt Textual draws in the loop itself, and ends by an error
            assert b"Traceback" not in (log.read_bytes() if log.exists() else b"")
        return
    os.kill(process, ending)
    with suppress(OSError):  # how a terminal ends
        while piece := os.read(terminal, 65536):
            written += piece
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == SIGNALLED + ending
    assert termios.tcgetattr(terminal) == before
    os.close(terminal)
    for mode in (b"?1049", b"?1000", b"?2004"):  # the other screen, the mouse, pasting
        assert written.rfind(b"\x1b[" + mode + b"h") <= written.rfind(b"\x1b[" + mode + b"l")
    assert written.rfind(b"\x1b[?25h") > written.rfind(b"\x1b[?25l")  # the cursor
    assert picked.read_bytes() == b""


def test_the_list_of_marks_breaks_between_words_where_the_terminal_is_narrow(home: Path) -> None:
    asked = "which quay of the old harbour was it where the ferries lay all winter long"
    assert run(home, "mark", asked, "n7.md").returncode == 0
    piped = run(home, "marks").stdout.decode()
    assert any(asked in line and "n7.md" in line for line in piped.splitlines())
    narrow = on_terminal(home, ("marks",), 60)[0].decode().splitlines()
    assert max(map(len, narrow)) <= 60
    assert " ".join(" ".join(narrow).split()).count(asked) == 1
    assert "   n7.md" in narrow
    assert on_terminal(home, ("marks",), 200)[0].decode().splitlines() == piped.splitlines()


COMMANDS: tuple[tuple[str | bytes, ...], ...] = (
    ("search", "harbour"), ("search", "harbour", "--plain"), ("search", "--explain", "night"), ("status",),
    ("show", NAME), ("why", "quay", NAME), ("add", NAME), ("add", b"missing" + NAME), ("remove", "--yes", NAME),
    ("sync", "--full"), ("search", b"path:" + NAME), (b"no" + TITLE + RED,), ("search", b"--no" + TITLE),
    ("mark", "quay", NAME), ("marks",), ("doctor",), ("--library", NAME, "status"), ("restore", NAME), ("import", NAME),
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command[0]!r}")
def test_no_name_and_no_text_steers_the_terminal(home: Path, command: tuple[str | bytes, ...]) -> None:
    written, code = on_terminal(home, command)
    assert code in (0, 1, 2)
    assert b"unexpected" not in written and b"Traceback" not in written
    own = written.replace(b"\r\x1b[K", b"")
    for steering in (TITLE, EMPTY_SCREEN, C1, TURNED, b"\x07", b"\x08", b"\x7f", RED + b"\xc2\x9b"):
        assert steering not in own, (steering, own)


@pytest.mark.parametrize(
    "command", [("search", "quay", "--limit", "50"), ("show", "n1.md"), ("status", "--json"), ("export", "-")]
)
def test_a_reader_that_has_seen_enough_ends_it_without_a_complaint(home: Path, command: tuple[str, ...]) -> None:
    with subprocess.Popen(
        [PROGRAM, *command],
        cwd=home / "notes",
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()  # as `head -0` does
        errors = process.stderr.read()
        assert process.wait(120) == 0
        assert b"carrel" not in errors and b"Traceback" not in errors and b"Broken pipe" not in errors


def test_head_gets_its_lines(home: Path) -> None:
    script = f'"{PROGRAM}" search quay --limit 50 | head -1; echo "${{PIPESTATUS[0]}}" >&2'
    done = subprocess.run(["bash", "-c", script], env=environment(home), capture_output=True, check=False, timeout=120)
    assert done.stdout.count(b"\n") == 1
    assert done.stderr.endswith(b"0\n") and b"carrel" not in done.stderr
