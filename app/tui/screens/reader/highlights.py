"""What is marked in the text that is read: passage, nearest sentence, words, what was found, the chosen link."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.content import Span as StyledSpan

from app.tui.pages.painted_line import ShownLine
from app.tui.screens.search.window import marks_in
from app.tui.theme import ACCENT, MARK_IN_TEXT, NEAREST

CURRENT = f"reverse bold {ACCENT}"
Span = tuple[int, int]


@dataclass(slots=True)
class Marks:
    """Spans of the document's text. `found` is in order; `current` is the one among them that is looked at."""

    passage: Span | None = None
    sentence: Span | None = None
    words: frozenset[str] = frozenset()
    found: Sequence[Span] = ()
    current: Span | None = None
    link: Span | None = None

    def paint(self, shown: ShownLine, start: int, end: int) -> Content:
        """Return a line, which is `start` to `end` of the document, with what is marked in it."""
        spans = [StyledSpan(first, last, MARK_IN_TEXT) for first, last in marks_in(shown.text, self.words)]
        if self.sentence is not None:
            nearest = shown.words_on_screen(self.sentence[0] - start, self.sentence[1] - start)
            spans += [StyledSpan(first, last, NEAREST) for first, last in nearest]
        for place in self._found_in(start, end):
            spans += _on_screen(shown, start, place, CURRENT if place == self.current else MARK_IN_TEXT)
        spans += _on_screen(shown, start, self.link, CURRENT)
        return shown.content.add_spans(spans) if spans else shown.content

    def in_passage(self, start: int, end: int) -> bool:
        """Whether a line belongs to the passage."""
        return self.passage is not None and start < self.passage[1] and max(end, start + 1) > self.passage[0]

    def _found_in(self, start: int, end: int) -> Sequence[Span]:
        first = bisect_left(self.found, start, key=lambda span: span[1])
        last = bisect_left(self.found, end, key=lambda span: span[0])
        return self.found[first : max(first, last)]


def _on_screen(shown: ShownLine, start: int, place: Span | None, style: str) -> list[StyledSpan]:
    """Return the spans of the screen at which a place of the document stands."""
    if place is None:
        return []
    return [StyledSpan(first, last, style) for first, last in shown.on_screen(place[0] - start, place[1] - start)]
