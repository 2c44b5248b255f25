"""Where the words nearest to a question stand in a row's passage: their lines, and how that is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.lazy_dataclass import dataclass
from engine.records import Hit, NearestWord, SearchResult, StoredPassage
from engine.sources.readers.file_types import OWN_LINES

if TYPE_CHECKING:
    from engine.library import Library

NO_COUNTERPART = "no counterpart"
FAINT = "faint"  # below the cut
Links = dict[int, tuple["PlacedWord", ...]]  # by passage id


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """A word of the question with the one that answers it: its span in the document, and its line in a file of lines.

    Without a counterpart the span is empty.
    """

    link: NearestWord
    start: int
    end: int
    line: int | None

    @property
    def how(self) -> str:
        """How the two belong together, in a word or two; "" for two different words at or above the cut."""
        return "same word" if self.link.same else FAINT if self.link.faint else ""


def placed(hit: Hit, text: str, links: Sequence[NearestWord]) -> tuple[PlacedWord, ...]:
    """Return links with their lines; `text` is the passage's."""
    lead = len(text) - len(text.lstrip("\n"))
    first = hit.line_start if hit.kind in OWN_LINES else None

    def line(link: NearestWord) -> int | None:
        return None if first is None or not link.word else first + text.count("\n", lead, link.start)

    return tuple(PlacedWord(link, hit.start + link.start, hit.start + link.end, line(link)) for link in links)


def links_of(library: Library, result: SearchResult, most: int | None = None) -> Links:
    """Return the nearest words of the first `most` rows of a result, or of all; none where meaning was not asked."""
    if result.fusion == "keyword" or not result.query.meaning:
        return {}
    hits = {hit.passage_id: hit for hit in result.hits[:most]}
    passages: Sequence[StoredPassage] = library.passages(tuple(hits))
    return {
        passage.id: placed(hit, passage.text, library.nearest_words(result.query.text, passage.text, hit.kind))
        for passage in passages
        for hit in (hits[passage.id],)
    }
