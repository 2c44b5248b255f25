"""The registry of actions: each fires from its key where the footer says so, and is in palette, help and footer."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from typing import Any

import pytest
from fakes import FakeIndexer, FakeLibrary, ports
from piloting import settle, written
from textual.binding import Binding
from textual.pilot import Pilot
from textual.screen import Screen

import app.tui as app_tui
from app.tui.actions import (
    APP_ACTIONS,
    Action,
    bindings,
    in_footer,
    is_letter,
    key_name,
    offered,
    where_of,
)
from app.tui.app import CarrelApp
from app.tui.keymap import SECTIONS, split_keys, usable
from app.tui.list_keys import MOVING, PRESETS
from app.tui.screens.search.actions import WHAT_IF_ACTIONS
from app.tui.screens.settings.keys_screen import KEYS_ACTIONS, KeysScreen
from app.tui.screens.settings.screen import SETTINGS_ACTIONS, SettingsScreen
from app.tui.screens.welcome.screen import WELCOME_ACTIONS, WelcomeScreen
from app.tui.settings_file import SettingsFile
from app.tui.widgets.footer import KeyLine, entries
from engine.config import Config

WIDE = (200, 50)
ALL = [
    *(action for _, actions in SECTIONS for action in actions),
    *SETTINGS_ACTIONS,
    *KEYS_ACTIONS,
    *WELCOME_ACTIONS,
]


@pytest.fixture
def app() -> CarrelApp:
    return CarrelApp(ports(FakeLibrary(), FakeIndexer()))


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have what screens and app are told to do written down in place of done, and return where."""
    ran: list[str] = []
    done = CarrelApp.run_action

    async def run_action(self: CarrelApp, action: Any, namespace: Any = None, *rest: Any) -> bool:
        if isinstance(action, str) and (isinstance(namespace, Screen | CarrelApp) or action.startswith("screen.")):
            ran.append(action.removeprefix("screen."))
            return True
        return await done(self, action, namespace, *rest)

    monkeypatch.setattr(CarrelApp, "run_action", run_action)
    return ran


def test_every_action_has_a_name_a_key_and_words() -> None:
    assert len({action.id for action in ALL}) == len(ALL)
    for action in ALL:
        assert action.keys, action.id
        assert action.title or not action.palette, action.id
        assert action.help or not action.footer or action.where == "panel", action.id
        (binding, *_) = bindings([action])
        assert isinstance(binding, Binding)
        assert binding.tooltip or action.where == "panel", action.id


@pytest.mark.parametrize(("name", "actions"), SECTIONS)
def test_no_two_actions_of_a_screen_have_one_key(name: str, actions: tuple[Action, ...]) -> None:
    shared = {"Everywhere": (), "Lists": APP_ACTIONS}.get(name, (*APP_ACTIONS, *MOVING))
    for preset in PRESETS.values():
        keys = [key for action in (*shared, *actions) for key in split_keys(preset.get(action.id, action.keys))]
        assert sorted(keys) == sorted(set(keys))


def test_every_letter_of_the_search_screen_has_a_chord() -> None:
    (search,) = (actions for name, actions in SECTIONS if name == "Search")
    for action in search:
        keys = split_keys(action.keys)
        assert any(not is_letter(key) for key in keys) or action.id == "search.copy_text", action.id
        assert not {f"ctrl+{letter}" for letter in "ewkudax"} & set(keys), action.id


KEYS_TO = {
    "rows": ["tab"],
    "panel": ["f12"],
    "library": ["f3"],
    "reader": ["ctrl+o"],
    "settings": ["f5"],
    "keys": ["f5", "end", "enter"],
}


async def shown(pilot: Pilot[int], where: str) -> Screen[Any]:
    """Bring a screen up and return it."""
    await settle(pilot)
    if where in ("query", "rows", "panel", "reader"):
        pilot.app.screen.query_one("#query").value = "starter"  # type: ignore[attr-defined]
        await settle(pilot)
    for key in KEYS_TO.get(where, ()):
        await pilot.press(key)
        await settle(pilot)
    return pilot.app.screen


PLACES = ["query", "rows", "panel", "library", "reader", "settings", "keys"]
TAKEN_BY_THE_WIDGET = {  # enter submits a line and picks in a list; the panel has keys of its own
    "search.open": "query",
    "what_if.move": "panel",
}


