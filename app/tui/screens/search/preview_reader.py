"""Reads what the preview shows of a hit: the lines of its document around the passage. Works in a thread."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from app.tui.browser import Browser
from app.tui.freshness import Reindexing
from app.tui.pages.units import page_count
from app.tui.screens.search.preview import Previewed
from app.tui.screens.search.window import window_of, words_of
from engine.records import Hit, SearchResult, StoredPassage

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort


class PreviewReader:
    """Reads previews of hits, and asks for a file that has changed to be indexed again."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._reindexing = Reindexing()

    def read(
        self,
        library: LibraryPort,
        hit: Hit,
        result: SearchResult,
        passage_id: int,
        steps: int = 0,
        before: Previewed | None = None,
    ) -> Previewed:
        """Return what is shown of one of a hit's passages, or of the one so many steps after it in its document.

        `before` is what shows now: where the same lines with the same marks are wanted, no document is read.
        """
        passages = hits_in_document(library, hit)
        places = {passage.id: place for place, passage in enumerate(passages)}
        place = (places.get(passage_id, places.get(hit.passage_id, 0)) + steps) % max(1, len(passages))
        shown = _at(hit, passages[place]) if passages else hit
        words = words_of(result)
        if before is not None and _same_lines(before, shown, words):
            read = replace(before, hit=shown)
        else:
            read = self._read(library, shown, words)
        return replace(read, place=place + 1, places=max(1, len(passages)), passages=passages)

    def _read(self, library: LibraryPort, hit: Hit, words: frozenset[str]) -> Previewed:
        document = library.document_by_id(hit.document_id)
        if document is None:
            return Previewed(hit, None)
        freshness = self._browser.ports.freshness(document)
        if freshness != "same":
            self._reindexing.ask(library, document)
        return Previewed(
            hit,
            window_of(document, hit, words),
            freshness=freshness,
            text=document.text[hit.start : hit.end],
            pages=page_count(document, partial(library.passages_of, document.id)) if hit.page else 0,
            words=words,
        )


def hits_in_document(library: LibraryPort, hit: Hit) -> tuple[StoredPassage, ...]:
    """Return the passages of a hit's document that are among the candidates, in their order; () where it is alone."""
    if not hit.more_in_document:
        return ()
    found = library.passages((hit.passage_id, *hit.more_in_document))
    return tuple(sorted(found, key=lambda passage: passage.ordinal))


def _same_lines(before: Previewed, hit: Hit, words: frozenset[str]) -> bool:
    """Whether what shows is this passage of the same state of its document, with the same words marked."""
    old = before.hit
    span = (old.passage_id, old.start, old.end, old.modified) == (hit.passage_id, hit.start, hit.end, hit.modified)
    return span and before.words == words and before.window is not None


def _at(hit: Hit, passage: StoredPassage) -> Hit:
    """Return a hit moved to another passage of its document; its figures stay those of the row."""
    return replace(
        hit,
        passage_id=passage.id,
        headings=passage.headings,
        start=passage.start,
        end=passage.end,
        line_start=passage.line_start,
        line_end=passage.line_end,
        page=passage.page,
    )
