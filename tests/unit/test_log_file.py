"""The log: whole lines of many processes, a bound, and nothing for other people's eyes."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.tui import terminal_session
from engine import log_file
from engine.log_file import LARGEST_BYTES, LogFile, append, private_log

pytestmark = pytest.mark.processes

WRITES = """
import logging, sys
from pathlib import Path
from engine import log_file
log_file.LARGEST_BYTES = int(sys.argv[3])
log = logging.getLogger("carrel")
log.addHandler(log_file.LogFile(Path(sys.argv[1])))
for number in range(400):
    log.warning("%s %s %s", sys.argv[2], number, "." * 50)
"""


def texts(path: Path) -> list[str]:
    return "".join(each.read_text() for each in (path.with_name(f"{path.name}.1"), path) if each.exists()).splitlines()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(log_file, "LARGEST_BYTES", 1000)
    return 1000


@pytest.mark.parametrize("largest", [60_000, 5_000])
def test_several_processes_write_whole_lines_within_the_bound(tmp_path: Path, largest: int) -> None:
    path = tmp_path / "carrel.log"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITES, str(path), name, str(largest)], stderr=subprocess.PIPE)
        for name in "abc"
    ]
    assert [writer.communicate()[1] for writer in writers] == [b"", b"", b""]
    lines = texts(path)
    assert all(line.endswith(" " + "." * 50) and len(line) <= 56 for line in lines)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["carrel.log", "carrel.log.1"]
    assert all(each.stat().st_size <= largest for each in tmp_path.iterdir())
    if largest == 60_000:  # 3 times 400 lines are some 67 KB: both files together hold them all
        assert sorted(lines) == sorted(f"{name} {number} {'.' * 50}" for name in "abc" for number in range(400))


def test_the_newest_lines_are_kept(tmp_path: Path, small: int) -> None:
    path = tmp_path / "carrel.log"
    for number in range(500):
        append(path, f"line {number}\n")
    found = texts(path)
    assert found[-1] == "line 499" and len(found) > 80
    assert found == [f"line {number}" for number in range(500 - len(found), 500)]


def test_a_process_that_has_the_log_open_goes_on_writing_into_it(tmp_path: Path, small: int) -> None:
    path = tmp_path / "carrel.log"
    with path.open("ab", buffering=0) as child:  # as the standard error of an indexer
        for number in range(100):
            child.write(b"printed by a library\n")
            append(path, f"line {number}\n")
        assert path.stat().st_size <= small
        child.write(b"its last words\n")
    assert texts(path)[-1] == "its last words"


def test_a_log_of_any_size_is_bounded_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "carrel.log"
    path.write_bytes(b"old\n" * LARGEST_BYTES + b"new\n")
    path.chmod(0o644)
    assert private_log(path) == path
    assert path.stat().st_size == 0
    earlier = tmp_path / "carrel.log.1"
    assert earlier.stat().st_size == LARGEST_BYTES and earlier.read_bytes().endswith(b"old\nnew\n")
    assert [each.stat().st_mode & 0o077 for each in (path, earlier)] == [0, 0]


def test_a_log_that_is_no_file_is_only_written(tmp_path: Path) -> None:
    path = tmp_path / "carrel.log"
    path.symlink_to(os.devnull)
    private_log(path)
    append(path, "nowhere\n")
    assert [each.name for each in tmp_path.iterdir()] == ["carrel.log"]


def test_a_log_that_cannot_be_written_hinders_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    LogFile(tmp_path / "missing" / "carrel.log").handle(logging.makeLogRecord({"msg": "unheard"}))
    assert capsys.readouterr().err == ""


@pytest.fixture
def browser_log(tmp_path: Path) -> Iterator[Path]:
    before = threading.excepthook
    loggers = [logging.getLogger(name) for name in terminal_session.LOGGERS]
    terminal_session.write_log_to(tmp_path / "carrel.log")
    yield tmp_path / "carrel.log"
    threading.excepthook = before
    for logger in loggers:
        logger.propagate = True
        for handler in [each for each in logger.handlers if isinstance(each, LogFile)]:
            logger.removeHandler(handler)


def test_a_thread_that_ends_by_an_error_is_in_the_log_of_the_browser(browser_log: Path) -> None:
    thread = threading.Thread(target=lambda: 1 // 0, name="carrel-some")
    thread.start()
    thread.join()
    logging.getLogger("engine.retrieval").warning("heard too")
    said = browser_log.read_text()
    assert "carrel-some" in said and "ZeroDivisionError" in said and "heard too" in said
