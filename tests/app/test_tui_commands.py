"""The list of commands and the help: groups, columns, finding, what was picked before; and what is told in passing."""

from __future__ import annotations

from fakes import FakeLibrary, ports
from piloting import SMALL, pressed, settle, typed, written
from textual.widgets._toast import Toast

from app.tui.actions import APP_ACTIONS
from app.tui.app import CarrelApp
from app.tui.screens.command_columns import columns_of, fitting, grouped
from app.tui.screens.command_list import CommandRows, CommandScreen
from app.tui.screens.search.actions import SEARCH_ACTIONS
from app.tui.toasts import TOAST_SECONDS

BROAD = (120, 40)


def line_of(text: str, part: str) -> str:
    return next(line for line in text.splitlines() if part in line)


async def test_a_command_has_one_line_with_its_keys_at_the_right_and_is_found_by_typing(app: CarrelApp) -> None:
    async with app.run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "starter")
        await pressed(pilot, "ctrl+p")
        text = written(pilot)
        line = line_of(text, "Explain the ranking of this result")
        assert line[:75].rstrip(" ▁▂▃▄▅▆▇█").endswith("ctrl+t  e")
        assert text.count("See why the selected result") == 0  # one line each; what it does stands below the list
        rows = app.screen.query_one(CommandRows)
        for _ in range(SEARCH_ACTIONS.index(next(each for each in SEARCH_ACTIONS if each.id == "search.explain"))):
            if rows.action is None or rows.action.id != "search.explain":
                await pressed(pilot, "down")
        assert "See why the selected result ranks where it does." in written(pilot)
        await pressed(pilot, *"theme set")
        assert "Explain the ranking" not in written(pilot)
        await pressed(pilot, "enter")
        assert type(app.screen).__name__ == "SettingsScreen"
        await pressed(pilot, "escape", "ctrl+p")
        lines = written(pilot).splitlines()
        recent = next(place for place, text in enumerate(lines) if " Recent " in text)
        assert "Settings: theme" in lines[recent + 1]
        await pressed(pilot, "escape")
        assert app.screen is screen


async def test_the_help_has_two_columns_on_a_broad_screen_and_finds_its_words_too(app: CarrelApp) -> None:
    async with app.run_test(size=BROAD) as pilot:
        await typed(pilot, "starter")
        await pressed(pilot, "f1")
        assert isinstance(app.screen, CommandScreen)
        rows = app.screen.query_one(CommandRows)
        assert len(rows._columns.items) == 2
        sides = [{item for item in side if isinstance(item, str)} for side in rows._columns.items]
        assert sides[0] and sides[1] and not sides[0] & sides[1]
        await pressed(pilot, "end")
        assert "other passages of it that fit" in written(pilot) or "cut-off" in written(pilot)
        await pressed(pilot, *"ferment")
        assert "ferment*" in written(pilot) and "words that begin so" in written(pilot)
        assert "path:kitchen" not in written(pilot)
        await pilot.resize_terminal(90, 30)
        await settle(pilot)
        assert len(rows._columns.items) <= 1
        await pressed(pilot, "f1")
        assert not isinstance(app.screen, CommandScreen)


async def test_a_command_is_done_by_a_click(app: CarrelApp) -> None:
    async with app.run_test(size=BROAD) as pilot:
        screen = await typed(pilot, "starter")
        await pressed(pilot, "ctrl+p")
        rows = app.screen.query_one(CommandRows)
        place = next(each for each in rows._columns.places if each[2].id == "search.explain")
        column = place[1] * (rows._room(rows.scrollable_content_region.width) + 3)
        await pilot.click(CommandRows, offset=(column + 6, place[0]))
        await settle(pilot)
        assert screen.pane.explaining


def test_groups_are_told_apart_and_words_narrow_them() -> None:
    actions = [*SEARCH_ACTIONS, *APP_ACTIONS]
    groups = dict(grouped(actions, ["quit", "gone", "settings"]))
    assert [action.id for action in groups["Recent"]] == ["quit", "settings"]
    assert {"Search", "The selected result", "Everywhere"} <= set(groups)
    both = columns_of(grouped(actions, ()), 2)
    assert abs(len(both.items[0]) - len(both.items[1])) <= max(len(group) for group in groups.values()) + 2
    found, pages = fitting(actions, [("Signs", [("a", "one"), ("b", "leave it")])], ["leave"], {})
    assert found[0].id == "quit" and pages == [("Signs", [("b", "leave it")])]


async def test_what_is_told_stands_in_one_line_above_the_footer_and_goes_with_the_next_key() -> None:
    app = CarrelApp(ports(FakeLibrary()))
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await typed(pilot, "spark")
        await pressed(pilot, "ctrl+g")
        toast = app.screen.query_one(Toast)
        assert toast.region.height == 1 and toast.region.y == 22 and toast.region.x == 0
        assert "This is the only passage" in written(pilot).splitlines()[22]
        assert toast._notification.timeout == TOAST_SECONDS
        await pressed(pilot, "down")
        assert not app.screen.query(Toast)
        app.notify("It has failed, and here is a cause that takes more than the one line that there is for it, and "
                   "what can be done about it.", severity="error", markup=False)  # fmt: skip
        await settle(pilot)
        assert app.screen.query_one(Toast).region.height == 2
        await pressed(pilot, "down")  # nobody can have read it by now
        assert app.screen.query(Toast)


async def test_a_title_is_cut_only_where_its_first_key_and_its_letter_leave_it_no_room(app: CarrelApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await typed(pilot, "starter")
        await pressed(pilot, "ctrl+p")
        shown = written(pilot)
        assert "What if: try other weights on these results  f12  w" in shown
        assert "Right: this is what I searched for    f10  alt+y  +" in shown
