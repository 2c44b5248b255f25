"""One search from the query's text to its rows: each stage leaves its figures for the next and for the explanation."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.lazy_dataclass import dataclass
from engine.records import (
    Grade,
    Hit,
    Query,
    Remark,
    SearchResult,
    SearchSettings,
    Timings,
    Verdict,
    Weights,
    WordReading,
)
from engine.retrieval import tiers
from engine.retrieval.asked_ahead import ahead_of_judging, ahead_of_legs
from engine.retrieval.assessment import Assessment, assess, judge, standard_of, with_surroundings
from engine.retrieval.cancellation import Cancellation
from engine.retrieval.candidate_retrieval import DEPTH, Gathered, Meaning, gather
from engine.retrieval.distinct_ids import distinct
from engine.retrieval.filters import allowed, left_out
from engine.retrieval.fts_query import FtsQuery, fts_query_of
from engine.retrieval.fusion import Ranking, rank
from engine.retrieval.hits import Placing, Read, hydrate
from engine.retrieval.late_interaction import DEPTH as LATE_DEPTH
from engine.retrieval.late_interaction import Late
from engine.retrieval.near_duplicates import Row, rows
from engine.retrieval.newest_documents import newest, newest_holding
from engine.retrieval.on_demand_vectors import OnDemandVectors
from engine.retrieval.pending_passages import ASKED, wanted
from engine.retrieval.postings_cache import PostingsCache, PostingsReader
from engine.retrieval.query_memory import NOTHING, PastQueries, Recollection
from engine.retrieval.unread_passages import Reads, everything
from engine.retrieval.vector_leg import Vectors
from engine.store.allowed import EVERYTHING, Allowed
from engine.store.bm25 import idf
from engine.store.judgements import OPENED

if TYPE_CHECKING:
    from engine.store.store_connection import StoreConnection

DEEPEST = 6400  # candidates a leg at most, however many rows one document takes


@dataclass(frozen=True, slots=True)
class Model:
    """What a search needs of the active model: its name, its encoder of queries, its vectors, its background cosine.

    `embedded` is the share of the passages that have a vector by now; `on_demand` makes those that a search lacks.
    """

    name: str
    encode: Callable[[str], NDArray[np.float32]]
    vectors: Vectors
    background: float
    past_queries: PastQueries = field(default_factory=PastQueries)
    id: int = 0  # of its vectors and calibration in the library
    reads: Reads = everything
    embedded: float = 1.0
    on_demand: OnDemandVectors | None = None
    late: Late | None = None  # None: the library has none, or it is off
    encoder: object = None  # what `encode` is of: asked for its token vectors, where it has them


@dataclass(frozen=True, slots=True)
class Search:
    """A search that ran, before its rows are read: what "why not" and "what if" start from."""

    query: Query
    fts_query: FtsQuery
    allowed: Allowed
    meaning: Meaning | None
    gathered: Gathered
    assessment: Assessment
    verdict: Verdict
    ranking: Ranking
    rows: list[Row]
    timings: Timings


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query as one store is asked it: what it may find, what it means, what its answer is judged and ranked by."""

    connection: StoreConnection
    words: PostingsReader
    query: Query
    within: Allowed
    meaning: Meaning | None
    settings: SearchSettings
    model: Model | None
    cuts: tiers.Cuts
    limit: int
    cancel: Cancellation


