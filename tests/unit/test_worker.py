"""The indexer process: its lock, its event file, its command pipe, and how it leaves."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest
from fake_encoder import FakeEncoder
from fake_indexer import command
from shelf import paragraph

from engine.events import Event, IndexerStarted, Stopped, SyncFinished, Trouble, from_line
from engine.indexer import worker
from engine.indexing.sync_progress import from_dict, to_dict
from engine.log_file import LARGEST_BYTES
from engine.records import Failure, SyncReport
from engine.store import documents, folders, pending_vectors, requests
from engine.store.connection import open_writer
from engine.store.lock import IndexerLock, events_of, holder

pytestmark = pytest.mark.processes

DEADLINE_SECONDS = 120.0


class Home:
    """A library with one folder, and indexer processes on it."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.notes = base / "notes"
        self.notes.mkdir()
        self.library = base / "home" / "data" / "library.carrel"
        self.state = base / "home" / "state"
        self.state.mkdir(parents=True)
        self.events_file = self.state / "events.jsonl"
        self.conn = open_writer(self.library, create=True)
        folders.add(self.conn, os.fsencode(self.notes))
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, *options: str, errors: IO[bytes] | int = subprocess.PIPE) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command(self.library, self.events_file, *options),
            cwd=self.state,
            stdin=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        self.running.append(process)
        return process

    def events(self) -> list[Event]:
        if not self.events_file.exists():
            return []
        return [from_line(line) for line in self.events_file.read_bytes().splitlines()]

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"not in time; events: {self.events()}"
            time.sleep(0.02)

    def until_told(self, kind: type[Event]) -> None:
        self.until(lambda: any(isinstance(event, kind) for event in self.events()))

    def finish(self, process: subprocess.Popen[bytes]) -> str:
        _, errors = process.communicate(timeout=DEADLINE_SECONDS)
        return errors.decode()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    home = Home(tmp_path)
    yield home
    for process in home.running:
        if process.poll() is None:
            process.kill()
        process.communicate()
    home.conn.close()


def test_it_indexes_tells_and_leaves(home: Home) -> None:
    (home.notes / "a.md").write_text(paragraph("apple"))
    process = home.start()
    process.wait(DEADLINE_SECONDS)
    assert home.finish(process) == ""
    assert process.returncode == 0
    events = home.events()
    assert isinstance(events[0], IndexerStarted)
    assert isinstance(events[-1], Stopped)
    assert [event.added for event in events if isinstance(event, SyncFinished)] == [1]
    assert documents.counts(home.conn).passages == 1
    assert stat.S_IMODE(home.events_file.stat().st_mode) == 0o600


def test_a_new_library_is_read_as_any_program_reads_and_embedded_at_a_low_priority(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int, int]] = []

    def nice(by: int) -> None:
        asked.append((by, documents.counts(home.conn).passages, pending_vectors.count(home.conn)))

    monkeypatch.setenv("CARREL_HOME", str(home.base / "home"))
    monkeypatch.setattr(os, "nice", nice)
    monkeypatch.setattr(os, "setpriority", lambda *_: None)

    def index() -> None:
        worker.serve(
            home.library,
            lambda _: None,
            threading.Event(),
            watch=False,
            encoder_of=lambda _: FakeEncoder(),  # type: ignore[arg-type,return-value]
            words_there=worker._be_humble,
        )

    index()
    assert asked == [], "nothing is there yet, so that the next folder is new, too"
    (home.notes / "a.md").write_text(paragraph("apple"))
    index()
    assert asked == [(worker.NICENESS, 1, 1)] and pending_vectors.count(home.conn) == 0
    (home.notes / "b.md").write_text(paragraph("berry"))
    index()
    assert asked[1:] == [(worker.NICENESS, 1, 0)]


def test_a_low_priority_is_that_of_every_thread_and_of_what_it_has_started() -> None:
    program = (
        "import os, subprocess, sys, threading; from engine.indexer.priority import lower_priority\n"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "all = [*map(int, os.listdir('/proc/self/task')), child.pid]; before = os.getpriority(os.PRIO_PROCESS, 0)\n"
        "lower_priority(3); print({os.getpriority(os.PRIO_PROCESS, each) - before for each in all}, len(all))\n"
        "child.kill()"
    )
    if not os.path.isdir("/proc/self/task"):
        pytest.skip("only Linux has a priority for each thread")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "{3} 3\n"


