"""One writer at a time: who comes second follows the first, can give it orders, and takes over however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from equality import differences, made_anew, read_contents, words_are_sound
from fake_encoder import FakeEncoder
from shelf import paragraph, spelt
from storms import ReadHere

from app.cli.sync_report import bring_up_to_date
from engine.event_log.event_file import EventFile, EventTail, last_watching
from engine.event_log.lock_holder import HolderTail
from engine.events import Committed, Event, IndexerStarted, Watching, from_line, to_line
from engine.indexer import worker
from engine.library import Library
from engine.records import SearchSettings, Writer
from engine.store.connection import open_writer
from engine.store.lock import Holding, holder

PATIENCE_SECONDS = 120.0  # until a test gives up; none waits for it when all is well
TESTS = Path(__file__).parents[1]
SOURCE = TESTS.parent
WATCH = """
import signal, sys, threading
from pathlib import Path
from engine.events import to_line
from fake_encoder import FakeEncoder
from rough_tiers import fit_roughly
from engine.indexer.worker import run_foreground
from app.cli.interruption import stop_on_signal

fit_roughly()

def tell(event):
    sys.stdout.write(to_line(event) + "\\n")
    sys.stdout.flush()

with stop_on_signal() as stop:
    run_foreground(Path(sys.argv[1]), tell, stop, lambda name: FakeEncoder())
"""

SLOW_SYNC = """
import sys, time
from pathlib import Path
from fake_encoder import FakeEncoder
from rough_tiers import fit_roughly
from engine.events import to_line
from engine.library import Library

fit_roughly()

class Slow(FakeEncoder):
    def encode_passages(self, texts):
        time.sleep(0.5 * len(texts))  # and so two are a step
        return super().encode_passages(texts)

def tell(event):
    sys.stdout.write(to_line(event) + "\\n")
    sys.stdout.flush()

with Library.open(Path(sys.argv[1]), encoder=Slow()) as library:
    library.sync(on_event=tell)
"""


class Process:
    """An indexer of its own, and what it tells."""

    def __init__(self, command: list[str], events: Path | None = None) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(SOURCE), str(TESTS)))}
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
        self.events: list[Event] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.append(from_line(line))

    def told(self, kind: str) -> bool:
        return any(event.type == kind for event in self.events)

    @property
    def works(self) -> bool:
        """Whether it has brought the library up to date itself."""
        mine = [event for event in self.events if getattr(event, "pid", 0) == self.process.pid]
        return bool(mine) and any(event.type == "sync_finished" and event.at > mine[0].at for event in self.events)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class House:
    """A library with a folder, and whoever works on it."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.notes = base / "notes"
        self.notes.mkdir()
        self.file = base / "home" / "data" / "library.carrel"
        self.library = Library.open(self.file, create=True)
        self.library.add(self.notes)
        self.processes: list[Process] = []

    def watch(self) -> Process:
        process = Process([sys.executable, "-P", "-c", WATCH, str(self.file)])
        self.processes.append(process)
        return process

    def slow_sync(self) -> Process:
        """Have another process sync once, which embeds a text in half a second."""
        process = Process([sys.executable, "-P", "-c", SLOW_SYNC, str(self.file)])
        self.processes.append(process)
        return process

    def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, (what, [process.events[-4:] for process in self.processes])
            time.sleep(0.02)

    def write(self, count: int, word: str) -> None:
        for number in range(count):
            (self.notes / f"{word}{number}.md").write_text(f"# {word} {number}\n\n{paragraph(f'{word}{number}x')}\n")

    def equals_a_fresh_one(self) -> None:
        fresh = made_anew(self.base / "fresh.carrel", [self.notes], FakeEncoder, ReadHere)
        self.until(lambda: not differences(read_contents(self.file), fresh), "not as a new one")
        with closing(open_writer(self.file)) as conn:
            words_are_sound(conn)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    house = House(tmp_path)
    yield house
    for process in house.processes:
        process.kill()
    house.library.close()


def test_a_second_watch_follows_the_first_and_takes_over_when_it_is_killed(house: House) -> None:
    first = house.watch()
    house.until(lambda: first.works, "the first does not work")
    watching = house.library.watching()  # as `carrel status` and a browser see it
    assert watching is not None and (watching.covered, watching.folders) == (1, 1)
    second = house.watch()
    house.until(lambda: second.told("follows_another") and second.told("watching"), "the second does not follow")
    house.write(3, "quokka")
    house.until(lambda: second.told("committed"), "the second does not tell what the first does")
    first.kill()
    house.write(3, "numbat")
    house.until(lambda: second.works, "nobody has taken over")
    assert holder(house.file).pid == second.process.pid  # type: ignore[union-attr]
    house.equals_a_fresh_one()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_midst_of_a_sync_ends_it_in_order(house: House, number: signal.Signals) -> None:
    house.write(300, "word")
    process = house.watch()
    house.until(lambda: process.told("committed"), "nothing was committed")
    process.process.send_signal(number)
    _, errors = process.process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.process.returncode, errors) == (0, b"")
    assert holder(house.file) is None
    assert house.library.status().documents > 0
    with closing(open_writer(house.file)) as conn:
        words_are_sound(conn)
    house.watch()
    house.equals_a_fresh_one()


