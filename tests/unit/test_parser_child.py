"""Files are parsed in a child process that may be slow, greedy, or dead, while its parent goes on."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from engine.errors import SourceError, WorkerError
from engine.linux_processes import seconds_waited
from engine.paths import places
from engine.sources.parser import Limits, Parser, ParserClosed, configured_parser
from engine.sources.parser_protocol import document_from_json, document_to_json
from engine.sources.readers import read_document

pytestmark = pytest.mark.processes

REPOSITORY = Path(__file__).resolve().parents[2]

STAND_IN = """
import importlib, os, sys, time
from engine.errors import SourceError
from engine.sources import parser_child

def read(path, *_):
    with open(path) as file:
        exec(file.read())
    return plain(path)

WORKING = b'\\x00\\x00\\x00\\x10{"working":true}'
plain = parser_child.read_document
parser_child.read_document = read
parser_child.main()
"""


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the child run each file as a program before it reads it: what a reader's worst bug could do."""
    original = subprocess.Popen

    def start(arguments: list[str], **options: object) -> subprocess.Popen[bytes]:
        assert arguments[-2:] == ["-m", "engine.sources.parser_child"]
        return original([sys.executable, "-P", "-c", STAND_IN], **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr("engine.sources.parser_process.subprocess.Popen", start)


@pytest.fixture
def parser() -> Iterator[Parser]:
    with Parser(Limits(memory_bytes=2**30)) as parser:
        yield parser


def note(folder: Path, name: str, text: str) -> bytes:
    (folder / name).write_text(text)
    return os.fsencode(folder / name)


def child_of(parser: Parser) -> int:
    child = parser._child
    assert child is not None
    return child._process.pid


def test_the_child_gives_the_same_document_as_reading_in_this_process(tmp_path: Path, parser: Parser) -> None:
    path = note(tmp_path, "a.md", "---\ntags: [x]\n---\n# Título\n\nSee [[b]] \U0001f600.\n")
    assert parser.read(path) == read_document(path)


ON_WHICH_A_KILLER_HANGS = """\
From: a@x.org
Subject: Tea
Content-Type: multipart/mixed; boundary=B

--B

The quince.
--B
Content-Type: text/plain
Content-Disposition: attachment; filename=killer.txt

x
--B--
"""
KILLER = """
from engine.sources.readers import text
text.read = lambda source: {how}
from engine.sources.parser_child import main
main()
"""


@pytest.mark.parametrize("how", ["__import__('os').kill(__import__('os').getpid(), 9)", "__import__('time').sleep(99)"])
def test_a_message_is_not_lost_for_a_file_on_it_that_ends_its_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    original = subprocess.Popen

    def start(arguments: list[str], **options: object) -> subprocess.Popen[bytes]:
        return original([sys.executable, "-P", "-c", KILLER.format(how=how)], **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr("engine.sources.parser_process.subprocess.Popen", start)
    with Parser(Limits(seconds=2)) as parser:
        text = parser.read(note(tmp_path, "a.eml", ON_WHICH_A_KILLER_HANGS)).text
        assert "The quince." in text
        assert "- Attachment: killer.txt (not read, for it or another one ended or stalled its reader)" in text
        with pytest.raises(SourceError):
            parser.read(note(tmp_path, "a.txt", "x"))


def test_a_document_survives_the_wire() -> None:
    path = os.fsencode(Path(__file__))
    document = read_document(path)
    assert document_from_json(document_to_json(document)) == document


def test_nonsense_on_the_wire_is_refused() -> None:
    sound = document_to_json(read_document(os.fsencode(Path(__file__))))
    for key, value in [
        ("text", 3),
        ("blocks", [["paragraph", 5, 2, 0, "", None]]),
        ("blocks", [["x", 0, 1, 0, "", None]]),
    ]:
        with pytest.raises((ValueError, TypeError)):
            document_from_json({**sound, key: value})


def test_one_child_serves_many_files(tmp_path: Path, parser: Parser) -> None:
    path = note(tmp_path, "a.md", "x")
    parser.read(path)
    first = child_of(parser)
    parser.read(path)
    assert child_of(parser) == first


def test_a_bad_file_costs_only_itself(tmp_path: Path, parser: Parser) -> None:
    with pytest.raises(SourceError) as caught:
        parser.read(note(tmp_path, "a.pdf", "no pdf at all"))
    assert caught.value.reason == "not a PDF"
    assert parser.read(note(tmp_path, "b.md", "fine")).text == "fine"


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("os.kill(os.getpid(), 9)", "the reader crashed (signal 9)"),
        ("os._exit(7)", "the reader stopped (status 7)"),
        ("bytearray(2**31)", "needs too much memory"),
        ("raise ValueError", "the reader failed (ValueError)"),
        ("raise SourceError('empty')", "empty"),
        ("os.write(4, b'\\x00\\x00\\x00\\x02[]')", "the reader gave no sound answer"),
        ("while True: os.write(4, WORKING)", "the reader gave no sound answer"),
    ],
)
def test_whatever_a_file_does_is_a_reason_and_the_next_is_read(
    tmp_path: Path, parser: Parser, program: str, reason: str
) -> None:
    with pytest.raises(SourceError) as caught:
        parser.read(note(tmp_path, "bad.txt", program))
    assert caught.value.reason == reason
    assert parser.read(note(tmp_path, "good.txt", "1")).text == "1"


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("program", ["time.sleep(600)", "while True: pass"])
def test_a_file_that_takes_too_long_is_given_up_and_the_next_is_read(tmp_path: Path, program: str) -> None:
    with Parser(Limits(seconds=1)) as parser:
        with pytest.raises(SourceError) as caught:
            parser.read(note(tmp_path, "bad.txt", program))
        assert caught.value.reason == "took longer than 1 s"
        parser._limits = Limits()  # a busy machine may need a second to start the next child
        assert parser.read(note(tmp_path, "good.txt", "1")).text == "1"


