"""Two results side by side: their figures and differences add up, and their texts stand beside each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fakes import NOTES, FakeLibrary, ports, search_notes
from hypothesis import given
from hypothesis import strategies as st
from piloting import SIZES, WIDE, picture, settle, told, typed, written

from app.tui.app import CarrelApp
from app.tui.screens.search.compare.compare_lines import comparison_lines
from app.tui.screens.search.compare.compared_figures import Pair, decisive, parts, words
from app.tui.screens.search.compare.screen import CompareScreen
from app.tui.screens.search.explanation.subject import Explained
from engine.records import SearchSettings, Shares

RESULT = search_notes(NOTES, "starter alive", SearchSettings(), 10)
PAIR = Pair(Explained(RESULT.hits[0], RESULT), Explained(RESULT.hits[1], RESULT))
amounts = st.floats(-0.2, 1.0, allow_nan=False)


def value(shown: str) -> float:
    return float(shown.replace("−", "-").lstrip("±") or 0)


@given(amounts, amounts, amounts, amounts)
def test_columns_and_differences_add_up(meaning: float, words: float, other: float, feedback: float) -> None:
    first = replace(PAIR.first.hit, score=meaning + words, shares=Shares(meaning, words))
    second = replace(PAIR.second.hit, score=other + feedback, shares=Shares(other, 0.0, feedback))
    *rows, total = parts(Pair(Explained(first, RESULT), Explained(second, RESULT)))
    for column in ("first", "second", "difference"):
        shown = [getattr(row, column) for row in rows if getattr(row, column) != "–"]
        assert round(sum(map(value, shown)), 3) == round(value(getattr(total, column)), 3)


def test_the_sentence_names_what_decided() -> None:
    assert decisive(PAIR).startswith("Ahead by .")
    level = Pair(PAIR.first, Explained(replace(PAIR.first.hit, rank=2), RESULT))
    assert "the same as shown" in decisive(level)


def test_each_word_is_told_for_both() -> None:
    rows = {row.name: row for row in words(PAIR)}
    assert rows["alive"].second == "–" and rows["alive"].difference.startswith("+")


@pytest.mark.parametrize("width", [40, 76, 120, 150])
def test_the_page_fits_its_width(width: int) -> None:
    texts = ("日本の旅 " * 90 + "\n[/]\x1b[31m" + "x" * 100_000, "")
    lines = comparison_lines(PAIR, texts, frozenset({"starter"}), width)
    assert all(line.cell_length <= width for line in lines)
    assert all("\x1b" not in line.plain for line in lines)


async def test_the_selected_row_is_compared_with_the_one_above(app: CarrelApp) -> None:
    async with app.run_test(size=(120, 48)) as pilot:
        await typed(pilot, "starter alive")
        await pilot.press("down", "f7")
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        text = written(pilot)
        assert "1  Yeast" in text and "2  Sourdough › Care" in text
        assert "In the fridge once a week is enough" in text and "stable culture" in text
        await pilot.press("escape")
        assert not isinstance(app.screen, CompareScreen)


async def test_a_paragraph_that_was_folded_in_its_file_is_one_in_a_comparison(app: CarrelApp) -> None:
    async with app.run_test(size=(200, 60)) as pilot:
        await typed(pilot, "starter alive")
        await pilot.press("f7")
        await settle(pilot)
        assert "kept alive by regular feeding" in written(pilot)


async def test_the_first_row_is_compared_with_the_next(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter alive")
        await pilot.press("tab", "c")
        await settle(pilot)
        assert "1  Yeast" in written(pilot) and "2  Sourdough" in written(pilot)


async def test_a_marked_row_is_what_the_selected_one_is_compared_with(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter alive")
        await pilot.press("tab", "x", "end", "c")
        await settle(pilot)
        text = written(pilot)
        assert "1  Yeast" in text and f"{len(screen.rows.hits)}  " in text and "2  Sourdough" not in text


async def test_one_result_cannot_be_compared(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        app.screen.query_one("#rows").hits = app.screen.query_one("#rows").hits[:1]  # type: ignore[attr-defined]
        await pilot.press("f7")
        await pilot.pause()
        assert "Two results are needed" in told(pilot)[-1]


@pytest.fixture
def app() -> CarrelApp:
    return CarrelApp(ports(FakeLibrary()))


@pytest.mark.parametrize("size", SIZES)
def test_picture_of_a_comparison(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary(), size, "down", "f7", query="starter alive")
