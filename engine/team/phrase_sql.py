"""Makes SQL of the phrases of a query: which passages match them, how often, and what bm25 that gives.

A phrase of one term, or of a stem's two forms, is answered from the index of postings alone. All others are put
together from places: terms in a row, a beginning, a column, the first word of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from engine.lazy_dataclass import dataclass
from engine.store.bm25 import LENGTH_WEIGHT, SATURATION
from engine.store.phrase import COLUMNS, EITHER, Phrase
from engine.store.tokenizer import STEM
from engine.team.passage_postings import COLUMN_WEIGHTS, PLACE_BITS, kept

_LAST = chr(0x10FFFF)  # sorts behind all that a term holds
_WITHIN = 2**PLACE_BITS - 1
_BITS = 63  # of a bigint that is not negative
_FEW = 2_000  # passages of a phrase's rarest word in which the others are looked up: each takes some .05 ms
_WEIGHT = (
    "CASE {at} >> "
    + f"{PLACE_BITS} "
    + " ".join(f"WHEN {number} THEN {weight}" for number, weight in enumerate(COLUMN_WEIGHTS) if weight != 1.0)
    + " ELSE 1.0 END"
)
# Multiplied and divided in the order of fts5_aux.c, so that the same passage has the same score to the last digit.
_SCORE = (
    f"{{idf}} * (({{f}} * {SATURATION + 1.0}::float8) / ({{f}} + {SATURATION}::float8 *"
    f" ({1.0 - LENGTH_WEIGHT}::float8 + {LENGTH_WEIGHT}::float8 * {{length}} / %s::float8)))"
)
_NONE = "SELECT NULL::bigint AS passage_id, NULL::float8 AS frequency, NULL::integer AS length WHERE false"


@dataclass(frozen=True, slots=True)
class Sql:
    """A statement or a part of one, with its values in order."""

    text: str
    values: tuple[Any, ...] = ()


def plain_terms(phrase: Phrase) -> tuple[str, ...] | None:
    """Return the terms whose postings alone tell of a phrase: one, or a stem in its two forms; None for others."""
    if len(phrase.places) != 1 or phrase.prefix or phrase.first or phrase.column or phrase.otherwise:
        return None
    terms = tuple(map(kept, phrase.places[0].split(EITHER)))
    if len(terms) == 1 or (len(terms) == 2 and terms[1] == STEM + terms[0]):
        return terms
    return None


def begun_term(phrase: Phrase) -> str | None:
    """Return what a phrase is known by that is the beginning of one word and no more; None for others."""
    if phrase.places[1:] or not phrase.prefix or phrase.first or phrase.column or phrase.otherwise:
        return None
    return None if EITHER in phrase.places[0] else kept(phrase.places[0]) + _LAST


def begun_in(folder: str, prefix: str) -> str:
    """Return what selects passage_id, frequency and length of what holds a word of such a beginning, in a folder.

    Both are expressions. A place at which two terms begin so counts once.
    """
    return f"""SELECT passage_id, sum({_WEIGHT.format(at="at")})::float8 AS frequency, length FROM (
        SELECT DISTINCT passage_id, length, at FROM posting, unnest(array_prepend(place, further)) AS at
        WHERE folder_id = {folder} AND term >= {prefix} COLLATE "C" AND term < ({prefix} || '{_LAST}') COLLATE "C"
    ) AS p GROUP BY passage_id, length"""


def frequencies_of(phrase: Phrase) -> Sql:
    """Return what selects passage_id, frequency and length of the passages that match a phrase without spellings."""
    terms = plain_terms(phrase)
    if terms is not None and len(terms) == 1:
        return Sql("SELECT passage_id, frequency::float8 AS frequency, length FROM posting WHERE term = %s", terms)
    if terms is not None:
        return Sql(
            "SELECT passage_id, sum(frequency)::float8 AS frequency, length FROM posting WHERE term = ANY(%s)"
            " GROUP BY passage_id, length",
            (list(terms),),
        )
    if not phrase.places:
        return Sql(_NONE)
    places = _at_one_place(phrase) if len(phrase.places) == 1 else _in_a_row(phrase)
    conditions = []
    if phrase.column is not None:
        conditions.append(f"at >> {PLACE_BITS} = {COLUMNS.index(phrase.column)}")
    if phrase.first:
        conditions.append(f"at & {_WITHIN} = 0")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return Sql(
        f"SELECT passage_id, sum({_WEIGHT.format(at='at')})::float8 AS frequency, length"
        f" FROM ({places.text}) AS p{where} GROUP BY passage_id, length",
        places.values,
    )


def _begun(terms: Sequence[str]) -> Sql:
    """Return the condition that a term begins in one of these ways."""
    bounds = tuple(bound for term in terms for bound in (term, term + _LAST))
    return Sql(" OR ".join(["(term >= %s AND term < %s)"] * len(terms)), bounds)


def _at_one_place(phrase: Phrase) -> Sql:
    """Return what selects passage_id, length and each place at which a phrase of one place stands."""
    terms = [kept(term) for term in phrase.places[0].split(EITHER)]
    wanted = _begun(terms) if phrase.prefix else Sql("term = ANY(%s)", (terms,))
    distinct = "DISTINCT " if phrase.prefix or len(terms) > 1 else ""
    return Sql(
        f"SELECT {distinct}passage_id, length, at FROM posting, unnest(array_prepend(place, further)) AS at"
        f" WHERE {wanted.text}",
        wanted.values,
    )


class _Words(NamedTuple):
    """The words of a phrase as SQL: what selects terms with their places in it, from `offsets`, and what holds them."""

    finished: tuple[list[str], list[int]]  # terms and their places, which `offsets` has
    placed: Sql
    held: Sql  # the condition that a posting is of one of them
    last: Sql  # that it is of the last one


def _words(phrase: Phrase) -> _Words:
    finished = phrase.places[:-1] if phrase.prefix else phrase.places
    pairs = [(kept(term), at) for at, place in enumerate(finished) for term in place.split(EITHER)]
    terms, offsets = [term for term, _ in pairs], [at for _, at in pairs]
    placed, held = Sql("SELECT term, at FROM offsets"), Sql("term = ANY(%s)", (terms,))
    last = [kept(term) for term in phrase.places[-1].split(EITHER)]
    if not phrase.prefix:
        return _Words((terms, offsets), placed, held, Sql("term = ANY(%s)", (last,)))
    begun = _begun(last)
    growing = f"SELECT DISTINCT term, {len(finished)} FROM term_count WHERE {begun.text}"
    return _Words(
        (terms, offsets),
        Sql(f"{placed.text} UNION ALL {growing}", begun.values),
        Sql(f"({held.text} OR {begun.text})", (*held.values, *begun.values)),
        Sql(f"({begun.text})", begun.values),
    )


def beginning_with_an_end(phrase: Phrase) -> Sql:
    """Return what selects passage_id of the passages whose body begins with a phrase, or with an end of it.

    Those are read in which its last word stands so far ahead; the other words are looked up in them.
    """
    words, body = _words(phrase), COLUMNS.index("body") << PLACE_BITS
    terms, offsets = words.finished
    within = f"stands.at BETWEEN {body} AND {body + len(phrase.places) - 1}"
    return Sql(
        f"""WITH offsets AS MATERIALIZED (SELECT * FROM unnest(%s::text[], %s::integer[]) AS o(term, at)),
        words AS MATERIALIZED ({words.placed.text}),
        among AS MATERIALIZED (
            SELECT DISTINCT passage_id FROM posting, unnest(array_prepend(place, further)) AS stands(at)
            WHERE {words.last.text} AND {within}
        )
        SELECT passage_id FROM among AS a CROSS JOIN LATERAL (
            SELECT term, place, further FROM posting
            WHERE folder_id = (a.passage_id >> 32)::integer AND passage_id = a.passage_id AND {words.held.text} OFFSET 0
        ) AS h JOIN words AS w ON w.term = h.term, unnest(array_prepend(h.place, h.further)) AS stands(at)
        WHERE {within} AND stands.at - w.at <= {body}
        GROUP BY passage_id, stands.at - w.at
        HAVING count(DISTINCT w.at) = {len(phrase.places) - body} + (stands.at - w.at)""",
        (terms, offsets, *words.placed.values, *words.last.values, *words.held.values),
    )


def held_by(passage: str, word: Phrase) -> Sql:
    """Return the condition that a passage, the number of which is that expression, holds a phrase of one place.

    OFFSET has each passage looked up by itself.
    """
    terms = [kept(term) for term in word.places[0].split(EITHER)]
    column = "" if word.column is None else f" AND at >> {PLACE_BITS} = {COLUMNS.index(word.column)}"
    return Sql(
        f"""EXISTS (SELECT FROM posting, unnest(array_prepend(place, further)) AS at
            WHERE folder_id = ({passage} >> 32)::integer AND passage_id = {passage} AND term = ANY(%s){column}
            OFFSET 0)""",
        (terms,),
    )


def _in_a_row(phrase: Phrase) -> Sql:
    """Return what selects passage_id, length and each place from which the places of a phrase stand in a row.

    The passages of its rarest finished word are read. Where they are few, the other words are looked up in them, so
    that a phrase of any length costs what its rarest word costs; where even that one is common, all postings of its
    words are read once. Joined to each other, 120 words took a server more than a minute.
    """
    words = _words(phrase)
    terms, offsets = words.finished
    held = words.held
    whole = f"HAVING count(DISTINCT w.at) = {len(phrase.places)}"
    if len(phrase.places) < _BITS:
        whole = f"HAVING bit_or(1::bigint << w.at) = {(1 << len(phrase.places)) - 1}"
    return Sql(
        f"""WITH offsets AS MATERIALIZED (SELECT * FROM unnest(%s::text[], %s::integer[]) AS o(term, at)),
        words AS MATERIALIZED ({words.placed.text}),
        rarest AS MATERIALIZED (
            SELECT at, coalesce(sum(passages), 0) AS passages FROM offsets LEFT JOIN (
                SELECT term, sum(passages) AS passages FROM term_count WHERE term = ANY(%s) GROUP BY term
            ) AS c USING (term) GROUP BY at ORDER BY passages, at LIMIT 1
        ), among AS MATERIALIZED (
            SELECT DISTINCT passage_id FROM posting
            WHERE term = ANY(ARRAY(SELECT term FROM offsets WHERE at = (SELECT at FROM rarest)))
        ), held AS (
            SELECT q.* FROM among AS a CROSS JOIN LATERAL (
                SELECT passage_id, term, length, place, further FROM posting
                WHERE folder_id = (a.passage_id >> 32)::integer AND passage_id = a.passage_id AND {held.text} OFFSET 0
            ) AS q WHERE (SELECT passages FROM rarest) <= {_FEW}
            UNION ALL
            SELECT passage_id, term, length, place, further FROM posting
            WHERE {held.text} AND passage_id IN (SELECT passage_id FROM among)
                AND (SELECT passages FROM rarest) > {_FEW}
        )
        SELECT passage_id, length, stands.at - w.at AS at
        FROM held AS h JOIN words AS w ON w.term = h.term, unnest(array_prepend(h.place, h.further)) AS stands(at)
        GROUP BY passage_id, length, stands.at - w.at {whole}""",
        (terms, offsets, *words.placed.values, terms, *held.values, *held.values),
    )


def matching(phrases: Sequence[Phrase]) -> Sql:
    """Return what selects passage_id of the passages that match one of these phrases, perhaps more than once."""
    found = [frequencies_of(spelling) for phrase in phrases for spelling in phrase.spellings]
    text = " UNION ALL ".join(f"SELECT passage_id FROM ({each.text}) AS m" for each in found)
    return Sql(text or "SELECT NULL::bigint WHERE false", tuple(chain.from_iterable(each.values for each in found)))


def matching_all(groups: Sequence[Sequence[Phrase]]) -> Sql:
    """Return what selects passage_id of the passages that match a phrase of each group."""
    parts = [matching(group) for group in groups]
    text = " INTERSECT ".join(f"({each.text})" for each in parts)
    return Sql(text, tuple(chain.from_iterable(each.values for each in parts)))


@dataclass(frozen=True, slots=True)
class Weighed:
    """The spellings of a query's phrases, each with its idf, and the mean length of a passage."""

    idf: Mapping[Phrase, float]
    average: float


