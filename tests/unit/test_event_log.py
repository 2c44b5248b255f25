"""Event files: begun, begun anew, pruned; and who follows the holder of a lock, whichever process that is."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from notes import write

from engine.errors import LibraryBusy
from engine.event_log import event_file
from engine.event_log.event_file import KEPT_FILES, EventFile, EventTail, last_watching, new_event_file
from engine.event_log.lock_holder import HolderTail
from engine.events import Committed, Event, FollowsAnother, IndexerStarted, Trouble, Watching
from engine.library import Library
from engine.paths import Places, places
from engine.records import Writer
from engine.store.lock import Holding, IndexerLock

pytestmark = pytest.mark.processes

MAKES_ONE = "from engine.event_log.event_file import new_event_file; from engine.paths import places\n"
MAKES_AND_WAITS = MAKES_ONE + "import sys; print(new_event_file(places()), flush=True); sys.stdin.read()"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path))
    return places()


def starts(count: int, home: Places) -> list[Path]:
    """Start so many indexers that end at once, as browsers beside a running one do, and return their files."""
    files = []
    for _ in range(count):
        files.append(new_event_file(home))
        EventFile(files[-1]).close()
    return files


# --- pruning ----------------------------------------------------------------------------------------------------------


def test_files_of_ended_runs_do_not_pile_up(home: Places) -> None:
    files = starts(12, home)
    assert sorted(files[-1].parent.iterdir()) == files[-KEPT_FILES - 1 :]


def test_a_file_that_is_written_stays_whatever_the_library(home: Places) -> None:
    path = new_event_file(home)
    file = EventFile(path)  # it may wait for its lock, as `carrel watch` beside a browser does
    starts(12, home)
    file.write(IndexerStarted(pid=1, task="watching"))
    assert [event.type for event in EventTail(path).read()] == ["indexer_started"]
    assert len(list(path.parent.iterdir())) == 1 + KEPT_FILES + 1
    file.close()
    starts(1, home)
    assert not path.exists()


def test_a_file_that_a_held_lock_names_stays(home: Places, tmp_path: Path) -> None:
    path = new_event_file(home)
    with IndexerLock(tmp_path / "other" / "library.carrel").acquire("watching", path):
        starts(12, home)
        assert path.exists()
    starts(1, home)
    assert not path.exists()


def test_a_file_that_was_made_just_now_stays_until_its_maker_has_ended(home: Places) -> None:
    maker = subprocess.Popen(
        [sys.executable, "-c", MAKES_AND_WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert maker.stdout is not None
    path = Path(maker.stdout.readline().strip())
    starts(12, home)
    assert path.exists()
    maker.communicate()
    starts(1, home)
    assert not path.exists()


def test_a_file_that_nobody_came_to_write_is_pruned_in_time(home: Places) -> None:
    path = new_event_file(home)
    left = path.with_name(f"indexer-0-{os.getppid()}.jsonl")  # of a process that lives
    path.rename(left)
    starts(12, home)
    assert left.exists()
    os.utime(left, (0, 0))
    starts(1, home)
    assert not left.exists()


def test_a_writer_whose_file_was_pruned_in_the_last_moment_makes_it_anew(home: Places) -> None:
    path = new_event_file(home)
    path.unlink()
    file = EventFile(path)
    file.write(IndexerStarted(pid=1, task="watching"))
    assert len(EventTail(path).read()) == 1


@pytest.mark.parametrize(
    "harm", ["removed", "removed with its folder", "emptied", "moved away", "a folder for a while"]
)
def test_a_file_that_somebody_takes_away_is_made_anew_for_old_and_new_followers(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "events" / "indexer.jsonl"
    file, tail = EventFile(path), EventTail(path)
    file.write(IndexerStarted(pid=7, task="watching"))
    file.write(Watching(folders=3, covered=2))
    file.write(Committed(documents=1, passages=1))
    seen: list[Event] = tail.read()
    if harm == "emptied":
        os.truncate(path, 0)
    elif harm == "moved away":
        path.rename(tmp_path / "elsewhere")
    else:
        path.unlink()
    if harm == "removed with its folder":
        path.parent.rmdir()
    if harm == "a folder for a while":
        path.mkdir()
        file.write(Committed(documents=0, passages=1))
        seen += tail.read()
        path.rmdir()
    for number in (2, 3):
        file.write(Committed(documents=number, passages=1))
        seen += tail.read()
    told = [event.documents for event in seen if isinstance(event, Committed) and event.documents]
    assert told == [1, 2, 3] and [event.type for event in seen if not isinstance(event, Committed)] == [
        "indexer_started",
        "watching",
    ]
    newcomer = [event.type for event in EventTail(path).read()]
    assert newcomer == ["indexer_started", "watching", "committed", "committed"]
    assert last_watching(path) is not None
    file.close()
    assert len(list(tmp_path.rglob("*"))) == 1 + (2 if harm == "moved away" else 1)


def test_what_is_said_again_as_a_file_begins_anew_is_passed_on_once(tmp_path: Path) -> None:
    path = tmp_path / "events"
    file, tail = EventFile(path, largest=3000), EventTail(path)
    file.write(IndexerStarted(pid=7, task="watching"))
    file.write(Watching(folders=3, covered=2))
    seen: list[Event] = tail.read()
    for number in range(100):
        file.write(Committed(documents=number, passages=1))
        seen += tail.read()
    assert [event.type for event in seen[:2]] == ["indexer_started", "watching"]
    assert [event.documents for event in seen[2:] if isinstance(event, Committed)] == list(range(100))
    assert len(seen) == 102 and tail.beginnings > 1


# --- the holder of a lock ---------------------------------------------------------------------------------------------


class Lock:
    """A lock that a test gives away."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: EventFile | None = None
        self.held: Holding | None = None

    def __call__(self, library: Path) -> Holding | None:
        return self.held

    def give(self, pid: int, name: str = "") -> None:
        path = self._folder / (name or f"{pid}.jsonl")
        self._file = EventFile(path)
        self.held = Holding(Writer(pid, "watching", 0.0), path)

    def commit(self, number: int) -> None:
        assert self._file is not None
        self._file.write(Committed(documents=number, passages=1))


