"""What a search asks of texts by their words: titles and aliases, passages that hold words, and those beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.store.phrase import Phrase
from engine.team.passage_postings import PLACE_BITS, kept
from engine.team.phrase_sql import Sql, beginning_with_an_end, held_by, matching, matching_all
from engine.team.row_lookups import DOCUMENT, ENTRY, passage_at

if TYPE_CHECKING:
    from engine.team.snapshot import Snapshot

TITLE_END = 1 << PLACE_BITS  # the first place of a term lies below it where the term stands in a title


def _beside(name: str, sign: str) -> str:
    """Return what joins, under a name, the passage that stands before (-) or behind (+) passage `p`."""
    return f"""CROSS JOIN LATERAL (
            SELECT id, text FROM passage WHERE folder_id = p.folder_id AND document_id = p.document_id
                AND ordinal = p.ordinal {sign} 1 OFFSET 0) AS {name}"""


def titled(snapshot: Snapshot, words: Sequence[str], most: int) -> list[tuple[int, str]]:
    """Return the first passages of documents and entries whose title or an alias begins so, and those, a line each."""
    return snapshot.answer(named(words, most))


def named(words: Sequence[str], most: int) -> Sql:
    """Return what selects passages by the beginning of their title or an alias.

    Of the rarest word those postings are read that stand in a title, and in their passages the other words are looked
    up one by one: of a question nearly nothing is left then. The title is the first column, so that a place in it is
    the number of its word.
    """
    terms = [kept(word) for word in words]
    begins = " AND ".join(f"{at} = ANY(s{at})" for at in range(len(terms)))
    follows = "".join(f" AND start + {at} = ANY(s{at})" for at in range(1, len(terms)))
    places = ", ".join(f"max(stands) FILTER (WHERE term = %s) AS s{at}" for at in range(len(terms)))
    return Sql(
        f"""WITH rarest AS MATERIALIZED (
            SELECT w.term FROM unnest(%s::text[]) AS w(term) LEFT JOIN term_count c ON c.term = w.term
            GROUP BY w.term ORDER BY coalesce(sum(c.passages), 0), w.term LIMIT 1
        ), among AS MATERIALIZED (
            SELECT passage_id FROM posting WHERE term = (SELECT term FROM rarest) AND place < {TITLE_END}
        ), held AS MATERIALIZED (
            SELECT a.passage_id, {places} FROM among AS a CROSS JOIN LATERAL (
                SELECT term, array_prepend(place, further) AS stands FROM posting
                WHERE folder_id = (a.passage_id >> 32)::integer AND passage_id = a.passage_id AND term = ANY(%s)
                    AND place < {TITLE_END} OFFSET 0
            ) AS q GROUP BY a.passage_id HAVING count(*) = %s
        ) SELECT id, names FROM (
            SELECT DISTINCT ON (p.document_id, e.number) p.id,
                coalesce(nullif(e.title, ''), d.title || chr(10) || d.aliases) AS names
            FROM (SELECT passage_id, {begins} AS first FROM held WHERE EXISTS (
                SELECT FROM unnest(s0) AS start WHERE start < {TITLE_END}{follows})
            ) AS m {passage_at("m.passage_id")} {DOCUMENT} {ENTRY}
            WHERE (p.ordinal = 0 OR e.number IS NOT NULL) AND (m.first OR d.aliases <> '')
            ORDER BY p.document_id, e.number, p.ordinal
        ) AS t ORDER BY id LIMIT %s""",
        (terms, *terms, terms, len(set(terms)), most),
    )


def texts_holding(snapshot: Snapshot, groups: Sequence[Sequence[Phrase]], most: int) -> list[tuple[str, str]]:
    """Return text and kind of the first `most` passages, by id, that match a phrase of each group."""
    return snapshot.answer(reading_texts(groups, most))


def reading_texts(groups: Sequence[Sequence[Phrase]], most: int) -> Sql:
    """Return what selects text and kind of the first passages that match a phrase of each group."""
    found = matching_all(groups)
    return Sql(
        f"""SELECT p.text, d.kind FROM (
            SELECT DISTINCT passage_id FROM ({found.text}) AS f ORDER BY passage_id LIMIT %s) AS m
        {passage_at("m.passage_id")} {DOCUMENT} ORDER BY p.id""",
        (*found.values, most),
    )


def borders(
    snapshot: Snapshot, tails: Sequence[Phrase], head: Phrase, most: int
) -> list[tuple[int, str, int, str, str]]:
    """Return pairs of passages in a row of which the second matches one of `tails` and the first `head`."""
    return snapshot.answer(bordering(tails, head, most))


def bordering(tails: Sequence[Phrase], head: Phrase, most: int) -> Sql:
    """Return what selects pairs of passages in a row, with their texts and the kind of their document."""
    longest = max(tails, key=lambda each: len(each.places))
    ends_of_it = all(each.places == longest.places[-len(each.places) :] for each in tails)
    ends = beginning_with_an_end(longest) if ends_of_it else matching(tails)
    begins = held_by("before.id", head)
    return Sql(
        f"""SELECT before.id, before.text, p.id, p.text, d.kind
        FROM (SELECT DISTINCT passage_id FROM ({ends.text}) AS f) AS m {passage_at("m.passage_id")}
        {_beside("before", "-")}
        {DOCUMENT} WHERE {begins.text} ORDER BY p.id LIMIT %s""",
        (*ends.values, *begins.values, most),
    )


def short_between(
    snapshot: Snapshot, begun: Sequence[Phrase], head: Phrase, longest: int, most: int
) -> list[tuple[int, str, int, str, int, str, str]]:
    """Return three passages in a row: the middle one matches one of `begun` and is short, the first `head`."""
    return snapshot.answer(bordering_short(begun, head, longest, most))


def bordering_short(begun: Sequence[Phrase], head: Phrase, longest: int, most: int) -> Sql:
    """Return what selects three passages in a row, with their texts and the kind of their document."""
    middle, begins = matching(begun), held_by("before.id", head)
    return Sql(
        f"""SELECT before.id, before.text, p.id, p.text, after.id, after.text, d.kind
        FROM (SELECT DISTINCT passage_id FROM ({middle.text}) AS f) AS m {passage_at("m.passage_id")}
        {_beside("before", "-")}
        {_beside("after", "+")}
        {DOCUMENT} WHERE length(p.text) <= %s AND {begins.text} ORDER BY p.id LIMIT %s""",
        (*middle.values, longest, *begins.values, most),
    )
