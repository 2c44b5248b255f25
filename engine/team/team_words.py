"""What a search asks of the words of a team's library; a word counts as the member sees it, in no hidden folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.retrieval.rare_words import MOST_PASSAGES
from engine.store.allowed import EVERYTHING, Allowed
from engine.store.bm25 import fts5_idf
from engine.store.phrase import Phrase
from engine.store.tokenizer import STEM
from engine.team.candidate_details import NAMES, WIDTH, of_passage
from engine.team.candidate_details import keep as keep_details
from engine.team.passage_postings import BOTH, PLACE_BITS, kept
from engine.team.phrase_sql import Sql, Weighed, matching, matching_all, plain_terms, scored, summed
from engine.team.snapshot import counting
from engine.team.team_filters import allowed_sql

if TYPE_CHECKING:
    from engine.team.snapshot import Snapshot

DETAILED = 200  # of the best by words: as many become candidates of a search
TITLE_END = 1 << PLACE_BITS  # the first place of a term lies below it where the term stands in a title
LOOKED_UP_SHARE = 0.1  # a passage looked up by itself costs as much as ten postings read in a row
_RARE = """SELECT t.term, p.id, p.document_id FROM posting t
JOIN passage p ON p.folder_id = t.folder_id AND p.id = t.passage_id
WHERE t.term = ANY(ARRAY(
    SELECT term FROM term_count WHERE term = ANY(%s) GROUP BY term HAVING sum(passages) BETWEEN 1 AND %s))"""
_HERE = "p.folder_id = (m.passage_id >> 32)::integer AND p.id = m.passage_id"
_DOCUMENT = "JOIN document d ON d.folder_id = p.folder_id AND d.id = p.document_id"
_ENTRY = "LEFT JOIN entry e ON e.folder_id = p.folder_id AND e.document_id = p.document_id AND e.number = p.page"


def document_frequencies(snapshot: Snapshot, terms: Iterable[str]) -> dict[str, int]:
    """Return for each term the number of passages that hold it, 0 where none does.

    What tells of a stem in both its forms comes with it, so that a query's words are counted in one trip.
    """
    wanted = {term: kept(term) for term in terms}
    snapshot.count(_with_forms(wanted.values()))
    return {term: snapshot.counts[each] for term, each in wanted.items()}


def _with_forms(terms: Iterable[str]) -> list[str]:
    forms = ((each, *((STEM + each, BOTH + each) if each[:1] != STEM else ())) for each in terms)
    return list(dict.fromkeys(chain.from_iterable(forms)))


def counting_words(terms: Iterable[str]) -> list[Sql]:
    """Return what counts the words of a query, and lists who holds those that few hold: `keep_words` has the rows."""
    counted = _with_forms(map(kept, terms))
    return [counting(counted), Sql(_RARE, (counted, MOST_PASSAGES))] if counted else []


def counting_each(snapshot: Snapshot, several: Iterable[Iterable[str]]) -> list[Sql]:
    """Return what `document_frequencies` asks of several lists of terms, one after another."""
    known, asked = set(snapshot.counts), []
    for terms in several:
        unknown = [each for each in _with_forms(map(kept, terms)) if each not in known]
        known.update(unknown)
        asked += [counting(unknown)] if unknown else []
    return asked


def keep_words(snapshot: Snapshot, terms: Iterable[str]) -> None:
    """Keep what was asked ahead of a query's words."""
    asked = counting_words(terms)
    if asked:
        counts = snapshot.count(_with_forms(map(kept, terms)))
        held: dict[str, list[tuple[int, int]]] = {term: [] for term, count in counts.items() if count <= MOST_PASSAGES}
        for term, passage, document in snapshot.answer(asked[1]):
            held[term].append((passage, document))
        snapshot.brought.rare.update(held)


def vocabulary_has(snapshot: Snapshot, prefix: str) -> bool:
    """Tell whether any term begins so."""
    known = snapshot.brought.begun
    return known[prefix] if prefix in known else bool(terms_beginning(snapshot, prefix, 1))


