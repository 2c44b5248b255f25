"""What a search asks of the words of a team's library; a word counts as the member sees it, in no hidden folder."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.records import TermScore
from engine.store.allowed import EVERYTHING, Allowed
from engine.store.bm25 import KeywordScore, fts5_idf, term_score
from engine.store.phrase import COLUMNS, EITHER, Phrase
from engine.store.tokenizer import STEM
from engine.team.passage_postings import BOTH, COLUMN_WEIGHTS, PLACE_BITS, kept
from engine.team.phrase_sql import Sql, Weighed, frequencies_of, matching, matching_all, plain_terms, scored
from engine.team.team_filters import allowed_sql

if TYPE_CHECKING:
    from engine.team.snapshot import Snapshot

LOOKED_UP_SHARE = 0.1  # a passage looked up by itself costs as much as ten postings read in a row
_BY_ID = "FROM unnest(%s::bigint[]) AS w(id) JOIN passage p ON p.folder_id = (w.id >> 32)::integer AND p.id = w.id"
_HERE = "p.folder_id = (m.passage_id >> 32)::integer AND p.id = m.passage_id"
_DOCUMENT = "JOIN document d ON d.folder_id = p.folder_id AND d.id = p.document_id"
_ENTRY = "LEFT JOIN entry e ON e.folder_id = p.folder_id AND e.document_id = p.document_id AND e.number = p.page"


def document_frequencies(snapshot: Snapshot, terms: Iterable[str]) -> dict[str, int]:
    """Return for each term the number of passages that hold it, 0 where none does.

    What tells of a stem in both its forms comes with it, so that a query's words are counted in one trip.
    """
    wanted = {term: kept(term) for term in terms}
    snapshot.count(
        chain(wanted.values(), *((STEM + each, BOTH + each) for each in wanted.values() if each[:1] != STEM))
    )
    return {term: snapshot.counts[each] for term, each in wanted.items()}


def vocabulary_has(snapshot: Snapshot, prefix: str) -> bool:
    """Tell whether any term begins so."""
    return bool(terms_beginning(snapshot, prefix, 1))


def terms_beginning(snapshot: Snapshot, prefix: str, most: int) -> list[str]:
    """Return the first terms that begin so, in order of their code points."""
    rows = snapshot.rows(
        "SELECT DISTINCT term FROM term_count WHERE term >= %s AND term < %s ORDER BY term LIMIT %s",
        (prefix, prefix + chr(0x10FFFF), most),
    )
    return [term for (term,) in rows]


def terms_holding(snapshot: Snapshot, part: str, longer: int, most: int) -> tuple[str, ...]:
    """Return the words, longer than `part` by so many letters, that hold it, those of most passages first."""
    rows = snapshot.rows(
        """SELECT term FROM term_count WHERE strpos(term, %s) > 0 AND length(term) >= %s
        GROUP BY term ORDER BY sum(passages) DESC, term""",
        (part, len(part) + longer),
    )
    return tuple(term for (term,) in rows if term.isalpha())[:most]


def phrase_frequency(snapshot: Snapshot, phrase: Phrase) -> int:
    """Return the number of passages that match a phrase."""
    if phrase not in snapshot.matches:
        snapshot.matches[phrase] = _frequency(snapshot, phrase)
    return snapshot.matches[phrase]


def _frequency(snapshot: Snapshot, phrase: Phrase) -> int:
    terms = plain_terms(phrase)
    if terms is not None:
        both = [BOTH + terms[0]] if len(terms) > 1 else []
        counts = snapshot.count([*terms, *both])
        return sum(counts[term] for term in terms) - sum(counts[term] for term in both)
    if not phrase.places:
        return 0
    found = matching([phrase])
    return int(snapshot.value(f"SELECT count(DISTINCT passage_id) FROM ({found.text}) AS m", found.values))


def holders(snapshot: Snapshot, phrase: Phrase) -> list[tuple[int, int]]:
    """Return the passages that match a phrase, ascending, each with its document."""
    found = matching([phrase])
    return snapshot.rows(
        f"SELECT DISTINCT p.id, p.document_id FROM ({found.text}) AS m JOIN passage p ON {_HERE} ORDER BY p.id",
        found.values,
    )


def postings(snapshot: Snapshot, phrase: Phrase) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the passages (n,) that match a phrase, ascending, and the positive bm25 (n,) that it gives each."""
    found = scored([phrase], _weighed(snapshot, [phrase]))
    rows = snapshot.rows(
        f"SELECT passage_id, sum(score) FROM ({found.text}) AS f GROUP BY passage_id ORDER BY passage_id", found.values
    )
    return _columns(rows)


