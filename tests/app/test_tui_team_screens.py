"""What the screens tell of a team: whose a row is, how fresh each folder is, and what a foreign file allows."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from fakes import DAY, NOW, ROOT, FakeEditor, FakeLibrary, ports
from piloting import SIZES, SMALL, WATCHING, WIDE, picture, pressed, screen_of, settle, told, typed, written

from app.tui.app import CarrelApp
from app.tui.indexer_state import after
from app.tui.row_picker import PickRequest, RowPicker
from app.tui.screens.chooser import ChoiceScreen
from app.tui.screens.library.folder_rows import root_state
from app.tui.screens.reader.screen import ReaderScreen
from app.tui.settings_file import SettingsFile
from app.tui.status_line import StatusView, doing
from app.wording.paths import elsewhere, owner_words, person_of
from engine.config import Config
from engine.errors import TeamAway
from engine.events import Trouble
from engine.paths import owner_of
from engine.records import Folder, SearchResult, Status, StoredDocument, StoredPassage
from engine.records.team import Member, SharedSearch, TeamFolder, TeamGlance

BENS = b"ben@desk:/home/ben/books"
CARLS = b"carl@attic:/srv/papers"
DIARY = b"/home/reader/diary"
PEOPLE = (
    Member("ada", "laptop", NOW, (TeamFolder(ROOT, 3, 7, NOW - 3600, "named", ("ben",)),), own=True),
    Member("ben", "desk", NOW - 20, (TeamFolder(BENS.partition(b":")[2], 1, 1, NOW - 900, "all"),)),
    Member("carl", "attic", NOW - 3 * DAY, (TeamFolder(CARLS.partition(b":")[2], 9, 41, NOW - 4 * DAY, "all"),)),
)


def moved(path: bytes) -> bytes:
    """Return where the fake's books lie with ben."""
    return path.replace(ROOT + b"/books", BENS)


class Shelf(FakeLibrary):
    """Notes of the reader, ben's books beside them, and carl's papers, who was not heard of for three days."""

    def __init__(self, server_away: str = "") -> None:
        super().__init__()
        self.glance = TeamGlance(3, 1, server_away, () if server_away else PEOPLE, NOW)

    def status(self, *, stale: bool = False) -> Status:
        own = (Folder(1, ROOT, "watching", 4, 8), Folder(2, DIARY, "watching", 200, 900))
        foreign = (Folder(3, BENS, "watching", 1, 1), Folder(4, CARLS, "watching", 9, 41))
        told = super().status()
        address = "postgresql://ada@team.example/notes"
        folders = own if self.glance.server_away else own + foreign
        return replace(told, library=address, folders=folders, documents=14, passages=50, team=self.glance)

    def share_marks(self, on: bool) -> None:
        super().share_marks(on)
        self.glance = replace(self.glance, shares_marks=on)

    def search(self, text: str, **how: Any) -> SearchResult:
        found = super().search(text, **how)
        hits = tuple(replace(hit, path=moved(hit.path)) for hit in found.hits)
        return replace(found, hits=hits, timings=replace(found.timings, server=9.4))

    def document_by_id(self, document_id: int) -> StoredDocument | None:
        found = super().document_by_id(document_id)
        return found and replace(found, path=moved(found.path))

    def document(self, path: bytes) -> StoredDocument | None:
        return super().document(path.replace(BENS, ROOT + b"/books"))

    def passages(self, passage_ids: Sequence[int]) -> tuple[StoredPassage, ...]:
        return tuple(replace(each, path=moved(each.path)) for each in super().passages(passage_ids))


@pytest.mark.parametrize("size", SIZES)
def test_rows_of_a_team(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, Shelf(), size, query="starter yeast culture")


@pytest.mark.parametrize("size", SIZES)
def test_explanation_of_a_foreign_row(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, Shelf(), size, "ctrl+t", query="yeast bacteria nature")


@pytest.mark.parametrize("size", SIZES)
def test_folders_of_a_team(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, Shelf(), size, "f3")


@pytest.mark.parametrize("size", SIZES)
def test_folders_while_the_server_is_away(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, Shelf("The server does not answer."), size, "f3")


def states(shelf: Shelf) -> list[str]:
    status = shelf.status()
    return [root_state(folder, StatusView(status, WATCHING)).words for folder in status.folders]


def test_a_folder_is_as_fresh_as_its_member_was_heard_of() -> None:
    assert states(Shelf()) == ["✓ up to date", "not in team", "✓ up to date", "away: 29 Jun"]
    assert states(Shelf("It does not answer.")) == ["✓ up to date", "✓ up to date"]


def test_whose_a_path_is_stands_before_its_folder() -> None:
    assert owner_of(b"ben@corp.example@desk:/x/y.md") == ("ben@corp.example", "desk")
    assert owner_of(b"/home/ada/a@b:/c") is None and owner_of(b"a@b/c:/d") is None
    assert (person_of(BENS), owner_words(BENS), person_of(ROOT)) == ("ben", "ben, at desk", "")
    assert "soup.md lies with ben, at desk" in elsewhere(BENS + b"/soup.md", "This is its text")
    assert "␛" in owner_words(b"b\x1b[31mn@desk:/x")


