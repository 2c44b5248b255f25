"""The first screen of a person who has no folder watched yet: asks for one, has it indexed, tells the keys."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from app.tui.actions import Action, bindings
from app.tui.background import in_background
from app.tui.browser import CarrelScreen
from app.tui.screens.search.empty_states import step_lines
from app.tui.theme import ACCENT, ALARM, BRIGHT, QUIET
from app.tui.threads import in_thread
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.folder_line import FolderLine
from app.tui.widgets.footer import KeyLine
from app.wording.safe_text import one_line
from engine.errors import CarrelError
from engine.paths import display

WELCOME_ACTIONS = (
    Action("welcome.add", "enter", "add", "index it", "Watch this folder and index it",
           "Watch the folder that stands in the line. Its files are only read."),
    Action("welcome.complete", "tab", "complete", "complete", "Complete the folder's name",
           "Complete the name of the folder; → does it too."),
    Action("welcome.later", "escape", "later", "skip", "Look around first",
           "Go to the search screen without a folder."),
)  # fmt: skip
PROMISE = (
    "It finds what you have written and saved, by meaning and by words, and shows why each result ranks where it does. "
    "Files are only read; nothing leaves this machine."
)


class WelcomeScreen(CarrelScreen):
    """Asks for the first folder."""

    ACTIONS = WELCOME_ACTIONS
    BINDINGS = bindings(WELCOME_ACTIONS)
    AUTO_FOCUS = "FolderLine"
    DEFAULT_CSS = """
    WelcomeScreen { background: $background; }
    WelcomeScreen VerticalScroll {
        width: 100%; height: 1fr; padding: 1 4; scrollbar-size-vertical: 1; align: center middle;
    }
    WelcomeScreen Static { width: 100%; max-width: 84; height: auto; margin-bottom: 1; }
    WelcomeScreen Horizontal { height: 1; max-width: 84; }
    WelcomeScreen #bar { width: 2; }
    FolderLine, FolderLine:focus {
        width: 1fr; height: 1; padding: 0; border: none;
        background: $background; background-tint: $background 0%; color: $bright;
    }
    FolderLine > .input--placeholder, FolderLine > .input--suggestion { color: $quiet; }
    """

    line = query_one(FolderLine)

    def compose(self) -> ComposeResult:
        """Lay out what Carrel is, the line, what is wrong with it, and the keys."""
        with VerticalScroll(can_focus=False):
            yield Static(Content.styled("Welcome to Carrel", f"bold {BRIGHT}"))
            yield Static(Content.styled(PROMISE, QUIET))
            yield Static(Content.styled("Which folder holds your notes?", f"bold {BRIGHT}"), id="question")
            with Horizontal():
                yield BuiltLine(id="bar")
                yield FolderLine("~/", blink=self.carrel.ports.pace.blink)
            yield Static(_ADVICE, id="said")
            yield Static(Content.styled("Then", f"bold {BRIGHT}"))
            yield Static(Content("\n").join(step_lines(80)))
        yield KeyLine()

    def on_mount(self) -> None:
        """Draw the bar before the line and put the cursor behind what stands there."""
        self.query_one("#bar", BuiltLine).show(lambda width: Content.styled("┃", ACCENT))
        self.line.cursor_position = len(self.line.value)

    @on(FolderLine.Changed)
    def _changed(self) -> None:
        self.query_one("#said", Static).update(_ADVICE)

    @on(FolderLine.Submitted)
    def _submitted(self) -> None:
        self.action_add()

    def action_add(self) -> None:
        """Watch the folder."""
        work = partial(self._add, self.line.value.strip())
        in_background(self, work, "add", exclusive=True, failed="This folder could not be added")

    async def _add(self, written: str) -> None:
        """Add the folder in a thread; leave where that went well, say what is wrong where it did not."""
        opened = self.carrel.opened
        if opened is None:
            return
        if not written:
            self._say("Type the path of a folder, such as ~/notes.")
            return
        try:
            folder = await in_thread(lambda: opened.library.add(Path(written)))
        except CarrelError as error:
            self._say(str(error))
            return
        self.notify(f"{one_line(display(folder.path))} is read now. What is read can be found at once.", markup=False)
        self.carrel.look_again()
        self.dismiss()

    def _say(self, trouble: str) -> None:
        self.query_one("#said", Static).update(Content.styled(one_line(trouble), ALARM))

    def action_complete(self) -> None:
        """Take the completion."""
        self.line.take_offered()

    def action_later(self) -> None:
        """Leave without a folder."""
        self.dismiss()


_ADVICE = Content.styled("All that lies in it is read, but for what .gitignore names and hidden files.", QUIET)