def run(
    connection: StoreConnection,
    query: Query,
    settings: SearchSettings,
    model: Model | None,
    cuts: tiers.Cuts,
    *,
    limit: int,
    postings: PostingsCache | None = None,
    cancel: Cancellation | None = None,
    forced: tuple[int, ...] = (),
) -> Search:
    """Gather, judge, fuse and group; no text is read but for the rows that the verdict is read from."""
    cancel = cancel or Cancellation()
    began = time.perf_counter()
    words = (postings or PostingsCache()).of(connection)
    fts_query = fts_query_of(query, words)
    within = allowed(query.filters, fts_query)
    cancel.check()
    if not fts_query.phrases:
        return _without_words(connection, query, fts_query, within, settings, limit, cancel)
    encoding = time.perf_counter()
    meaning = _meaning(query, settings, model)
    encoded = time.perf_counter()
    recollection = _recalled(connection, settings, model, meaning, within)
    cancel.check()
    among = [within] if within.everything else [within, EVERYTHING]
    ahead_of_legs(words, fts_query, meaning, among, DEPTH)
    whole = gather(words, fts_query, EVERYTHING, meaning, settings, cancel=cancel) if not within.everything else None
    asked = _Asked(connection, words, query, within, meaning, settings, model, cuts, limit, cancel)
    depth = DEPTH
    while True:
        cancel.check()
        gathered = gather(
            words,
            fts_query,
            within,
            meaning,
            settings,
            depth=depth,
            forced=forced,
            recollection=recollection,
            cancel=cancel,
        )
        fusing = time.perf_counter()
        search = _ranked(asked, gathered, whole)
        if len(search.rows) >= limit or not gathered.candidates.truncated or depth >= DEEPEST:
            break
        depth *= 4
    done = time.perf_counter()
    timings = Timings(
        encode=(encoded - encoding) * 1e3,
        keyword=gathered.keyword_ms + (encoding - began) * 1e3,
        vector=gathered.vector_ms,
        fuse=(done - fusing) * 1e3,
        total=(done - began) * 1e3,
    )
    return replace(search, timings=timings)


def _ranked(asked: _Asked, gathered: Gathered, whole: Gathered | None) -> Search:
    """Judge, fuse and group what the legs gathered; `whole` is what they gather without the filters, if any stand."""
    connection, settings, meaning = asked.connection, asked.settings, asked.meaning
    asked.cancel.check()
    ahead_of_judging(asked.words, gathered, whole, meaning, settings, asked.limit)
    standard = standard_of(connection, whole, settings, asked.cuts) if whole is not None else None
    assessment = replace(assess(connection, gathered, settings), standard=standard)
    verdict = judge(gathered, assessment, asked.cuts)
    asked.cancel.check()
    gathered = with_surroundings(asked.words, gathered, meaning, settings)
    asked.cancel.check()
    ranking = rank(gathered.candidates, settings, verdict)
    late = asked.model.late if asked.model is not None and meaning is not None and settings.late else None
    if late is not None:
        gathered = _with_late_scores(connection, gathered, ranking, late, asked.query.meaning)
        ranking = rank(gathered.candidates, settings, verdict)
    listed = rows(gathered.candidates, ranking.order, settings, asked.limit)
    fts_query = gathered.candidates.fts_query
    return Search(
        asked.query, fts_query, asked.within, meaning, gathered, assessment, verdict, ranking, listed, Timings()
    )


def _with_late_scores(
    connection: StoreConnection, gathered: Gathered, ranking: Ranking, stage: Late, question: str
) -> Gathered:
    """Return the candidates with the late scores of the first hundred of a ranking."""
    first, candidates = ranking.order[:LATE_DEPTH], gathered.candidates
    late = np.full(len(candidates), np.nan)
    late[first] = stage.scores(connection, question, candidates.ids[first])
    return replace(gathered, candidates=replace(candidates, late=late))


def reorder(search: Search, settings: SearchSettings, limit: int) -> Search:
    """Fuse and group the candidates of a search by other settings, without searching the legs again."""
    if not search.fts_query.phrases:
        return replace(search, rows=rows(search.gathered.candidates, search.ranking.order, settings, limit))
    ranking = rank(search.gathered.candidates, settings, search.verdict)
    listed = rows(search.gathered.candidates, ranking.order, settings, limit)
    return replace(search, ranking=ranking, rows=listed)


def with_nearest_words(search: Search, words: PostingsReader) -> Search:
    """Return the search with the nearest word of the library beside each word that no passage holds."""
    fts_query = search.fts_query
    readings = tuple(
        reading if reading.documents or fts_query.signs else replace(reading, nearest=words.nearest(reading.term))
        for reading in fts_query.readings
    )
    return replace(search, fts_query=replace(fts_query, readings=readings))