async def test_a_file_of_another_member_is_read_here_since_it_cannot_be_opened() -> None:
    editor = FakeEditor()
    app = CarrelApp(ports(Shelf(), editor=editor))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "yeast bacteria nature")
        assert "14 ms, server 9" in written(pilot)
        assert screen_of(pilot).rows.hits[0].path.startswith(BENS)
        await pressed(pilot, "enter")
        assert isinstance(app.screen, ReaderScreen)
        assert any("yeast.md lies with ben, at desk" in each for each in told(pilot))
        assert "ben@desk:/home/ben/books/yeast.md" in written(pilot)
        await pressed(pilot, "enter")
    assert editor.commands == []


async def test_own_and_foreign_rows_are_opened_together_as_far_as_they_lie_here() -> None:
    editor = FakeEditor()
    app = CarrelApp(ports(Shelf(), editor=editor))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter")
        rows = screen_of(pilot).rows
        paths = {hit.path for hit in rows.hits[:4]}
        assert any(path.startswith(BENS) for path in paths) and any(path.startswith(b"/") for path in paths)
        await pressed(pilot, "tab", "space", "space", "space", "space", "enter")
    assert len(editor.commands) == 1
    assert not any("ben@desk" in str(argument) for argument in editor.commands[0].arguments)


async def test_nothing_of_another_members_folder_can_be_changed_here() -> None:
    shelf = Shelf()
    app = CarrelApp(ports(shelf))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pressed(pilot, "f3", "down", "down", "down")
        assert "From ben, at desk: /home/ben/books" in written(pilot)
        for key in ("p", "i", "u", "r", "y", "delete"):
            await pressed(pilot, key)
            assert "ben, at desk: only they can change it" in told(pilot)[-1]
    assert shelf.requests == []


async def test_a_foreign_row_is_picked_as_any_other() -> None:
    picker = RowPicker(ports(Shelf()), PickRequest("yeast bacteria nature"))
    async with picker.run_test(size=SMALL) as pilot:
        await settle(pilot)
        await pilot.press("enter")
    assert picker.picked is not None and picker.picked.hits[0].path == BENS + b"/yeast.md"


async def test_marks_are_shared_from_the_library_screen_after_a_question() -> None:
    shelf = Shelf()
    app = CarrelApp(ports(shelf))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pressed(pilot, "f3", "tab")
        assert "Your marks: your own" in written(pilot)
        await pressed(pilot, "enter")
        assert "Share your marks with the team?" in written(pilot)
        await pressed(pilot, "escape")
        assert not shelf.sharing
        await pressed(pilot, "enter", "y")
        assert shelf.sharing
        assert "Your marks: shared" in written(pilot)


async def test_searches_of_others_are_offered_and_own_ones_shared() -> None:
    shelf = Shelf()
    shelf.shared = (SharedSearch("ben", "sour [things]", "yeast bacteria", False),)
    app = CarrelApp(replace(ports(shelf), settings=SettingsFile(config=Config(saved={"mine": "starter"}))))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pressed(pilot, "f6")
        assert "from ben · yeast bacteria" in written(pilot)
        await pressed(pilot, "down", "f8", "delete")  # neither watched nor forgotten: it is ben's
        assert "from ben · yeast bacteria" in written(pilot)
        await pressed(pilot, "enter")
        assert screen_of(pilot).query_line.value == "yeast bacteria"
        await pressed(pilot, "f3", "tab", "down", "enter")
        assert "Share a search with the team" in written(pilot)
        await pressed(pilot, "enter")
        assert [(each.name, each.query) for each in shelf.shared if each.own] == [("mine", "starter")]
        await pressed(pilot, "enter", "enter")
        assert not [each for each in shelf.shared if each.own]


def test_a_trouble_of_the_team_is_over_when_it_is_told_and_hides_no_other() -> None:
    lost = Trouble(message="Team library: away.", of="team")
    back = Trouble(message="It answers again.", of="team", over=True)
    state = after(WATCHING, lost)
    assert state.trouble and not after(state, back).trouble
    assert after(after(WATCHING, Trouble(message="The disk is full.")), back).trouble == "The disk is full."
    assert "away" in doing(StatusView(Shelf().status(), state)).plain
    assert doing(StatusView(Shelf("It does not answer.").status(), state)).plain == "✓ up to date"


async def test_own_saved_searches_are_offered_though_those_of_others_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(_: Shelf) -> tuple[SharedSearch, ...]:
        raise TeamAway("The team's server does not answer.")

    monkeypatch.setattr(Shelf, "shared_searches", away)
    app = CarrelApp(replace(ports(Shelf()), settings=SettingsFile(config=Config(saved={"mine": "starter"}))))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pressed(pilot, "f6")
        assert "mine" in written(pilot) and "searches of others are missing" in told(pilot)[-1]


async def test_what_is_typed_while_searches_of_others_are_asked_for_narrows_their_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = threading.Event()

    def slowly(_: Shelf) -> tuple[SharedSearch, ...]:
        assert go_on.wait(120)
        return ()

    monkeypatch.setattr(Shelf, "shared_searches", slowly)
    app = CarrelApp(replace(ports(Shelf()), settings=SettingsFile(config=Config(saved={"mine": "starter"}))))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "bread")
        await pilot.press("f6", "m", "i")
        for _ in range(20):
            await pilot.pause()
        go_on.set()
        await settle(pilot)
        assert screen.query_line.value == "bread"
        assert isinstance(app.screen, ChoiceScreen) and app.screen.line.value == "mi"
