"""Browsers and their indexers as real processes: one follows another, takes over, restarts, and misses the file."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from fake_indexer import watch_command

from app.tui.indexer_process import Indexer
from app.tui.indexer_state import IndexerState
from engine.event_log.event_file import KEPT_FILES
from engine.library import Library
from engine.paths import Places
from engine.records import SearchSettings

QUIET_MILLISECONDS = 500  # in which a page that is still being painted would write something
PATIENCE = 120.0  # seconds until a test gives up; none waits for it when all is well
WORDS = SearchSettings(fusion="keyword")


class Browser:
    """The part of a browser that keeps an indexer at work; the encoder needs no model."""

    def __init__(self, library: Path, base: Path, name: str) -> None:
        homes = Places(*(base / name / part for part in ("data", "config", "state", "cache")))
        command = partial(watch_command, library)
        self.indexer = Indexer(library, homes, command=command, pause=0.05, look_every=0.1)
        self.states: list[IndexerState] = []
        self._news = threading.Condition()

    def start(self) -> Browser:
        self.indexer.start(self._heard)
        return self

    def _heard(self, state: IndexerState) -> None:
        with self._news:
            self.states.append(state)
            self._news.notify_all()

    def until(self, wanted: Callable[[IndexerState], bool], since: int = 0) -> IndexerState:
        with self._news:
            assert self._news.wait_for(lambda: any(map(wanted, self.states[since:])), PATIENCE), self.states[-5:]
            return next(filter(wanted, self.states[since:]))

    @property
    def pid(self) -> int:
        process = self.indexer._process
        assert process is not None
        return process.pid


class World:
    def __init__(self, base: Path) -> None:
        self.base = base
        self.notes = base / "notes"
        self.notes.mkdir()
        self.file = base / "library.carrel"
        self.library = Library.open(self.file, create=True)
        self.library.add(self.notes)
        self.browsers: list[Browser] = []

    def browser(self, home: str = "") -> Browser:
        browser = Browser(self.file, self.base, home or f"home{len(self.browsers)}")
        self.browsers.append(browser)
        return browser.start()

    def write(self, name: str, text: str) -> None:
        (self.notes / name).write_text(text)

    def until_found(self, word: str) -> None:
        until = time.monotonic() + PATIENCE
        while not self.library.search(word, settings=WORDS).hits:
            assert time.monotonic() < until, f"{word} was not found"
            time.sleep(0.02)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    world = World(tmp_path)
    yield world
    for browser in world.browsers:
        browser.indexer.stop()
    world.library.close()


def at_rest(state: IndexerState) -> bool:
    return state.phase == "watching" and not state.foreign


def test_a_second_browser_follows_the_first_and_takes_over_when_it_leaves(world: World) -> None:
    first = world.browser()
    first.until(at_rest)
    second = world.browser()
    followed = second.until(lambda state: state.foreign and state.phase == "watching")
    assert followed.pid == first.pid
    world.write("a.md", "# Quokka\n\nIt lives on an island.\n")
    world.until_found("quokka")
    first.indexer.stop()
    second.until(at_rest)
    world.write("b.md", "# Numbat\n\nIt eats termites.\n")
    world.until_found("numbat")


def test_browsers_beside_a_running_indexer_blind_nobody_and_leave_neither_files_nor_log_lines(world: World) -> None:
    world.browser("home").until(at_rest)
    for _ in range(KEPT_FILES + 2):
        browser = world.browser("home")
        browser.until(lambda state: state.foreign and state.phase == "watching")
        browser.indexer.stop()
    assert world.library.watching() is not None
    assert len(list((world.base / "home" / "state" / "events").iterdir())) <= KEPT_FILES + 2
    assert (world.base / "home" / "state" / "carrel.log").read_text() == ""


def test_a_second_browser_takes_over_when_the_first_is_killed(world: World) -> None:
    first = world.browser()
    first.until(at_rest)
    second = world.browser()
    second.until(lambda state: state.foreign)
    first.indexer.leave = lambda: None  # type: ignore[method-assign]
    first.indexer._leaving.set()  # its browser has died with it: nobody starts another
    os.kill(first.pid, signal.SIGKILL)
    second.until(at_rest)


def test_an_indexer_that_is_killed_is_started_again_and_goes_on(world: World) -> None:
    browser = world.browser()
    browser.until(at_rest)
    pid, seen = browser.pid, len(browser.states)
    os.kill(pid, signal.SIGKILL)
    browser.until(lambda state: state.phase == "restarting", seen)
    browser.until(lambda state: at_rest(state) and state.pid != pid, seen)
    world.write("a.md", "# Quokka\n\nIt lives on an island.\n")
    world.until_found("quokka")


def test_a_library_file_that_vanishes_is_missed_and_never_made_anew(world: World) -> None:
    browser = world.browser()
    browser.until(at_rest)
    away = world.base / "away"
    seen = len(browser.states)
    world.file.rename(away)
    browser.until(lambda state: state.phase == "gone", seen)
    assert not world.file.exists()
    seen = len(browser.states)
    away.rename(world.file)
    browser.until(at_rest, seen)
    world.write("a.md", "# Quokka\n\nIt lives on an island.\n")
    world.until_found("quokka")


def test_orders_reach_the_indexer_of_another_browser(world: World) -> None:
    world.browser().until(at_rest)
    second = world.browser()
    second.until(lambda state: state.foreign)
    number = world.library.file_request("pause", str(world.notes))
    until = time.monotonic() + PATIENCE
    while not world.library.request_state(number).done:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert world.library.folders()[0].state == "paused"


BROWSER = """
import sys
sys.path.insert(0, {tests!r})
from fakes import FakeLibrary, ports
from app.tui.app import CarrelApp
CarrelApp(ports(FakeLibrary())).run()
"""


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self) -> None:
        self._screen, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm-256color", "PS1": "READY> "}
        self.process = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-i"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(theirs)
        self._output = select.poll()  # unlike select it takes descriptors of any number
        self._output.register(self._screen, select.POLLIN)

    def press(self, keys: bytes) -> None:
        os.write(self._screen, keys)

    def until(self, wanted: bytes) -> None:
        """Read until something is on the terminal that was not there at the last call."""
        written, end = b"", time.monotonic() + PATIENCE
        while wanted not in written:
            assert self._output.poll(max(0.0, end - time.monotonic()) * 1000), written[-500:]
            written += os.read(self._screen, 65536)

    def rest(self) -> None:
        """Read until nothing has come for a moment."""
        while self._output.poll(QUIET_MILLISECONDS):
            os.read(self._screen, 65536)

    def close(self) -> None:
        os.close(self._screen)
        self.process.wait(PATIENCE)


def test_ctrl_z_goes_to_the_shell_and_fg_comes_back(tmp_path: Path) -> None:
    script = tmp_path / "browser.py"
    script.write_text(BROWSER.format(tests=str(Path(__file__).parent)))
    shell = Shell()
    try:
        shell.until(b"READY> ")
        shell.press(f"'{sys.executable}' '{script}'\n".encode())
        shell.until(b"documents to search")
        shell.rest()  # else what is still to be painted would come after `fg`, whether or not the rest does
        shell.press(b"\x1a")
        shell.until(b"Stopped")
        shell.press(b"fg\n")
        shell.until(b"documents to search")
        shell.press(b"\x11")
        shell.until(b"READY> ")
        shell.press(b"exit\n")
    finally:
        shell.close()