@pytest.mark.usefixtures("hostile")
def test_a_reader_that_goes_from_page_to_page_has_the_time_of_a_file_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = count(step=10)  # a clock that runs on whenever it is looked at: 50 s or less for each answer
    path = note(tmp_path, "long.txt", "for _ in range(9): os.write(4, WORKING)")
    with Parser(Limits(seconds=100)) as parser:
        parser.read(note(tmp_path, "first.txt", "1"))
        monkeypatch.setattr("engine.sources.parser_allowance.time.monotonic", lambda: float(next(seconds)))
        assert parser.read(path).text.startswith("for _")
        assert next(seconds) > 200, "longer than the limit"


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize(("clock_seconds", "program"), [(1200, "time.sleep(2)"), (2, "time.sleep(600)")])
def test_the_wait_for_a_processor_is_no_fault_of_a_file_but_has_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock_seconds: int, program: str
) -> None:
    with Parser(Limits(seconds=1, clock_seconds=clock_seconds)) as parser:
        parser._limits = Limits()  # the child may start on a busy machine
        parser.read(note(tmp_path, "first.txt", "1"))
        began = time.monotonic()
        monkeypatch.setattr("engine.sources.parser_allowance.seconds_waited", lambda _: time.monotonic() - began)
        assert parser._child is not None
        parser._child._seconds, parser._child._clock_seconds = 1, clock_seconds
        slow = note(tmp_path, "slow.txt", program)
        if program == "time.sleep(2)":
            assert parser.read(slow).text == program
        else:
            with pytest.raises(SourceError, match="took longer than 2 s"):
                parser.read(slow)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux tells of the wait")
def test_the_system_tells_how_long_a_process_waited_for_a_processor() -> None:
    one = min(os.sched_getaffinity(0))
    program = f"import os; os.sched_setaffinity(0, [{one}]); exec('while True: pass')"
    beside = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(2)]
    try:
        deadline = time.monotonic() + 120
        while not all(seconds_waited(each.pid) > 0.05 for each in beside):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        for each in beside:
            each.kill()
            each.wait()
    assert seconds_waited(beside[0].pid) == 0.0, "it has ended"


