"""A library that tells of commits: the browser looks when it is told and not by the clock, until it is left."""

from __future__ import annotations

import queue
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import STILL, FakeLibrary, ports
from piloting import WIDE, settle, told, until

from app.tui import followed_library
from app.tui.app import CarrelApp
from app.tui.ports import Opened
from engine.errors import LibraryBusy, TeamRefused

PATIENCE = 120.0  # seconds; nothing here is about how long something takes


class FakeFeed:
    """Tells what a test puts into it, and raises it where it is an error."""

    def __init__(self) -> None:
        self.news: queue.SimpleQueue[bool | Exception] = queue.SimpleQueue()
        self.closed = False
        self.waits = 0

    def wait(self, seconds: float) -> bool:
        self.waits += 1
        if self.closed or not seconds:
            return False
        found = self.news.get(timeout=PATIENCE)
        if isinstance(found, Exception):
            raise found
        return found

    def close(self) -> None:
        self.closed = True
        self.news.put(False)


class TellingLibrary(FakeLibrary):
    """A library that tells of its commits, and counts how often it is asked for its version."""

    def __init__(self) -> None:
        super().__init__()
        self.feeds: list[FakeFeed] = []
        self.looks = 0

    def following(self) -> FakeFeed:
        self.feeds.append(FakeFeed())
        return self.feeds[-1]

    def version(self) -> int:
        self.looks += 1
        return super().version()

    def commit(self) -> None:
        """Lose a note by another's hand, and tell of it."""
        self.notes.pop(next(iter(self.notes)))
        self.commits += 1
        self.feeds[-1].news.put(True)

    def shown_in(self, app: CarrelApp) -> bool:
        """Whether the browser knows how many notes there are by now."""
        return app.view.status is not None and app.view.status.documents == len(self.notes)


async def test_what_a_library_tells_of_is_shown_at_once_out_of_focus_too() -> None:
    library = TellingLibrary()
    app = CarrelApp(ports(library, pace=replace(STILL, poll=60.0, away=60.0)))
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: bool(library.feeds))
        library.commit()
        await until(pilot, lambda: library.shown_in(app))
        app.app_focus = False
        library.commit()
        await until(pilot, lambda: library.shown_in(app))


async def test_a_library_that_tells_of_commits_is_not_asked_by_the_clock() -> None:
    library, polls = TellingLibrary(), [0]

    def clock() -> float:
        polls[0] += 1
        return 0.0

    app = CarrelApp(replace(ports(library, pace=replace(STILL, poll=0.1)), clock=clock))
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: bool(library.feeds) and library.feeds[0].waits > 1)
        before, seen = library.looks, polls[0]
        await until(pilot, lambda: polls[0] >= seen + 10)
        assert library.looks == before
        library.commit()
        await until(pilot, lambda: library.shown_in(app))


async def test_a_commit_before_the_library_tells_of_any_is_not_missed() -> None:
    library = TellingLibrary()

    class Late(FakeFeed):
        def wait(self, seconds: float) -> bool:
            if not self.waits:
                library.notes.pop(next(iter(library.notes)))
                library.commits += 1  # between the opening and the first look of the feed
            return super().wait(seconds)

    library.following = Late  # type: ignore[method-assign]
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: library.shown_in(app))


async def test_leaving_ends_what_tells_of_commits() -> None:
    library = TellingLibrary()
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: bool(library.feeds))
        await pilot.press("ctrl+q")
    assert library.feeds[0].closed


async def test_an_exchanged_file_is_followed_in_place_of_the_old_one(tmp_path: Path) -> None:
    old, new = TellingLibrary(), TellingLibrary()
    old.path = new.path = tmp_path / "library.carrel"
    old.path.write_text("old")
    answers = [old, new]
    made = ports(old, pace=replace(STILL, poll=0.1))
    app = CarrelApp(replace(made, open_library=lambda: Opened(answers.pop(0), old.new_cancellation)))
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: bool(old.feeds))
        (tmp_path / "other").write_text("new")
        (tmp_path / "other").rename(old.path)
        await until(pilot, lambda: bool(new.feeds))
        assert old.feeds[0].closed and not new.feeds[0].closed
        new.commit()
        await until(pilot, lambda: new.shown_in(app))
        assert len(old.feeds) == len(new.feeds) == 1
    assert told(pilot).count("The library file was replaced by another one, which is shown now.") == 1
    assert new.feeds[0].closed


async def test_a_file_that_took_the_place_and_cannot_be_opened_yet_is_tried_again(tmp_path: Path) -> None:
    old, new = TellingLibrary(), TellingLibrary()
    old.path = new.path = tmp_path / "library.carrel"
    old.path.write_text("old")
    busy = LibraryBusy("Another process writes to the library.")
    answers: list[TellingLibrary | LibraryBusy] = [old, busy, busy, new]

    def open_library() -> Opened:
        answer = answers.pop(0)
        if isinstance(answer, LibraryBusy):
            raise answer
        return Opened(answer, old.new_cancellation)

    app = CarrelApp(replace(ports(old, pace=replace(STILL, poll=0.1)), open_library=open_library))
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: bool(old.feeds))
        (tmp_path / "other").write_text("new")
        (tmp_path / "other").rename(old.path)
        await until(pilot, lambda: bool(new.feeds))
        assert app.opened is not None and app.opened.library is new
    assert told(pilot).count("Another process writes to the library.") == 1


async def test_a_feed_that_fails_is_waited_on_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed_library, "FAILED_SECONDS", 0.0)
    library = TellingLibrary()
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: bool(library.feeds))
        library.feeds[0].news.put(TeamRefused("The server did not let you in."))
        library.commit()
        await until(pilot, lambda: library.shown_in(app))


async def test_a_feed_that_breaks_gives_its_place_to_the_clock() -> None:
    library = TellingLibrary()
    app = CarrelApp(ports(library, pace=replace(STILL, poll=0.1)))
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: bool(library.feeds))
        library.feeds[0].news.put(RuntimeError("a fault"))
        await until(pilot, lambda: library.feeds[0].closed)
        library.notes.pop(next(iter(library.notes)))
        library.commits += 1
        await until(pilot, lambda: library.shown_in(app))
        await settle(pilot)
