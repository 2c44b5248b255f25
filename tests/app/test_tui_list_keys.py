"""The keys of lists are the same everywhere, come in presets, and no action hangs on a function key alone."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeLibrary, ports
from piloting import SMALL, WIDE, pressed, typed, written

from app.tui.app import CarrelApp
from app.tui.keymap import SECTIONS, split_keys, usable
from app.tui.list_keys import PRESETS
from app.tui.screens.chooser import ChoiceScreen
from app.tui.screens.command_list import CommandScreen
from app.tui.screens.library.screen import LibraryScreen
from app.tui.screens.reader.screen import ReaderScreen
from app.tui.screens.search.query_line import QueryLine
from app.tui.screens.search.why_not.screen import WhyNotScreen
from app.tui.screens.settings.screen import SettingsScreen
from app.tui.screens.settings.setting_list import settings
from app.tui.settings_file import SettingsFile
from app.tui.widgets.footer import KeyLine
from engine.config import Config, load

MANY = {f"a/{number:02}.md": f"# Note {number:02}\n\nstarter {'x' * (number % 7)}\n" for number in range(30)}


def browser(library: FakeLibrary, config: Config | None = None) -> CarrelApp:
    return CarrelApp(replace(ports(library), settings=SettingsFile(config=config)))


async def test_rows_take_the_letters_that_a_terminal_hand_knows() -> None:
    app = browser(FakeLibrary(MANY))
    async with app.run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "starter")
        rows = screen.rows
        places = []
        for keys in (("tab", "j", "j"), ("k",), ("G",), ("g",), ("ctrl+d",), ("ctrl+u",), ("pagedown",), ("home",)):
            await pilot.press(*keys)
            places.append(rows.selected)
        half = max(1, (rows.page + 1) // 2)
        assert places == [2, 1, 29, 0, half, 0, rows.page, 0]
        await pressed(pilot, "space", "x", "enter")
        commands = app.ports.edit.commands  # type: ignore[union-attr]
        opened = sum(part.count(b".md") for command in commands for part in command.arguments)
        assert opened == 2  # the marked ones, each marked with another key


async def test_the_mode_is_seen_and_a_letter_that_does_nothing_in_the_rows_goes_on_with_the_query() -> None:
    app = browser(FakeLibrary(MANY))
    async with app.run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "start")
        footer, line = screen.query_one(KeyLine), screen.query_one("#query", QueryLine)
        bright = line.styles.color
        assert footer.render().plain.startswith("↑↓ move")
        await pressed(pilot, "tab")
        assert footer.render().plain.startswith(" rows ") and line.styles.color != bright
        await pressed(pilot, "j", "q")
        assert line.has_focus and line.value == "startq" and line.styles.color == bright
        await pressed(pilot, "backspace", "tab", "E")
        assert line.value == "startE"


async def test_a_number_opens_its_row_whatever_is_marked() -> None:
    app = browser(FakeLibrary(MANY))
    async with app.run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "starter")
        third = screen.rows.hits[2]
        await pressed(pilot, "tab", "space", "alt+3")
        (command,) = app.ports.edit.commands  # type: ignore[union-attr]
        assert third.path in command.arguments and screen.rows.hit == third
        await pressed(pilot, "slash", "alt+9")
        assert len(app.ports.edit.commands) == 2  # type: ignore[union-attr]
        await typed(pilot, "nothing at all")
        await pressed(pilot, "alt+9")


async def test_reader_library_and_settings_take_the_same_letters() -> None:
    notes = {f"{name}/{number}.md": f"# {name}\n\n" + "starter\n\n" * 60 for name in "abcd" for number in range(2)}
    app = browser(FakeLibrary(notes))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter")
        await pressed(pilot, "ctrl+o")
        reader = app.screen
        assert isinstance(reader, ReaderScreen)
        tops = []
        for key in ("g", "ctrl+d", "ctrl+u", "j", "G", "k", "g"):
            await pilot.press(key)
            tops.append(reader.text.scroll_offset.y)
        half = reader.text.size.height // 2
        assert tops[:4] == [0, half, 0, 1] and tops[4] > half and tops[5:] == [tops[4] - 1, 0]

        await pressed(pilot, "escape", "f3")
        library = app.screen
        assert isinstance(library, LibraryScreen)
        tree, chosen = library.tree_list, []
        for key in ("j", "k", "G", "g", "h", "l", "ctrl+d", "ctrl+u"):
            await pressed(pilot, key)
            chosen.append(tree.selected)
        last = tree.count_lines() - 1
        assert chosen[:4] == [min(1, last), 0, last, 0] and chosen[-1] == 0

        await pressed(pilot, "f5")
        settings = app.screen
        assert isinstance(settings, SettingsScreen)
        places = []
        for key in ("j", "k", "G", "g", "ctrl+d", "ctrl+u"):
            await pressed(pilot, key)
            places.append(settings.rows.highlighted)
        assert places[:4] == [1, 0, settings.rows.option_count - 1, 0] and places[4] and places[5] == 0
        await pressed(pilot, "j", "l")
        assert app.config.fusion == "rrf"
        await pressed(pilot, "h")
        assert app.config.fusion == "convex"


async def test_the_preset_fzf_moves_with_control_keys_while_one_types(tmp_path: Path) -> None:
    app = browser(FakeLibrary(MANY), Config(key_preset="fzf", keys={"search.explain": "ctrl+b,e"}))
    app.ports.history.remember("one")
    app.ports.history.remember("two")
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        places = []
        for key in ("ctrl+n", "ctrl+j", "ctrl+p", "ctrl+k"):
            await pilot.press(key)
            places.append(screen.rows.selected)
        assert places == [1, 2, 1, 0] and screen.query_line.value == "starter" and screen.query_line.has_focus
        await pressed(pilot, "ctrl+r", "ctrl+n")
        chooser = app.screen
        assert isinstance(chooser, ChoiceScreen) and chooser.options.highlighted == 1
        await pressed(pilot, "j", "escape", "alt+q")
        assert isinstance(app.screen, WhyNotScreen)
        await pressed(pilot, "escape", "alt+x")
        palette = app.screen
        assert isinstance(palette, CommandScreen)
        await pressed(pilot, "ctrl+n", "ctrl+j", "ctrl+p")
        assert app.screen is palette and palette.rows.selected == 1 and palette.line.value == ""
        await pressed(pilot, "escape", "alt+h")
        assert isinstance(app.screen, CommandScreen) and "alt+x" in written(pilot) and "↑↓" in written(pilot)
        await pressed(pilot, "escape", "ctrl+b")
        assert screen.pane.explaining  # a key of one's own beside the preset


async def test_a_preset_is_chosen_in_the_settings_and_works_at_once(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    app = CarrelApp(replace(ports(FakeLibrary(MANY)), settings=SettingsFile(file)))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        names = [setting.name for setting in settings([])]
        below = len(names) - names.index("key_preset")  # the last line leads to the keys one by one
        await pressed(pilot, "f5", "G", *["k"] * below)
        await pressed(pilot, "l", "l")
        assert load(file).key_preset == "vim"
        await pressed(pilot, "escape", "tab", "ctrl+f")
        assert screen.rows.selected == screen.rows.page
        await pressed(pilot, "i")
        assert screen.query_line.has_focus


@pytest.mark.parametrize("preset", PRESETS)
def test_a_key_of_ones_own_that_the_preset_uses_is_told_of(preset: str) -> None:
    own, troubles = usable({"search.sort": "ctrl+n,s"}, PRESETS[preset])
    owner = "Why not" if preset == "default" else "Next line"
    assert own == {} and owner in troubles[0]


def test_no_action_hangs_on_a_function_key_alone() -> None:
    for _, actions in SECTIONS:
        for action in actions:
            keys = split_keys(action.keys)
            if any(re.fullmatch(r"f\d+", key) for key in keys):
                assert any(key.startswith(("alt+", "ctrl+")) for key in keys), action.id
