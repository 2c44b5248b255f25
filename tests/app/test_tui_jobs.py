"""The indexer process: started, followed, restarted, left; with small scripts in its place."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.tui.indexer_process import RESTARTS, Indexer, new_event_file, worker_command
from app.tui.indexer_state import IndexerState
from engine.event_log.event_file import EventFile
from engine.events import IndexerStarted, Progress, Scanned, Stopped, Trouble, Watching, to_line
from engine.paths import Places

PATIENCE = 120.0  # seconds until a test gives up; none waits for it when all is well


class Heard:
    """Collects what the indexer reports, and lets a test wait for something."""

    def __init__(self) -> None:
        self.states: list[IndexerState] = []
        self._news = threading.Condition()

    def __call__(self, state: IndexerState) -> None:
        with self._news:
            self.states.append(state)
            self._news.notify_all()

    def until(self, wanted: Callable[[IndexerState], bool]) -> IndexerState:
        with self._news:
            assert self._news.wait_for(lambda: any(map(wanted, self.states)), PATIENCE), self.states
            return next(filter(wanted, self.states))


@pytest.fixture
def homes(tmp_path: Path) -> Places:
    return Places(*(tmp_path / name for name in ("data", "config", "state", "cache")))


def script(body: str) -> Callable[[Path], list[str]]:
    """Return how to start a stand-in for the indexer; `events` is its event file."""
    head = "import os, sys, time\nevents = open(sys.argv[1], 'a', buffering=1)\n"
    return lambda events: [sys.executable, "-S", "-c", head + body, str(events)]


def says(*lines: str) -> str:
    return "".join(f"print({line!r}, file=events)\n" for line in lines)


STORY = says(
    to_line(IndexerStarted(pid=1, task="indexing")),
    to_line(Scanned(files=3, to_do=0)),
    to_line(Watching(folders=1, covered=1)),
)
UNTIL_LEFT = "sys.stdin.read()\n"


def test_events_reach_the_screen_and_the_child_leaves_with_its_stdin(homes: Places, tmp_path: Path) -> None:
    heard, left = Heard(), tmp_path / "left"
    indexer = Indexer(tmp_path / "l", homes, command=script(STORY + UNTIL_LEFT + f"open({str(left)!r}, 'w')\n"))
    indexer.start(heard)
    heard.until(lambda state: state.phase == "watching" and state.pid == 1)
    indexer.stop()
    assert left.exists()
    assert indexer._process is not None and indexer._process.poll() == 0


def test_a_child_that_does_not_listen_is_ended(homes: Places, tmp_path: Path) -> None:
    heard = Heard()
    body = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + STORY + "time.sleep(600)\n"
    indexer = Indexer(tmp_path / "l", homes, command=script(body))
    indexer.start(heard)
    heard.until(lambda state: state.phase == "watching")
    indexer.stop()
    assert indexer._process is not None and indexer._process.returncode is not None


def test_a_child_that_dies_is_started_again_but_not_for_ever(homes: Places, tmp_path: Path) -> None:
    heard, starts = Heard(), tmp_path / "starts"
    indexer = Indexer(
        tmp_path / "l", homes, command=script(f"open({str(starts)!r}, 'a').write('x')\nos._exit(9)\n"), pause=0.0
    )
    indexer.start(heard)
    heard.until(lambda state: state.phase == "restarting")
    heard.until(lambda state: state.phase == "dead")
    assert starts.read_text() == "x" * (RESTARTS + 1)
    indexer.stop()


def test_a_held_lock_is_followed_and_taken_over(homes: Places, tmp_path: Path) -> None:
    heard, foreign, tries = Heard(), tmp_path / "foreign", tmp_path / "tries"
    foreign.write_text(
        to_line(IndexerStarted(pid=77, task="watching")) + "\n" + to_line(Scanned(files=9, to_do=5)) + "\n"
    )
    holders = iter([(77, foreign)])
    body = (
        f"first = not os.path.exists({str(tries)!r})\nopen({str(tries)!r}, 'a').write('x')\n"
        "if first: os._exit(3)\n" + STORY + UNTIL_LEFT
    )
    indexer = Indexer(
        tmp_path / "l",
        homes,
        command=script(body),
        lock_holder=lambda _: next(holders, None),
        look_every=0.0,
    )
    indexer.start(heard)
    followed = heard.until(lambda state: state.foreign and state.phase == "indexing")
    assert followed.pid == 77
    taken = heard.until(lambda state: not state.foreign and state.phase == "watching")
    assert taken.pid == 1
    indexer.stop()


def test_another_holder_is_shown_once_it_has_the_lock(homes: Places, tmp_path: Path) -> None:
    heard, files = Heard(), [tmp_path / "first", tmp_path / "second"]
    first, second = map(EventFile, files)
    first.write(IndexerStarted(pid=111, task="watching"))
    first.write(Trouble(message="An old trouble."))
    held = [(111, files[0])]
    indexer = Indexer(
        tmp_path / "l", homes, command=script("os._exit(3)\n"), lock_holder=lambda _: held[0], look_every=0.0
    )
    indexer.start(heard)
    heard.until(lambda state: state.pid == 111 and state.trouble != "")
    first.write(Stopped(reason="killed"))
    held[0] = 222, files[1]
    second.write(IndexerStarted(pid=222, task="watching"))
    second.write(Scanned(files=9, to_do=9))
    second.write(Progress(files_done=3, files_total=9, passages=40, rate=20.0, seconds_left=5.0, path="/notes/x.md"))
    shown = heard.until(lambda state: state.files_done == 3)
    assert (shown.pid, shown.phase, shown.foreign, shown.trouble) == (222, "indexing", True, "")
    second.write(Trouble(message="The disk is full.", fix="Free some space."))
    heard.until(lambda state: state.trouble == "The disk is full. Free some space.")
    indexer.stop()


def test_a_fault_of_the_thread_that_follows_is_told_and_can_be_got_over(homes: Places, tmp_path: Path) -> None:
    heard, calls = Heard(), iter("xx")

    def lock_holder(library: Path) -> tuple[int, Path | None] | None:
        if next(calls, ""):
            raise TypeError("of no kind that is expected")
        return 7, None

    indexer = Indexer(tmp_path / "l", homes, command=script("os._exit(3)\n"), lock_holder=lock_holder, look_every=0.0)
    indexer.start(heard)
    assert "TypeError" in heard.until(lambda state: state.phase == "dead").trouble
    assert indexer._thread is not None
    indexer._thread.join(PATIENCE)
    next(calls)
    indexer.start(heard)
    heard.until(lambda state: state.phase == "following" and state.pid == 7)
    indexer.stop()


def test_a_command_that_cannot_be_started_is_told(homes: Places, tmp_path: Path) -> None:
    heard = Heard()
    indexer = Indexer(tmp_path / "l", homes, command=lambda events: [str(tmp_path / "missing")])
    indexer.start(heard)
    assert "could not be started" in heard.until(lambda state: state.phase == "dead").trouble
    indexer.stop()


def test_the_worker_runs_no_code_of_its_working_directory(homes: Places, tmp_path: Path) -> None:
    command = worker_command(tmp_path / "l", tmp_path / "e")
    assert command[1] == "-P" and command[3:5] == ["-m", "engine.indexer.worker"]
    heard, seen = Heard(), tmp_path / "seen"
    body = f"open({str(seen)!r}, 'w').write(os.getcwd() + '\\n' + str(os.getsid(0)))\n" + STORY + UNTIL_LEFT
    indexer = Indexer(tmp_path / "l", homes, command=script(body))
    indexer.start(heard)
    heard.until(lambda state: state.phase == "watching")
    folder, session = seen.read_text().split("\n")
    assert Path(folder) == homes.state.resolve()
    assert int(session) != os.getsid(0)
    indexer.stop()


def test_event_files_are_private_and_few(homes: Places) -> None:
    files = [new_event_file(homes) for _ in range(9)]
    assert files[-1].stat().st_mode & 0o077 == 0
    assert len(list(files[-1].parent.iterdir())) <= 6
