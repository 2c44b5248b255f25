"""What the screen read of the library before a commit is not kept after it, whichever of the two came first."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from fakes import STILL, FakeExploration, FakeLibrary, ports
from piloting import WIDE, pressed, settle, typed

from app.tui.app import CarrelApp
from app.tui.screens.search.query_filters import QueryFilters
from app.tui.screens.search.query_line import QueryLine
from engine.records import Facets, Status

OLD, NEW = Facets({"old": 1}, {}, {}), Facets({"new": 1}, {}, {})


class SlowFacets:
    """A library whose filters are read while a commit comes."""

    def __init__(self) -> None:
        self.began, self.go_on = threading.Event(), threading.Event()
        self.now = OLD

    def facets(self) -> Facets:
        found = self.now
        self.began.set()
        assert self.go_on.wait(120)
        return found


async def test_values_read_before_a_commit_are_not_shown_after_it() -> None:
    library = SlowFacets()
    app = cast("Any", SimpleNamespace(opened=SimpleNamespace(library=library)))
    line = QueryLine()
    filters = QueryFilters(app, line, cast("Any", None))
    reading = asyncio.create_task(line.completions.values())
    while not library.began.is_set():
        await asyncio.sleep(0)
    library.now = NEW
    filters.forget_values()  # the commit
    library.go_on.set()
    await reading
    assert await line.completions.values() == NEW
    library.now = OLD
    assert await line.completions.values() == NEW  # what is right is kept


class CommittedMeanwhile(FakeLibrary):
    """A library to which another process commits right after it was first counted."""

    def status(self, *, stale: bool = False) -> Status:
        found = super().status(stale=stale)
        if self.commits == 1:
            self.commits += 1
            self.notes.pop(next(iter(self.notes)))
        return found


async def test_a_commit_while_the_library_is_opened_is_not_missed() -> None:
    library = CommittedMeanwhile()
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        app.look_again()
        await settle(pilot)
        assert app.view.status is not None
        assert app.view.status.documents == len(library.notes)


class CountedLooks(FakeLibrary):
    """A library that counts how often its version is asked for."""

    looks = 0

    def version(self) -> int:
        self.looks += 1
        return super().version()


async def test_a_browser_out_of_focus_looks_for_commits_less_often() -> None:
    library, hours, polls = CountedLooks(), [1.0], [0]

    def clock() -> float:
        polls[0] += 1
        return hours[0] * 3600

    async def polled() -> None:
        until = polls[0] + 3
        while polls[0] < until:
            await pilot.pause(0.05)
        await settle(pilot)

    app = CarrelApp(replace(ports(library, pace=replace(STILL, poll=0.1, away=60.0)), clock=clock))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await polled()
        app.app_focus = False
        await settle(pilot)
        before = library.looks
        await polled()
        assert library.looks <= before + 1  # one may have begun before
        before = library.looks
        await polled()
        assert library.looks == before
        hours[0] += 1
        await polled()
        assert library.looks == before + 1
        app.app_focus = True
        await polled()
        assert library.looks > before + 1


class SlowRepeat(FakeLibrary):
    """A library that repeats one search for as long as a test wants, whether or not it was given up."""

    def __init__(self) -> None:
        super().__init__()
        self.slow = False
        self.began, self.go_on = threading.Event(), threading.Event()

    def explore(self, text: str, **more: Any) -> FakeExploration:
        if self.slow and text == "old starter":
            self.began.set()
            assert self.go_on.wait(120)
        return super().explore(text, **more)


async def test_a_repeated_search_that_ends_after_a_newer_one_is_not_repeated_in_its_place() -> None:
    library = SlowRepeat()
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "old starter")
        library.slow = True
        library.commits += 1
        app.look_again()
        while not library.began.is_set():
            await pilot.pause()
        screen.query_line.write("bread")
        while screen.parts.shown.result is None or screen.parts.shown.result.query.text != "bread":
            await pilot.pause()
        library.go_on.set()
        await settle(pilot)
        library.notes["new/bread.md"] = "# New bread\n\nbread\n"
        library.commits += 1
        app.look_again()
        await settle(pilot)
        assert "New bread" in [hit.title for hit in screen.rows.hits]


class SlowCounts(FakeLibrary):
    """A library that is counted for longer than it takes until its commits are looked for again."""

    def __init__(self, polled: Callable[[], int]) -> None:
        super().__init__()
        self.slow = False
        self._polled = polled

    def status(self, *, stale: bool = False) -> Status:
        found, until = super().status(stale=stale), self._polled() + 3
        while self.slow and self._polled() < until:
            time.sleep(0.01)
        return found


async def test_a_look_that_takes_longer_than_the_clock_comes_to_its_end() -> None:
    polls = [0]

    def clock() -> float:
        polls[0] += 1
        return float(polls[0])

    library = SlowCounts(lambda: polls[0])
    app = CarrelApp(replace(ports(library, pace=replace(STILL, poll=0.05, refresh=0.0)), clock=clock))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        library.slow = True
        library.notes["new/bread.md"] = "# New bread\n\nbread\n"
        library.commits += 1
        until = polls[0] + 40
        while polls[0] < until and app.view.status is not None and app.view.status.documents < len(library.notes):
            await pilot.pause(0.02)
        library.slow = False
        assert app.view.status is not None and app.view.status.documents == len(library.notes)


async def test_passages_that_stand_unfolded_follow_an_edit_of_their_note() -> None:
    library = FakeLibrary()
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        await pressed(pilot, "ctrl+g")
        lines = [hit.line_start or 0 for hit in screen.rows.hits[:3]]
        assert len({hit.document_id for hit in screen.rows.hits[:3]}) == 1
        name = next(name for name in library.notes if name.endswith("sourdough.md"))
        library.notes[name] = library.notes[name].replace("# Sourdough\n", "# Sourdough\n\nNew.\n\nLines.\n", 1)
        library.commits += 1
        app.look_again()
        await settle(pilot)
        assert [hit.line_start for hit in screen.rows.hits[:3]] == [line + 4 if line > 1 else 1 for line in lines]
