"""The rows of a result list, read from the library once and joined with every figure that placed them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.lazy_dataclass import dataclass
from engine.records import (
    Explanation,
    Hit,
    KeywordFigure,
    SearchSettings,
    Shares,
    TermScore,
    Tier,
    VectorFigure,
    Verdict,
)
from engine.retrieval import tiers
from engine.retrieval.asked_ahead import ahead_of_rows
from engine.retrieval.candidate_retrieval import Candidates
from engine.retrieval.fts_query import FtsQuery
from engine.retrieval.fusion import Ranking
from engine.retrieval.keyword_leg import coverage, term_scores
from engine.retrieval.near_duplicates import Row
from engine.retrieval.snippet import READ_LENGTH, SNIPPET_LENGTH, Marks, snippet
from engine.store.documents import HydratedRow

if TYPE_CHECKING:
    from engine.store.store_connection import StoreConnection

ROUNDING = 1e-6  # of cosines in single precision


@dataclass(frozen=True, slots=True)
class Placing:
    """Where a row came to stand: its position in the candidates, its rank among all passages, what is under it."""

    row: Row
    rank_fused: int

    @classmethod
    def of(cls, ranking: Ranking, listed: Sequence[Row]) -> list[Placing]:
        """Look up each row's rank in the fused order."""
        fused = np.zeros(len(ranking.score), np.int64)
        fused[ranking.order] = np.arange(1, len(ranking.order) + 1)
        return [cls(row, int(fused[row.passage])) for row in listed]


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a passage for one query, whatever its place: its text, its words' scores, its snippet."""

    row: HydratedRow
    terms: tuple[TermScore, ...]
    snippet: str
    marks: tuple[tuple[int, int], ...]


def hydrate(
    connection: StoreConnection,
    candidates: Candidates,
    ranking: Ranking,
    placings: Sequence[Placing],
    cuts: tiers.Cuts,
    verdict: Verdict,
    settings: SearchSettings,
    known: dict[int, Read] | None = None,
    gone: Collection[int] = (),
    made: dict[int, Read] | None = None,
    check: Callable[[], None] = lambda: None,
) -> tuple[Hit, ...]:
    """Read the text of the rows and build the hits, in order; ranks are given to the rows that are still there.

    `known` is what was read before for the same query, by passage id; what is read now is added to it.
    What is `gone` since then is not read. `made` is what other searches made of the same query's rows (RowMemory).
    `check` is called before each row is made, and may raise to end it.
    """
    known = {} if known is None else known
    ids = [int(candidates.ids[placing.row.passage]) for placing in placings]
    unread = [passage for passage in ids if passage not in known and passage not in gone]
    known.update(_read(connection, candidates.fts_query, unread, {} if made is None else made, check))
    there = [(placing, known[passage]) for placing, passage in zip(placings, ids, strict=True) if passage in known]
    return tuple(
        _hit(rank, candidates, ranking, placing, read, cuts, verdict, settings)
        for rank, (placing, read) in enumerate(there, start=1)
    )


def _read(
    connection: StoreConnection,
    fts_query: FtsQuery,
    ids: Sequence[int],
    made: dict[int, Read],
    check: Callable[[], None],
) -> dict[int, Read]:
    """Read rows; what was made of one for this query is made again only where the row is another one since."""
    ahead_of_rows(connection, fts_query, ids)
    rows = connection.rows_for(ids, READ_LENGTH)
    found = {passage: made[passage] for passage, row in rows.items() if passage in made and made[passage].row == row}
    new = [passage for passage in ids if passage in rows and passage not in found]
    scores = term_scores(connection, fts_query, new)
    for passage in new:
        check()
        text, marks = _snippet(rows[passage], fts_query)
        found[passage] = made[passage] = Read(rows[passage], scores.get(passage, ()), text, marks)
    return found


def _snippet(row: HydratedRow, fts_query: FtsQuery) -> tuple[str, Marks]:
    """Return a row's snippet; where it cannot be made, the beginning of the text, so that the list is whole."""
    import apsw

    try:
        return snippet(row.text, fts_query, (row.title, *row.headings), row.kind)
    except apsw.Error:
        raise  # the library, or a search that is no longer wanted; not the text
    except Exception as error:
        import logging  # 8 ms, which no other search has to wait for

        logging.getLogger(__name__).warning("a snippet failed: %r (%s)", row.absolute, type(error).__name__)
        return " ".join(row.text[:SNIPPET_LENGTH].split()), ()