def present(
    connection: StoreConnection,
    search: Search,
    settings: SearchSettings,
    model: Model | None,
    cuts: tiers.Cuts,
    known: dict[int, Read] | None = None,
    gone: Collection[int] = (),
    made: dict[int, Read] | None = None,
    cancel: Cancellation | None = None,
) -> SearchResult:
    """Read the text of the rows and give the whole result; `known`, `gone` and `made` as `hydrate` has them.

    Raises SearchCancelled.
    """
    began = time.perf_counter()
    candidates = search.gathered.candidates
    cuts = cuts.of_query(search.assessment.best_row)
    placings = Placing.of(search.ranking, search.rows)
    verdict = search.assessment.verdict_on_rows(search.verdict)
    check = (cancel or Cancellation()).check
    hits = hydrate(connection, candidates, search.ranking, placings, cuts, verdict, settings, known, gone, made, check)
    if model is not None:
        judged = model.past_queries.judged(connection, " ".join(search.query.text.split()), model.vectors)
        hits = tuple(_with_marks(hit, judged) for hit in hits) if judged else hits
    spent = (time.perf_counter() - began) * 1e3
    return SearchResult(
        query=search.query,
        verdict=search.verdict,
        model=model.name if model else "",
        fusion=settings.fusion,
        weights=search.ranking.weights,
        timings=replace(search.timings, fuse=search.timings.fuse + spent, total=search.timings.total + spent),
        words=search.fts_query.readings,
        hits=hits,
        found=len(distinct(candidates.entries)),
        passages=search.fts_query.rows,
        left_out=left_out(connection, search.query.filters, search.fts_query),
        embedded=search.gathered.embedded,
        so_far=search.gathered.so_far,
        awaited=tuple(wanted(candidates, [row.passage for row in search.rows], ASKED)),
        constants=settings.used_constants,
        late=model.late.name if model is not None and model.late and candidates.late is not None else "",
    )


def _with_marks(hit: Hit, judged: Mapping[int, Grade]) -> Hit:
    """Return a row with what the person thinks of its passage, and of the first of those below that was marked."""
    below = ((each, judged[each]) for each in (*hit.more_in_document, *hit.duplicates) if each in judged)
    marked = next((mark for mark in below if mark[1] != OPENED), None)
    return replace(hit, judged=judged.get(hit.passage_id), judged_below=marked)


def _without_words(
    connection: StoreConnection,
    query: Query,
    fts_query: FtsQuery,
    within: Allowed,
    settings: SearchSettings,
    limit: int,
    cancel: Cancellation,
) -> Search:
    """List documents newest first: those that hold the signs asked for, else those that pass the filters.

    What filters leave is exactly what was asked for, so the verdict is sure; of a list that nobody restricted it is
    not. Signs are words of which no meaning is known.
    """
    began = time.perf_counter()
    if fts_query.signs:
        found = newest_holding(connection, fts_query.signs, within, max(limit, DEPTH), cancel)
        count = len(found.passages)
        signs = " ".join(fts_query.signs)
        fts_query = replace(fts_query, readings=(WordReading(signs, count, idf(count, fts_query.rows)),))
        if found.left:
            query = replace(query, remarks=(*query.remarks, Remark(signs, "capped", str(found.left))))
        sure: Verdict = "likely"
        weights = Weights(0.0, 1.0, "signs as they stand, newest first")
    else:
        found = newest(connection, within, limit)
        sure = "weak" if within.everything else "strong"
        weights = Weights(0.0, 0.0, "no words asked: newest first")
    candidates = found.candidates(fts_query)
    zeros = np.zeros(len(candidates))
    ranking = Ranking(candidates.tie, zeros, zeros, zeros, None, weights)
    gathered = Gathered(candidates, 0.0, 0.0, np.empty(0, np.float32))
    listed = rows(candidates, ranking.order, settings, limit)
    timings = Timings(total=(time.perf_counter() - began) * 1e3)
    verdict: Verdict = sure if listed else "none"
    return Search(query, fts_query, within, None, gathered, Assessment((), ()), verdict, ranking, listed, timings)


def _recalled(
    connection: StoreConnection,
    settings: SearchSettings,
    model: Model | None,
    meaning: Meaning | None,
    within: Allowed,
) -> Recollection:
    if model is None or meaning is None or not settings.memory or settings.fusion != "convex":
        return NOTHING
    return model.past_queries.recall(connection, meaning.query, meaning.vectors, within, settings.opened_until)


def _meaning(query: Query, settings: SearchSettings, model: Model | None) -> Meaning | None:
    if model is None or settings.fusion == "keyword" or not query.meaning.strip():
        return None
    return Meaning(model.encode(query.meaning), model.vectors, model.background, model.reads, model.embedded)
