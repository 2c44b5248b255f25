"""Tables in columns, and what stands before the rows of code and quotes that were folded."""

from __future__ import annotations

import pytest
from fakes import FakeLibrary, ports
from hypothesis import given
from hypothesis import strategies as st
from piloting import WIDE, pressed, settle, typed, written
from rich.cells import cell_len

from app.tui.app import CarrelApp
from app.tui.pages.painter import Painter
from app.tui.pages.units import Units
from app.tui.theme import NEAREST

TABLE = (
    "| animal | legs | about |\n| --- | ---: | --- |\n"
    "| quokka | 4 | a **very long** cell that is wider than the pane, certainly it is, and on it goes, far beyond any "
    "edge of a screen, as cells do that somebody has pasted |\n"
    "| [[snake]] | 0 | `a|b` and \\| |\n| only one |\n"
)
CODE = (
    "def quokka(x: int) -> str:\n"
    "    return 'a text that is long enough to go beyond the edge of the pane in every case' * x\n"
)
QUOTE = "> A quotation that somebody wrote in one long line, so that a narrow pane has to fold it more than once.\n"
NOTE = f"# Kitchen sink quokka\n\n{TABLE}\nAfter it.\n\n```python\n{CODE}```\n\n{QUOTE}"


def lines_of(text: str) -> list[str]:
    units = Units(text, "markdown")
    painter = Painter(units)
    return [painter.line(unit).text for unit in range(len(units))]


def test_the_cells_of_a_table_stand_under_each_other() -> None:
    head, rule, quokka, snake, short = lines_of(TABLE)
    assert head.split(" │ ") == ["animal  ", "legs", "about"]
    assert rule.startswith("─────────┼──────┼─".replace("─────────┼", "────────" + "─┼"))
    assert quokka.startswith("quokka   │    4 │ a very long cell")
    assert snake.startswith("snake→   │    0 │ a|b and |")
    assert short == "only one"
    assert {line.index("│") for line in (head, quokka, snake)} == {9}


@pytest.mark.parametrize("text", ["a | b\n---\n", "| a |\n\n| --- |\n", "```\n| a |\n| - |\n```\n", "a\n|-|\n"])
def test_what_only_looks_like_a_table_is_none(text: str) -> None:
    units = Units(text, "markdown")
    assert units.tables == []


@given(st.text(alphabet="|-: \n\\`[]a語*", max_size=200))
def test_every_place_of_a_table_stays_in_its_line(text: str) -> None:
    units = Units(text, "markdown")
    painter = Painter(units)
    for unit in range(len(units)):
        shown, raw = painter.line(unit), units.raw(unit)
        assert painter.rows(unit, 30) == len(shown.starts(30))
        assert all(0 <= first <= last <= len(raw) for first, last, _, _ in shown.pieces)
        for row in range(len(shown.starts(30))):
            assert cell_len(shown.row(shown.content, shown.starts(30), row, 30).plain) <= 30


async def test_tables_are_cut_off_at_the_edge_and_code_and_quotes_keep_their_bar() -> None:
    library = FakeLibrary({"a.md": NOTE})
    library.sentences = True
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "quokka")
        rows = screen.pane.preview.shown_lines
        assert any("quokka   │    4 │ a very long" in row and row.endswith("›") for row in rows)
        assert sum("▌ │ " in row for row in rows) >= 3  # two lines of code, of which the long one is folded
        assert sum("▎ " in row for row in rows) >= 2
        marked = [str(span.style) for line in screen.pane.preview._lines for span in line.spans]
        assert NEAREST in marked and "underline" not in NEAREST
        await pressed(pilot, "ctrl+o")
        reader = written(pilot)
        assert "quokka   │    4 │ a very long" in reader and "›" in reader
        await pressed(pilot, "w")  # long lines run on: what was cut off can be moved to
        assert "›" not in written(pilot)
        await pressed(pilot, *["right"] * 7)
        assert "somebody has pasted" in written(pilot)
        await settle(pilot)