def test_it_refuses_to_start_where_another_holds_the_lock(home: Home) -> None:
    with IndexerLock(home.library).acquire("testing"):
        process = home.start()
        assert home.finish(process) == ""  # a busy library is nothing for a log
    assert process.returncode == 3
    assert any(isinstance(event, Trouble) for event in home.events())


def test_what_it_logs_keeps_the_bound_of_the_log_where_that_is_its_standard_error(home: Home) -> None:
    log = home.state / "carrel.log"
    log.write_bytes(b"x" * LARGEST_BYTES)
    home.library.unlink()
    with log.open("ab") as errors:
        process = home.start(errors=errors)
    process.wait(DEADLINE_SECONDS)
    assert process.returncode not in (0, 3)
    assert "the indexer ends" in log.read_text()
    assert log.stat().st_size < LARGEST_BYTES
    assert (home.state / "carrel.log.1").stat().st_size == LARGEST_BYTES


def test_the_lock_names_its_task_and_its_event_file(home: Home) -> None:
    process = home.start("--watch")
    home.until_told(SyncFinished)
    found = holder(home.library)
    assert found is not None
    assert (found.pid, found.task) == (process.pid, "watching")
    assert events_of(home.library) == home.events_file


def test_the_end_of_its_command_pipe_ends_it(home: Home) -> None:
    process = home.start("--watch")
    home.until_told(SyncFinished)
    assert home.finish(process) == ""
    assert process.returncode == 0
    assert holder(home.library) is None


def test_a_stop_on_the_command_pipe_ends_it(home: Home) -> None:
    process = home.start("--watch")
    home.until_told(SyncFinished)
    assert process.stdin is not None
    process.stdin.write(b"stop\n")
    process.stdin.flush()
    assert process.wait(DEADLINE_SECONDS) == 0


def test_a_signal_ends_it_in_order(home: Home) -> None:
    process = home.start("--watch")
    home.until_told(SyncFinished)
    process.send_signal(signal.SIGTERM)
    assert process.wait(DEADLINE_SECONDS) == 0
    assert isinstance(home.events()[-1], Stopped)


def test_a_line_on_the_command_pipe_syncs_one_path(home: Home) -> None:
    process = home.start("--watch")
    home.until_told(SyncFinished)
    home.conn.execute("UPDATE folder SET state = 'paused'")  # so that the watcher has no part in it
    note = home.notes / "a.md"
    note.write_text(paragraph("apple"))
    assert process.stdin is not None
    process.stdin.write(b"sync " + os.fsencode(note) + b"\n")
    process.stdin.flush()
    home.until(lambda: documents.counts(home.conn).documents == 1)


def test_requests_are_answered_with_a_report(home: Home) -> None:
    home.start("--watch")
    home.until_told(SyncFinished)
    (home.notes / "bad.pdf").write_bytes(b"no PDF")
    number = requests.file(home.conn, "sync", str(home.notes))

    def answer() -> dict[str, object] | None:
        state = requests.state(home.conn, number)
        return state.outcome if state else None

    home.until(lambda: answer() is not None)
    report = from_dict(answer() or {})
    assert [failure.path for failure in report.failed] == [os.fsencode(home.notes / "bad.pdf")]


def test_a_request_that_a_dead_indexer_had_taken_is_taken_again(home: Home) -> None:
    number = requests.file(home.conn, "sync")
    assert requests.take(home.conn) is not None
    home.start("--watch")

    def done() -> bool:
        state = requests.state(home.conn, number)
        return state is not None and state.done

    home.until(done)


def test_a_folder_full_of_modules_is_data_and_never_code(home: Home) -> None:
    for name in ("json", "apsw", "numpy", "engine"):
        (home.notes / f"{name}.py").write_text("raise SystemExit('this must not run')")
        (home.state / f"{name}.py").write_text("raise SystemExit('this must not run')")
    process = home.start()
    process.wait(DEADLINE_SECONDS)
    assert home.finish(process) == ""
    assert documents.counts(home.conn).documents == 4


def test_a_report_travels_through_json_as_it_is() -> None:
    report = SyncReport(
        added=1, failed=(Failure(b"/caf\xe9.md", "bad"),), skipped={"hidden": 2}, embedded=3, seconds=0.5
    )
    assert from_dict(to_dict(report)) == report
