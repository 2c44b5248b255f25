"""What each phrase of a query gives a passage, from the places at which the passage has the phrase's terms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from engine.records import TermScore
from engine.store.bm25 import KeywordScore, fts5_idf, term_score
from engine.store.phrase import COLUMNS, EITHER, Phrase
from engine.team.brought_passages import Asked, Held
from engine.team.passage_postings import COLUMN_WEIGHTS, PLACE_BITS, kept
from engine.team.phrase_sql import Sql
from engine.team.row_lookups import passage_at

if TYPE_CHECKING:
    from engine.team.snapshot import Snapshot


def bm25_parts(
    snapshot: Snapshot, ids: Sequence[int], phrases: Sequence[Phrase], holding: Sequence[int]
) -> dict[int, KeywordScore]:
    """Return for each passage its bm25 for these phrases, in parts; `holding` is how many passages match each."""
    total = snapshot.statistics
    weights = [fts5_idf(count, total.rows) for count in holding]
    scores: dict[int, KeywordScore] = {}
    for passage, held in _held(snapshot, ids, phrases):
        parts = []
        for phrase, weight, count in zip(phrases, weights, holding, strict=True):
            frequency = _stands(phrase, held.places)
            score = term_score(weight, frequency, held.length, total.average or 1.0)
            parts.append(TermScore(phrase.written, weight, frequency, score, count))
        scores[passage] = KeywordScore(math.fsum(part.score for part in parts), tuple(parts))
    return scores


def _held(snapshot: Snapshot, ids: Sequence[int], phrases: Sequence[Phrase]) -> Iterator[tuple[int, Held]]:
    """Give the passages that are there, with what they hold of the phrases; what was not brought is asked for now."""
    missing = unknown(snapshot, ids, phrases)
    if missing:
        keep(snapshot, phrases, held_in(missing, phrases), missing)
    known = snapshot.brought.words[_asked(phrases)]
    for each in dict.fromkeys(map(int, ids)):
        if (held := known[each]) is not None:
            yield each, held


def unknown(snapshot: Snapshot, ids: Sequence[int], phrases: Sequence[Phrase]) -> list[int]:
    """Return those of these passages of which it was not brought what they hold of the phrases."""
    known = snapshot.brought.words.setdefault(_asked(phrases), {})
    return [each for each in dict.fromkeys(map(int, ids)) if each not in known]


def held_in(ids: Sequence[int], phrases: Sequence[Phrase], beside: Sql | None = None) -> Sql:
    """Return what selects number and length of passages and the places of the terms of phrases, a row a term.

    `beside` selects further passages, in its second column `id`. Each passage is looked up by itself: OFFSET keeps the
    planner from reading all that holds a common word.
    """
    terms, begun = _asked(phrases)
    conditions = " OR ".join(["t.term = ANY(%s)", *["t.term >= %s AND t.term < %s"] * len(begun)])
    further = f" UNION SELECT id FROM ({beside.text}) AS b(near, id)" if beside else ""
    return Sql(
        f"""SELECT p.id, p.length, t.term, array_prepend(t.place, t.further)
        FROM (SELECT unnest(%s::bigint[]) AS id{further}) AS w
        {passage_at("w.id")}
        LEFT JOIN LATERAL (
            SELECT term, place, further FROM posting AS t
            WHERE t.folder_id = (w.id >> 32)::integer AND t.passage_id = w.id AND ({conditions}) OFFSET 0
        ) AS t ON true""",
        (
            list(ids),
            *(beside.values if beside else ()),
            list(terms),
            *(bound for each in begun for bound in (each, each + chr(0x10FFFF))),
        ),
    )


def keep(snapshot: Snapshot, phrases: Sequence[Phrase], asked: Sql, ids: Sequence[int]) -> None:
    """Keep what `held_in` selects; those of these passages that it has no row of are not there."""
    known = snapshot.brought.words.setdefault(_asked(phrases), {})
    for passage, length, term, places in snapshot.answer(asked):
        held = known.get(passage) or Held(length, {})
        if term is not None:
            held.places[term] = places
        known[passage] = held
    for each in ids:
        known.setdefault(each, None)


def _asked(phrases: Iterable[Phrase]) -> Asked:
    """Return the terms that phrases ask for, and the beginnings of terms."""
    terms: dict[str, None] = {}
    begun: dict[str, None] = {}
    for phrase in phrases:
        for spelling in phrase.spellings:
            for at, place in enumerate(spelling.places):
                last = spelling.prefix and at == len(spelling.places) - 1
                (begun if last else terms).update(dict.fromkeys(map(kept, place.split(EITHER))))
    return tuple(terms), tuple(begun)


def _stands(phrase: Phrase, held: dict[str, list[int]]) -> float:
    """Return how often a phrase stands in a passage with these terms at these places, each weighed by its column."""
    return sum(_spelled(spelling, held) for spelling in phrase.spellings)


def _spelled(phrase: Phrase, held: dict[str, list[int]]) -> float:
    starts: set[int] | None = None
    for at, place in enumerate(phrase.places):
        wanted: set[str] = set(map(kept, place.split(EITHER)))
        if phrase.prefix and at == len(phrase.places) - 1:
            wanted = {term for term in held if any(term.startswith(each) for each in wanted)}
        here = {place - at for term in wanted for place in held.get(term, ())}
        starts = here if starts is None else starts & here
    found: Iterable[int] = starts or ()
    if phrase.column is not None:
        found = [at for at in found if at >> PLACE_BITS == COLUMNS.index(phrase.column)]
    if phrase.first:
        found = [at for at in found if at & (2**PLACE_BITS - 1) == 0]
    return sum(COLUMN_WEIGHTS[at >> PLACE_BITS] for at in found)
