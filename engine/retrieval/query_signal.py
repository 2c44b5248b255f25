"""The first rows of a plain ranking, looked at closely enough to judge the query: how much of it stands in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.records import SearchSettings
from engine.retrieval import tiers
from engine.retrieval.candidate_retrieval import Gathered
from engine.retrieval.fusion import rank
from engine.retrieval.term_scores import coverage, term_scores

if TYPE_CHECKING:
    import apsw


@dataclass(frozen=True, slots=True)
class Assessment:
    """Of the first rows before feedback: the idf-weighted coverage of the query's words, and the row signals."""

    coverages: tuple[float, ...]
    signals: tuple[float, ...]


def assess(
    connection: apsw.Connection, gathered: Gathered, settings: SearchSettings, rows: int = tiers.COVERAGE_ROWS
) -> Assessment:
    """Look at the first `rows` passages of the default fusion, whatever fusion was asked for.

    So the verdict says the same of a query in every fusion, as far as its candidates go.
    """
    candidates = gathered.candidates
    plain = replace(settings, fusion="convex", weights=None, feedback=False, memory=False)
    first = rank(candidates, plain, "none").order[:rows]
    scores = term_scores(connection, candidates.matching, candidates.ids[first].tolist())
    coverages = [coverage(candidates.matching, scores.get(passage, ())) for passage in candidates.ids[first].tolist()]
    cosines = np.nan_to_num(candidates.cosine[first], nan=0.0).tolist()
    signals = [tiers.row_signal(cosine, share) for cosine, share in zip(cosines, coverages, strict=True)]
    return Assessment(tuple(coverages), tuple(signals))
