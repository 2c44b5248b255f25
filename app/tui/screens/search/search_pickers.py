"""Searches found again: those of before, and those kept under a name."""

from __future__ import annotations

from collections.abc import Callable

from app.tui.browser import Browser
from app.tui.screens.chooser import Choice, ChoiceScreen
from app.tui.screens.prompts import AskScreen
from app.wording.safe_text import one_line

KEEP = "\n"  # stands for "keep the present search"; no name of a search holds a line break
Search = Callable[[str], None]


class Recalling:
    """Lets a person pick a search that was made before; `search` puts it into the query line."""

    def __init__(self, app: Browser, search: Search) -> None:
        self._app = app
        self._search = search

    def remember(self, text: str) -> None:
        """Keep a search in the history, where the person wants one."""
        if self._app.config.history:
            self._app.ports.history.remember(text)

    def pick_earlier(self, present: str) -> None:
        """Let the person pick from the history."""
        if not self._app.config.history:
            self._app.notify("History is off, so nothing is remembered. F5 turns it on.", markup=False)
            return
        history = self._app.ports.history

        def forget(text: str) -> bool:
            history.forget(text)
            return True

        earlier = [Choice(text, text) for text in history.entries() if text != present.strip()]
        nothing = "No search before this one. A search is remembered once you open one of its results or go to them."
        self._app.push_screen(ChoiceScreen("Searched before", earlier, nothing=nothing, remove=forget), self._picked)

    def _picked(self, text: str | None) -> None:
        if text is not None:
            self._search(text)

    def pick_saved(self, present: str) -> None:
        """Let the person pick a search kept under a name, or keep the present one."""
        saved = self._app.config.saved
        choices = [Choice(name, name, query) for name, query in sorted(saved.items(), key=lambda each: each[0].lower())]
        if present.strip():
            choices.insert(0, Choice(KEEP, f"Keep the present search: {one_line(present.strip())}"))

        def picked(name: str | None) -> None:
            if name == KEEP:
                self._keep(present.strip())
            elif name is not None:
                self._search(saved[name])

        nothing = "None yet. Type a search, then come here to keep it under a name."
        self._app.push_screen(ChoiceScreen("Saved searches", choices, nothing=nothing, remove=self._drop), picked)

    def _keep(self, text: str) -> None:
        """Ask for a name and keep a search under it."""

        def named(name: str | None) -> None:
            if name and self._app.change_config(saved={**self._app.config.saved, name: text}):
                self._app.notify(f"Kept as “{name}”. F6 finds it again.", markup=False)

        self._app.push_screen(
            AskScreen("Keep this search", one_line(text), placeholder="a name for it", check=_fault), named
        )

    def _drop(self, name: str) -> bool:
        if name == KEEP:
            return False
        kept = {each: query for each, query in self._app.config.saved.items() if each != name}
        if not self._app.change_config(saved=kept):
            return False
        self._app.notify(f"“{name}” is no longer kept.", markup=False)
        return True


def _fault(name: str) -> str:
    return "" if name else "It needs a name."
