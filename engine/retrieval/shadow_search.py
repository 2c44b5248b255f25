"""Makes one search with the model in use and with the one beside it, in one state of the library, and compares them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

import numpy as np

from engine.lazy_dataclass import dataclass
from engine.paths import display
from engine.records import Hit, Query, SearchResult, SearchSettings, ShadowPair, ShadowSearch, ShadowStream, Tier
from engine.retrieval import search_pipeline, tiers
from engine.retrieval.cancellation import Cancellation
from engine.retrieval.search_pipeline import Model, Search

if TYPE_CHECKING:
    from engine.retrieval.fts_query import FtsQuery
    from engine.retrieval.hits import Read
    from engine.retrieval.postings_cache import PostingsCache
    from engine.store.store_connection import StoreConnection

_IDENTIFIER = re.compile(r"\w_\w|[a-z][A-Z]|[A-Za-z]\d|\w(?:\.|::|->|/)\w|\w\(\)")  # a name of code, a file, a version

RowsMade: TypeAlias = "Callable[[FtsQuery], dict[int, Read]]"  # what other searches made of a question's rows


@runtime_checkable
class TimedEncoder(Protocol):
    """An encoder that knows how long a question took, without encoding it again."""

    def query_ms(self, text: str) -> float:
        """Return the milliseconds of a core."""


@dataclass(frozen=True, slots=True)
class Side:
    """One model's search: its rows, and the milliseconds of what the model does, encoding and comparing vectors."""

    model: Model
    cuts: tiers.Cuts
    search: Search
    result: SearchResult
    ms: float


def searched(
    connection: StoreConnection,
    query: Query,
    settings: SearchSettings,
    model: Model,
    cuts: tiers.Cuts,
    *,
    limit: int,
    postings: PostingsCache,
    made: RowsMade,
    cancel: Cancellation,
) -> Side:
    """Search with one model; `made` lends what is known of the rows, so that few are made anew.

    Raises SearchCancelled.
    """
    encoding = _encoding_ms(model, query.meaning)
    search = search_pipeline.run(
        connection, query, settings, model, cuts, limit=limit, postings=postings, cancel=cancel
    )
    cancel.check()
    rows = made(search.fts_query)
    result = search_pipeline.present(connection, search, settings, model, cuts, made=rows, cancel=cancel)
    return Side(model, cuts, search, result, encoding + search.timings.vector)


def compared(connection: StoreConnection, a: Side, b: Side, stream: ShadowStream) -> ShadowSearch:
    """Return what two models found for one question, with the figures of each passage that either shows."""
    found_a, found_b = _by_passage(a.result.hits), _by_passage(b.result.hits)
    ids = [*found_a, *(each for each in found_b if each not in found_a)]
    hashes = connection.passage_hashes(ids)
    cosines_a, cosines_b = _cosines(connection, a, ids), _cosines(connection, b, ids)
    pairs: dict[bytes, ShadowPair] = {}
    for each in ids:
        in_a, in_b = found_a.get(each), found_b.get(each)
        coverage = (in_a or found_b[each]).explanation.coverage
        cosine_a, cosine_b = cosines_a.get(each), cosines_b.get(each)
        if each not in hashes or cosine_a is None or cosine_b is None:
            continue  # what a model has no vector of says nothing of it
        pairs.setdefault(  # two documents may hold the same text, of which the first counts
            hashes[each],
            ShadowPair(
                passage_hash=hashes[each],
                rank_a=in_a.rank if in_a else None,
                rank_b=in_b.rank if in_b else None,
                cosine_a=cosine_a,
                cosine_b=cosine_b,
                tier_a=in_a.tier if in_a else _tier(a, cosine_a, coverage),
                tier_b=in_b.tier if in_b else _tier(b, cosine_b, coverage),
                coverage=coverage,
            ),
        )
    query = a.result.query
    return ShadowSearch(
        query=query.text,
        stream=stream,
        verdict_a=a.result.verdict,
        verdict_b=b.result.verdict,
        ms_a=a.ms,
        ms_b=b.ms,
        top_a=tuple(dict.fromkeys(hashes[each] for each in found_a if each in hashes)),
        top_b=tuple(dict.fromkeys(hashes[each] for each in found_b if each in hashes)),
        words=len(query.meaning.split()),
        identifier=_IDENTIFIER.search(query.meaning) is not None,
        folder=_folder(connection, a.result.hits),
        pairs=tuple(pairs.values()),
    )


def _encoding_ms(model: Model, meaning: str) -> float:
    """Return the milliseconds of a core that a question takes a model: of the search that was made, where one was."""
    if isinstance(model.encoder, TimedEncoder):
        return model.encoder.query_ms(meaning)
    began = time.thread_time()
    model.encode(meaning)
    return (time.thread_time() - began) * 1e3


def _by_passage(hits: Iterable[Hit]) -> dict[int, Hit]:
    return {hit.passage_id: hit for hit in hits}


def _cosines(connection: StoreConnection, side: Side, ids: list[int]) -> dict[int, float]:
    """Return the cosine of each of these passages with the question, of those that have a vector."""
    meaning = side.search.meaning
    if meaning is None or not ids:
        return {}
    at = meaning.vectors.positions(np.array(ids, np.int64))
    there = np.flatnonzero(at >= 0)
    cosines = meaning.vectors.exactly(connection, at[there]) @ meaning.query
    return {ids[place]: float(cosine) for place, cosine in zip(there.tolist(), cosines, strict=True)}


def _tier(side: Side, cosine: float, coverage: float) -> Tier:
    """Return the tier that a passage outside the rows would have."""
    cuts = side.cuts.of_query(side.search.assessment.best_row)
    return tiers.tier(tiers.row_signal(cosine, coverage), cuts)


def _folder(connection: StoreConnection, hits: tuple[Hit, ...]) -> str:
    """Return the watched folder of the first row."""
    if not hits:
        return ""
    roots = [path for _, path in connection.folder_paths()]
    holding = [each for each in roots if hits[0].path.startswith(os.path.join(each, b""))]
    return display(max(holding, key=len)) if holding else ""