def test_one_who_waits_is_ended_by_a_signal_too(house: House) -> None:
    first = house.watch()
    house.until(lambda: first.works, "the first does not work")
    second = house.watch()
    house.until(lambda: second.told("follows_another"), "the second does not follow")
    second.process.send_signal(signal.SIGTERM)
    assert second.process.wait(PATIENCE_SECONDS) == 0
    assert holder(house.file).pid == first.process.pid  # type: ignore[union-attr]


def test_two_watchers_and_a_sync_at_once_have_one_writer(house: House) -> None:
    house.write(60, "word")
    processes = [house.watch() for _ in range(2)]
    house.until(lambda: any(process.works for process in processes), "nobody works")
    house.write(20, "more")
    asked = subprocess.run(
        [sys.executable, "-P", "-m", "app.cli", "--library", str(house.file), "sync", "--json"],
        env={**os.environ, "PYTHONPATH": str(SOURCE)}, capture_output=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    house.equals_a_fresh_one()
    assert sum(process.works for process in processes) == 1


def test_whoever_is_killed_at_any_moment_the_others_go_on(house: House) -> None:
    house.write(40, "word")
    processes = [house.watch() for _ in range(3)]
    for number in range(3):
        house.until(lambda: holder(house.file) is not None, "nobody works")
        house.write(10, f"round{number}x")
        held = holder(house.file)
        victim = next((each for each in processes if held is not None and each.process.pid == held.pid), processes[0])
        victim.kill()
        processes[processes.index(victim)] = house.watch()
    house.equals_a_fresh_one()


def test_what_the_other_tells_last_is_passed_on_and_its_file_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {pid: tmp_path / f"{pid}.jsonl" for pid in (1, 2)}
    holders = [Writer(1, "watching", 0.0), Writer(2, "watching", 0.0)]
    asked: list[Writer] = []

    def holder_now(library: Path) -> Writer | None:
        """Let each tell something the moment before it goes."""
        if asked:
            with files[asked[-1].pid].open("a") as told:
                told.write(to_line(Committed(documents=asked[-1].pid, passages=1)) + "\n")
        if not holders:
            return None
        asked.append(holders.pop(0))
        files[asked[-1].pid].touch()
        return asked[-1]

    def holding_now(library: Path) -> Holding | None:
        held = holder_now(library)
        return Holding(held, files[held.pid]) if held else None

    closed: list[int] = []
    close = EventTail.close
    monkeypatch.setattr(
        EventTail, "close", lambda tail: (closed.append(tail._file) if tail._file >= 0 else None, close(tail))
    )
    heard: list[Event] = []
    other = HolderTail(tmp_path, from_now=True, look_every=0.0, lock=holding_now)
    worker.follow(other, heard.append, threading.Event())
    other.close()
    assert [event.documents for event in heard if isinstance(event, Committed)] == [1, 2]
    assert len(closed) == 2


def test_what_follows_an_event_file_that_begins_anew_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    file, follower = EventFile(path, largest=2000), EventTail(path)
    file.write(IndexerStarted(pid=7, task="watching"))
    file.write(Watching(folders=3, covered=2))
    seen: list[Event] = follower.read()
    for number in range(100):
        file.write(Committed(documents=number, passages=1))
        seen += follower.read()
    counted = [event.documents for event in seen if isinstance(event, Committed)]
    assert counted == list(range(100))
    assert path.stat().st_size < 3000
    late = EventTail(path)
    assert [event.type for event in late.read()][:2] == ["indexer_started", "watching"]
    watching = last_watching(path)
    assert watching is not None and (watching.covered, watching.folders) == (2, 3)
    for each in (follower, late, file):
        each.close()


def test_words_do_not_wait_for_the_embedding_of_another_sync(house: House) -> None:
    """Nor does a vector below a path: what else waits there is asked for before the rest."""
    parts = "\n\n".join(paragraph(f"quokka{spelt(number)}x") for number in range(200))
    (house.notes / "long.md").write_text(parts)
    other = house.slow_sync()
    house.until(lambda: other.told("meaning_progress"), "the other does not embed")
    (house.notes / "new.md").write_text(paragraph("zebra"))
    path = house.notes / "new.md"
    report = bring_up_to_date(
        house.library, [path], full=False, meaning=False, on_event=lambda event: None, stop=threading.Event()
    )
    assert (report.added, report.failed) == (1, ())
    assert house.library.search("zebra", settings=SearchSettings(fusion="keyword")).hits
    report = bring_up_to_date(house.library, [path], full=False, on_event=lambda event: None, stop=threading.Event())
    assert (report.unchanged, other.process.poll()) == (1, None)
    assert 0 < house.library.pending() < 200
    assert holder(house.file).pid == other.process.pid  # type: ignore[union-attr]
