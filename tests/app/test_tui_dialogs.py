"""What holds in every dialog: the theme, the shell, the help and the way out, and a key that a field claims first."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from fakes import FakeLibrary, ports
from piloting import SMALL, WIDE, pressed, settle, typed, written
from textual.pilot import Pilot
from textual.screen import ModalScreen

import app.tui
from app.tui.app import CarrelApp
from app.tui.screens.chooser import Choice, ChoiceScreen
from app.tui.screens.command_list import CommandScreen
from app.tui.screens.confirm import ConfirmScreen
from app.tui.screens.dialog import HELP_TITLE, Dialog
from app.tui.screens.letter_choice import LetterScreen
from app.tui.screens.library import model_fetch
from app.tui.screens.library.model_chooser import LookingScreen
from app.tui.screens.library.model_fetch import FetchScreen
from app.tui.screens.library.picker import PickerScreen
from app.tui.screens.library.rule_editor import RulesScreen
from app.tui.screens.library.skipped import SkippedScreen
from app.tui.screens.library.timeline import Skipped
from app.tui.screens.prompts import AskScreen, KeyScreen
from app.tui.screens.search.compare.screen import CompareScreen
from app.tui.screens.search.why_not.screen import WhyNotScreen
from app.tui.settings_file import SettingsFile
from engine.config import Config
from engine.records import SearchSettings

LEFT_OUT = Skipped(("skipped", "large"), "larger than 32 MB", 5)
Opener = Callable[[FakeLibrary], Dialog[Any]]
OPENERS: dict[type[Dialog[Any]], Opener] = {
    ChoiceScreen: lambda library: ChoiceScreen("Which one?", [Choice("a", "alpha"), Choice("b", "beta")]),
    ConfirmScreen: lambda library: ConfirmScreen("Really?", "It can be taken back.", "do it", "leave it"),
    LetterScreen: lambda library: LetterScreen("Copy as", [("p", "path"), ("m", "Markdown link")]),
    AskScreen: lambda library: AskScreen("A name", "It stands in the list.", value="sourdough"),
    LookingScreen: lambda library: LookingScreen(),
    FetchScreen: lambda library: FetchScreen("far/away"),
    PickerScreen: lambda library: PickerScreen(library, blink=False),
    RulesScreen: lambda library: RulesScreen(library, b"/notes", ("drafts/",), quiet=0.0),
    SkippedScreen: lambda library: SkippedScreen(library, LEFT_OUT, (b"/notes",)),
    WhyNotScreen: lambda library: WhyNotScreen(library, "starter", SearchSettings(), 10, blink=False),
}  # fmt: skip
BY_KEYS: dict[type[Dialog[Any]], tuple[str, ...]] = {CommandScreen: ("ctrl+p",), CompareScreen: ("down", "f7")}


def dialogs() -> set[type[Any]]:
    """Return every screen of the browser that lies over another."""
    for module in pkgutil.walk_packages(app.tui.__path__, "app.tui."):
        importlib.import_module(module.name)

    def below(kind: type[Any]) -> Iterator[type[Any]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    return {each for each in below(ModalScreen) if each.__module__.startswith("app.")} - {Dialog}


def test_every_dialog_is_tried_here() -> None:
    assert dialogs() == {*OPENERS, *BY_KEYS, KeyScreen}  # the last takes whichever key is pressed: it asks for one


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what the app was asked for that would end a test, in the order in which it was."""
    asked: list[str] = []

    async def quit(_app: CarrelApp) -> None:
        asked.append("left")

    monkeypatch.setattr(model_fetch, "LOOK_SECONDS", 3600.0)  # a timer that no key waits for
    monkeypatch.setattr(CarrelApp, "action_other_theme", lambda _app: asked.append("other theme"))
    monkeypatch.setattr(CarrelApp, "action_suspend_process", lambda _app: asked.append("to the shell"))
    monkeypatch.setattr(CarrelApp, "action_quit", quit)
    return asked


async def opened(pilot: Pilot[int], library: FakeLibrary, kind: type[Dialog[Any]]) -> Dialog[Any]:
    if kind in BY_KEYS:
        await pressed(pilot, *BY_KEYS[kind])
    else:
        pilot.app.push_screen(OPENERS[kind](library))
        await settle(pilot)
    assert isinstance(pilot.app.screen, kind)
    return pilot.app.screen


async def test_the_keys_of_the_app_work_in_every_dialog(library: FakeLibrary, done: list[str]) -> None:
    browser = CarrelApp(ports(library))
    async with browser.run_test(size=SMALL) as pilot:
        await typed(pilot, "starter alive")
        for kind in (*OPENERS, *BY_KEYS):
            dialog = await opened(pilot, library, kind)
            await pilot.press("f4", "ctrl+z", "ctrl+c", "ctrl+q", "alt+t")
            assert done == ["other theme", "to the shell", "left", "left", "other theme"], kind
            done.clear()
            assert browser.screen is dialog, kind
            if kind is not CommandScreen:
                await help_opens_and_closes(pilot, dialog)
            await pressed(pilot, "escape")
            assert browser.screen is not dialog, kind


