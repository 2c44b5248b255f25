"""Saved searches that are watched: how many notes match each that it had not found when it was last looked at."""

from __future__ import annotations

from functools import partial

from app.matches import matching_rows
from app.tui.browser import Browser
from app.tui.threads import in_thread
from app.tui.watched_file import document_hash
from engine.records import SearchResult

KNOWN_ROWS = 400  # what both legs find: a note that was among them is no new one, whatever its tier becomes


class WatchedSearches:
    """Counts what is new for the searches that the person watches."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    def watches(self, name: str) -> bool:
        """Whether a saved search is watched."""
        return self._browser.ports.watched.seen(name) is not None

    def forget(self, name: str) -> None:
        """Watch a search no longer."""
        self._browser.ports.watched.forget(name)

    async def look(self, name: str, query: str) -> None:
        """Watch a search from now on: what it finds today is known."""
        result = await self._found(query)
        if result is not None:
            found = {document_hash(hit.path) for hit in result.hits}
            self._browser.ports.watched.keep(name, found | (self._browser.ports.watched.seen(name) or frozenset()))

    async def news(self, name: str, query: str) -> int:
        """Return how many notes match a watched search that were not there when it was last looked at."""
        seen, result = self._browser.ports.watched.seen(name), await self._found(query)
        if seen is None or result is None:
            return 0
        return len({document_hash(hit.path) for hit in matching_rows(result)} - seen)

    async def _found(self, query: str) -> SearchResult | None:
        opened = self._browser.opened
        if opened is None:
            return None
        settings, cancel = self._browser.config.search_settings(), opened.new_cancellation()
        search = partial(opened.library.search, query, limit=KNOWN_ROWS, settings=settings, typing=False)
        return await in_thread(partial(search, cancel=cancel))