def _columns(rows: Sequence[tuple[int, float]]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
    return ids, np.fromiter((row[1] for row in rows), np.float64, len(rows))


def _weighed(snapshot: Snapshot, phrases: Iterable[Phrase]) -> Weighed:
    total = snapshot.statistics
    spelled = [spelling for phrase in phrases for spelling in phrase.spellings]
    plain = [terms for each in spelled if (terms := plain_terms(each)) is not None]
    snapshot.count(chain(*plain, (BOTH + each[0] for each in plain)))
    idf = {each: fts5_idf(phrase_frequency(snapshot, each), total.rows) for each in spelled}
    return Weighed(idf, total.average or 1.0)


def best_by_words(
    snapshot: Snapshot, groups: Sequence[Sequence[Phrase]], allowed: Allowed, depth: int
) -> list[tuple[int, float]]:
    """Return the best `depth` of the passages that match a phrase of each group, best first, equal ones by id.

    Of several groups the rarest is read, and what it gives is looked up in the others where that is less work.
    """
    weighed = _weighed(snapshot, chain.from_iterable(groups))
    sizes = {at: sum(phrase_frequency(snapshot, each) for each in group) for at, group in enumerate(groups)}
    rarest = min(sizes, key=lambda at: sizes[at])
    first = scored(groups[rarest], weighed)
    parts = [Sql(f"SELECT passage_id, score, {1 << rarest} AS part FROM found", ())]
    for at, group in enumerate(groups):
        if at != rarest:
            few = sizes[rarest] < LOOKED_UP_SHARE * sizes[at]
            found = scored(group, weighed, Sql("SELECT passage_id FROM found") if few else None)
            parts.append(Sql(f"SELECT passage_id, score, {1 << at} AS part FROM ({found.text}) AS f", found.values))
    within = allowed_sql(snapshot, allowed)
    where = f"WHERE passage_id IN ({within.text})" if within is not None else ""
    every = f"HAVING bit_or(part) = {(1 << len(groups)) - 1}" if len(groups) > 1 else ""
    return snapshot.rows(
        f"""WITH found AS MATERIALIZED ({first.text})
        SELECT passage_id, sum(score) AS total FROM ({" UNION ALL ".join(each.text for each in parts)}) AS f
        {where} GROUP BY passage_id {every} ORDER BY total DESC, passage_id LIMIT %s""",
        (
            *first.values,
            *chain.from_iterable(each.values for each in parts),
            *(within.values if within is not None else ()),
            depth,
        ),
    )


# --- what each phrase gave ------------------------------------------------------------------------------------------


def bm25_parts(
    snapshot: Snapshot, ids: Sequence[int], phrases: Sequence[Phrase], holding: Sequence[int]
) -> dict[int, KeywordScore]:
    """Return for each passage its bm25 for these phrases, in parts; `holding` is how many passages match each."""
    total = snapshot.statistics
    weights = [fts5_idf(count, total.rows) for count in holding]
    rows = snapshot.rows(f"SELECT p.id, p.length {_BY_ID}", (list(dict.fromkeys(ids)),))
    held = _held(snapshot, [each for each, _ in rows], phrases)
    scores: dict[int, KeywordScore] = {}
    for passage, length in rows:
        parts = []
        for phrase, weight, count in zip(phrases, weights, holding, strict=True):
            frequency = _stands(phrase, held.get(passage, {}))
            score = term_score(weight, frequency, length, total.average or 1.0)
            parts.append(TermScore(phrase.written, weight, frequency, score, count))
        scores[passage] = KeywordScore(math.fsum(part.score for part in parts), tuple(parts))
    return scores


def _held(snapshot: Snapshot, ids: Sequence[int], phrases: Sequence[Phrase]) -> dict[int, dict[str, list[int]]]:
    """Return by passage the places of the terms that these phrases ask for."""
    terms, begun = _asked(phrases)
    conditions = " OR ".join(["t.term = ANY(%s)", *["t.term >= %s AND t.term < %s"] * len(begun)])
    rows = snapshot.rows(
        f"""SELECT t.passage_id, t.term, array_prepend(t.place, t.further) FROM unnest(%s::bigint[]) AS w(id)
        JOIN posting t ON t.folder_id = (w.id >> 32)::integer AND t.passage_id = w.id WHERE {conditions}""",
        (list(ids), terms, *(bound for each in begun for bound in (each, each + chr(0x10FFFF)))),
    )
    held: dict[int, dict[str, list[int]]] = {}
    for passage, term, places in rows:
        held.setdefault(passage, {})[term] = places
    return held


def _asked(phrases: Iterable[Phrase]) -> tuple[list[str], list[str]]:
    """Return the terms that phrases ask for, and the beginnings of terms."""
    terms: dict[str, None] = {}
    begun: dict[str, None] = {}
    for phrase in phrases:
        for spelling in phrase.spellings:
            for at, place in enumerate(spelling.places):
                last = spelling.prefix and at == len(spelling.places) - 1
                (begun if last else terms).update(dict.fromkeys(map(kept, place.split(EITHER))))
    return [*terms], [*begun]


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


# --- texts by their words ---------------------------------------------------------------------------------------------


def titled(snapshot: Snapshot, words: Sequence[str], most: int) -> list[tuple[int, str]]:
    """Return the first passages of documents and entries whose title or an alias begins so, and those, a line each."""
    begins = frequencies_of(Phrase(tuple(words), column="title", first=True))
    holds = frequencies_of(Phrase(tuple(words), column="title"))
    return snapshot.rows(
        f"""SELECT id, names FROM (
            SELECT DISTINCT ON (p.document_id, e.number) p.id,
                coalesce(nullif(e.title, ''), d.title || chr(10) || d.aliases) AS names
            FROM (SELECT passage_id, false AS late FROM ({begins.text}) AS b
                UNION ALL SELECT passage_id, true FROM ({holds.text}) AS h) AS m
            JOIN passage p ON {_HERE} {_DOCUMENT} {_ENTRY}
            WHERE (p.ordinal = 0 OR e.number IS NOT NULL) AND (NOT m.late OR d.aliases <> '')
            ORDER BY p.document_id, e.number, p.ordinal
        ) AS t ORDER BY id LIMIT %s""",
        (*begins.values, *holds.values, most),
    )


def texts_holding(snapshot: Snapshot, groups: Sequence[Sequence[Phrase]], most: int) -> list[tuple[str, str]]:
    """Return text and kind of the first `most` passages, by id, that match a phrase of each group."""
    found = matching_all(groups)
    return snapshot.rows(
        f"""SELECT p.text, d.kind FROM (
            SELECT DISTINCT passage_id FROM ({found.text}) AS f ORDER BY passage_id LIMIT %s) AS m
        JOIN passage p ON {_HERE} {_DOCUMENT} ORDER BY p.id""",
        (*found.values, most),
    )


def borders(
    snapshot: Snapshot, tails: Sequence[Phrase], head: Phrase, most: int
) -> list[tuple[int, str, int, str, str]]:
    """Return pairs of passages in a row of which the second matches one of `tails` and the first `head`."""
    ends, begins = matching(tails), matching([head])
    return snapshot.rows(
        f"""SELECT before.id, before.text, p.id, p.text, d.kind
        FROM (SELECT DISTINCT passage_id FROM ({ends.text}) AS f) AS m JOIN passage p ON {_HERE}
        JOIN passage before ON before.folder_id = p.folder_id AND before.document_id = p.document_id
            AND before.ordinal = p.ordinal - 1
        {_DOCUMENT} WHERE before.id IN ({begins.text}) ORDER BY p.id LIMIT %s""",
        (*ends.values, *begins.values, most),
    )


def short_between(
    snapshot: Snapshot, begun: Sequence[Phrase], head: Phrase, longest: int, most: int
) -> list[tuple[int, str, int, str, int, str, str]]:
    """Return three passages in a row: the middle one matches one of `begun` and is short, the first `head`."""
    middle, begins = matching(begun), matching([head])
    return snapshot.rows(
        f"""SELECT before.id, before.text, p.id, p.text, after.id, after.text, d.kind
        FROM (SELECT DISTINCT passage_id FROM ({middle.text}) AS f) AS m JOIN passage p ON {_HERE}
        JOIN passage before ON before.folder_id = p.folder_id AND before.document_id = p.document_id
            AND before.ordinal = p.ordinal - 1
        JOIN passage after ON after.folder_id = p.folder_id AND after.document_id = p.document_id
            AND after.ordinal = p.ordinal + 1
        {_DOCUMENT} WHERE length(p.text) <= %s AND before.id IN ({begins.text}) ORDER BY p.id LIMIT %s""",
        (*middle.values, longest, *begins.values, most),
    )


def count_holding(snapshot: Snapshot, phrase: Phrase, allowed: Allowed = EVERYTHING) -> int:
    """Return how many of the allowed passages match a phrase."""
    within = allowed_sql(snapshot, allowed)
    if within is None:
        return phrase_frequency(snapshot, phrase)
    found = matching([phrase])
    values: tuple[Any, ...] = (*found.values, *within.values)
    sql = f"SELECT count(DISTINCT passage_id) FROM ({found.text}) AS m WHERE passage_id IN ({within.text})"
    return int(snapshot.value(sql, values))
