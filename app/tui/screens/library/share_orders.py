"""What a person shares with a team from the library screen: their marks, after a question, and saved searches."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.tui.background import in_background
from app.tui.browser import CarrelScreen, tell
from app.tui.screens.chooser import Choice, ChoiceScreen
from app.tui.screens.confirm import ConfirmScreen
from app.tui.threads import in_thread
from app.wording.safe_text import one_line
from engine.records.team import SharedSearch

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

_MARKS = (
    "Who sees a folder will see with it what you marked right and wrong there, with your questions. Their marks count"
    " in your searches, half as much as your own. What you merely opened is not shared."
)
_OWN = "The others lose your marks, and theirs no longer count in your searches. Your own stay as they are."


class Sharing:
    """Shares and takes back, for a screen."""

    def __init__(self, screen: CarrelScreen) -> None:
        self._screen = screen

    def marks(self, library: LibraryPort, on: bool) -> None:
        """Share one's marks, or keep them to oneself, after a question."""

        def answered(yes: bool | None) -> None:
            if yes:
                in_background(self._screen, partial(self._share_marks, library, on), "sharing")

        question = (
            ConfirmScreen("Share your marks with the team?", _MARKS, "share them", "keep them")
            if on
            else ConfirmScreen("Keep your marks to yourself?", _OWN, "keep them", "go on sharing")
        )
        self._screen.carrel.push_screen(question, answered)

    async def _share_marks(self, library: LibraryPort, on: bool) -> None:
        await in_thread(partial(library.share_marks, on))
        tell(self._screen, "Your marks are shared." if on else "Your marks are your own again.")
        self._screen.carrel.look_again()

    def searches(self, library: LibraryPort) -> None:
        """Let the person pick a saved search to be shared, or to be shared no longer."""
        in_background(self._screen, partial(self._offer, library), "sharing")

    async def _offer(self, library: LibraryPort) -> None:
        shared = {each.name: each for each in await in_thread(library.shared_searches) if each.own}
        saved = self._screen.carrel.config.saved
        names = sorted({*saved, *shared}, key=str.lower)
        choices = [Choice(name, name, _note(shared.get(name), saved.get(name, ""))) for name in names]

        def picked(name: str | None) -> None:
            if name is not None:
                query = None if name in shared else saved[name]
                in_background(self._screen, partial(self._change, library, name, query), "sharing")

        nothing = "No search is saved yet: f6 in the search keeps one under a name."
        self._screen.carrel.push_screen(ChoiceScreen("Share a search with the team", choices, nothing=nothing), picked)

    async def _change(self, library: LibraryPort, name: str, query: str | None) -> None:
        """Share a search, or with None as its query no longer."""
        if query is None:
            await in_thread(partial(library.take_back_search, name))
            tell(self._screen, f"“{one_line(name)}” is shared no longer.")
        else:
            await in_thread(partial(library.share_search, name, query))
            tell(self._screen, f"“{one_line(name)}” is shared: f6 offers it to all members.")


def _note(shared: SharedSearch | None, query: str) -> str:
    """Return what stands beside a search: whether it is shared, and what it asks."""
    return f"shared · {shared.query}" if shared is not None else query