@pytest.mark.usefixtures("hostile")
def test_what_a_library_prints_does_not_reach_the_protocol(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Parser(log=log) as parser:
        program = "print('from Python', flush=True); os.write(1, b'from C')"
        assert parser.read(note(tmp_path, "loud.txt", program)).text == program
    assert log.read_text().split("\n") == ["from Python", "from C"]


@pytest.mark.usefixtures("hostile")
def test_where_a_reader_fails_stands_in_the_log_that_only_its_owner_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    with configured_parser() as parser, pytest.raises(SourceError):
        parser.read(note(tmp_path, "bad.txt", "raise KeyError('words')"))
    log = places().log
    assert "bad.txt' failed: KeyError" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


@pytest.mark.usefixtures("hostile")
def test_what_is_logged_of_a_failure_holds_no_words_of_the_file(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Parser(log=log) as parser, pytest.raises(SourceError):
        parser.read(note(tmp_path, "bad.txt", "raise ValueError('words of the note')"))
    assert "bad.txt' failed: ValueError" in log.read_text()
    assert "words of the note" not in log.read_text()


@pytest.mark.usefixtures("hostile")
def test_closing_interrupts_a_read_from_another_thread(tmp_path: Path) -> None:
    parser = Parser()
    started = tmp_path / "started"
    os.mkfifo(started)
    path = note(tmp_path, "slow.txt", f"open({os.fspath(started)!r}, 'w').close(); time.sleep(600)")
    caught: list[BaseException] = []

    def read() -> None:
        try:
            parser.read(path)
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    started.read_bytes()  # returns once the child has opened the pipe
    parser.close()
    thread.join(timeout=120)
    assert [type(error) for error in caught] == [ParserClosed]


def test_a_closed_parser_reads_no_more(tmp_path: Path) -> None:
    parser = Parser()
    path = note(tmp_path, "a.md", "x")
    parser.read(path)
    child = child_of(parser)
    parser.close()
    parser.close()
    with pytest.raises(ParserClosed):
        parser.read(path)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_child_that_cannot_start_is_nobody_elses_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", shutil.which("false"))
    with Parser() as parser, pytest.raises(WorkerError):
        parser.read(note(tmp_path, "a.md", "x"))


def test_a_child_that_died_between_two_files_is_replaced(tmp_path: Path, parser: Parser) -> None:
    path = note(tmp_path, "a.md", "x")
    parser.read(path)
    child = parser._child
    assert child is not None
    child._process.kill()
    child._process.wait()
    assert parser.read(path).text == "x"


def test_a_child_is_replaced_after_so_many_files(tmp_path: Path) -> None:
    path = note(tmp_path, "a.md", "x")
    with Parser(Limits(files=2)) as parser:
        parser.read(path)
        first = child_of(parser)
        parser.read(path)
        parser.read(path)
        assert child_of(parser) != first


def test_a_child_that_has_grown_is_replaced(tmp_path: Path) -> None:
    with Parser(Limits(resident_bytes=1)) as parser:
        assert parser.read(note(tmp_path, "a.md", "x")).text == "x"
        assert parser._child is None
        assert parser.read(note(tmp_path, "b.md", "y")).text == "y"


def test_the_child_leaves_when_its_parent_has_gone(tmp_path: Path) -> None:
    path, log = note(tmp_path, "a.md", "x"), tmp_path / "log"
    os.mkfifo(log)
    listening = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    program = (
        "import os, pathlib\n"
        "from engine.sources.parser import Parser\n"
        f"Parser(log=pathlib.Path({os.fspath(log)!r})).read({path!r})\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, check=True)
    poll = select.poll()
    poll.register(listening, select.POLLHUP)
    assert poll.poll(30_000), "the child, whose standard error is the log, is still there"
    os.close(listening)


def test_the_package_is_found_from_any_folder_and_a_watched_folder_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('imported from a watched folder')")
    (tmp_path / "engine").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with Parser() as parser:
        assert parser.read(note(tmp_path, "a.md", "x")).text == "x"


@pytest.mark.parametrize("name", [b"caf\xe9.md", "übung.md".encode(), b"line\nbreak.md"])
def test_any_name_reaches_the_child(tmp_path: Path, parser: Parser, name: bytes) -> None:
    path = os.path.join(os.fsencode(tmp_path), name)
    try:
        with open(path, "wb") as file:
            file.write(b"text")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    assert parser.read(path).text == "text"


def test_what_is_no_readable_file_says_why(tmp_path: Path, parser: Parser) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    found = {}
    for name in ("gone.md", "pipe.md", "."):
        with pytest.raises(SourceError) as caught:
            parser.read(os.fsencode(tmp_path / name))
        found[name] = caught.value.reason
    assert found == {"gone.md": "no longer there", "pipe.md": "not a file", ".": "not a file"}