def finding_begun(prefixes: Sequence[str]) -> Sql:
    """Return what selects those of some beginnings that a term has: `keep_begun` has the rows."""
    return Sql(
        """SELECT w.prefix FROM unnest(%s::text[], %s::text[]) AS w(prefix, last)
        WHERE EXISTS (SELECT FROM term_count WHERE term >= w.prefix COLLATE "C" AND term < w.last COLLATE "C")""",
        (list(prefixes), [each + chr(0x10FFFF) for each in prefixes]),
    )


def keep_begun(snapshot: Snapshot, prefixes: Sequence[str]) -> None:
    """Keep what was asked ahead of beginnings."""
    found = {prefix for (prefix,) in snapshot.answer(finding_begun(prefixes))}
    snapshot.brought.begun.update((each, each in found) for each in prefixes)


def terms_beginning(snapshot: Snapshot, prefix: str, most: int) -> list[str]:
    """Return the first terms that begin so, in order of their code points."""
    return [term for (term,) in snapshot.answer(beginning(prefix, most))]


def beginning(prefix: str, most: int = 1) -> Sql:
    """Return what selects the first terms that begin so."""
    return Sql(
        "SELECT DISTINCT term FROM term_count WHERE term >= %s AND term < %s ORDER BY term LIMIT %s",
        (prefix, prefix + chr(0x10FFFF), most),
    )


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
    return int(snapshot.answer(counting_matches(phrase))[0][0])


def counting_matches(phrase: Phrase) -> Sql:
    """Return what counts the passages that match a phrase, and where they are few lists them with their documents.

    Each passage is looked up by itself: OFFSET keeps the planner from reading all that there are.
    """
    found = matching([phrase])
    return Sql(
        f"""WITH m AS MATERIALIZED (SELECT DISTINCT passage_id FROM ({found.text}) AS f),
            n AS MATERIALIZED (SELECT count(*) AS matching FROM m)
        SELECT n.matching, h.id, h.document_id FROM n LEFT JOIN (
            SELECT p.id, p.document_id FROM m, LATERAL (SELECT p.* FROM passage p WHERE {_HERE} OFFSET 0) AS p
            WHERE (SELECT matching FROM n) <= {MOST_PASSAGES}
        ) AS h ON true ORDER BY h.id""",
        found.values,
    )


def holders(snapshot: Snapshot, phrase: Phrase) -> list[tuple[int, int]]:
    """Return the passages that match a phrase, ascending, each with its document."""
    terms, rare = plain_terms(phrase), snapshot.brought.rare
    if terms is not None and not phrase.otherwise and all(term in rare for term in terms):
        return sorted({each for term in terms for each in rare[term]})
    if terms is None and 0 < phrase_frequency(snapshot, phrase) <= MOST_PASSAGES and not phrase.otherwise:
        return [(passage, document) for _, passage, document in snapshot.answer(counting_matches(phrase))]
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
    snapshot.count(chain(*plain, (BOTH + each[0] for each in plain if len(each) > 1)))
    idf = {each: fts5_idf(phrase_frequency(snapshot, each), total.rows) for each in spelled}
    return Weighed(idf, total.average or 1.0)


def best_by_words(
    snapshot: Snapshot, groups: Sequence[Sequence[Phrase]], allowed: Allowed, depth: int
) -> list[tuple[int, float]]:
    """Return the best `depth` of the passages that match a phrase of each group, best first, equal ones by id."""
    rows = snapshot.answer(best(snapshot, groups, allowed, depth))
    keep_details(snapshot, ((row[0], *row[2 : 2 + WIDTH]) for row in rows))
    if snapshot.with_vectors:
        snapshot.brought.vectors.update((row[0], row[-1]) for row in rows[:DETAILED])
    return [(row[0], row[1]) for row in rows]