def _hit(
    rank: int,
    candidates: Candidates,
    ranking: Ranking,
    placing: Placing,
    read: Read,
    cuts: tiers.Cuts,
    verdict: Verdict,
    settings: SearchSettings,
) -> Hit:
    """Join what was read of a row with the figures that placed it."""
    at = placing.row.passage
    row, terms = read.row, read.terms
    share = coverage(candidates.fts_query, terms)
    cosine = float(candidates.cosine[at])
    signal = tiers.row_signal(cosine, share)
    return Hit(
        rank=rank,
        score=float(ranking.score[at]),
        tier=_tier(candidates, at, signal, share, cuts, verdict),
        passage_id=int(candidates.ids[at]),
        document_id=row.document_id,
        path=row.absolute,
        title=row.title,
        headings=row.headings,
        kind=row.kind,
        modified=row.modified,
        start=row.start,
        end=row.end,
        line_start=row.line_start,
        line_end=row.line_end,
        page=row.page,
        snippet=read.snippet,
        marks=read.marks,
        vector=_vector(candidates, at),
        keyword=_keyword(candidates, ranking, at, terms),
        shares=_shares(ranking, at),
        explanation=Explanation(
            cosine=0.0 if np.isnan(cosine) else cosine,
            rank_by_meaning=abs(int(candidates.vector_rank[at])) or None,
            rank_by_words=abs(int(candidates.keyword_rank[at])) or None,
            rank_fused=placing.rank_fused,
            rank_final=rank,
            rank_grouped=placing.row.grouped,
            signal=signal,
            coverage=share,
            cut_strong=cuts.row_strong,
            cut_likely=cuts.row_likely,
            remembered=None if ranking.memory is None else candidates.recollection.reasons.get(int(candidates.ids[at])),
        ),
        more_in_document=_ids(candidates.ids, placing.row.more),
        duplicates=_ids(candidates.ids, placing.row.duplicates),
        pending=candidates.pending is not None and bool(candidates.pending[at]),
    )


def _tier(candidates: Candidates, at: int, signal: float, share: float, cuts: tiers.Cuts, verdict: Verdict) -> Tier:
    """Judge a row, without a cosine by its words; where the verdict is that nothing is there, none claims otherwise."""
    if candidates.query_vector is not None and verdict == "none":
        return "weak"
    if candidates.query_vector is None or np.isnan(candidates.cosine[at]):
        return tiers.tier_by_words(share)
    return tiers.tier(signal, cuts)


def _shares(ranking: Ranking, at: int) -> Shares:
    """Return what each part of the ranking gave to a row's score; None for a part that had no say in it."""
    return Shares(
        vector=float(ranking.vector[at]),
        keyword=float(ranking.keyword[at]),
        feedback=float(ranking.feedback[at]) if ranking.feedback is not None else None,
        memory=float(ranking.memory[at]) if ranking.memory is not None and ranking.memory[at] else None,
        rare=float(ranking.rare[at]) if ranking.rare is not None and ranking.rare[at] else None,
        around=_changed(ranking.around, at),
        late=_changed(ranking.late, at),
    )


def _changed(part: NDArray[np.float64] | None, at: int) -> float | None:
    """Return what a part changed of a row's score; None where that is nothing but rounding."""
    changed = float(part[at]) if part is not None else 0.0
    return changed if abs(changed) > ROUNDING else None


def _vector(candidates: Candidates, at: int) -> VectorFigure | None:
    if np.isnan(candidates.cosine[at]):
        return None
    return VectorFigure(abs(int(candidates.vector_rank[at])) or None, 1.0 - float(candidates.cosine[at]))


def _keyword(candidates: Candidates, ranking: Ranking, at: int, terms: tuple[TermScore, ...]) -> KeywordFigure | None:
    rank = abs(int(candidates.keyword_rank[at]))
    if not rank:
        return None
    fts_query = candidates.fts_query
    lifts: defaultdict[str, float] = defaultdict(float)
    for word in fts_query.rare:
        if word.lifts and candidates.ids[at] in word.passages:
            lifts[fts_query.readings[word.index].term] += ranking.lift * word.share
    here = tuple(
        replace(term, rare=lifts[term.term]) if term.term in lifts else term for term in terms if term.tf > 0.0
    )
    return KeywordFigure(rank, float(candidates.bm25[at]), here)


def _ids(ids: NDArray[np.int64], positions: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(ids[position]) for position in positions)
