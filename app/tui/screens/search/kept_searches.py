"""Searches found again: those of before, and those kept under a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.timer import Timer

from app.tui.background import in_background
from app.tui.browser import Browser
from app.tui.screens.chooser import Choice, ChoiceScreen
from app.tui.screens.closing_keys import closed_again
from app.tui.screens.prompts import AskScreen
from app.tui.screens.search.actions import HISTORY, SAVED
from app.tui.screens.search.query_line import QueryLine
from app.tui.screens.search.watched_searches import WatchedSearches
from app.tui.threads import in_thread
from app.wording.safe_text import one_line
from engine.errors import CarrelError
from engine.figures import count
from engine.records.team import SharedSearch

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

KEEP = "\n"  # stands for "keep the present search", and before the names of others; no name holds a line break


class KeptSearches:
    """Lets a person pick a search that was made before, or kept under a name, for the query line."""

    def __init__(self, browser: Browser, line: QueryLine) -> None:
        self._browser = browser
        self._line = line
        self._watched = WatchedSearches(browser)
        self._lost = ("", "")  # the query that was emptied or replaced last, and what stands in its place
        self._remembered = ""  # the last one that the history took
        self._stood = ""  # the same, where it only stood; what it grows into takes its place
        self._standing: Timer | None = None

    def typed(self) -> None:
        """Take note of a key: a query that stands long enough from now on is kept in the history."""
        if self._standing is not None:
            self._standing.stop()
        seconds = self._browser.ports.pace.stood
        if seconds is not None and self._line.value.strip():
            self._standing = self._line.set_timer(seconds, self._stands)

    def _stands(self) -> None:
        before, query = self._remembered, self._line.value.strip()
        self.remember()
        if self._remembered != before:
            self._stood = query

    def remember(self) -> None:
        """Keep the present search in the history, where the person wants one: what was looked at was worth asking."""
        query, history = self._line.value.strip(), self._browser.ports.history
        if not self._browser.config.history or query in ("", self._remembered):
            return
        if self._stood and query.startswith(self._stood):
            history.forget(self._stood)
        history.remember(query)
        self._remembered, self._stood = query, ""

    def empty(self) -> None:
        """Empty the query line; `bring_back` fills it again."""
        if self._line.value.strip():  # esc pressed twice keeps what the first one took
            self._lost = (self._line.value, "")
        self._line.clear()

    @property
    def can_bring_back(self) -> bool:
        """Whether a query was emptied or replaced, and nothing was typed since."""
        before, after = self._lost
        return bool(before) and self._line.value == after

    def bring_back(self) -> None:
        """Put the query back that was emptied or replaced last; again changes the two once more."""
        before, after = self._lost
        self._lost = (after, before)
        self._line.write(before)
        self._line.focus()

    def pick_earlier(self) -> None:
        """Let the person pick from the history."""
        if not self._browser.config.history:
            self._browser.notify("History is off, so nothing is remembered. f5 turns it on.", markup=False)
            return
        history, present = self._browser.ports.history, self._line.value.strip()

        def forget(text: str) -> bool:
            history.forget(text)
            return True

        earlier = [Choice(text, text) for text in history.entries() if text != present]
        nothing = (
            "No search before this one. A search is kept once it stood three seconds, or its rows were gone through."
        )
        screen = ChoiceScreen("Searched before", earlier, nothing=nothing, remove=forget)
        self._browser.push_screen(closed_again(screen, HISTORY), self._picked)

    def _picked(self, text: str | None) -> None:
        if text is not None:
            before = self._line.value
            self._line.write(text)
            self._line.focus()
            self._lost = (before, self._line.value)

    def pick_saved(self) -> None:
        """Let the person pick a search kept under a name, keep the present one, or watch one for what is new."""
        status, opened = self._browser.view.status, self._browser.opened
        if opened is None or status is None or status.team is None or status.team.server_away:
            self._offer(())
        else:
            shared = partial(self._offer_with_shared, opened.library)
            in_background(self._line, shared, "saved")

    async def _offer_with_shared(self, library: LibraryPort) -> None:
        with self._browser.opening():  # else what is typed meanwhile would change the query
            try:
                shared = await in_thread(library.shared_searches)
            except CarrelError as error:  # one's own are kept here, whatever the server does
                self._browser.notify(f"The searches of others are missing. {error}", severity="warning", markup=False)
                shared = ()
            self._offer(shared)

    def _offer(self, shared: Sequence[SharedSearch]) -> None:
        saved = self._browser.config.saved
        of_others = {f"{KEEP}{each.person}{KEEP}{each.name}": each for each in shared if not each.own}
        names = sorted(saved, key=str.lower)
        choices = [Choice(name, name, self._note(name, saved[name])) for name in names]
        for value, each in of_others.items():
            choices.append(Choice(value, each.name, f"from {each.person} · {each.query}", fixed=True))
        present = self._line.value.strip()
        if present:
            choices.insert(0, Choice(KEEP, f"Keep the present search: {one_line(present)}", fixed=True))

        def picked(name: str | None) -> None:
            if name == KEEP:
                self._keep(present)
            elif name in of_others:
                self._picked(of_others[name].query)
            elif name is not None:
                self._picked(saved[name])
                if self._watched.watches(name):
                    in_background(self._line, partial(self._watched.look, name, saved[name]), "watched")

        def switched(name: str) -> None:
            in_background(screen, partial(self._switch, screen, name, saved[name]), "watched")

        nothing = "None yet. Type a search, then come here to keep it under a name."
        screen = ChoiceScreen(
            "Saved searches", choices, nothing=nothing, remove=self._drop, switch=("watch, or no more", switched)
        )
        self._browser.push_screen(closed_again(screen, SAVED), picked)
        in_background(self._line, partial(self._count_news, screen, {name: saved[name] for name in names}), "watched")

    def _note(self, name: str, query: str, news: int = 0) -> str:
        """Return what stands beside a saved search: the query, and of a watched one how many notes are new."""
        if news:
            return f"{count(news)} new · {query}"
        return f"watched · {query}" if self._watched.watches(name) else query

    async def _count_news(self, screen: ChoiceScreen[str], saved: Mapping[str, str]) -> None:
        """Tell beside each watched search how many notes are new."""
        for name, query in saved.items():
            if self._watched.watches(name) and (news := await self._watched.news(name, query)):
                screen.note(name, self._note(name, query, news))

    async def _switch(self, screen: ChoiceScreen[str], name: str, query: str) -> None:
        """Watch a saved search from now on, or no longer."""
        if self._watched.watches(name):
            self._watched.forget(name)
        else:
            await self._watched.look(name, query)
        screen.note(name, self._note(name, query))

    def _keep(self, text: str) -> None:
        """Ask for a name and keep a search under it."""

        def named(name: str | None) -> None:
            if name and self._browser.change_config(saved={**self._browser.config.saved, name: text}):
                self._browser.notify(f"Kept as “{name}”. f6 finds it again.", markup=False)

        self._browser.push_screen(
            AskScreen("Keep this search", one_line(text), placeholder="a name for it", check=_fault), named
        )

    def _drop(self, name: str) -> bool:
        kept = {each: query for each, query in self._browser.config.saved.items() if each != name}
        if not self._browser.change_config(saved=kept):
            return False
        self._watched.forget(name)
        self._browser.notify(f"“{name}” is no longer kept.", markup=False)
        return True


def _fault(name: str) -> str:
    return "" if name else "It needs a name."