@pytest.fixture
def lock(tmp_path: Path) -> Lock:
    return Lock(tmp_path)


def follow(lock: Lock, *, from_now: bool = False) -> HolderTail:
    return HolderTail(Path("library"), from_now=from_now, look_every=0.0, lock=lock)


def told(tail: HolderTail) -> list[int | str]:
    """Return the numbers of commits, and "of PID" where another holder is followed."""
    found: list[int | str] = []
    for event in tail.read():
        if isinstance(event, FollowsAnother):
            found.append(f"of {event.pid}")
        elif isinstance(event, Committed):
            found.append(event.documents)
    return found


@pytest.mark.parametrize("from_now", [False, True])
def test_of_the_first_holder_all_is_told_or_what_is_yet_to_come(lock: Lock, from_now: bool) -> None:
    lock.give(1)
    lock.commit(1)
    tail = follow(lock, from_now=from_now)
    assert told(tail) == (["of 1"] if from_now else ["of 1", 1])
    lock.commit(2)
    assert told(tail) == [2]
    tail.close()


@pytest.mark.parametrize("from_now", [False, True])
@pytest.mark.parametrize("second", [(2, ""), (1, "other.jsonl")], ids=["another process", "another file"])
def test_another_holder_is_followed_from_its_beginning_once_the_first_had_its_last_words(
    lock: Lock, from_now: bool, second: tuple[int, str]
) -> None:
    lock.give(1)
    tail = follow(lock, from_now=from_now)
    assert told(tail) == ["of 1"]
    lock.commit(1)
    lock.give(*second)
    lock.commit(2)
    assert told(tail) == [1, f"of {second[0]}", 2]
    assert tail.holder is not None and tail.holder.pid == second[0]


def test_a_lock_that_is_free_for_a_moment_changes_nothing(lock: Lock) -> None:
    lock.give(1)
    tail = follow(lock)
    lock.commit(1)
    assert told(tail) == ["of 1", 1]
    held, lock.held = lock.held, None
    lock.commit(2)
    assert told(tail) == [2] and tail.holder is None
    lock.held = held
    lock.commit(3)
    assert told(tail) == [3]
    lock.held = Holding(Writer(0, "starting", 0.0), None)  # taken an instant ago, not yet written down
    assert told(tail) == [] and tail.holder is not None
    lock.give(2)
    lock.commit(4)
    assert told(tail) == ["of 2", 4]


def test_a_holder_that_tells_nothing_is_named_all_the_same(lock: Lock, tmp_path: Path) -> None:
    lock.held = Holding(Writer(1, "compacting", 0.0), None)
    tail = follow(lock)
    assert told(tail) == ["of 1"] and told(tail) == []


def test_one_who_follows_from_now_on_is_told_what_is_watched(lock: Lock) -> None:
    lock.give(1)
    assert lock._file is not None
    lock._file.write(Watching(folders=3, covered=2))
    lock.commit(1)
    found = follow(lock, from_now=True).read()
    assert [event.type for event in found] == ["follows_another", "watching"]


# --- who indexes once -------------------------------------------------------------------------------------------------


def test_a_sync_is_told_in_an_event_file_that_followers_find(home: Places, tmp_path: Path, unfitted: None) -> None:
    notes = write(tmp_path / "notes", {"a.md": "# A\n\nA harbour.\n"})
    followed: list[Event] = []
    with Library.open(tmp_path / "library.carrel", create=True, encoder=FakeEncoder()) as library:
        library.tells_others = True
        library.add(notes)
        tail = HolderTail(library.path, look_every=0.0)
        for _ in range(KEPT_FILES + 3):
            library.sync(on_event=lambda _: followed.extend(tail.read()))
        followed += tail.read()
        tail.close()
        with IndexerLock(library.path).acquire("elsewhere"), pytest.raises(LibraryBusy):
            library.sync()
    kinds = [event.type for event in followed]
    assert kinds[:2] == ["follows_another", "indexer_started"]
    assert "sync_finished" in kinds
    files = sorted((home.state / "events").iterdir())
    assert len(files) == KEPT_FILES  # one that did not come to work has none, and lets one more of the others go
    assert [event.type for event in EventTail(files[-1]).read()][-2:] == ["sync_finished", "stopped"]


def test_two_threads_that_find_their_file_gone_make_one_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events" / "indexer.jsonl"
    events = EventFile(path)
    path.unlink()
    both = threading.Barrier(2)
    opened = event_file._opened

    made: list[int] = []

    def slowly(place: Path) -> int:
        with suppress(threading.BrokenBarrierError):
            both.wait(0.3)
        made.append(opened(place))
        return made[-1]

    monkeypatch.setattr(event_file, "_opened", slowly)
    threads = [threading.Thread(target=events.write, args=(Trouble(message=str(each)),)) for each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1, "each closed the file that the other made"
    assert path.read_text().count("\n") == 2
    events.close()


def test_an_event_that_a_full_disk_cut_short_takes_no_other_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "events" / "indexer.jsonl"
    events, tail = EventFile(path), EventTail(path)
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda descriptor, line: write(descriptor, line[: len(line) // 2]))
        events.write(Committed(documents=1, passages=1))
    events.write(Committed(documents=2, passages=2))
    assert [event.documents for event in tail.read() if isinstance(event, Committed)] == [2]
    events.close()
    tail.close()
