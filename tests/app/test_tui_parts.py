"""The pure parts of the screen: figures, rows, windows, readings, explanations, the status line."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from fakes import NOTES, NOW, ROOT, FakeLibrary, search_notes
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from app.tui.indexer_state import IndexerState, after
from app.tui.screens.library.index_queue import now_lines
from app.tui.screens.search.explanation.renderings import explanation_lines
from app.tui.screens.search.explanation.subject import Explained
from app.tui.screens.search.preview import first_line_of_hit, preview_lines
from app.tui.screens.search.reading_line import reading_line
from app.tui.screens.search.row import context_of, place_of, row_lines
from app.tui.screens.search.window import LONG_LINE, form, marks_in, window_of, words_of
from app.tui.status_line import StatusView, meaning_share, status_line
from app.wording.bars import bar, rarity
from app.wording.cells import cut_front
from app.wording.safe_text import line, one_line
from app.wording.times import day, estimate
from engine import events
from engine.figures import adding_up, count, figure, ordinal
from engine.indexing.removal_guard import said_of, way_out
from engine.records import Hit, SearchResult, SearchSettings, Tier


@pytest.fixture
def result() -> SearchResult:
    return search_notes(NOTES, "starter alive", SearchSettings(), 10)


@pytest.fixture
def hit(result: SearchResult) -> Hit:
    return result.hits[0]


def test_figures_have_no_zero_before_the_point() -> None:
    assert [figure(value) for value in (0.2314, 1.024, 0.0, -0.02)] == [".231", "1.024", ".000", "−.020"]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_parts_as_shown_sum_to_the_total_as_shown(parts: list[float]) -> None:
    total = sum(parts)
    shown = [float(part) for part in adding_up(parts, total, 3)]
    assert round(sum(shown), 3) == float(figure(total))
    assert all(abs(part - value) < 0.00101 for part, value in zip(parts, shown, strict=True))


def test_parts_below_nothing_still_add_up() -> None:
    assert adding_up([0.3333, 0.2, -0.0106], 0.5227, 3) == [".333", ".200", "−.010"]


@given(st.floats(0, 1), st.floats(0, 1))
def test_bars_never_leave_their_cells(filled: float, hatched: float) -> None:
    full, rest = bar(filled, hatched, 0.6, 10)
    assert full >= 0 and rest >= 0 and full + rest <= 10


def test_rarity_follows_idf() -> None:
    assert rarity(12, 8.12, 41_870)[0] == "rare"
    assert rarity(301, 4.93, 41_870)[0] == "uncommon"
    assert rarity(9_020, 1.53, 41_870)[0] == "common"
    assert rarity(0, 9.0, 41_870)[0] == "unknown"


def test_numbers_in_words() -> None:
    assert [ordinal(n) for n in (1, 2, 11, 12, 22, 23)] == ["first", "second", "11th", "12th", "22nd", "23rd"]
    assert [estimate(s) for s in (0.2, 13, 240, 9000)] == ["1 s", "13 s", "4 min", "2 h 30 min"]
    assert count(41_870) == "41,870"
    assert day(NOW - 900 * 86_400, NOW).split()[1].isdigit()


def test_control_characters_become_pictures_and_keep_their_place() -> None:
    hostile = "a\x1b[31m\tb\x00\u202ec\ud800\r\n"
    shown = one_line(hostile)
    assert len(shown) == len(hostile)
    assert shown == "a␛[31m b␀\ufffdc\ufffd  "
    assert line("\tx\x07") == "    x␇"


def test_a_cut_keeps_what_matters_in_sight() -> None:
    assert cut_front("/a/very/long/path/name.md", 10) == "…h/name.md"


def test_words_and_meaning_are_told_with_the_time_that_is_left() -> None:
    status = replace(FakeLibrary().status(), passages=41_870, pending=27_634)
    told = after(IndexerState("watching"), events.MeaningProgress(pending=27_634, passages=41_870, seconds_left=720.0))
    view = StatusView(status, told)
    assert "words 100 %, meaning 34 %, 12 min left" in status_line(view, 120).plain
    now = "\n".join(line.plain for line in now_lines(view, 80))
    assert "words 100 %, meaning 34 %, 12 min left  27,634 passages to embed" in now
    nobody = StatusView(status, IndexerState("watching"))
    assert "words 100 %, meaning 34 %" in status_line(nobody, 120).plain
    done = StatusView(replace(status, pending=0), told)
    assert "up to date" in status_line(done, 120).plain


@pytest.mark.parametrize("width", [20, 40, 55, 80, 120])
def test_row_lines_never_exceed_their_width(result: SearchResult, width: int) -> None:
    context = context_of(result, (ROOT,), NOW)
    for hit in result.hits:
        assert all(each.cell_length <= width for each in row_lines(hit, width, context))


def test_the_figures_of_all_rows_stand_in_columns(result: SearchResult) -> None:
    context = context_of(result, (ROOT,), NOW)
    figures = [row_lines(hit, 56, context)[2].plain for hit in result.hits]
    assert len({(text.index("V"), text.index("K"), text.index("▕"), text.index("▏")) for text in figures}) == 1
    high = row_lines(replace(result.hits[0], score=1.1234), 56, context)[2].plain
    assert high.rstrip().endswith(" 1.12")


def test_marked_words_are_in_sight_in_a_long_snippet(hit: Hit, result: SearchResult) -> None:
    far = replace(hit, snippet="a" * 500 + " starter " + "b" * 500, marks=((501, 508),))
    text = row_lines(far, 56, context_of(result, (ROOT,), NOW))[1]
    assert "starter" in text.plain
    assert any(text.plain[span.start : span.end] == "starter" for span in text.spans)


def test_a_place_is_told_from_its_watched_folder() -> None:
    assert place_of(ROOT + b"/kitchen/bread/rye.md", (ROOT,)) == "kitchen/bread"
    assert place_of(ROOT + b"/rye.md", (ROOT,)) == "notes"
    assert place_of(b"/elsewhere/\xff/rye.md", (ROOT,)) == "/elsewhere/\ufffd"


def test_the_words_of_an_explanation_add_up_to_its_bm25(result: SearchResult) -> None:
    for hit in (hit for hit in result.hits if hit.keyword):
        lines = [each.plain for each in explanation_lines(Explained(hit, result), 56)]
        terms = [text for text in lines if re.match(r"(starter|alive) .*\d$", text)]
        assert hit.keyword is not None
        assert round(sum(float(text.split()[-2]) for text in terms), 2) == round(hit.keyword.bm25, 2)


@pytest.mark.parametrize("width", [20, 38, 56, 76])
def test_an_explanation_fits_its_width(result: SearchResult, width: int) -> None:
    for hit in result.hits:
        assert all(each.cell_length <= width for each in explanation_lines(Explained(hit, result), width))


def test_a_window_shows_the_lines_around_the_passage(hit: Hit, result: SearchResult) -> None:
    document = FakeLibrary().document_by_id(hit.document_id)
    assert document is not None
    window = window_of(document, hit, words_of(result))
    shown = "\n".join(each.text for each in window.lines if each.inside)
    assert shown.split() == document.text[hit.start : hit.end].split()
    assert window.lines[window.hit_index].number == hit.line_start
    marked = [each.text[start:end] for each in window.lines for start, end in each.marks]
    assert "starter" in marked and "alive" in marked


def test_a_window_of_a_huge_document_stays_small(hit: Hit, result: SearchResult) -> None:
    document = FakeLibrary().document_by_id(hit.document_id)
    assert document is not None
    text = "z" * 100_000 + "\n" + "w " * 400_000
    start = text.index("w") + 300_000
    huge = replace(document, text=text)
    window = window_of(huge, replace(hit, start=start, end=start + 500), words_of(result))
    assert sum(len(each.text) for each in window.lines) < 3 * LONG_LINE
    lines = preview_lines(window, 50)
    assert all(each.cell_length <= 50 for each in lines)
    assert "▌" in lines[first_line_of_hit(window, 50)].plain


def test_other_forms_of_a_word_are_marked_too() -> None:
    assert marks_in("Starters feeding", frozenset({"start", "feed"})) == ((0, 8), (9, 16))
    assert marks_in("nothing here", frozenset({"start"})) == ()


def test_a_reading_names_each_word_and_the_verdict(result: SearchResult) -> None:
    text = reading_line(result, 116, finished=True).plain
    assert "starter" in text and "alive" in text
    assert "meaning .80  words .20" in text
    assert text.rstrip().endswith("14 ms")
    assert cell_len(text) <= 116
    assert cell_len(reading_line(result, 30, finished=True).plain) <= 34


def test_the_words_of_a_query_stay_whole_where_the_meaning_is_still_to_come(result: SearchResult) -> None:
    so_far = replace(result, so_far=True, embedded=0.0)
    wide, narrow = (reading_line(so_far, width, finished=True).plain for width in (120, 76))
    assert "by words so far: meaning 0 %" in wide
    words = ("starter ▅ uncommon", "alive ▆ rare")
    assert all(word in wide and word in narrow for word in words)
    assert narrow.rstrip().endswith("meaning 0 %") or " · meaning 0 % · " in narrow


def test_the_sign_of_the_verdict_stands_before_its_own_tier(result: SearchResult) -> None:
    tiers: tuple[Tier, ...] = ("likely", "weak", "weak")
    hits = tuple(replace(hit, tier=tier) for hit, tier in zip(result.hits, tiers, strict=False))
    assert len(hits) == 3
    unsure = replace(result, verdict="weak", hits=hits)
    assert "1 likely, ○ 2 weak" in reading_line(unsure, 116, finished=True).plain
    assert "◐ 1 likely, 2 weak" in reading_line(replace(unsure, verdict="likely"), 116, finished=True).plain
    assert "● 1 likely, 2 weak" in reading_line(replace(unsure, verdict="strong"), 116, finished=True).plain


def test_the_time_of_a_search_stands_whole_or_not_at_all(result: SearchResult) -> None:
    shown = {width: reading_line(result, width, finished=True).plain[:width] for width in range(10, 60)}
    timed = [width for width, text in shown.items() if "14" in text]
    assert timed and all(shown[width].rstrip().endswith("· 14 ms") for width in timed)
    assert all(" · 1" not in text for width, text in shown.items() if width not in timed)


def test_the_state_follows_the_events() -> None:
    state = IndexerState()
    story = [
        (events.IndexerStarted(pid=7, task="indexing"), "scanning"),
        (events.Scanned(files=10, to_do=4), "indexing"),
        (events.Progress(files_done=1, files_total=4, passages=9, rate=30.0, seconds_left=2.0, path="a"), "indexing"),
        (events.FileFailed(path="b", reason="not text"), "indexing"),
        (events.Preparing(what="fitting the tiers"), "preparing"),
        (
            events.SyncFinished(
                added=4, updated=0, unchanged=6, moved=0, removed=0, failed=1, embedded=9, reused=0, seconds=1.0
            ),
            "watching",
        ),
        (events.Watching(folders=3, covered=3), "watching"),
        (events.Stopped(reason="asked to"), "off"),
    ]
    for event, phase in story:
        state = after(state, event)
        assert state.phase == phase
    assert (state.pid, state.failed, state.folders) == (7, 1, 3)


@pytest.mark.parametrize("width", [20, 40, 80, 120])
def test_a_status_line_fits_its_width(width: int) -> None:
    view = StatusView(FakeLibrary().status(), IndexerState("indexing", files_done=3, files_total=9, rate=40.0))
    assert status_line(view, width).cell_length <= width
    assert "33 %" in status_line(view, 80).plain


def test_a_narrow_status_line_says_less_and_is_not_cut() -> None:
    status = replace(FakeLibrary().status(), passages=41_870, pending=27_634)
    reading = IndexerState("indexing", files_done=3, files_total=9, rate=40.0, seconds_left=700.0)
    embedding = IndexerState("watching", pending=27_634, embeddable=41_870, meaning_left=720.0)
    for state, shown in (
        (reading, {60: "min left", 40: "words 33 %, meaning 34 %", 24: "words 33 %"}),
        (embedding, {60: "min left", 40: "words 100 %, meaning 34 %", 24: "meaning 34 %"}),
    ):
        for width, words in shown.items():
            line = status_line(StatusView(status, state), width).plain
            assert line.endswith(words) and "…" not in line and cell_len(line) <= width
    alone = StatusView(status, embedding, read_only=True)
    assert "as it was last indexed" in status_line(alone, 40).plain


def test_on_a_small_screen_a_trouble_is_told_whole_with_its_way_out() -> None:
    told = f"{said_of(b'/home/eva/notes', 40)} {way_out(b'/home/eva/notes')}"
    watching = IndexerState("watching", folders=1, covered=1, trouble=told)
    in_sight = now_lines(StatusView(FakeLibrary().status(), watching), 77)[:4]
    assert " ".join(line.plain for line in in_sight).endswith(told)


def test_a_trouble_loses_whole_sentences_first_and_ends_in_one_sign_where_it_is_cut() -> None:
    told = "The folder /home/eva/notes is not there; its documents are kept. Mount its disk, or forget it."
    view = StatusView(FakeLibrary().status(), IndexerState("watching", trouble=told))
    assert status_line(view, 120).plain.endswith("Mount its disk, or forget it.")
    assert status_line(view, 80).plain.endswith("its documents are kept.")
    for width in range(20, 73):
        line = status_line(view, width).plain
        assert line.endswith("…") and line[-2] not in " .;,…" and cell_len(line) <= width, line


def test_what_another_carrel_does_is_said_before_that_it_is_another() -> None:
    state = IndexerState("indexing", files_done=3, files_total=9, seconds_left=360.0, foreign=True, pid=20184)
    view = StatusView(FakeLibrary().status(), state)
    assert "another Carrel indexes (pid 20184)" in status_line(view, 120).plain
    narrow = status_line(view, 80).plain
    assert narrow.endswith("words 33 %, meaning 100 %, 6 min left") and "another" not in narrow


@pytest.mark.parametrize(
    ("found", "to_do", "done", "documents", "said"),
    [
        (500, 500, 125, 120, "words 25 %"),  # a first run, of which five files could not be read
        (438, 71, 0, 367, "words 84 %"),  # an indexer that goes on where another ended
        (1, 1, 0, 500, "words 99 %"),  # one note was edited: only its folder was looked at
        (2, 2, 0, 0, "words 0 %"),
    ],
)
def test_the_words_are_a_share_of_all_files(found: int, to_do: int, done: int, documents: int, said: str) -> None:
    state = after(IndexerState(), events.Scanned(files=found, to_do=to_do))
    state = replace(state, files_done=done)
    line = status_line(StatusView(replace(FakeLibrary().status(), documents=documents), state), 120).plain
    assert said in line
    assert line.count("█") == int(said.split()[1]) // 10


def test_short_common_words_are_not_marked() -> None:
    plain = search_notes(
        {"a.md": "# T\n\na starter\n"} | {f"{i}.md": "# T\n\na b\n" for i in range(9)},
        "a starter",
        SearchSettings(),
        10,
    )
    common = replace(plain, words=tuple(replace(word, idf=0.1) if word.term == "a" else word for word in plain.words))
    assert words_of(common) == {"start"}
    shown = row_lines(common.hits[0], 60, context_of(common, (), NOW))[1]
    assert [shown.plain[span.start : span.end] for span in shown.spans if "mark" in str(span.style)] == ["starter"]


def test_words_are_marked_in_whatever_way_they_are_written() -> None:
    text = "Łódź and ёлка, e\u0301te\u0301 and Straße"
    wanted = frozenset(form(word) for word in ("lodz", "елка", "été", "strasse"))
    assert [text[start:end] for start, end in marks_in(text, wanted)] == ["Łódź", "ёлка", "e\u0301te\u0301", "Straße"]


def test_what_was_told_of_the_meaning_does_not_outlive_the_run_that_it_was_told_of() -> None:
    status = replace(FakeLibrary().status(), passages=1000, wordless=0, pending=900)
    told = after(IndexerState("watching"), events.MeaningProgress(pending=100, passages=1000, seconds_left=9.0))
    assert meaning_share(StatusView(status, told)) == 0.9
    for event in (events.Scanned(files=9, to_do=9), events.IndexerStarted(pid=1, task="watch")):
        assert meaning_share(StatusView(status, after(told, event))) == pytest.approx(0.1)
    nothing_to_do = after(told, events.Scanned(files=9, to_do=0))
    assert meaning_share(StatusView(status, nothing_to_do)) == 0.9
