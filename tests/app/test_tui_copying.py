"""What is taken out of the browser as text: selected by the mouse, copied in a form, named in the window's title."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fakes import NOTES, FakeIndexer, FakeLibrary, ports, search_notes
from piloting import WIDE, pressed, screen_of, settle, told, typed
from textual.color import Color
from textual.content import Content
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style

from app.tui.app import CarrelApp
from app.tui.copied_forms import FORMS, markdown_link, wiki_link
from app.tui.theme import CARREL_THEMES
from app.tui.theme_colors import READABLE, contrast
from app.tui.widgets.line_views import wrapped
from app.tui.widgets.selected_text import selected_text
from engine.records import Hit, SearchSettings


def a_row(path: bytes, **changes: Any) -> Hit:
    found = search_notes(NOTES, "starter", SearchSettings(), 1).hits[0]
    return replace(found, path=path, **changes)


def right(place: Offset, cells: int) -> Offset:
    return Offset(place.x + cells, place.y)


async def drag(pilot: Pilot[int], start: Offset, end: Offset) -> None:
    """Select text from one cell of the screen to another."""
    await pilot.mouse_down(offset=start)
    await pilot.hover(offset=end)
    await pilot.mouse_up(offset=end)
    await settle(pilot)


def place_of(pilot: Pilot[int], text: str) -> Offset:
    """Return the cell of the screen where a text begins."""
    strips = pilot.app.screen._compositor.render_strips()
    lines = ["".join(segment.text for segment in strip) for strip in strips]
    row = next(row for row, line in enumerate(lines) if text in line)
    return Offset(lines[row].index(text), row)


async def test_text_that_the_mouse_selects_is_copied_by_the_key_that_leaves_the_next_time(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "baking")
        start = place_of(pilot, "Feed the starter with flour and water twice")
        await drag(pilot, right(start, 5), right(start, 16))
        await pressed(pilot, "ctrl+c")
        assert app.clipboard == "the starter"
        assert "Copied the selected text." in told(pilot) and app.is_running
        await drag(pilot, start, Offset(start.x + 30, start.y + 1))
        look = app.screen.get_component_rich_style("screen--selection").bgcolor
        shown = [list(strip) for strip in app.screen._compositor.render_strips()]
        marked = "".join(each.text for each in shown[start.y] if each.style and each.style.bgcolor == look)
        assert marked.startswith("Feed the starter")
        await pressed(pilot, "ctrl+c")
        assert app.clipboard.startswith("Feed the starter") and "│" not in app.clipboard and "\n" not in app.clipboard
        await pressed(pilot, "ctrl+a")
        screen_of(pilot).query_line.action_select_all()
        await pressed(pilot, "ctrl+c")
        assert app.clipboard == "baking"
        await pilot.press("ctrl+c")
    assert app.return_code == 0


@pytest.mark.parametrize("theme", [each.name for each in CARREL_THEMES] + ["textual-dark", "nord"])
async def test_selected_text_can_still_be_read(app: CarrelApp, theme: str) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "baking")
        app.theme = theme
        await settle(pilot)
        start = place_of(pilot, "Feed the starter with flour and water twice")
        await drag(pilot, start, right(start, 16))
        look = app.screen.get_component_rich_style("screen--selection").bgcolor
        line = list(app.screen._compositor.render_strips()[start.y])
        marked = [each for each in line if each.style and each.style.bgcolor == look]
        assert "".join(each.text for each in marked).startswith("Feed the starter")
        least = READABLE if theme.startswith("carrel") else 2.5  # others choose a ground of their own
        for each in marked:
            assert each.style and each.style.color and each.style.bgcolor
            ink, ground = Color.from_rich_color(each.style.color), Color.from_rich_color(each.style.bgcolor)
            assert contrast(ink, ground) >= least, (each.text, ink, ground)


async def test_what_is_copied_of_a_preview_has_no_bars() -> None:
    notes = {"kitchen/oven.md": "# Oven\n\nHeat the oven to baking:\n\n```python\nif cold:\n    heat()\n```\n"}
    app = CarrelApp(ports(FakeLibrary(notes), FakeIndexer()))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "baking")
        start, end = place_of(pilot, "▌ Heat the oven"), right(place_of(pilot, "▌ │     heat()"), 14)
        await drag(pilot, start, end)
        await pressed(pilot, "ctrl+c")
        assert app.clipboard == "Heat the oven to baking:\n\n  python\n  if cold:\n      heat()"
        await drag(pilot, right(place_of(pilot, "▌ │ if cold:"), 4), end)
        await pressed(pilot, "ctrl+c")
        assert app.clipboard == "if cold:\n    heat()"


PROSE = (
    "Heat the oven to baking, and wait until it is as hot as it ever gets; then wait for another half an hour, please."
)


@pytest.mark.parametrize("keys", [(), ("ctrl+o",)])
async def test_a_paragraph_is_copied_without_the_breaks_that_the_screen_made(keys: tuple[str, ...]) -> None:
    item = "- " + PROSE
    code = "    " + "x = 1; " * 25
    unspaced = "猫が好き" * 40
    notes = {"oven.md": f"# Oven\n\n{PROSE}\n\n{item}\n{item}\n\n```\n{code}\n```\n\n{unspaced}\n\nthe end\n"}
    app = CarrelApp(ports(FakeLibrary(notes), FakeIndexer()))
    async with app.run_test(size=(120, 60)) as pilot:
        await typed(pilot, "baking")
        await pressed(pilot, *keys)
        await drag(pilot, place_of(pilot, "# Oven"), right(place_of(pilot, "the end"), 7))
        await pressed(pilot, "ctrl+c")
        shown = item.replace("- ", "• ")
        assert (
            app.clipboard == f"# Oven\n\n{PROSE}\n\n{shown}\n{shown}\n\n\n  {code.rstrip()}\n\n\n{unspaced}\n\nthe end"
        )
        begin = Offset(place_of(pilot, "# Oven").x + PROSE.index("oven"), place_of(pilot, "# Oven").y + 2)
        place = place_of(pilot, "please")
        await drag(pilot, begin, right(place, -2))
        await pressed(pilot, "ctrl+c")
        assert app.clipboard == PROSE[PROSE.index("oven") : PROSE.index(" please")]
        await drag(pilot, place, right(place, 5))
        await pressed(pilot, "ctrl+c")
        assert app.clipboard == "please"


async def test_a_command_that_the_screen_folded_is_copied_as_one_line() -> None:
    line = Content("pip install 'carrel[training]'  --with-a-long-option and more of it")
    parts = wrapped(line, 20, Content("    "))
    strips = [Strip([*part.render_segments(Style())]) for part in parts]
    assert len(strips) > 3
    assert selected_text(Selection(None, None), len(strips), strips.__getitem__) == line.plain


async def test_the_title_of_the_window_says_the_query_and_is_given_back(library: FakeLibrary, app: CarrelApp) -> None:
    sent: list[str] = []
    app.send_to_terminal = sent.append  # type: ignore[method-assign]
    app.window_title._send = sent.append
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter\x07\x1b]2;owned")
        await settle(pilot)
        await pilot.press("ctrl+q")
    titles = [each for each in sent if "\x1b]2;" in each]
    assert titles[0].startswith("\x1b[22;2t\x1b]2;Carrel")
    assert titles[-1] == "\x1b]2;starter␇␛]2;owned · Carrel\x1b\\"
    assert sent[-1] == "\x1b[23;2t"


async def test_a_row_is_copied_in_the_form_that_a_second_letter_names(app: CarrelApp) -> None:
    path = "/home/reader/notes/kitchen/sourdough.md"
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "fridge baking")
        await pressed(pilot, "tab")
        copied = {}
        for letter in "lq":
            await pressed(pilot, "y", letter)
            copied[letter] = app.clipboard
        assert copied["l"] == f"{path}:5"
        quoted = copied["q"].splitlines()
        assert quoted[:3] == ["> ## Care", ">", "> Feed the starter with flour and water twice a day before baking."]
        assert quoted[-1] == f"> — [Sourdough › Care]({path}), line 5"
        await pressed(pilot, "y", "z", "escape")  # no form: nothing is copied, and the choice stays until it is left
        assert app.clipboard == copied["q"] and screen_of(pilot).rows.has_focus
        await pressed(pilot, "x", "x", "y", "p")
        assert len(app.clipboard.split("\n")) == 2


def test_no_name_of_a_file_ends_a_link_or_a_line() -> None:
    hit = a_row(b"/notes/a](b) \n[[x]]|#\x1b \xff.md", title="A [title](x)\n", headings=("A [title](x)\n", "[[h]]#|"))
    for form in FORMS:
        made = form.make(hit, "text\n")
        assert "\x1b" not in made and (form.of_text or "\n" not in made)
    assert (
        markdown_link(hit)
        == "[A \\[title\\](x)  › \\[\\[h\\]\\]#|](/notes/a%5D%28b%29%20%0A%5B%5Bx%5D%5D%7C%23%1B%20%FF.md)"
    )
    assert wiki_link(hit) == "[[a(b) ␊x␛ \ufffd#h]]"
