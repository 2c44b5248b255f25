"""Phrases that reach over the border of two passages: where a document was cut says nothing of what stands in it.

The index knows passages one by one. So a passage that begins with the end of a phrase is read together with the one
before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from engine.lazy_dataclass import dataclass
from engine.store.phrase import Phrase
from engine.store.tokenizer import Terms, seen_terms

if TYPE_CHECKING:
    from engine.store.store_connection import StoreConnection

MOST_READ = 500  # borders that are read for a phrase; each costs about .2 ms
LONGEST = 40  # places of a phrase: a longer one is quoted from one passage
SHORT = 1_000  # code points of a passage that may stand whole within a phrase
MOST_CUTS = 3  # ways in which a phrase is cut that are scored


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where a phrase reaches over borders: the passages on both sides, and what stands of it on each."""

    passages: tuple[int, ...] = ()
    parts: tuple[Phrase, ...] = ()


def crossing(connection: StoreConnection, phrase: Phrase) -> Crossing:
    """Find the borders over which a phrase reaches."""
    places = phrase.places
    if not 2 <= len(places) <= LONGEST:
        return Crossing()
    tails = [Phrase(places[cut:], phrase.prefix, "body", first=True) for cut in range(1, len(places))]
    head = Phrase(places[:1], column="body")
    passages: list[int] = []
    cuts: dict[int, None] = {}
    for before, ending, after, beginning, kind in connection.borders(tails, head, MOST_READ):
        cut = _cut(phrase, seen_terms(ending, kind), seen_terms(beginning, kind))
        if cut:
            passages += [before, after]
            cuts[cut] = None
    for three, cut in _over_three(connection, phrase, head):
        passages += three
        cuts[cut] = None
    parts = [part for cut in [*cuts][:MOST_CUTS] for part in (places[:cut], places[cut:])]
    return Crossing(tuple(passages), tuple(Phrase(part, written=" ".join(part)) for part in parts if len(part) > 1))


def _over_three(
    connection: StoreConnection, phrase: Phrase, head: Phrase
) -> Iterator[tuple[tuple[int, int, int], int]]:
    """Give the passages of which a short one stands whole within the phrase, and where the phrase is cut before it."""
    places = phrase.places
    if len(places) < 3:
        return
    begun = [Phrase((place,), column="body", first=True) for place in dict.fromkeys(places[1:-1])]
    found = connection.short_between(begun, head, SHORT, MOST_READ)
    for before, ending, within, text, after, beginning, kind in found:
        inner = seen_terms(text, kind)
        cut = _cut(phrase, seen_terms(ending, kind), [*inner, *seen_terms(beginning, kind)])
        if inner and cut and cut + len(inner) < len(places):
            yield (before, within, after), cut


def _cut(phrase: Phrase, ending: Sequence[Terms], beginning: Sequence[Terms]) -> int:
    """Return how many places of the phrase end the first text while the others begin the second; 0 where none do."""
    wanted, last = phrase.places, len(phrase.places) - 1
    for cut in range(1, len(wanted)):
        found = [*ending[-cut:], *beginning[: len(wanted) - cut]]
        if len(found) == len(wanted) and all(
            any(term.startswith(place) for term in terms) if phrase.prefix and at == last else place in terms
            for at, (place, terms) in enumerate(zip(wanted, found, strict=True))
        ):
            return cut
    return 0
