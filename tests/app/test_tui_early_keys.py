"""Keys that are sent while a screen opens, and what is said of a folder that was not walked yet."""

from __future__ import annotations

import string
import threading
from dataclasses import replace
from typing import Any

from fakes import FakeEditor, FakeIndexer, FakeLibrary, ports
from piloting import SMALL, WIDE, settle, told, typed, written
from textual import events
from textual._xterm_parser import XTermParser
from textual.keys import key_to_character
from textual.pilot import Pilot

from app.tui.app import CarrelApp
from app.tui.indexer_state import IndexerState
from app.tui.screens.chooser import ChoiceScreen
from app.tui.screens.library.screen import LibraryScreen
from app.tui.settings_file import SettingsFile
from engine.config import Config
from engine.records import Facets, Folder, Status


class SlowFacets(FakeLibrary):
    """A library that tells the values of its filters once a test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_for_values, self.may_tell = threading.Event(), threading.Event()

    def facets(self) -> Facets:
        self.asked_for_values.set()
        assert self.may_tell.wait(120)
        return super().facets()


def sent(pilot: Pilot[int], *keys: str) -> None:
    """Send keys as a terminal does that has them all at once, without waiting for what they do."""
    for key in keys:
        pilot.app.post_message(events.Key(key, key_to_character(key)))


async def test_keys_sent_while_a_picker_loads_reach_it_in_order() -> None:
    library = SlowFacets()
    app = CarrelApp(ports(library))
    async with app.run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "starter")
        sent(pilot, "ctrl+f")
        while not library.asked_for_values.is_set():
            await pilot.pause()
        sent(pilot, *"type")
        await pilot.pause()
        assert screen.query_line.value == "starter"
        library.may_tell.set()
        await settle(pilot)
        picker: Any = pilot.app.screen
        assert isinstance(picker, ChoiceScreen)
        assert picker.line.value == "type"
        await pilot.press("enter")
        sent(pilot, *"mark")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert screen.query_line.value == "starter type:markdown "
        app.push_screen(ChoiceScreen("Later", []))
        sent(pilot, *"ahead")
        await settle(pilot)
        later: Any = pilot.app.screen
        assert later.line.value == "ahead"
        await pilot.press("escape")
        app.action_show_library()
        sent(pilot, "question_mark", "escape")
        await settle(pilot)
        assert not isinstance(pilot.app.screen, LibraryScreen)


async def test_escape_gives_up_a_picker_that_does_not_come() -> None:
    library = SlowFacets()
    async with CarrelApp(ports(library)).run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "starter")
        sent(pilot, "ctrl+f")
        while not library.asked_for_values.is_set():
            await pilot.pause()
        sent(pilot, "x", "escape")
        while screen.query_line.value:
            await pilot.pause()
        sent(pilot, "y")
        while screen.query_line.value != "y":
            await pilot.pause()
        library.may_tell.set()
        await settle(pilot)


class Unwalked(FakeLibrary):
    """A library whose folder was added a moment ago."""

    walked = False

    def status(self, *, stale: bool = False) -> Status:
        folder = Folder(1, self.folders[0], "watching", walked=self.walked)
        return replace(super().status(), documents=0, passages=0, folders=(folder,))


async def test_nothing_is_said_of_an_empty_folder_before_it_was_walked() -> None:
    library, indexer = Unwalked({}), FakeIndexer()
    async with CarrelApp(ports(library, indexer)).run_test(size=SMALL) as pilot:
        await settle(pilot)
        for phase in ("off", "watching", "following"):
            indexer.report(IndexerState(phase))  # type: ignore[arg-type]
            await settle(pilot)
            assert "Reading /home/reader/notes" in written(pilot)
            assert "nothing to index" not in written(pilot)
            assert "up to date" not in written(pilot)
        library.walked = True
        library.commits += 1
        pilot.app.look_again()  # type: ignore[attr-defined]
        indexer.report(IndexerState("watching"))
        await settle(pilot)
        assert "There is nothing to index in /home/reader/notes" in written(pilot)
        assert "✓ up to date" in written(pilot)


async def test_no_word_is_said_to_be_missing_from_notes_that_nobody_has_read_yet() -> None:
    library, indexer = Unwalked({}), FakeIndexer()
    async with CarrelApp(ports(library, indexer)).run_test(size=SMALL) as pilot:
        await settle(pilot)
        indexer.report(IndexerState("scanning"))
        screen = await typed(pilot, "starter")
        assert "Reading /home/reader/notes" in written(pilot)
        assert screen.reading.text.strip() == "" and "nothing relevant" not in written(pilot)


async def test_keys_behind_a_tab_go_to_the_rows_that_it_led_to() -> None:
    app = CarrelApp(ports(FakeLibrary()))
    async with app.run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "s")
        sent(pilot, *"tarter", "tab", "j")
        await settle(pilot)
        assert (screen.query_line.value, screen.rows.has_focus) == ("starter", True)
        sent(pilot, "tab", *" jar", "tab", "k")
        await settle(pilot)
        assert (screen.query_line.value, screen.rows.has_focus) == ("starter jar", True)


async def test_what_is_typed_on_from_the_rows_stays_together_whatever_its_letters_do_there() -> None:
    app = CarrelApp(ports(FakeLibrary()))
    async with app.run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "starter ")
        sent(pilot, "tab", *"zjkgeh")
        await settle(pilot)
        assert (screen.query_line.value, screen.rows.has_focus) == ("starter zjkgeh", False)


async def test_keys_behind_an_escape_go_where_it_led_to() -> None:
    app = CarrelApp(ports(FakeLibrary()))
    async with app.run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "starter")
        await pilot.press("ctrl+t", "tab")
        assert (screen.pane.explaining, screen.rows.has_focus) == (True, True)
        await pilot.resize_terminal(200, 60)
        sent(pilot, "escape", "escape", "ctrl+u", *"path", "colon")
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert (screen.query_line.value, screen.pane.explaining) == ("path:", False)


async def test_an_escape_behind_another_is_not_lost_with_the_screen_that_closed() -> None:
    app = CarrelApp(ports(FakeLibrary()))
    async with app.run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "starter")
        await pilot.press("ctrl+t")
        app.push_screen(ChoiceScreen("Over it", []))
        await settle(pilot)
        sent(pilot, "escape", "escape", *" jar")
        await settle(pilot)
        assert (screen.query_line.value, screen.pane.explaining) == ("starter jar", False)


async def test_letters_behind_a_key_that_edits_come_after_it() -> None:
    app = CarrelApp(ports(FakeLibrary()))
    async with app.run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "starter")
        sent(pilot, "ctrl+u", *"jat", "backspace", *"rs", "home", "b", "end", "!")
        await settle(pilot)
        assert screen.query_line.value == "bjars!"


async def sent_bytes(pilot: Pilot[int], written: str) -> None:
    """Send what a terminal writes for a key, read as the driver reads it."""
    parser = XTermParser(debug=False)
    for event in [*parser.feed(written), *parser.feed("")]:  # the end of it stands for the pause after a key
        pilot.app.post_message(event)
    await settle(pilot)


async def test_alt_and_a_letter_as_a_terminal_sends_it_acts_and_writes_nothing() -> None:
    async with CarrelApp(ports(FakeLibrary())).run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "starter")
        for letter, explaining in (("w", True), ("w", False)):
            await sent_bytes(pilot, f"\x1b{letter}")
            assert (screen.query_line.value, screen.pane.what_if.has_focus) == ("starter", explaining)
        await sent_bytes(pilot, "\x1bl")
        assert isinstance(pilot.app.screen, LibraryScreen)
        await sent_bytes(pilot, "\x1bl")
        await sent_bytes(pilot, "\x1bQ")  # no key of ours
        assert (pilot.app.screen, screen.query_line.value) == (screen, "starter")


async def test_alt_and_a_digit_opens_that_row_from_what_a_terminal_sends() -> None:
    editor = FakeEditor()
    async with CarrelApp(ports(FakeLibrary(), editor=editor)).run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "starter")
        second = screen.rows.hits[1]
        await sent_bytes(pilot, "\x1b2")
        (command,) = editor.commands
        assert any(second.path.decode() in str(each) for each in command.arguments)
        assert screen.query_line.value == "starter"


async def test_alt_and_a_sign_can_be_a_key_and_writes_nothing() -> None:
    signs = {"-": "minus", "=": "equals_sign", "/": "slash", "[": "left_square_bracket", " ": "space", "0": "0"}
    for sign, name in signs.items():
        settings = SettingsFile(config=Config(keys={"search.explain": f"alt+{name},e"}))
        app = CarrelApp(replace(ports(FakeLibrary()), settings=settings))
        async with app.run_test(size=SMALL) as pilot:
            screen = await typed(pilot, "starter")
            assert not told(pilot)
            await sent_bytes(pilot, f"\x1b{sign}")
            assert (screen.query_line.value, screen.pane.explaining) == ("starter", True), sign


async def test_no_sign_is_written_with_alt_and_each_is_without() -> None:
    async with CarrelApp(ports(FakeLibrary())).run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        for sign in string.punctuation:
            await sent_bytes(pilot, f"\x1b{sign}")
            assert screen.query_line.value == "starter", sign
        await sent_bytes(pilot, string.punctuation)
        assert screen.query_line.value == "starter" + string.punctuation
