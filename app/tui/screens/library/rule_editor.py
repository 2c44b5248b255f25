"""The editor of what is left out of a folder, which shows what the rules would do while they are written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import TextArea

from app.tui.background import in_background
from app.tui.screens.dialog import Dialog
from app.tui.theme import ALARM, BRIGHT, GOOD, QUIET
from app.tui.threads import in_thread
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.footer import hints
from app.tui.widgets.line_views import LineView
from app.wording.cells import cut_front
from app.wording.paths import shown_path
from app.wording.safe_text import one_line
from engine.errors import CarrelError
from engine.figures import counted
from engine.paths import display
from engine.records import FolderNode

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

SETTLE_FACTOR = 4  # times the quiet that a search waits for: a walk costs more than a search
MOST_FILES = 3  # ignore files of a folder that are shown
MOST = 20_000  # paths left out that are counted; above it the figures are lower bounds
EXPLAINED = "One pattern a line, as in .gitignore:  drafts/   *.log   !keep.log"
# Characters at which Textual's editor breaks a line, and what stands for each there: a file's name may hold them.
_STAND_INS = {ord(sign): chr(0xE000 + place) for place, sign in enumerate("\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")}
_BACK = {ord(stand_in): chr(sign) for sign, stand_in in _STAND_INS.items()}
KEYS = (("ctrl+s", "keep them"), ("esc", "change nothing"))


@dataclass(frozen=True, slots=True)
class Effect:
    """What rules would change: documents that would go, files and folders that would be read after all."""

    left_out: int
    going: tuple[bytes, ...]
    documents: int
    coming: tuple[bytes, ...]


def effect_of(
    before: Sequence[tuple[bytes, str]], tried: Sequence[tuple[bytes, str]], tree: Sequence[FolderNode]
) -> Effect:
    """Compare what is left out now with what would be. A folder stands for all documents in it."""
    now, then = {path for path, _ in before}, {path for path, _ in tried}
    inside = {node.path: node.documents for node in tree}
    going = tuple(sorted(then - now))
    return Effect(len(then), going, sum(inside.get(path, 1) for path in going), tuple(sorted(now - then)))


def patterns_in(text: str) -> tuple[str, ...]:
    """Return the patterns of an editor's text, without empty lines."""
    lines = text.replace("\r\n", "\n").split("\n")
    return tuple(line.translate(_BACK).rstrip(" \t") for line in lines if line.strip())


def text_of(patterns: Sequence[str]) -> str:
    """Return patterns as an editor's text, which ends a line at more characters than an ignore file does."""
    return "\n".join(each.translate(_STAND_INS) for each in patterns)


def effect_lines(effect: Effect, width: int) -> list[Content]:
    """Return what the rules would do, with examples."""
    if not effect.going and not effect.coming:
        found = counted(effect.left_out, "file or folder", "files and folders")
        return [
            Content.styled(f"As now: {found} left out, by all rules together.", QUIET).truncate(width, ellipsis=True)
        ]
    lines = []
    if effect.going:
        said = f"{counted(effect.documents, 'more file', 'more files')} would be left out"
        lines.append(Content.styled(said, BRIGHT))
        lines += [_example("− ", path, width, ALARM) for path in effect.going[:50]]
    if effect.coming:
        said = f"{counted(len(effect.coming), 'file or folder', 'files or folders')} would be read after all"
        lines.append(Content.styled(said, BRIGHT))
        lines += [_example("+ ", path, width, GOOD) for path in effect.coming[:50]]
    return lines


def written_lines(files: Sequence[tuple[bytes, Sequence[str]]], width: int) -> list[Content]:
    """Return a line for each ignore file: its path and its patterns; the last one counts those without room."""
    lines = [
        Content.assemble((f"{one_line(display(path))} says:  ", QUIET), one_line("   ".join(patterns)))
        for path, patterns in files[:MOST_FILES]
    ]
    if len(files) > MOST_FILES:
        lines[-1] = Content.styled(f"and {counted(len(files) - MOST_FILES + 1, 'more ignore file')}", QUIET)
    return [line.truncate(width, ellipsis=True) for line in lines]


def _example(sign: str, path: bytes, width: int, ink: str) -> Content:
    return Content.assemble((sign, ink), cut_front(one_line(display(path)), max(4, width - 2)))


class RuleText(TextArea):
    """The patterns; a key that takes edits back does, where there is none, what it does elsewhere."""

    def action_undo(self) -> None:
        """Take the last edits back. Raises SkipAction where there are none."""
        before = self.text
        super().action_undo()
        if self.text == before:
            raise SkipAction


