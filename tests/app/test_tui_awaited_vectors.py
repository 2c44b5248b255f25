"""Passages that have no vector yet: rows appear by words, say so, and move once when their vectors are there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fakes import FakeLibrary, ports
from piloting import SMALL, WIDE, screen_of, settle, typed, written
from textual.pilot import Pilot

from app.tui.app import CarrelApp
from app.tui.ports import Pace
from engine.records import SearchSettings

QUERY = "starter bread"


def waiting(library: FakeLibrary) -> FakeLibrary:
    """Let the passage that a query finds first wait for its vector."""
    found = library.search(QUERY, limit=1, settings=SearchSettings(fusion="keyword"), typing=False, cancel=None)
    library.waiting = {hit.passage_id for hit in found.hits}
    library.held = {"embed"}
    library.asked.clear()
    return library


async def begun(pilot: Pilot[int], text: str) -> None:
    """Type a query, and wait until its answer is shown and the embedding has begun."""
    await settle(pilot)
    screen = screen_of(pilot)
    screen.query_line.value = text
    while not (library_of(pilot).embedding.is_set() and screen.parts.shown.finished):
        await pilot.pause()


def library_of(pilot: Pilot[int]) -> FakeLibrary:
    """Return the library that the browser shows."""
    app: Any = pilot.app
    library = app.opened.library
    assert isinstance(library, FakeLibrary)
    return library


def selected(pilot: Pilot[int]) -> int:
    """Return the passage of the selected row."""
    hit = screen_of(pilot).rows.hit
    assert hit is not None
    return hit.passage_id


def order(pilot: Pilot[int]) -> list[int]:
    """Return the passages of the rows."""
    return [hit.passage_id for hit in screen_of(pilot).rows.hits]


async def test_rows_say_that_they_stand_by_their_words_so_far(library: FakeLibrary) -> None:
    app = CarrelApp(ports(waiting(library)))
    async with app.run_test(size=WIDE) as pilot:
        await begun(pilot, QUERY)
        text = written(pilot)
        assert "not yet" in text
        assert "by words so far: meaning 34 %" in text
        await pilot.press("ctrl+t")
        await pilot.pause()
        rows = screen_of(pilot).rows
        rows.choose(next(place for place, hit in enumerate(rows.hits) if hit.pending))
        await pilot.pause()
        assert "not embedded yet" in written(pilot)
        library.release.set()
        await settle(pilot)


async def test_rows_move_once_when_their_vectors_are_there(library: FakeLibrary) -> None:
    app = CarrelApp(ports(waiting(library)))
    async with app.run_test(size=WIDE) as pilot:
        await begun(pilot, QUERY)
        before, answers = order(pilot), len(library.asked)
        library.release.set()
        await settle(pilot)
        assert order(pilot) != before
        assert not any(hit.pending for hit in screen_of(pilot).rows.hits)
        assert [fusion for _, fusion, _ in library.asked[answers:]] == ["convex"]
        assert "so far" not in written(pilot)


async def test_the_selection_stays_on_its_passage_when_rows_move(library: FakeLibrary) -> None:
    app = CarrelApp(ports(waiting(library)))
    async with app.run_test(size=SMALL) as pilot:
        await begun(pilot, QUERY)
        before, chosen = order(pilot), selected(pilot)
        library.release.set()
        await settle(pilot)
        assert order(pilot)[0] != before[0]
        assert selected(pilot) == chosen


async def test_who_has_not_moved_looks_at_the_best_row_where_the_old_one_falls_out_of_sight(
    library: FakeLibrary,
) -> None:
    app = CarrelApp(ports(waiting(library)))
    async with app.run_test(size=(80, 9)) as pilot:  # one row is in sight
        await begun(pilot, QUERY)
        before, chosen = order(pilot), selected(pilot)
        library.release.set()
        await settle(pilot)
        assert order(pilot)[0] != before[0] == chosen
        assert selected(pilot) == order(pilot)[0]
        assert screen_of(pilot).rows.scroll_offset.y == 0


async def test_the_next_key_gives_up_what_the_last_one_had_embedded(library: FakeLibrary) -> None:
    app = CarrelApp(ports(waiting(library)))
    async with app.run_test(size=WIDE) as pilot:
        await begun(pilot, QUERY)
        library.waiting = set()
        screen_of(pilot).query_line.value = "oven"
        await settle(pilot)
        assert library.given_up.is_set()
        assert screen_of(pilot).parts.shown.question == "oven"


async def test_the_indexer_is_asked_for_the_same_passages_once_a_query(library: FakeLibrary) -> None:
    awaited = set(waiting(library).waiting)
    library.held = set()
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, QUERY)
        assert [set(asked) for asked in library.asked_for] == [awaited]


async def test_a_library_that_can_only_be_read_is_asked_for_nothing(library: FakeLibrary) -> None:
    waiting(library).read_only = True
    library.held = set()
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, QUERY)
        assert not any(hit.pending for hit in screen_of(pilot).rows.hits)
        assert library.asked_for == []


async def test_while_a_word_grows_all_rows_come_with_the_vectors_and_move_once(library: FakeLibrary) -> None:
    waiting(library).held = set()
    app = CarrelApp(replace(ports(library), pace=Pace(quiet=0.0, glance=0.0, settle=0.01, poll=3600.0, blink=False)))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, QUERY)
        assert [fusion for text, fusion, _ in library.asked if text == QUERY] == ["keyword", "convex", "convex"]
        assert not any(hit.pending for hit in screen_of(pilot).rows.hits)
