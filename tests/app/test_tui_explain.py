"""The explanation: its figures add up, its pictures are true, it can be taken along; one passage leads to others."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from fakes import NOTES, FakeLibrary, search_notes
from hypothesis import given
from hypothesis import strategies as st
from piloting import WIDE, pressed, settle, typed, written
from textual.app import App

from app.cli.search_explained import explained as explained_rows
from app.cli.search_linear import linear
from app.explanation import differences, facts_of, units
from app.tui.app import CarrelApp
from app.tui.screens.search.explanation.renderings import as_json, as_text, explanation_lines
from app.tui.screens.search.explanation.subject import Explained
from app.tui.screens.search.explanation.trust import resampled, scale_lines
from engine.figures import figure, value_of
from engine.records import (
    Fusion,
    Hit,
    KeywordFigure,
    SearchResult,
    SearchSettings,
    Shares,
    SignalScale,
    TermScore,
)

SCALE = SignalScale(0.0, 0.9, (3, 40, 120, 90, 30, 8, 2, 0, 1), 0.5, 0.3, True)
RESULT = search_notes(NOTES, "starter alive", SearchSettings(), 10)


shares = st.floats(-0.3, 1.2, allow_nan=False)
amounts = st.floats(0.0, 1.0, allow_nan=False)


def hit_of(meaning: float, words: float, feedback: float | None, terms: list[float]) -> Hit:
    """Return a row with these shares, whose words have these bm25 scores."""
    given_terms = tuple(TermScore(f"word{n}", 2.0, 1.0, score, 7) for n, score in enumerate(terms))
    return replace(
        RESULT.hits[0],
        score=meaning + words + (feedback or 0.0),
        shares=Shares(meaning, words, feedback),
        keyword=KeywordFigure(1, sum(terms), given_terms) if terms else None,
    )


@given(shares, amounts, st.none() | shares, st.sampled_from(["convex", "rrf"]))
def test_the_parts_as_shown_sum_to_the_score_as_shown(
    meaning: float, words: float, feedback: float | None, fusion: Fusion
) -> None:
    explained = Explained(hit_of(meaning, words, feedback, []), replace(RESULT, fusion=fusion))
    decimals = explained.facts.decimals
    score = figure(explained.hit.score, decimals)
    assert sum(units(part.shown, decimals) for part in explained.facts.parts) == units(score, decimals)
    lines = [line.plain for line in explanation_lines(explained, 60)]
    drawn = [value_of(line.split()[-1]) for line in lines if re.match(r"(meaning|words|feedback) +▕", line)]
    total = next(value_of(line.split()[-1]) for line in lines if line.startswith("score"))
    assert round(sum(drawn), decimals) == round(total, decimals) == value_of(score)


@given(amounts, st.lists(st.floats(0.001, 20.0), min_size=1, max_size=8))
def test_the_points_of_the_words_sum_to_their_part_of_the_score(share: float, terms: list[float]) -> None:
    facts = facts_of(hit_of(0.2, share, 0.01, terms), RESULT)
    assert sum(units(word.points, 3) for word in facts.words) == units(facts.shown("words"), 3)


@given(st.tuples(shares, amounts, shares), st.tuples(shares, amounts, shares))
def test_the_differences_of_the_parts_sum_to_that_of_the_scores(
    one: tuple[float, float, float], other: tuple[float, float, float]
) -> None:
    first, second = hit_of(*one, []), hit_of(*other, [])
    apart = sum(differences(facts_of(first, RESULT), facts_of(second, RESULT)).values())
    assert apart == units(figure(first.score), 3) - units(figure(second.score), 3)


@given(st.floats(-1.0, 2.0), st.integers(8, 60))
def test_the_scale_fits_its_width_wherever_the_signal_lies(signal: float, cells: int) -> None:
    lines = scale_lines(SCALE, signal, cells)
    assert all(line.cell_length <= cells for line in lines)
    assert "▲" in lines[-1].plain
    assert figure(signal) in lines[-1].plain or cells < 26


@given(st.integers(1, 80))
def test_the_histogram_keeps_its_counts_at_any_width(cells: int) -> None:
    assert sum(resampled(SCALE, 0.0, 0.9, cells)) == pytest.approx(sum(SCALE.histogram))


@pytest.mark.parametrize("width", [20, 38, 47, 56, 76])
@pytest.mark.parametrize("fusion", ["convex", "rrf", "vector", "keyword"])
def test_an_explanation_fits_its_width(width: int, fusion: Fusion) -> None:
    result = search_notes(NOTES, "starter alive zymurgy", SearchSettings(fusion=fusion), 10)
    for hit in result.hits:
        lines = explanation_lines(Explained(hit, result, SCALE, result.hits[-1], tried=True), width)
        assert all(line.cell_length <= width for line in lines)


def test_the_words_of_a_narrow_explanation_can_be_told_apart() -> None:
    result = search_notes(NOTES, "fermentation cabbage", SearchSettings(), 10)
    (hit,) = (hit for hit in result.hits if hit.keyword and "fermentation" in hit.path.decode())
    narrow = [line.plain for line in explanation_lines(Explained(hit, result, SCALE), 38)]
    assert any(
        line.startswith("fermentation ") and "×" in line and line.endswith(tuple("0123456789")) for line in narrow
    )
    wide = [line.plain for line in explanation_lines(Explained(hit, result, SCALE), 50)]
    (row,) = (line for line in wide if line.startswith("fermentation "))
    assert "rare" in row or "common" in row


def test_a_row_is_told_from_its_neighbour_by_what_set_them_apart() -> None:
    first, second = ([line.plain for line in explanation_lines(Explained(hit, RESULT, SCALE), 90)][2]
                     for hit in RESULT.hits[:2])  # fmt: skip
    assert re.match(r"\.\d+ ahead of the second, .+: \w+ \+\.\d+", first)
    assert re.match(r"\.\d+ behind the first, .+: \w+ −\.\d+", second)
    assert first.split()[0] == second.split()[0]


def test_a_library_that_was_not_measured_shows_no_scale() -> None:
    unfitted = replace(SCALE, fitted=False, histogram=())
    text = "\n".join(line.plain for line in explanation_lines(Explained(RESULT.hits[0], RESULT, unfitted), 60))
    assert "has not been measured yet" in text and "▲" not in text


def test_the_text_to_take_along_names_query_and_file() -> None:
    text = as_text(Explained(RESULT.hits[0], RESULT, SCALE))
    assert text.startswith("query: starter alive\nfile:  /home/reader/notes/books/yeast.md\n")
    assert "Why is this first?" in text and "\x1b" not in text


def test_the_json_to_take_along_has_every_figure_unrounded() -> None:
    shape = json.loads(as_json(Explained(RESULT.hits[0], RESULT, SCALE)))
    row = shape["result"]
    assert shape["format"] == 1 and shape["query"] == "starter alive"
    assert row["score"] == RESULT.hits[0].score
    assert sum(row["shares"].values()) == pytest.approx(row["score"])


def test_a_hostile_word_cannot_act_on_the_screen() -> None:
    hostile = "[/]\x1b[31m‮" + "x" * 300
    term = TermScore(hostile, 2.0, 1.0, 3.0, 7)
    hit = replace(RESULT.hits[0], title=hostile, keyword=KeywordFigure(1, 3.0, (term,)))
    lines = explanation_lines(Explained(hit, RESULT, SCALE), 60)
    assert all("\x1b" not in line.plain and "‮" not in line.plain for line in lines)


# --- through keys -------------------------------------------------------------------------------------------------


async def test_the_explanation_shows_the_histogram_and_the_limits(app: CarrelApp) -> None:
    async with app.run_test(size=(120, 48)) as pilot:
        await typed(pilot, "starter alive")
        await pilot.press("ctrl+t")
        text = written(pilot)
        assert "▲ here" in text and "█" in text and "foreign queries" in text
        assert "likely from .500, strong from .620" in text


async def test_a_letter_in_the_rows_explains(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter alive")
        await pilot.press("tab", "e")
        assert screen.pane.explaining and screen.rows.has_focus


@pytest.mark.parametrize(("key", "begins"), [("y", "query: starter alive"), ("Y", "{")])
async def test_the_explanation_is_copied(
    app: CarrelApp, key: str, begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    monkeypatch.setattr(App, "copy_to_clipboard", lambda self, text: copied.append(text))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter alive")
        await pilot.press("f12", key)
        assert copied[0].startswith(begins)


async def test_more_like_this_lists_other_notes_and_leads_back(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        before = [hit.passage_id for hit in screen.rows.hits]
        chosen = screen.rows.hit
        assert chosen is not None
        await settle(pilot)
        await pilot.press("ctrl+l")
        await settle(pilot)
        assert all(hit.document_id != chosen.document_id for hit in screen.rows.hits)
        assert screen.reading.text.startswith(f"like: {chosen.title}")
        await pressed(pilot, "ctrl+s")
        assert "nearest in meaning · newest first   esc back" in screen.reading.text
        await pressed(pilot, "ctrl+s", "ctrl+s")
        assert "nearest in meaning   esc back" in screen.reading.text
        await pilot.press("ctrl+l")
        await settle(pilot)
        await pilot.press("escape")
        assert screen.reading.text.startswith(f"like: {chosen.title}")
        await pilot.press("escape")
        assert [hit.passage_id for hit in screen.rows.hits] == before
        assert "like:" not in screen.reading.text and screen.query_line.value == "starter"


@pytest.mark.parametrize("key", ["ctrl+l", "m"])
async def test_more_like_this_pressed_twice_is_where_it_began(app: CarrelApp, key: str) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        before = [hit.passage_id for hit in screen.rows.hits]
        await pressed(pilot, *(["tab"] if key == "m" else []), key)
        assert "like:" in screen.reading.text
        await pressed(pilot, key)
        assert [hit.passage_id for hit in screen.rows.hits] == before and "like:" not in screen.reading.text
        await pilot.press(key, key)  # the first is still at work
        await settle(pilot)
        assert [hit.passage_id for hit in screen.rows.hits] == before and "like:" not in screen.reading.text
        await pressed(pilot, key, "down", "up", key)
        second = screen.reading.text
        await pressed(pilot, key)
        assert "like:" in screen.reading.text and screen.reading.text != second
        await pressed(pilot, "escape")
        assert [hit.passage_id for hit in screen.rows.hits] == before


async def test_typing_leaves_more_like_this(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        await pilot.press("tab", "m")
        await settle(pilot)
        assert "like:" in screen.reading.text
        await typed(pilot, "starter alive")
        assert "like:" not in screen.reading.text


async def test_a_commit_does_not_take_more_like_this_away(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        await pilot.press("ctrl+l")
        await settle(pilot)
        library.commits += 1
        app.look_again()
        await settle(pilot)
        assert "like:" in screen.reading.text


def test_score_parts_leave_out_what_was_not_used() -> None:
    plain = search_notes(NOTES, "starter", SearchSettings(feedback=False), 10)
    assert [part.name for part in facts_of(plain.hits[0], plain).parts] == ["meaning", "words"]


@given(shares, amounts, st.none() | shares, st.lists(st.floats(0.001, 20.0), min_size=1, max_size=8))
def test_rows_sentences_and_the_screen_say_the_same_figures(
    meaning: float, words: float, feedback: float | None, terms: list[float]
) -> None:
    hit = hit_of(meaning, words, feedback, terms)
    result = replace(RESULT, hits=(hit,))
    screen = "\n".join(line.plain for line in explanation_lines(Explained(hit, result), 78))
    rows = "\n".join(explained_rows(hit, result))
    sentences = "\n".join(linear(result, explain=True))
    for part in facts_of(hit, result).parts:
        assert re.search(rf"^{part.name} .* {re.escape(part.shown)}$", screen, re.MULTILINE)
        assert f"{part.name} {part.shown}" in rows
        assert f"{value_of(part.shown):.3f}".replace("-0.000", "0.000").replace("-", "−") in sentences
    for word in facts_of(hit, result).words:
        assert f" {word.bm25}  " in screen
        assert rows.count(f"{value_of(word.bm25):.2f}") and sentences.count(f"gave {value_of(word.bm25):.2f}")


def test_a_result_without_words_says_so() -> None:
    vector: SearchResult = replace(RESULT, words=())
    hit = replace(RESULT.hits[0], keyword=None)
    assert any("not asked" in line.plain for line in explanation_lines(Explained(hit, vector), 60))