class RulesScreen(Dialog[tuple[str, ...] | None]):
    """Gives the patterns that are to be kept, or None."""

    BINDINGS = [
        Binding("ctrl+s", "keep", show=False, priority=True),
        Binding("escape", "leave", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    RulesScreen { align: center top; background: $background 60%; }
    RulesScreen > Vertical {
        width: 84; max-width: 96%; height: 22; max-height: 94%; margin-top: 1; background: $panel; padding: 1 2 0 2;
    }
    RulesScreen TextArea, RulesScreen TextArea:focus {
        height: 8; border: none; padding: 0; margin: 1 0; background: $background; background-tint: $background 0%;
    }
    RulesScreen LineView { height: 1fr; background: $panel; }
    RulesScreen #written { height: auto; max-height: 3; margin-bottom: 1; display: none; }
    RulesScreen #hints { margin: 1 0; }
    """

    editor = query_one(TextArea)
    effect = query_one("#effect", LineView)
    written = query_one("#written", LineView)

    def __init__(self, library: LibraryPort, folder: bytes, patterns: Sequence[str], *, quiet: float) -> None:
        super().__init__()
        self._library = library
        self._folder = folder
        self._patterns = tuple(patterns)
        self._quiet = quiet
        self._before: tuple[tuple[bytes, str], ...] | None = None
        self._tree: tuple[FolderNode, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay out the title, the rules, and what they would do."""
        with Vertical():
            yield BuiltLine(id="title")
            yield BuiltLine(id="explained")
            yield RuleText(text_of(self._patterns), soft_wrap=False, show_line_numbers=False, compact=True)
            yield LineView(id="written")
            yield LineView(id="effect")
            yield BuiltLine(id="hints")

    @property
    def keys(self) -> Sequence[tuple[str, str]]:
        """The keys that are named at its foot."""
        return KEYS

    def on_mount(self) -> None:
        """Begin with the rules as they are."""
        title = f"Left out of {shown_path(self._folder)}"
        self.query_one("#title", BuiltLine).show(
            lambda width: Content.styled(title, f"bold {BRIGHT}").truncate(width, ellipsis=True)
        )
        self.query_one("#explained", BuiltLine).show(lambda width: Content.styled(EXPLAINED, QUIET))
        self.query_one("#hints", BuiltLine).show(lambda width: hints(KEYS))
        self.effect.can_focus = self.written.can_focus = False
        self.editor.cursor_blink = False
        self.editor.move_cursor(self.editor.document.end)
        self.editor.focus()
        self._say("looking at the folder …")
        self._edited()
        in_background(self, self._show_written, "written", failed="The ignore files could not be read")

    async def _show_written(self) -> None:
        """Show what the ignore files of the folder leave out already."""
        files = await in_thread(partial(self._library.ignore_files, self._folder))
        if files:
            self.written.styles.height = min(MOST_FILES, len(files))
            self.written.display = True
            self.written.show(partial(written_lines, files))

    @on(TextArea.Changed)
    def _edited(self) -> None:
        in_background(self, self._try, "try", exclusive=True, failed="The rules could not be tried")

    async def _try(self) -> None:
        """Count what the rules would do, once the person has stopped typing for a moment."""
        if self._before is not None:
            await asyncio.sleep(self._quiet * SETTLE_FACTOR)
        patterns = patterns_in(self.editor.text)
        try:
            found = await in_thread(partial(self._walk, patterns))
        except CarrelError as error:
            self._say(str(error), ALARM)
            return
        if patterns == patterns_in(self.editor.text):
            self.effect.show(partial(effect_lines, found))

    def _walk(self, patterns: tuple[str, ...]) -> Effect:
        """Walk the folder by the rules as they are, once, and by those that are tried."""
        if self._before is None:
            self._tree = self._library.tree(self._folder)
            self._before = self._library.left_out_files(self._folder, None, MOST, self._patterns)
        tried = self._library.left_out_files(self._folder, None, MOST, patterns)
        return effect_of(self._before, tried, self._tree)

    def _say(self, text: str, ink: str = QUIET) -> None:
        self.effect.show(lambda width: [Content.styled(one_line(text), ink)])

    def action_keep(self) -> None:
        """Give the rules as they stand."""
        self.dismiss(patterns_in(self.editor.text))

    def action_leave(self) -> None:
        """Change nothing."""
        self.dismiss(None)