@pytest.mark.parametrize("where", PLACES)
async def test_every_entry_of_the_footer_can_be_clicked(
    app: CarrelApp, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await shown(pilot, where)
        ran = recorded(monkeypatch)
        line = screen.query_one(KeyLine)
        gap, parts = entries(in_footer(screen), line.content_size.width - line.mode.cell_length, where_of(screen), {})
        column = line.content_region.x + line.mode.cell_length
        for action, entry in parts:
            await pilot.click(offset=(column + 1, line.region.y))
            await settle(pilot)
            assert ran == [action.run.removeprefix("screen.")], action.id
            ran.clear()
            column += entry.cell_length + len(gap)


@pytest.mark.parametrize("where", PLACES)
async def test_every_key_of_the_footer_fires_where_it_is_shown(
    app: CarrelApp, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await shown(pilot, where)
        ran = recorded(monkeypatch)
        for action in in_footer(screen):
            keys = split_keys(action.keys)
            shown_key = action.key_in(where_of(screen))
            pressed = next((key for key in keys if key_name(key) == shown_key), keys[0])
            await pilot.press(pressed)
            await settle(pilot)
            run = action.run.removeprefix("screen.")
            assert ran == ([] if TAKEN_BY_THE_WIDGET.get(action.id) == where else [run]), (action.id, pressed)
            ran.clear()
            while app.screen is not screen:  # what the widget itself has brought
                app.pop_screen()
                await settle(pilot)


@pytest.mark.parametrize("where", ["rows", "library", "reader", "settings", "keys"])
async def test_every_key_that_the_footer_leaves_out_fires_too(
    app: CarrelApp, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen: Any = await shown(pilot, where)
        ran = recorded(monkeypatch)
        told = in_footer(screen)
        for action in (*screen.ACTIONS, *APP_ACTIONS):
            if action in told or action.where not in ("everywhere", where_of(screen)):
                continue
            for key in split_keys(action.keys):
                await pilot.press(key)
                await settle(pilot)
                assert ran == [action.run], (action.id, key)
                ran.clear()


# What the palette leaves out: itself, and what a wheel or a click does by itself.
MOVES = {"move", "half", "page", "edge", "sideways", "fold", "open_row", "command_palette"}
LEFT_IN_A_PANEL = {"what_if.move", "what_if.back"}  # a slider is dragged, and a click on the query line leaves


@pytest.mark.parametrize("where", ["query", "library", "reader", "settings", "keys"])
async def test_every_action_is_in_the_palette_and_is_done_from_there(
    app: CarrelApp, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen: Any = await shown(pilot, where)
        ran = recorded(monkeypatch)
        shown_actions = offered(screen)
        left_out = [action for action in (*screen.ACTIONS, *APP_ACTIONS) if action not in shown_actions]
        assert all(action.run.split("(")[0] in MOVES or action.id in LEFT_IN_A_PANEL for action in left_out)
        for action in shown_actions:
            await app.do(action, screen)
            assert ran == [action.run.removeprefix("screen.")]
            ran.clear()


def test_no_action_is_forgotten() -> None:
    declared: set[str] = set()
    for module in pkgutil.walk_packages(app_tui.__path__, "app.tui."):
        for value in vars(importlib.import_module(module.name)).values():
            each = value if isinstance(value, tuple) else (value,)
            declared |= {action.id for action in each if isinstance(action, Action)}
    assert declared == {action.id for action in (*ALL, *WHAT_IF_ACTIONS)}


async def test_the_footer_tells_what_is_under_the_pointer(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await shown(pilot, "query")
        line = screen.query_one(KeyLine)
        await pilot.hover(KeyLine, offset=(line.mode.cell_length + 2, 0))
        assert str(line.tooltip) == "Select another line, also while you type."
        await pilot.hover(KeyLine, offset=(199, 0))
        assert line.tooltip is None


@pytest.mark.parametrize("key", ["ctrl+p", "f1", "ctrl+r", "f6"])
async def test_the_footer_names_no_key_of_a_screen_that_a_dialog_covers(app: CarrelApp, key: str) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await shown(pilot, "rows")
        before = written(pilot).splitlines()[-1]
        await pilot.press(key)
        await settle(pilot)
        assert pilot.app.screen.is_modal
        assert written(pilot).splitlines()[-1].strip() == "ctrl+q leave"
        await pilot.press("escape")
        await settle(pilot)
        assert pilot.app.screen is screen
        assert written(pilot).splitlines()[-1] == before


async def test_the_first_run_asks_and_its_keys_are_told() -> None:
    library = FakeLibrary({})
    library.folders = ()
    app = CarrelApp(ports(library))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert isinstance(pilot.app.screen, WelcomeScreen)
        line = pilot.app.screen.query_one(KeyLine)
        assert "enter index it" in line.render().plain and "esc skip" in line.render().plain


def test_a_key_is_called_as_a_person_reads_it() -> None:
    named = {
        "colon": ":",
        "semicolon": ";",
        "escape": "esc",
        "shift+down": "shift+↓",
        "space": "space",
        "alt+x": "alt+x",
    }
    assert {key: key_name(key) for key in (*named, "f5", "tab", "G", "backspace")} == {
        **named, "f5": "f5", "tab": "tab", "G": "G", "backspace": "backspace",
    }  # fmt: skip


def test_keys_of_ones_own_replace_those_that_came() -> None:
    own, troubles = usable({"search.explain": "ctrl+b, E"})
    assert (own, troubles) == ({"search.explain": "ctrl+b,E"}, [])


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"search.nothing": "f20"}, "which no action is called"),
        ({"search.explain": " "}, "has no key"),
        ({"search.explain": "ctrl+w"}, "it edits the query line"),
        ({"search.explain": "e"}, "needs a key that is no letter"),
        ({"search.explain": "f1"}, "“Help: keys and query language” has it"),
        ({"search.explain": "ctrl+n"}, "Why not"),
        ({"search.explain": "f20", "search.sort": "f20,s"}, "has it"),
    ],
)
def test_keys_that_cannot_be_are_told_of_and_left_out(written: dict[str, str], said: str) -> None:
    own, troubles = usable(written)
    assert len(troubles) == 1 and said in troubles[0]
    assert len(own) == len(written) - 1


def test_two_actions_may_change_keys_with_each_other() -> None:
    swapped = {"search.explain": "ctrl+n,n", "search.why_not": "ctrl+t,e"}
    assert usable(swapped) == (swapped, [])


async def test_keys_from_the_settings_work_and_are_shown() -> None:
    config = Config(keys={"search.explain": "ctrl+b,z", "search.filters": "ctrl+t"})
    app = CarrelApp(replace(ports(FakeLibrary()), settings=SettingsFile(config=config)))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen: Any = await shown(pilot, "query")
        await pilot.press("ctrl+b")
        assert screen.pane.explaining
        await pilot.press("tab", "z")
        assert not screen.pane.explaining
        assert "z explain" in screen.query_one(KeyLine).render().plain
        await pilot.press("e")  # which does nothing in the rows now, and is typed
        assert not screen.pane.explaining and screen.query_line.value == "startere"
        assert not isinstance(app.screen, SettingsScreen | KeysScreen)
