"""The library screen, driven by keys, on a library that answers at once."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import NOW, ROOT, Answered, FakeEditor, FakeIndexer, FakeLibrary, ports
from piloting import SIZES, SMALL, WIDE, picture, pressed, settle, told, written
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import OptionList, TextArea

from app import model_catalogue
from app.model_catalogue import Model
from app.tui.app import CarrelApp
from app.tui.indexer_state import IndexerState
from app.tui.screens.chooser import ChoiceScreen
from app.tui.screens.confirm import ConfirmScreen
from app.tui.screens.library.directories import completed, offered
from app.tui.screens.library.folder_rows import EVERYTHING, query_inside
from app.tui.screens.library.library_check import Checked, file_line
from app.tui.screens.library.library_contents import Contents
from app.tui.screens.library.model_chooser import LookingScreen
from app.tui.screens.library.model_fetch import FetchScreen, Stopped
from app.tui.screens.library.picker import PickerScreen
from app.tui.screens.library.rule_editor import RulesScreen, effect_of, patterns_in, text_of
from app.tui.screens.library.screen import LibraryScreen
from app.tui.screens.library.skipped import SkippedScreen
from app.tui.screens.library.timeline import story
from app.tui.screens.reader.screen import ReaderScreen
from app.tui.screens.search.screen import SearchScreen
from app.tui.widgets.entry_list import EntryList
from engine.embedding import catalogue
from engine.errors import ModelError, PathError
from engine.events import SyncFinished
from engine.records import (
    Check,
    DocumentChange,
    Failure,
    Folder,
    FolderNode,
    LastCheck,
    LateStatus,
    ModelCoverage,
    Status,
)

CODE = b"/home/reader/code"
EVIL = b"[red]\x1b[31m\xe2\x80\xae.md"
PATIENCE = 120.0  # seconds until a test gives up; none waits for it when all is well


class Shelves(FakeLibrary):
    """Two watched folders, with files that failed and files that are left out; remembers what it was asked to do."""

    def __init__(self, *, read_only: bool = False) -> None:
        super().__init__(read_only=read_only)
        self.watched = [
            Folder(1, ROOT, "watching", 6402, 41870, 3),
            Folder(2, CODE, "watching", 1017, 6211, 0),
        ]
        self.failed: tuple[Failure, ...] = (
            Failure(ROOT + b"/papers/scan.pdf", "scanned: no text layer"),
            Failure(ROOT + b"/papers/locked.pdf", "encrypted"),
            Failure(ROOT + b"/" + EVIL, "not [bold]text[/]"),
        )
        self.rules: tuple[str, ...] = ("drafts/",)
        self.ignored: tuple[tuple[bytes, tuple[str, ...]], ...] = ()
        self.orders: list[tuple[str, str]] = []
        self.outcomes: dict[str, dict[str, Any]] = {}
        self.waiting: set[str] = set()  # kinds of orders that are not carried out yet
        self.added: list[Path] = []
        self.checks: tuple[Check, ...] = (Check("file", True, 0, "SQLite finds every page in order", False),)
        self.tried: list[tuple[str, ...]] = []

    def status(self, *, stale: bool = False) -> Status:
        documents, passages = sum(f.documents for f in self.watched), sum(f.passages for f in self.watched)
        return Status(str(self.path), 1, documents, passages, 61_400_000, "all-MiniLM-L6-v2", tuple(self.watched),
                      None, -1, failed=3, read_only=self.read_only)  # fmt: skip

    def tree(self, folder: bytes) -> tuple[FolderNode, ...]:
        if folder == CODE:
            return (FolderNode(b"", 0, 1017, 6211, 0), FolderNode(b"docs", 1, 1017, 6211, 0, NOW - 180))
        return (
            FolderNode(b"", 0, 6402, 41870, 3),
            FolderNode(b"kitchen", 1, 88, 410, 0, NOW - 60),
            FolderNode(b"kitchen/bread", 2, 12, 40, 0),
            FolderNode(b"papers", 1, 121, 9804, 2, NOW - 20 * 86_400),
        )

    def failures(self) -> tuple[Failure, ...]:
        return self.failed

    def left_out(self, folder: bytes | None = None) -> dict[str, int]:
        return {"inside node_modules (built-in rule)": 918, "larger than 32 MB": 5} if folder == ROOT else {}

    def left_out_files(
        self, folder: bytes, reason: str | None = None, limit: int = 1000, rules: Any = None
    ) -> tuple[tuple[bytes, str], ...]:
        if reason is not None:
            return ((b"site/node_modules", reason), (EVIL, reason))
        self.tried.append(tuple(rules))
        return tuple((rule.rstrip("/").encode(), f"rule {rule}") for rule in rules)

    def ignore_files(self, folder: bytes) -> tuple[tuple[bytes, tuple[str, ...]], ...]:
        return self.ignored

    def folder_rules(self, folder: bytes) -> tuple[str, ...]:
        return self.rules

    def set_folder_rules(self, folder: bytes, patterns: Any) -> None:
        self.rules = tuple(patterns)

    def changed_since(self, moment: float, limit: int = 200) -> tuple[DocumentChange, ...]:
        changes = (
            DocumentChange(ROOT + b"/kitchen/sourdough.md", "Sourdough", NOW - 60, "indexed"),
            DocumentChange(ROOT + b"/papers/scan.pdf", "", NOW - 120, "failed"),
            DocumentChange(CODE + b"/docs/[x].md", "[bold]evil\x1b[31m", NOW - 180, "indexed"),
        )
        return tuple(change for change in changes if change.at >= moment)[:limit]

    def file_request(self, kind: str, argument: str = "") -> int:
        self.orders.append((kind, argument))
        return len(self.orders)

    def request_state(self, number: int) -> Answered:
        kind = self.orders[number - 1][0]
        if kind in self.waiting:
            return Answered(False, None)
        return Answered(True, self.outcomes.get(kind, {}))

    def check(self, *, repair: bool = False) -> tuple[Check, ...]:
        return self.checks

    def add(self, folder: Path) -> Folder:
        if folder.name == "taken":
            raise PathError(f"{folder} lies in the watched folder /x and is indexed with it.")
        self.added.append(folder)
        added = Folder(9, os.fsencode(folder), "watching")
        self.watched.append(added)
        return added


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/reader")


@pytest.fixture
def library() -> Shelves:
    return Shelves()


@pytest.fixture
def indexer() -> FakeIndexer:
    return FakeIndexer()


@pytest.fixture
def app(library: Shelves, indexer: FakeIndexer) -> CarrelApp:
    return CarrelApp(ports(library, indexer))


async def shown(pilot: Pilot[int], *keys: str) -> LibraryScreen:
    """Go to the library screen, press some keys, and wait until all is done."""
    await settle(pilot)
    await pressed(pilot, "f3")
    screen = pilot.app.screen
    assert isinstance(screen, LibraryScreen)
    await pressed(pilot, *keys)
    return screen


# --- what is shown --------------------------------------------------------------------------------------------------


async def test_f3_goes_to_the_library_and_back(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await shown(pilot)
        await pilot.press("f3")
        assert isinstance(pilot.app.screen, SearchScreen)
        await pilot.press("f3", "escape")
        assert isinstance(pilot.app.screen, SearchScreen)


async def test_folders_stand_as_a_tree_with_their_figures(app: CarrelApp, indexer: FakeIndexer) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await shown(pilot)
        indexer.report(IndexerState("watching", folders=5, covered=5))
        await settle(pilot)
        lines = screen.tree_list.shown_lines
        assert [line.split()[0] for line in lines] == ["everything", "▸", "▸"]
        assert "7,419" in lines[0] and "48,081" in lines[0]
        assert "~/notes" in lines[1] and "6,402" in lines[1] and "✓ up to date" in lines[1]
        await pilot.press("down", "right")
        names = [line.split()[:2] for line in screen.tree_list.shown_lines[1:4]]
        assert names == [["▾", "~/notes"], ["▸", "kitchen"], ["papers", "121"]]
        await pilot.press("left")
        assert len(screen.tree_list.shown_lines) == 3


async def test_what_failed_and_why_is_told_for_the_selected_folder(app: CarrelApp) -> None:
    async with app.run_test(size=(160, 40)) as pilot:
        screen = await shown(pilot)
        story = "\n".join(screen.story_list.shown_lines)
        assert "Failed 3" in story and "papers/scan.pdf  scanned: no text layer" in story
        assert "Left out 923" in story and "918  inside node_modules (built-in rule)" in story
        assert "Read today 3" in story and "Sourdough" in story
        await pilot.press("down", "right", "end")
        await settle(pilot)
        assert "docs" not in str(screen.tree_list.place)
        story = "\n".join(screen.story_list.shown_lines)
        assert screen.tree_list.place == (CODE, b"") and "Failed" not in story and "Read today 1" in story


@pytest.mark.parametrize("width", [40, 60, 100])
def test_why_a_file_is_left_out_has_the_room_and_its_path_is_cut(width: int) -> None:
    reason = "it has no text layer (OCR is off)"
    failure = Failure(ROOT + b"/papers/of last year/scanned/" + b"x" * 40 + b".pdf", reason)
    contents = Contents({ROOT: ()}, (failure,))
    line = next(entry for entry in story(contents, EVERYTHING) if entry.key == ("failed", failure.path))
    shown = line.build(width).plain
    assert cell_len(shown) <= width
    assert shown.endswith("xxx.pdf  " + reason) if width > 40 else f"x.pdf  {reason[:20]}" in shown


def test_a_day_on_which_more_was_read_than_is_listed_says_so() -> None:
    changes = tuple(DocumentChange(ROOT + b"/%d.md" % number, "", NOW - number, "indexed") for number in range(500))
    heads = [entry.build(60).plain for entry in story(Contents(changes=changes), EVERYTHING)[:2]]
    assert any("Read today 500 or more" in head for head in heads)
    heads = [entry.build(60).plain for entry in story(Contents(changes=changes[:499]), EVERYTHING)[:2]]
    assert any(head.strip() == "Read today 499" for head in heads)


async def test_the_queue_tells_file_rate_time_left_and_done(app: CarrelApp, indexer: FakeIndexer) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await shown(pilot)
        path = "/home/reader/notes/papers/attention.pdf"
        indexer.report(
            IndexerState(
                "indexing", files_done=600, files_total=2000, rate=312.0, seconds_left=13.0, path=path, passages=4180
            )
        )
        await settle(pilot)
        now = "\n".join(screen.now.shown_lines)
        assert "~/notes/papers/attention.pdf" in now
        assert "30 %" in now and "600 of 2,000 files" in now
        assert "312 passages/s" in now and "4,180 passages" in now and "13 s left" in now
        assert "… indexing" in screen.tree_list.shown_lines[1]
        assert "… in the queue" in screen.tree_list.shown_lines[2]


async def test_an_idle_indexer_tells_what_it_watches_and_when_it_looked(app: CarrelApp, indexer: FakeIndexer) -> None:
    looked = SyncFinished(at=NOW, added=3, updated=1, unchanged=9, moved=0, removed=0, failed=0, embedded=4,
                          reused=0, seconds=1.2)  # fmt: skip
    async with app.run_test(size=WIDE) as pilot:
        screen = await shown(pilot)
        short = IndexerState("watching", folders=60, covered=49, looked=looked)
        indexer.report(replace(short, remark="the limit is reached", fix="Raise it: sudo sysctl"))
        await settle(pilot)
        now = " ".join(screen.now.shown_lines)
        assert "watching 49 of 60 folders; the limit is reached Raise it: sudo sysctl" in now
        assert "3 new, 1 changed (1.2 s)" in now


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (IndexerState("dead"), "Press u to start it again"),
        (IndexerState("gone"), "The library file is gone"),
        (IndexerState("restarting"), "is started again"),
        (IndexerState("watching", foreign=True, pid=77), "another Carrel (process 77) indexes"),
        (IndexerState("watching", trouble="The folder /x is not there."), "The folder /x is not there."),
    ],
)
async def test_every_state_of_the_indexer_has_its_words(
    app: CarrelApp, indexer: FakeIndexer, state: IndexerState, words: str
) -> None:
    async with app.run_test(size=(160, 40)) as pilot:
        screen = await shown(pilot)
        indexer.report(state)
        await settle(pilot)
        now = " ".join(screen.now.shown_lines)
        assert words in now and not (state.trouble and "up to date" in now)


async def test_states_of_folders_are_told_in_words(library: Shelves, app: CarrelApp) -> None:
    library.watched[0] = replace(library.watched[0], state="paused")
    library.watched[1] = replace(library.watched[1], state="missing")
    async with app.run_test(size=WIDE) as pilot:
        screen = await shown(pilot)
        assert "‖ paused" in screen.tree_list.shown_lines[1]
        assert "✗ not there" in screen.tree_list.shown_lines[2]


async def test_hostile_names_are_shown_and_harm_nothing(app: CarrelApp) -> None:
    async with app.run_test(size=(160, 40)) as pilot:
        screen = await shown(pilot, "tab", "end")
        story = "\n".join(screen.story_list.shown_lines)
        assert "[red]␛[31m" in story and "not [bold]text[/]" in story and "[bold]evil␛" in story
        assert "\x1b" not in written(pilot) and "\u202e" not in written(pilot)


async def test_a_library_without_folders_says_how_to_add_one(library: Shelves, app: CarrelApp) -> None:
    library.watched = []
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        while len(pilot.app.screen_stack) > 1:
            pilot.app.pop_screen()
        screen = await shown(pilot)
        assert "a adds one" in screen.tree_list.shown_lines[0]


# --- what can be done -----------------------------------------------------------------------------------------------


async def test_enter_on_a_folder_searches_inside_it(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await shown(pilot, "down", "right", "down", "enter")
        screen = pilot.app.screen
        assert isinstance(screen, SearchScreen)
        assert screen.query_line.value == 'path:"~/notes/kitchen/" '
        assert screen.query_line.has_focus


async def test_enter_on_a_file_opens_it(library: Shelves, indexer: FakeIndexer) -> None:
    editor = FakeEditor()
    async with CarrelApp(ports(library, indexer, editor)).run_test(size=WIDE) as pilot:
        await shown(pilot, "tab", "home", "enter")
        await settle(pilot)
        assert editor.commands or "scan.pdf" in " ".join(told(pilot)) or "there" in " ".join(told(pilot))


class Papers(Shelves):
    """A library in which a PDF was indexed last."""

    def changed_since(self, moment: float, limit: int = 200) -> tuple[DocumentChange, ...]:
        return (DocumentChange(ROOT + b"/papers/attention.pdf", "Attention", NOW - 60, "indexed"),)


async def test_enter_on_a_pdf_without_a_viewer_reads_it_here_and_gives_it_to_no_editor(
    indexer: FakeIndexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("EDITOR", "vim")
    editor = FakeEditor()
    async with CarrelApp(ports(Papers(), indexer, editor)).run_test(size=WIDE) as pilot:
        screen = await shown(pilot, "tab")
        entries = screen.story_list._entries
        screen.story_list.choose(next(each.key for each in entries if isinstance(each.value, DocumentChange)))
        await pressed(pilot, "enter")
        assert isinstance(pilot.app.screen, ReaderScreen) and editor.commands == []


async def test_enter_on_a_reason_lists_what_it_leaves_out(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await shown(pilot, "tab", "home")
        screen.story_list.choose(("skipped", "inside node_modules (built-in rule)"))
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(pilot.app.screen, SkippedScreen)
        assert "~/notes/site/node_modules" in written(pilot)
        await pilot.press("escape")
        assert pilot.app.screen is screen


async def test_try_again_reads_the_selected_file(library: Shelves, app: CarrelApp) -> None:
    path = "/home/reader/notes/papers/scan.pdf"
    library.outcomes["retry"] = {"failed": [{"path": path, "reason": "scanned: no text layer"}]}
    async with app.run_test(size=WIDE) as pilot:
        await shown(pilot, "tab", "home", "r")
        assert library.orders == [("retry", path)]
        assert "still cannot be read: scanned: no text layer" in " ".join(told(pilot))
        library.outcomes["retry"] = {"failed": [], "added": 0, "updated": 1}
        await pilot.press("r")
        await settle(pilot)
        assert "scan.pdf was read." in " ".join(told(pilot))


async def test_try_again_on_a_folder_reads_all_that_failed_in_it(library: Shelves, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await shown(pilot, "down", "r")
        assert library.orders == [("retry", "/home/reader/notes")]


async def test_documents_that_are_held_back_are_let_go_after_a_question(library: Shelves, app: CarrelApp) -> None:
    library.watched[0] = replace(library.watched[0], held=812)
    async with app.run_test(size=WIDE) as pilot:
        screen = await shown(pilot, "down")
        assert "✗ files gone" in screen.tree_list.shown_lines[1]
        await pilot.press("y")
        await settle(pilot)
        assert "812 documents" in written(pilot)
        assert library.orders == []
        await pilot.press("y")
        await settle(pilot)
        assert library.orders == [("accept_removals", "/home/reader/notes")]


async def test_a_folder_is_paused_and_resumed(library: Shelves, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await shown(pilot, "down", "p")
        assert library.orders == [("pause", "/home/reader/notes")]
        assert "~/notes is paused" in " ".join(told(pilot))
        library.watched[0] = replace(library.watched[0], state="paused")
        library.commits += 1
        pilot.app.look_again()  # type: ignore[attr-defined]
        await settle(pilot)
        await pilot.press("p")
        await settle(pilot)
        assert library.orders[-1] == ("resume", "/home/reader/notes")


async def test_an_order_on_its_way_is_shown_and_one_that_nobody_takes_is_told(
    library: Shelves, app: CarrelApp, indexer: FakeIndexer
) -> None:
    library.waiting = {"pause"}
    async with app.run_test(size=WIDE) as pilot:
        screen = await shown(pilot, "down")
        indexer.report(IndexerState("watching"))
        await settle(pilot)
        await pilot.press("p")
        while "… pausing" not in screen.tree_list.shown_lines[1]:
            await pilot.pause()
        indexer.report(IndexerState("dead"))
        await settle(pilot)
        assert "Nobody indexes now" in " ".join(told(pilot))
        assert "… pausing" not in screen.tree_list.shown_lines[1]


async def test_forgetting_asks_first(library: Shelves, app: CarrelApp) -> None:
    library.outcomes["remove"] = {"documents": 6402}
    async with app.run_test(size=WIDE) as pilot:
        await shown(pilot, "down", "D")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        text = " ".join(written(pilot).split())
        assert "6,402 documents and 41,870 passages" in text and "files stay where they are" in text
        await pilot.press("enter")
        await settle(pilot)
        assert library.orders == []
        await pilot.press("delete", "y")
        await settle(pilot)
        assert library.orders == [("remove", "/home/reader/notes")]
        assert "forgotten, with 6,402 documents" in " ".join(told(pilot))
        assert "z takes it back" in " ".join(told(pilot))


async def test_what_is_marked_is_paused_looked_at_and_forgotten_together(library: Shelves, app: CarrelApp) -> None:
    both = ["/home/reader/notes", "/home/reader/code"]
    async with app.run_test(size=WIDE) as pilot:
        screen = await shown(pilot, "down", "space", "x")
        assert [folder.path for folder in screen.tree_list.taken_folders] == [ROOT, CODE]
        await pressed(pilot, "p")
        assert sorted(library.orders) == sorted(("pause", path) for path in both)
        assert "✓" not in "".join(line[:2] for line in written(pilot).splitlines()), "done is done"
        library.watched = [replace(folder, state="paused") for folder in library.watched]
        library.orders.clear()
        library.commits += 1
        app.look_again()
        await settle(pilot)
        await pressed(pilot, "home", "down", "x", "x", "x", "up", "up", "x", "p")
        assert {kind for kind, _ in library.orders} == {"resume"}
        library.orders.clear()
        await pressed(pilot, "home", "down", *("x", "x"), "u")
        assert sorted(library.orders) == sorted(("sync", path) for path in both)
        library.orders.clear()
        await pressed(pilot, "home", "down", *("x", "x"), "D")
        text = " ".join(written(pilot).split())
        assert "Forget 2 folders?" in text and "7,419 documents and 48,081 passages" in text and "~/code" in text
        await pressed(pilot, "n")
        assert library.orders == [] and len(screen.tree_list.taken_folders) == 2
        await pressed(pilot, "D", "y")
        assert sorted(library.orders) == sorted(("remove", path) for path in both)


async def test_marked_files_are_tried_again_and_opened_together(library: Shelves, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await shown(pilot, "down", "tab", "x", "x")
        assert len(screen.story_list.taken) == 2
        await pressed(pilot, "r")
        files = {os.fsdecode(failure.path) for failure in library.failed[:2]}
        assert set(library.orders) == {("retry", path) for path in files}
        assert len(screen.story_list.taken) == 1
        await pressed(pilot, "home", "x", "x", "x", "enter")
        opened = b" ".join(part for command in app.ports.edit.commands for part in command.arguments)  # type: ignore[union-attr]
        assert all(os.fsencode(path) in opened for path in files)


async def test_a_forgotten_folder_is_taken_back_with_one_key(library: Shelves, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await shown(pilot, "z")
        await settle(pilot)
        assert "No folder was forgotten within the last day." in " ".join(told(pilot))
        library.forgotten_folders = (Folder(0, b"/home/reader/notes", "watching"),)
        await pilot.press("z")
        await settle(pilot)
        assert library.taken_back == Path("/home/reader/notes")
        assert "comes back, with all that was indexed of it" in " ".join(told(pilot))


async def test_rules_tell_while_they_are_written_what_they_would_do(library: Shelves, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await shown(pilot, "down", "i")
        screen = pilot.app.screen
        assert isinstance(screen, RulesScreen)
        assert "As now: 1 file or folder left out" in written(pilot)
        await pilot.press("enter", *"papers/")
        await settle(pilot)
        assert library.tried[-1] == ("drafts/", "papers/")
        assert "121 more files would be left out" in written(pilot)
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert library.rules == ("drafts/", "papers/")
        assert library.orders == [("sync", "/home/reader/notes")]


async def test_rules_stand_beside_what_the_ignore_files_say(library: Shelves, app: CarrelApp) -> None:
    library.ignored = ((b".carrelignore", ("private/", "!keep.md")), (b"papers/.carrelignore", ("*.log",)))
    async with app.run_test(size=SMALL) as pilot:
        await shown(pilot, "down", "i")
        assert ".carrelignore says:  private/   !keep.md" in written(pilot)
        assert "papers/.carrelignore says:  *.log" in written(pilot)


async def test_rules_that_are_left_change_nothing(library: Shelves, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await shown(pilot, "down", "i", "x", "escape")
        assert library.rules == ("drafts/",) and library.orders == []


@pytest.mark.parametrize(
    ("error", "said"),
    [(PathError("The rules cannot be read."), "The rules cannot be read."), (ValueError("x"), "The log says why.")],
)
async def test_work_that_fails_is_told_whatever_the_reason(
    library: Shelves, app: CarrelApp, error: Exception, said: str
) -> None:
    def failing(folder: bytes) -> tuple[str, ...]:
        raise error

    library.folder_rules = failing  # type: ignore[method-assign]
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await shown(pilot, "down", "i")
        assert said in told(pilot)[-1] and isinstance(app.screen, LibraryScreen)


async def test_a_typed_folder_is_completed_and_added(library: Shelves, app: CarrelApp, tmp_path: Path) -> None:
    (tmp_path / "recipes" / "old").mkdir(parents=True)
    (tmp_path / "taken").mkdir()
    (tmp_path / ".hidden").mkdir()
    async with app.run_test(size=WIDE) as pilot:
        await shown(pilot, "a")
        screen = pilot.app.screen
        assert isinstance(screen, PickerScreen)
        screen.line.value = f"{tmp_path}/"
        await settle(pilot)
        assert [line.strip() for line in screen.folders.shown_lines] == ["recipes/", "taken/"]
        screen.line.value = f"{tmp_path}/ta"
        await settle(pilot)
        await pilot.press("tab")
        await settle(pilot)
        assert screen.line.value == f"{tmp_path}/taken/"
        await pilot.press("enter")
        await settle(pilot)
        assert "lies in the watched folder" in " ".join(screen.said.shown_lines)
        screen.line.value = f"{tmp_path}/re"
        await settle(pilot)
        await pilot.press("down", "enter")
        await settle(pilot)
        assert library.added == [tmp_path / "recipes"]
        assert isinstance(pilot.app.screen, LibraryScreen)


async def test_all_of_the_home_is_not_added_by_a_careless_enter(library: Shelves, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await shown(pilot, "a", "enter")
        assert isinstance(pilot.app.screen, PickerScreen)
        assert library.added == []


CHOICES = [
    Model("all-MiniLM-L6-v2", "embedded", True, 384, 256, 23, "en", "apache-2.0", "", 60.0),
    Model("mine", "installed", False, 64, 512, 4, "de, fr", "mit", "", 30.0),
    Model("far/away", "offered", False, 384, 128, 220, "multilingual (50)", "mit", "made to find paraphrases", 240.0),
]


async def test_a_model_that_is_here_is_taken_into_use_after_a_question(
    library: Shelves, app: CarrelApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_catalogue, "models", lambda active, passages: CHOICES)
    async with app.run_test(size=SMALL) as pilot:
        await shown(pilot, "m")
        await settle(pilot)
        listed = [str(each.prompt) for each in pilot.app.screen.query_one(OptionList).options]
        assert [" ".join(each.split()) for each in listed[1:]] == [
            "mine here · de, fr · ~30 s",
            "far/away 220 MB · multilingual (50) · ~4 min",
        ]
        await pilot.press("m", "i", "n", "e", "enter")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(pilot.app.screen, ConfirmScreen)
        assert library.orders == []
        await pilot.press("y")
        await settle(pilot)
        assert library.orders == [("use_model", "mine")]


async def test_a_model_that_is_here_may_run_beside_the_one_in_use(
    library: Shelves, app: CarrelApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_catalogue, "models", lambda active, passages: CHOICES)
    async with app.run_test(size=WIDE) as pilot:
        await shown(pilot, "m")
        await settle(pilot)
        await pilot.press("m", "i", "n", "e", "enter")
        await settle(pilot)
        await pilot.press("down", "enter")
        await settle(pilot)
        assert library.orders == [("shadow", "mine")]
        assert "mine runs beside the model in use" in " ".join(told(pilot))


async def test_keys_pressed_before_the_models_are_there_do_nothing_below(
    library: Shelves, app: CarrelApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = threading.Event()

    def models(active: str, passages: int) -> list[Model]:
        found.wait(PATIENCE)
        return CHOICES

    monkeypatch.setattr(model_catalogue, "models", models)
    async with app.run_test(size=SMALL) as pilot:
        await shown(pilot)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(pilot.app.screen, LookingScreen))
        await pilot.press("p", "a", "enter")
        assert library.orders == [] and isinstance(pilot.app.screen, LookingScreen)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, LibraryScreen))
        found.set()
        await settle(pilot)
        assert isinstance(pilot.app.screen, LibraryScreen)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChoiceScreen))


async def until(pilot: Pilot[int], wanted: Callable[[], bool]) -> None:
    """Wait for something that a thread brings about."""
    async with asyncio.timeout(PATIENCE):
        while not wanted():
            await pilot.pause(0.02)


async def opened_to_fetch(pilot: Pilot[int]) -> None:
    """Choose the model that is not here."""
    await shown(pilot, "m")
    await settle(pilot)
    await pilot.press("f", "a", "r", "/", "enter")
    await settle(pilot)


async def test_a_model_that_is_not_here_is_fetched_after_a_question_and_offered(
    library: Shelves, app: CarrelApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched, goes_on = [], threading.Event()

    def install(name: str, told: Callable[[str], None], *, late: bool) -> None:
        told("fetching far/away: 43 of 220 MB")
        goes_on.wait(PATIENCE)
        told("measuring its scale")
        fetched.append((name, late))

    monkeypatch.setattr(model_catalogue, "models", lambda active, passages: CHOICES)
    monkeypatch.setattr(catalogue, "install", install)
    async with app.run_test(size=WIDE) as pilot:
        await opened_to_fetch(pilot)
        question = pilot.app.screen
        assert isinstance(question, ConfirmScreen)
        said = " ".join(line.plain for line in question.lines(60))
        assert "128 tokens at most, licence mit, made to find paraphrases, about 4 min" in said
        assert "carrel models use far/away" in said
        await pilot.press("y")
        await until(pilot, lambda: "43 of 220 MB" in " ".join(line.plain for line in fetching(pilot).lines(60)))
        goes_on.set()
        await until(pilot, lambda: isinstance(pilot.app.screen, ChoiceScreen))
        assert fetched == [("far/away", False)]
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("y")
        await settle(pilot)
        assert library.orders == [("use_model", "far/away")]


async def test_fetching_stops_and_what_cannot_be_had_is_told(
    library: Shelves, app: CarrelApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = threading.Event()

    def install(name: str, told: Callable[[str], None], *, late: bool) -> None:
        with suppress(Stopped):
            while not stopped.wait(0.05):  # as a download tells it: in a loop without rest no screen is ever idle
                told("fetching far/away: 1 of 220 MB")
        stopped.set()
        raise Stopped

    def refused(name: str, told: Callable[[str], None], *, late: bool) -> None:
        raise ModelError("The model far/away cannot be downloaded.", cause="There is no network.")

    monkeypatch.setattr(model_catalogue, "models", lambda active, passages: CHOICES)
    monkeypatch.setattr(catalogue, "install", install)
    async with app.run_test(size=SMALL) as pilot:
        await opened_to_fetch(pilot)
        await pilot.press("y")
        await until(pilot, lambda: isinstance(pilot.app.screen, FetchScreen))
        await pilot.press("escape")
        await until(pilot, stopped.is_set)
        await until(pilot, lambda: "what has come of far/away is kept" in " ".join(told(pilot)))
        assert isinstance(pilot.app.screen, LibraryScreen)
        monkeypatch.setattr(catalogue, "install", refused)
        await pilot.press("m")
        await settle(pilot)
        await pilot.press("f", "a", "r", "/", "enter")
        await settle(pilot)
        await pilot.press("y")
        await until(pilot, lambda: "There is no network" in " ".join(told(pilot)))
        assert isinstance(pilot.app.screen, LibraryScreen)
        assert library.orders == []


def fetching(pilot: Pilot[int]) -> FetchScreen:
    """Return the screen that shows how far a model is."""
    assert isinstance(pilot.app.screen, FetchScreen)
    return pilot.app.screen


async def test_late_interaction_is_switched_on_once_its_bytes_were_told_and_off(
    library: Shelves, app: CarrelApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_catalogue, "models", lambda active, passages: CHOICES)
    async with app.run_test(size=WIDE) as pilot:
        await shown(pilot, "m")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        offered = [" ".join(str(each.prompt).split()) for each in pilot.app.screen.query_one(OptionList).options]
        assert offered[2] == "one vector for 4 words 1,200 passages, some 2.4 MB"
        assert library.orders == []
        await pilot.press("up", "enter")
        await settle(pilot)
        assert library.orders == [("late", "on 2 ward all-MiniLM-L6-v2")]
        library.late = LateStatus("all-MiniLM-L6-v2", 2, "ward", "on", 600, 1_200, 4_800_000)
        await pilot.press("m")
        await settle(pilot)
        listed = str(pilot.app.screen.query_one(OptionList).options[0].prompt)
        assert "active · late, 50 %" in listed
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert library.orders[1:] == [("late", "off")]


async def test_how_far_the_vectors_of_each_model_are_stands_in_the_list(
    library: Shelves, app: CarrelApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_catalogue, "models", lambda active, passages: CHOICES)
    status = library.status()
    follower = ModelCoverage("mine", "shadow", 995, 1_000, 5)
    monkeypatch.setattr(library, "status", lambda **_: replace(status, followers=(follower,), texts=200, pending=10))
    async with app.run_test(size=SMALL) as pilot:
        await shown(pilot, "m")
        await settle(pilot)
        listed = [" ".join(str(each.prompt).split()) for each in pilot.app.screen.query_one(OptionList).options]
        assert listed[0].endswith("active, 95 % · en · ~60 s")
        assert listed[1] == "mine beside, 99 % · de, fr · ~30 s"


async def test_a_check_is_run_and_told(library: Shelves, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await shown(pilot)
        assert "61 MB" in screen.file_bar.text and "schema 1" in screen.file_bar.text
        assert "never checked: c checks it" in screen.file_bar.text
        await pilot.press("c")
        await settle(pilot)
        assert "✓ sound, checked 13:46" in screen.file_bar.text
        library.checks = (Check("vectors", False, 3, "3 passages have no vector", True),)
        await pilot.press("c")
        await settle(pilot)
        assert "✗ 1 fault" in screen.file_bar.text
        assert "3 passages have no vector" in "\n".join(screen.story_list.shown_lines)
        assert "carrel doctor --repair" in " ".join(told(pilot))


def test_a_check_of_an_earlier_day_is_remembered() -> None:
    status = replace(FakeLibrary().status(), checked=LastCheck(0.0, 2))
    assert "✗ 2 faults, checked Jan 1970" in file_line(status, Checked(), 200).plain
    sound = replace(status, checked=LastCheck(0.0, 0))
    assert "✓ sound, checked Jan 1970" in file_line(sound, Checked(), 200).plain
    assert "checking …" in file_line(sound, Checked(running=True), 200).plain


async def test_a_dead_indexer_is_started_again(library: Shelves, app: CarrelApp, indexer: FakeIndexer) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await shown(pilot)
        indexer.report(IndexerState("dead"))
        await settle(pilot)
        indexer.started = False
        await pilot.press("u")
        await settle(pilot)
        assert indexer.started
        assert library.orders == [("sync", "")]


async def test_a_library_that_is_read_only_is_left_alone(indexer: FakeIndexer) -> None:
    library = Shelves(read_only=True)
    async with CarrelApp(ports(library, indexer)).run_test(size=WIDE) as pilot:
        await shown(pilot, "down", "p", "D", "i", "a", "r", "u")
        assert isinstance(pilot.app.screen, LibraryScreen)
        assert library.orders == []
        assert "only be read" in " ".join(told(pilot))


async def test_the_selection_stays_on_its_folder_when_others_come(library: Shelves, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await shown(pilot, "end")
        assert screen.tree_list.place == (CODE, b"")
        library.watched.insert(0, Folder(0, b"/home/reader/a", "watching", 1, 1, 0))
        library.commits += 1
        pilot.app.look_again()  # type: ignore[attr-defined]
        await settle(pilot)
        assert screen.tree_list.place == (CODE, b"")


async def test_a_click_selects_and_a_second_one_opens(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await shown(pilot)
        await pilot.click(EntryList, offset=(6, 2))
        assert screen.tree_list.place == (CODE, b"")
        await pilot.click(EntryList, offset=(6, 2), times=2)
        await settle(pilot)
        assert isinstance(pilot.app.screen, SearchScreen)


async def test_a_library_file_that_vanishes_is_told_of(library: Shelves, tmp_path: Path) -> None:
    library.path = tmp_path / "library.carrel"
    library.path.write_bytes(b"x")
    app = CarrelApp(ports(library, FakeIndexer()))
    async with app.run_test(size=WIDE) as pilot:
        screen = await shown(pilot)
        library.path.rename(tmp_path / "away")
        app.look_again()
        await settle(pilot)
        assert "The library file is gone" in " ".join(told(pilot))
        assert "The library file is gone" in " ".join(screen.now.shown_lines)
        assert "the library file is gone" in screen.status_bar.text
        (tmp_path / "copy").write_bytes(b"x")
        (tmp_path / "copy").rename(library.path)
        app.look_again()
        await settle(pilot)
        assert "was replaced by another one" in " ".join(told(pilot))


# --- the parts ------------------------------------------------------------------------------------------------------


def test_a_filter_keeps_a_search_inside_a_folder() -> None:
    assert query_inside(EVERYTHING) == ""
    assert query_inside((b"/data", b"a b")) == 'path:"/data/a b/" '
    assert query_inside((b'/data/a"b', b"")) == 'path:"/data/a?b/*" '


def test_completion_goes_as_far_as_it_is_clear(tmp_path: Path) -> None:
    for name in ("notes-old", "notes-new", "other"):
        (tmp_path / name).mkdir()
    found = offered(f"{tmp_path}/no")
    assert completed(found, -1) == f"{tmp_path}/notes-"
    assert completed(found, 1) == f"{tmp_path}/notes-old/"
    assert offered("relative").trouble
    assert offered(f"{tmp_path}/missing/x").trouble == "There is no such folder."


def test_rules_are_counted_in_documents() -> None:
    tree = (FolderNode(b"", 0, 100, 1, 0), FolderNode(b"old", 1, 40, 1, 0))
    effect = effect_of([(b"x.log", "r")], [(b"old", "r"), (b"a.md", "r")], tree)
    assert effect.documents == 41
    assert effect.going == (b"a.md", b"old") and effect.coming == (b"x.log",)


# --- pictures -------------------------------------------------------------------------------------------------------


INDEXING = IndexerState("indexing", files_done=600, files_total=2000, rate=312.0, seconds_left=13.0,
                        path="/home/reader/notes/papers/attention.pdf", passages=4180)  # fmt: skip
COVERED = IndexerState("watching", folders=1204, covered=1204)


@pytest.mark.parametrize("size", SIZES)
def test_picture_while_indexing(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, Shelves(), size, "f3", "down", "right", state=INDEXING)


@pytest.mark.parametrize("size", SIZES)
def test_picture_up_to_date(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, Shelves(), size, "f3", "c", "tab", state=COVERED)


@pytest.mark.parametrize("size", SIZES)
def test_picture_of_the_rules(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, Shelves(), size, "f3", "down", "i", "enter", *"papers/", state=COVERED)


@pytest.mark.parametrize("size", SIZES)
def test_picture_of_the_question(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, Shelves(), size, "f3", "down", "D", state=COVERED)


def test_picture_light(snap_compare: Any) -> None:
    assert picture(snap_compare, Shelves(), WIDE, "f3", "f4", "down", "right", state=COVERED)


async def test_a_pattern_with_a_line_separator_in_it_is_one_pattern_still() -> None:
    odd = ("draft\u2028s/*.md", "a\x0cb\x85c\x1cd", "*.log")

    class Editor(App[None]):
        def compose(self) -> ComposeResult:
            yield TextArea(text_of(odd))

    async with Editor().run_test() as pilot:
        editor = pilot.app.query_one(TextArea)
        assert editor.document.line_count == len(odd)
        editor.insert("more\n", (0, 0))
        assert patterns_in(editor.text) == ("more", *odd)


async def test_a_check_that_broke_off_can_be_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    library, checks = FakeLibrary(), [0]

    def broken() -> tuple[Check, ...]:
        checks[0] += 1
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(library, "check", broken)
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pressed(pilot, "f3", "c")
        assert "checking" not in written(pilot)
        await pressed(pilot, "c")
        assert checks == [2]