def scored(phrases: Sequence[Phrase], weighed: Weighed, among: Sql | None = None) -> Sql:
    """Return what selects passage_id, the bm25 that a spelling gives and its place among all, from 1: a row each.

    `among` selects the passages to look at, where they are so few that each is looked up by itself.
    """
    spelled = list(dict.fromkeys(spelling for phrase in phrases for spelling in phrase.spellings))
    plain: dict[Phrase, tuple[str, ...]] = {}
    for each in spelled:
        terms = plain_terms(each)
        if terms is not None and not any(term in terms for others in plain.values() for term in others):
            plain[each] = terms
    parts = []
    if plain:
        parts.append(_scored_plain(plain, spelled, weighed, among))
    for number, each in enumerate(spelled, start=1):
        if each not in plain:
            found = frequencies_of(each)
            score = _SCORE.format(idf="%s::float8", f="frequency", length="length")
            within = f" WHERE passage_id IN ({among.text})" if among else ""
            values = (weighed.idf[each], weighed.average, *found.values, *(among.values if among else ()))
            selected = f"SELECT passage_id, {score} AS score, {number} AS number FROM ({found.text}) AS f{within}"
            parts.append(Sql(selected, values))
    text = " UNION ALL ".join(each.text for each in parts)
    return Sql(
        text or "SELECT NULL::bigint AS passage_id, 0.0::float8 AS score, 1 AS number WHERE false",
        tuple(chain.from_iterable(each.values for each in parts)),
    )