def best(snapshot: Snapshot, groups: Sequence[Sequence[Phrase]], allowed: Allowed, depth: int) -> Sql:
    """Return what selects the best by words with their scores, and of the first the details and the vectors.

    Of several groups the rarest is read, and what it gives is looked up in the others where that is less work.
    """
    weighed = _weighed(snapshot, chain.from_iterable(groups))
    sizes = {at: sum(phrase_frequency(snapshot, each) for each in group) for at, group in enumerate(groups)}
    rarest = min(sizes, key=lambda at: sizes[at])
    first = scored(groups[rarest], weighed)
    before = [0, *accumulate(len(set(chain.from_iterable(each.spellings for each in group))) for group in groups)]
    parts = [Sql(f"SELECT passage_id, score, number + {before[rarest]} AS number, {1 << rarest} AS part FROM found")]
    for at, group in enumerate(groups):
        if at != rarest:
            few = sizes[rarest] < LOOKED_UP_SHARE * sizes[at]
            found = scored(group, weighed, Sql("SELECT passage_id FROM found") if few else None)
            placed = f"SELECT passage_id, score, number + {before[at]} AS number, {1 << at} AS part"
            parts.append(Sql(f"{placed} FROM ({found.text}) AS f", found.values))
    within = allowed_sql(snapshot, allowed)
    where = f"WHERE passage_id IN ({within.text})" if within is not None else ""
    every = f"HAVING bit_or(part) = {(1 << len(groups)) - 1}" if len(groups) > 1 else ""
    vector, vectors = "", ""
    values: tuple[Any, ...] = ()
    if snapshot.with_vectors:
        vector, values = ", v.vector", (snapshot.model_id, DETAILED)
        vectors = """LEFT JOIN vectors_of(%s, ARRAY(
            SELECT passage_id FROM best ORDER BY total DESC, passage_id LIMIT %s)) AS v ON v.passage = c.passage"""
    return Sql(
        f"""WITH found AS MATERIALIZED ({first.text}), best AS MATERIALIZED (
            SELECT passage_id, {summed(before[-1])} AS total
            FROM ({" UNION ALL ".join(each.text for each in parts)}) AS f
            {where} GROUP BY passage_id {every} ORDER BY total DESC, passage_id LIMIT %s)
        SELECT c.passage, c.total, t.*{vector} FROM (
            SELECT passage_id AS passage, total, row_number() OVER (ORDER BY total DESC, passage_id) AS at FROM best
        ) AS c LEFT JOIN LATERAL ({of_passage("AND c.at <= %s")}) AS t({NAMES}) ON true {vectors} ORDER BY c.at""",
        (
            *first.values,
            *chain.from_iterable(each.values for each in parts),
            *(within.values if within is not None else ()),
            depth,
            DETAILED,
            *values,
        ),
    )


# --- texts by their words ---------------------------------------------------------------------------------------------


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
            ) AS m, LATERAL (SELECT p.* FROM passage p WHERE {_HERE} OFFSET 0) AS p {_DOCUMENT} {_ENTRY}
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
        JOIN passage p ON {_HERE} {_DOCUMENT} ORDER BY p.id""",
        (*found.values, most),
    )


def borders(
    snapshot: Snapshot, tails: Sequence[Phrase], head: Phrase, most: int
) -> list[tuple[int, str, int, str, str]]:
    """Return pairs of passages in a row of which the second matches one of `tails` and the first `head`."""
    return snapshot.answer(bordering(tails, head, most))


def bordering(tails: Sequence[Phrase], head: Phrase, most: int) -> Sql:
    """Return what selects pairs of passages in a row, with their texts and the kind of their document."""
    ends, begins = matching(tails), matching([head])
    return Sql(
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
    return snapshot.answer(bordering_short(begun, head, longest, most))


def bordering_short(begun: Sequence[Phrase], head: Phrase, longest: int, most: int) -> Sql:
    """Return what selects three passages in a row, with their texts and the kind of their document."""
    middle, begins = matching(begun), matching([head])
    return Sql(
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
