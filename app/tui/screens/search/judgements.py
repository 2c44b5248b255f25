"""What a person tells Carrel of the rows, marked right or wrong. Each is one small write; searching never waits."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from app.tui.actions import Where
from app.tui.background import in_background
from app.tui.browser import Browser
from app.tui.screens.search.actions import RIGHT, UNMARK, WRONG
from app.tui.screens.search.live_search import LiveSearch
from app.tui.screens.search.results import ResultList
from app.tui.screens.search.shown_results import ShownResults
from app.tui.threads import in_thread
from app.wording.cells import cut
from app.wording.safe_text import one_line
from engine.lazy_dataclass import dataclass
from engine.records import Grade, Hit

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

OPENED: Grade = 1
TITLE_CELLS = 34  # of the title in a message, which has one line of 80 cells
NAMES: dict[Grade, tuple[str, str]] = {2: ("right", "higher"), -2: ("wrong", "lower"), OPENED: ("opened", "")}


@dataclass(frozen=True, slots=True)
class _Change:
    """A mark that was set or taken back (`after` None); `moves` is where the person stood in the rows."""

    query: str
    passage: int
    title: str
    before: Grade | None
    after: Grade | None
    moves: int


class Judgements:
    """Keeps marks, takes them back one by one, and searches again so that they count at once."""

    def __init__(self, browser: Browser, rows: ResultList, shown: ShownResults, search: LiveSearch) -> None:
        self._browser = browser
        self._rows = rows
        self._shown = shown
        self._search = search
        self._changes: list[_Change] = []  # of this session, that can be taken back
        self._writing = asyncio.Lock()  # marks are kept in the order of the keys

    def mark(self, grade: Grade) -> None:
        """Mark the selected row, or take that mark back; until another row is chosen, what was marked last is meant."""
        hit, query = self._rows.hit, self._shown.question
        if hit is None or query is None:
            said = "Search for words first: a mark says that a row answers a search."
            self._browser.notify(said, timeout=4, markup=False)
            return
        last = self._last_of(query, hit)
        if last is not None and last.after == grade:
            self.take_back()
            return
        passage, stands = (last.passage, last.after) if last else _standing(hit, grade)
        after = None if stands == grade else grade
        self._shown.hold()
        change = _Change(query, passage, last.title if last else hit.title, stands, after, self._shown.moves)
        self._changes.append(change)
        self._keep(change, after, self._said(change))

    def take_back(self) -> None:
        """Leave the passage that was marked last as it was before, whatever is shown now."""
        if not self._changes:
            self._browser.notify("Nothing was marked since Carrel was started.", timeout=3, markup=False)
            return
        change = self._changes.pop()
        self._shown.hold()
        marked = change.before is not None and change.before != OPENED
        now = f"is marked {NAMES[change.before][0]} again" if marked and change.before else "is no longer marked"
        self._keep(change, change.before, f"Taken back: {_title(change)} {now}.")

    def _last_of(self, query: str, hit: Hit) -> _Change | None:
        """Return the last change where it is still the one that a key would mean."""
        last = self._changes[-1] if self._changes else None
        if last is None or last.query != query:
            return None
        return last if last.moves == self._shown.moves or last.passage == hit.passage_id else None

    def _keep(self, change: _Change, grade: Grade | None, said: str) -> None:
        in_background(self._rows, partial(self._write, change, grade, said), "judging")

    async def _write(self, change: _Change, grade: Grade | None, said: str) -> None:
        if self._browser.opened is None:
            return
        try:
            async with self._writing:
                await in_thread(partial(_write_mark, self._browser.opened.library, change, grade))
        except Exception:
            self._changes = [each for each in self._changes if each is not change]
            raise
        self._shown.arrangement.judged[change.passage] = grade
        self._browser.notify(said, timeout=4, markup=False)
        self._search.ask_again()

    def _said(self, change: _Change) -> str:
        if change.after is None:
            return f"Taken back: {_title(change)} is no longer marked."
        name, way = NAMES[change.after]
        if not self._browser.config.memory:
            setting = "Memory is off, so it does not count yet; f5 turns it on."
            return f"Marked {name} for this search: {_title(change)}. {setting}"
        where: Where = "rows" if self._rows.has_focus else "query"
        keys = self._browser.own_keys
        again, back = ((RIGHT if change.after > 0 else WRONG).key_in(where, keys), UNMARK.key_in(where, keys))
        return f"Marked {name}: it ranks {way}. {again} again or {back} takes it back. {_title(change)}"


def _standing(hit: Hit, grade: Grade) -> tuple[int, Grade | None]:
    """Return the passage of a row that a mark means, and its mark: one below that has this very mark, else its own."""
    if hit.judged_below is not None and hit.judged_below[1] == grade and hit.judged != grade:
        return hit.judged_below
    return hit.passage_id, hit.judged


def _write_mark(library: LibraryPort, change: _Change, grade: Grade | None) -> None:
    """Leave a passage with a mark, with none, or as opened; opening takes the place of no mark, so that goes first."""
    if grade is None or grade == OPENED:
        library.unmark(change.query, change.passage)
    if grade == OPENED:
        library.opened(change.query, change.passage)
    elif grade is not None:
        library.mark(change.query, change.passage, grade)


def _title(change: _Change) -> str:
    return f"“{cut(one_line(change.title), TITLE_CELLS)}”"