def _scored_plain(
    plain: Mapping[Phrase, tuple[str, ...]], spelled: Sequence[Phrase], weighed: Weighed, among: Sql | None
) -> Sql:
    """Score phrases of one stem in one pass over the postings; both forms of a stem count as one word."""
    terms = [term for each in plain.values() for term in each]
    numbers = [spelled.index(phrase) + 1 for phrase, each in plain.items() for _ in each]
    idf = [weighed.idf[each] for each in spelled]
    number = "(%s::integer[])[array_position(%s::text[], {term}::text)]"
    if among is None:
        rows, values = "posting", [numbers, terms, terms]
    else:  # each passage that is known is looked up: OFFSET keeps the planner from turning it round
        rows = f"""(SELECT q.* FROM (SELECT DISTINCT passage_id FROM ({among.text}) AS a) AS a CROSS JOIN LATERAL (
            SELECT passage_id, term, frequency, length FROM posting
            WHERE folder_id = (a.passage_id >> 32)::integer AND term = ANY(%s) AND passage_id = a.passage_id OFFSET 0
        ) AS q) AS posting"""
        values = [numbers, terms, *among.values, terms, terms]
    each = (
        f"SELECT passage_id, {number.format(term='term')} AS number, frequency::float8 AS frequency, length FROM {rows}"
    )
    each += " WHERE term = ANY(%s)"
    if len(terms) > len(plain):  # a stem has two forms, whose frequencies add up before they are weighed
        each = f"""SELECT passage_id, number, sum(frequency) AS frequency, length FROM ({each}) AS t
        GROUP BY passage_id, number, length"""
    score = _SCORE.format(idf="(%s::float8[])[number]", f="frequency", length="length")
    return Sql(f"SELECT passage_id, {score} AS score, number FROM ({each}) AS s", (idf, weighed.average, *values))


def summed(count: int) -> str:
    """Return the sum of the scores of so many spellings in their order, as FTS5 adds them: the order moves digits."""
    parts = (f"coalesce(max(score) FILTER (WHERE number = {number}), 0)" for number in range(1, count + 1))
    return " + ".join(parts) if count else "0.0::float8"
