"""On which lines of its file a span of a document stands: counted, or looked up where the text was derived from it."""

from __future__ import annotations

from bisect import bisect_right

from engine.records import Document


class LineCounter:
    """Counts the lines of one document. Spans are asked for in order, so that the text is gone through once."""

    def __init__(self, document: Document) -> None:
        """Begin at the first line."""
        self._text = document.text
        self._map = document.line_map
        self._offsets = [offset for offset, _ in document.line_map or ()]
        self._counted = 0
        self._line = 1

    def of(self, first: int, last: int) -> tuple[int | None, int | None]:
        """Return the lines of a span's first and last character; both are None where the text stands on no line."""
        if self._map is not None:
            return self._mapped(first, last)
        self._line += self._text.count("\n", self._counted, first)
        start = self._line
        self._line += self._text.count("\n", first, last)
        self._counted = last
        return start, self._line

    def _mapped(self, first: int, last: int) -> tuple[int | None, int | None]:
        """Look up the first line that is known in a span, and the highest; derived text may leave its order."""
        low = max(bisect_right(self._offsets, first) - 1, 0)
        pairs = (self._map or ())[low : max(bisect_right(self._offsets, last), low + 1)]
        known = [line for offset, line in pairs if line and offset <= last]
        return (known[0], max(known)) if known else (None, None)
