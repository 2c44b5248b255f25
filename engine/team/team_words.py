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
from engine.team.passage_postings import BOTH, kept
from engine.team.phrase_sql import Sql, Weighed, begun_term, matching, plain_terms, scored, summed
from engine.team.row_lookups import passage_at
from engine.team.snapshot import counting
from engine.team.team_filters import allowed_sql
from engine.team.word_postings import asking as asking_postings
from engine.team.word_postings import asking_begun, unpacked

if TYPE_CHECKING:
    from engine.team.snapshot import Snapshot
    from engine.team.word_postings import KeptPostings

DETAILED = 200  # of the best by words: as many become candidates of a search
LOOKED_UP_SHARE = 0.1  # a passage looked up by itself costs as much as ten postings read in a row
_RARE = f"""SELECT t.term, p.id, p.document_id FROM posting t
{passage_at("t.passage_id")}
WHERE t.term = ANY(ARRAY(
    SELECT term FROM term_count WHERE term = ANY(%s) GROUP BY term HAVING sum(passages) BETWEEN 1 AND %s))"""


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


def forms_of(terms: Iterable[str]) -> list[str]:
    """Return what the words of a query may be ranked by: each term as it is and as the stem of others."""
    return [each for each in _with_forms(map(kept, terms)) if each[:1] != BOTH]


def begun_of(words: Iterable[str]) -> list[str]:
    """Return what the beginnings of words may be ranked by."""
    return list(filter(None, (begun_term(Phrase((word,), prefix=True)) for word in words)))


def bringing_postings(snapshot: Snapshot, terms: Sequence[str], begun: Sequence[str]) -> list[Sql]:
    """Return what selects the postings of a query's words, and of beginnings, that are not kept of this state."""
    asked = [asking_postings(terms, snapshot.postings)] if terms else []
    return [*asked, asking_begun(begun, snapshot.postings)] if begun else asked


def keep_postings(snapshot: Snapshot, terms: Sequence[str], begun: Sequence[str], kept_postings: KeptPostings) -> None:
    """Keep what was asked ahead of the postings of words, for this search and for later ones."""
    for asked in bringing_postings(snapshot, terms, begun):
        brought = unpacked(snapshot.answer(asked))
        snapshot.postings = {**snapshot.postings, **brought}
        kept_postings.keep(brought)


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
    if (begun := begun_term(phrase)) is not None and snapshot.words_here.has(phrase, snapshot.counts):
        return snapshot.words_here.count(begun)
    return int(snapshot.answer(counting_matches(phrase))[0][0])


def counting_matches(phrase: Phrase) -> Sql:
    """Return what counts the passages that match a phrase, and where they are few lists them with their documents."""
    found = matching([phrase])
    return Sql(
        f"""WITH m AS MATERIALIZED (SELECT DISTINCT passage_id FROM ({found.text}) AS f),
            n AS MATERIALIZED (SELECT count(*) AS matching FROM m)
        SELECT n.matching, h.id, h.document_id FROM n LEFT JOIN (
            SELECT p.id, p.document_id FROM m {passage_at("m.passage_id")}
            WHERE (SELECT matching FROM n) <= {MOST_PASSAGES}
        ) AS h ON true ORDER BY h.id""",
        found.values,
    )


def holders(snapshot: Snapshot, phrase: Phrase) -> list[tuple[int, int]]:
    """Return the passages that match a phrase, ascending, each with its document."""
    terms, rare = plain_terms(phrase), snapshot.brought.rare
    if terms is not None and not phrase.otherwise and all(term in rare for term in terms):
        return sorted({each for term in terms for each in rare[term]})
    here = snapshot.words_here.has(phrase, snapshot.counts)
    if here and (begun := begun_term(phrase)) is not None and snapshot.words_here.count(begun) <= MOST_PASSAGES:
        return snapshot.words_here.holders(begun)
    if terms is None and 0 < phrase_frequency(snapshot, phrase) <= MOST_PASSAGES and not phrase.otherwise:
        return [(passage, document) for _, passage, document in snapshot.answer(counting_matches(phrase))]
    found = matching([phrase])
    return snapshot.rows(
        f"SELECT DISTINCT p.id, p.document_id FROM ({found.text}) AS m {passage_at('m.passage_id')} ORDER BY p.id",
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


def has_brought(snapshot: Snapshot, phrase: Phrase, allowed: Allowed) -> bool:
    """Whether all postings of a phrase are here, and no filter, which is the server's matter, stands in the way."""
    return allowed.everything and all(snapshot.words_here.has(each, snapshot.counts) for each in phrase.spellings)


def best_here(
    snapshot: Snapshot, groups: Sequence[Sequence[Phrase]], allowed: Allowed, depth: int
) -> list[tuple[int, float]] | None:
    """Return what `best_by_words` gives, ranked here where all postings are; None where the server ranks."""
    key = (tuple(map(tuple, groups)), depth)
    phrases = [*chain.from_iterable(groups)]
    if not (phrases and all(has_brought(snapshot, each, allowed) for each in phrases)):
        return None
    if key not in snapshot.brought.best:
        ids, scores = snapshot.words_here.best(groups, _weighed(snapshot, phrases), depth)
        snapshot.brought.best[key] = list(zip(ids.tolist(), scores.tolist(), strict=True))
    return snapshot.brought.best[key]


def best_by_words(
    snapshot: Snapshot, groups: Sequence[Sequence[Phrase]], allowed: Allowed, depth: int
) -> list[tuple[int, float]]:
    """Return the best `depth` of the passages that match a phrase of each group, best first, equal ones by id."""
    if (here := best_here(snapshot, groups, allowed, depth)) is not None:
        return here
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


def count_holding(snapshot: Snapshot, phrase: Phrase, allowed: Allowed = EVERYTHING) -> int:
    """Return how many of the allowed passages match a phrase."""
    within = allowed_sql(snapshot, allowed)
    if within is None:
        return phrase_frequency(snapshot, phrase)
    found = matching([phrase])
    values: tuple[Any, ...] = (*found.values, *within.values)
    sql = f"SELECT count(DISTINCT passage_id) FROM ({found.text}) AS m WHERE passage_id IN ({within.text})"
    return int(snapshot.value(sql, values))
