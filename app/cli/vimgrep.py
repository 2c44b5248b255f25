"""Rows as `PATH:LINE:COLUMN:TEXT`, which editors read into their lists of places (quickfix, compilation, locations)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from app.cli.row_format import RowFormat, records_of
from app.wording.safe_text import one_line
from engine.lazy_dataclass import dataclass
from engine.records import Hit
from engine.sources.readers.file_types import OWN_LINES

if TYPE_CHECKING:
    from engine.library import Library
    from engine.records import StoredPassage

LONGEST_TEXT = 300  # code points: what a list of places shows of a line


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a row's first matched word stands: line and column in bytes, both from 1, and the text of that line."""

    line: int
    column: int
    text: str


def vimgrep_records(library: Library, hits: Sequence[Hit], end: bytes) -> list[bytes]:
    """Return the records of rows, each with its end."""
    passages = {passage.id: passage for passage in library.passages([hit.passage_id for hit in hits])}
    return [record for hit in hits for record in _records(hit, spot_of(hit, passages.get(hit.passage_id)), end)]


def _records(hit: Hit, spot: Spot, end: bytes) -> Iterable[bytes]:
    behind = f":{spot.line}:{spot.column}:{one_line(spot.text)}".encode("utf-8", "replace")
    return records_of([hit], RowFormat(("path", behind), end))


def spot_of(hit: Hit, passage: StoredPassage | None) -> Spot:
    """Return where the first matched word of a row stands in its file; where that cannot be told, where the row does.

    Text that was derived from a file stands on none of its lines as it is.
    """
    line = hit.line_start or 1
    if passage is None or not hit.marks or not hit.line_start or hit.kind not in OWN_LINES:
        return Spot(line, 1, hit.snippet)
    text, word = passage.text, hit.snippet[slice(*hit.marks[0])]
    lead = len(text) - len(text.lstrip())  # a passage is said to begin on its first line that is not empty
    at = max(text.find(word, lead), lead)
    first = text.rfind("\n", 0, at) + 1
    last = text.find("\n", at)
    whole = text[first : last if last >= 0 else None]
    return Spot(line + text.count("\n", lead, at), len(text[first:at].encode()) + 1, whole[:LONGEST_TEXT])