async def help_opens_and_closes(pilot: Pilot[int], dialog: Dialog[Any]) -> None:
    await pressed(pilot, "f1")
    assert isinstance(pilot.app.screen, CommandScreen), dialog
    text = written(pilot)
    assert HELP_TITLE in text and "Switch between light and dark" in text, dialog
    assert "The library: folders" not in text, dialog  # a dialog stands in the way of other screens
    assert dialog.keys and all(what in text for _, what in dialog.keys), (dialog, text)
    await pressed(pilot, "alt+h")
    assert pilot.app.screen is dialog


async def test_in_sixteen_colours_every_dialog_has_an_edge(library: FakeLibrary, done: list[str]) -> None:
    browser = CarrelApp(ports(library))
    async with browser.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter alive")
        for kind in (*OPENERS, *BY_KEYS):
            for theme, edges in (("carrel-dark", 0), ("ansi-dark", 1)):
                browser.theme = theme
                await opened(pilot, library, kind)
                lines = written(pilot).splitlines()
                if kind is LetterScreen:  # a strip over the footer
                    above = lines[lines.index(next(line for line in lines if "Copy as" in line)) - 1]
                    assert (set(above) == {"─"}) == bool(edges)
                else:
                    assert [sum(corner in line for line in lines) for corner in "╭╰"] == [edges] * 2, (kind, theme)
                await pressed(pilot, "escape")


async def test_keys_of_other_screens_stay_out_of_a_dialog(library: FakeLibrary) -> None:
    browser = CarrelApp(ports(library))
    async with browser.run_test(size=SMALL) as pilot:
        dialog = await opened(pilot, library, ConfirmScreen)
        await pressed(pilot, "f3", "f5", "f9", "ctrl+p")
        assert browser.screen is dialog and browser.current_mode == "search"


async def test_keys_of_ones_own_work_in_a_dialog(library: FakeLibrary) -> None:
    settings = SettingsFile(config=Config(keys={"theme": "ctrl+f4"}))
    browser = CarrelApp(replace(ports(library), settings=settings))
    async with browser.run_test(size=SMALL) as pilot:
        await opened(pilot, library, ChoiceScreen)
        was = browser.theme
        await pressed(pilot, "f4")
        assert browser.theme == was
        await pressed(pilot, "ctrl+f4")
        assert browser.theme != was


async def test_what_was_typed_in_the_rules_is_taken_back_before_the_key_leads_to_the_shell(
    library: FakeLibrary, done: list[str]
) -> None:
    browser = CarrelApp(ports(library))
    async with browser.run_test(size=SMALL) as pilot:
        dialog = await opened(pilot, library, RulesScreen)
        assert isinstance(dialog, RulesScreen)
        await pressed(pilot, "enter", *"tmp")
        assert dialog.editor.text == "drafts/\ntmp"
        while dialog.editor.text != "drafts/":
            await pressed(pilot, "ctrl+z")
            assert done == []
        await pressed(pilot, "ctrl+z")
        assert done == ["to the shell"] and dialog.editor.text == "drafts/"


async def test_a_letter_of_the_choice_goes_before_the_keys_of_the_app(library: FakeLibrary) -> None:
    browser = CarrelApp(ports(library))
    async with browser.run_test(size=SMALL) as pilot:
        await opened(pilot, library, LetterScreen)
        await pressed(pilot, "f4", "f8")
        text = written(pilot)
        assert "f4 does nothing" not in text and "f8 does nothing here" in text


@pytest.mark.parametrize("width", [80, 200])
async def test_a_long_name_stands_whole_where_there_is_room_and_else_in_short(library: FakeLibrary, width: int) -> None:
    name, note = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2", "471 MB · multilingual (50) · ~4 min"
    browser = CarrelApp(ports(library))
    async with browser.run_test(size=(width, 24)) as pilot:
        choices = [Choice("a", name, note, short=name.rpartition("/")[2]), Choice("b", "mine", "here")]
        browser.push_screen(ChoiceScreen("Models", choices))
        await settle(pilot)
        text = written(pilot)
        assert note in text and (name in text) == (width == 200)
        assert "paraphrase-multilingual-" in text
        await pilot.resize_terminal(280 - width, 24)
        await settle(pilot)
        text = written(pilot)
        assert note in text and (name in text) == (width == 80)
        await pressed(pilot, *"transf")
        assert "mine" not in written(pilot) and note in written(pilot)  # the whole name is what is looked through
