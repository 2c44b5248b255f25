"""What a key has painted: each part of the screen once, and nothing that stands there already."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

import pytest
from fakes import NOTES, STILL, FakeLibrary, ports
from hypothesis import given
from hypothesis import strategies as st
from piloting import WIDE, pressed, settle, typed
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from app.tui.app import CarrelApp
from app.tui.screens.search.key_rest import KeyRest
from app.tui.screens.search.row import FULL
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.line_views import PaintedView, changed_cells
from engine.records import StoredDocument

Painted = Counter[tuple[str | None, int]]


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> Painted:
    """How often each line of each part was painted, by the part's id and the line in it."""
    counts: Painted = Counter()
    line, whole = PaintedView.render_line, BuiltLine.render

    def one_line(view: PaintedView, y: int) -> Strip:
        counts[view.id, y] += 1
        return line(view, y)

    def one_widget(widget: BuiltLine) -> object:
        counts[widget.id, 0] += 1
        return whole(widget)

    monkeypatch.setattr(PaintedView, "render_line", one_line)
    monkeypatch.setattr(BuiltLine, "render", one_widget)
    return counts


def lines_of(painted: Painted, part: str) -> int:
    return sum(count for (name, _), count in painted.items() if name == part)


async def test_an_answer_like_the_one_before_paints_nothing(app: CarrelApp, painted: Painted) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        painted.clear()
        screen.parts.search.ask_again()
        await settle(pilot)
        assert not painted


async def test_moving_the_selection_paints_the_row_that_is_left_and_the_one_that_is_reached(
    app: CarrelApp, painted: Painted
) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter")
        painted.clear()
        await pressed(pilot, "down")
        assert lines_of(painted, "rows") <= 2 * FULL.lines


async def test_a_query_paints_the_preview_once_and_a_line_of_the_rows_once_for_each_answer(painted: Painted) -> None:
    app = CarrelApp(ports(FakeLibrary(), pace=replace(STILL, patience=3600.0)))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "stove")
        painted.clear()
        screen = await typed(pilot, "yeast")
        assert any("Yeast" in line for line in screen.pane.preview.shown_lines)
        assert max(count for (name, _), count in painted.items() if name == "preview") == 1
        assert max(count for (name, _), count in painted.items() if name == "rows") <= 2
        assert not painted["status", 0]


async def test_rows_by_words_alone_have_their_text_read_where_no_better_ones_come(library: FakeLibrary) -> None:
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "stove")
        library.held = {"convex"}
        screen.query_line.value = "yeast"
        while not any("Yeast" in line for line in screen.pane.preview.shown_lines):
            await pilot.pause()
        assert not screen.parts.shown.finished
        library.release.set()


async def test_the_layout_stays_while_somebody_types(app: CarrelApp, monkeypatch: pytest.MonkeyPatch) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starte")
        laid_out = []
        monkeypatch.setattr(type(screen), "_refresh_layout", lambda *_args, **_named: laid_out.append(1))
        await pressed(pilot, "r")
        assert not laid_out


async def test_all_rows_come_from_the_candidates_that_were_found_where_they_suffice() -> None:
    library = FakeLibrary()
    library.candidates_suffice = True
    app = CarrelApp(ports(library, pace=replace(STILL, settle=0.0)))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        library.asked.clear()
        screen = await typed(pilot, "starter")
        assert [fusion for _, fusion, _ in library.asked] == ["keyword", "convex"]
        assert screen.parts.shown.answer is not None and screen.parts.shown.answer.asked.resting
        assert screen.rows.hits


class HeldText(FakeLibrary):
    """Gives the text of one note only while it is `free`."""

    def __init__(self, held: str) -> None:
        super().__init__()
        self._held = list(NOTES).index(held) + 1
        self.asked_for = threading.Event()
        self.free = threading.Event()
        self.free.set()

    def document_by_id(self, document_id: int) -> StoredDocument | None:
        if document_id == self._held and not self.free.is_set():
            self.asked_for.set()
            self.free.wait()
        return super().document_by_id(document_id)


async def test_a_text_that_comes_late_is_never_shown_beside_another_row() -> None:
    app = CarrelApp(ports(library := HeldText("books/yeast.md")))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "stove")
        library.free.clear()
        screen.query_line.write("yeast")
        while not library.asked_for.is_set():
            await pilot.pause()
        screen.query_line.write("stove")
        while not (screen.rows.hit and screen.rows.hit.path.endswith(b"stove.md")):
            await pilot.pause()
        library.free.set()
        await settle(pilot)
        assert screen.pane.shown_hit is not None and screen.pane.shown_hit.path.endswith(b"stove.md")
        assert any("Camping stove" in line for line in screen.pane.preview.shown_lines)
        assert "stove.md" in screen.pane.caption.text


async def test_steps_that_come_before_the_text_add_up() -> None:
    app = CarrelApp(ports(library := HeldText("kitchen/sourdough.md")))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "stove")
        library.free.clear()
        screen.query_line.write("starter")
        while not library.asked_for.is_set():
            await pilot.pause()
        await pilot.press("alt+down", "alt+down")
        library.free.set()
        await settle(pilot)
        assert "hit 1 of 3" in screen.pane.caption.text


async def test_the_keys_rest_once_none_came_for_so_long() -> None:
    now, slept, keys = [0.0], [], [0.05, 0.1]

    async def sleep(seconds: float) -> None:
        slept.append(round(seconds, 3))
        now[0] += seconds
        if keys:
            now[0] = keys.pop(0)
            rest.pressed()

    rest = KeyRest(lambda: now[0], sleep)
    await rest.wait(0.08)
    assert slept == []
    rest.pressed()
    await rest.wait(0.08)
    assert slept == [0.08, 0.08, 0.08]
    assert now[0] == pytest.approx(0.18)


STYLES = Style.parse("red"), Style.parse("bold")
SEGMENTS = st.lists(
    st.tuples(st.sampled_from(["a", "bc", "語", "  "]), st.sampled_from(STYLES)).map(lambda each: Segment(*each)),
    max_size=6,
)


@given(SEGMENTS, SEGMENTS)
def test_cells_outside_the_changed_ones_are_the_same_before_and_after(old: list[Segment], new: list[Segment]) -> None:
    before, now = Strip(old).adjust_cell_length(20), Strip(new).adjust_cell_length(20)
    spans = changed_cells(before, now)
    at = 0
    for first, last in [*spans, (20, 20)]:
        assert list(before.crop(at, first).simplify()) == list(now.crop(at, first).simplify())
        at = last
    if list(before) == list(now):
        assert spans == []
