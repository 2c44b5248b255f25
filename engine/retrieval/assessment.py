"""Judges how far a library answers a query at all, from the first rows before feedback: the signals and the verdict.

What a row is worth does not depend on what was filtered away around it. So the tiers of a filtered search are held
against the best row, and the verdict, that the same words have in the whole library.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.lazy_dataclass import dataclass
from engine.records import DEFAULT_CONSTANTS, SearchSettings, Verdict
from engine.retrieval import tiers
from engine.retrieval.candidate_retrieval import Gathered, Meaning
from engine.retrieval.fusion import rank
from engine.retrieval.keyword_leg import coverage, term_scores
from engine.retrieval.postings_cache import PostingsReader
from engine.retrieval.rare_words import TELLING_SHARE, told_share
from engine.retrieval.surroundings import FIRST_PASSAGES, surroundings

if TYPE_CHECKING:
    from engine.store.store_connection import StoreConnection

VERDICTS: tuple[Verdict, ...] = ("none", "weak", "likely", "strong")  # from the least


@dataclass(frozen=True, slots=True)
class Standard:
    """What a query reaches in the whole library: the signal of its best row, and the verdict."""

    best_row: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Assessment:
    """Of the first rows before feedback: the idf-weighted coverage of the query's words, and the row signals.

    `standard` is what the query reaches without its filters; None where it has none. `pending` tells which rows have no
    vector yet, so that their signals say nothing of meaning.
    """

    coverages: tuple[float, ...]
    signals: tuple[float, ...]
    standard: Standard | None = None
    pending: tuple[bool, ...] = ()

    @property
    def best_row(self) -> float:
        """The signal of the best row, which the tiers of the others are held against."""
        return self.standard.best_row if self.standard is not None else max(self.signals, default=0.0)

    def verdict_on_rows(self, verdict: Verdict) -> Verdict:
        """Return the verdict that the rows' tiers go by: where nothing is there, none of them claims otherwise."""
        return self.standard.verdict if self.standard is not None else verdict


def assess(
    connection: StoreConnection, gathered: Gathered, settings: SearchSettings, rows: int = tiers.COVERAGE_ROWS
) -> Assessment:
    """Look at the first `rows` passages of the default fusion, whatever fusion was asked for.

    So the verdict says the same of a query in every fusion, as far as its candidates go.
    """
    candidates = gathered.candidates
    first = first_passages(gathered, settings, rows)
    scores = term_scores(connection, candidates.fts_query, candidates.ids[first].tolist())
    coverages = [coverage(candidates.fts_query, scores.get(passage, ())) for passage in candidates.ids[first].tolist()]
    cosines = np.nan_to_num(candidates.cosine[first], nan=0.0).tolist()
    signals = [tiers.row_signal(cosine, share) for cosine, share in zip(cosines, coverages, strict=True)]
    pending = np.zeros(len(first), np.bool_) if candidates.pending is None else candidates.pending[first]
    return Assessment(tuple(coverages), tuple(signals), pending=tuple(pending.tolist()))


def first_passages(gathered: Gathered, settings: SearchSettings, count: int) -> NDArray[np.int64]:
    """Return the places of the first passages of the default fusion, by what they say themselves.

    The constants are the defaults, whatever was fitted: the tiers hold for those.
    """
    plain = replace(settings, fusion="convex", weights=None, feedback=False, memory=False, constants=DEFAULT_CONSTANTS)
    return rank(gathered.candidates, plain, "none").order[:count]


def is_surrounded(gathered: Gathered, meaning: Meaning | None, settings: SearchSettings) -> bool:
    """Whether what stands around the first candidates counts: both legs must."""
    return meaning is not None and settings.fusion not in ("vector", "keyword") and len(gathered.candidates) > 0


def with_surroundings(
    words: PostingsReader, gathered: Gathered, meaning: Meaning | None, settings: SearchSettings
) -> Gathered:
    """Return the candidates with what stands around the first of them: both legs must count for that."""
    candidates = gathered.candidates
    if meaning is None or not is_surrounded(gathered, meaning, settings):
        return gathered
    first = first_passages(gathered, settings, FIRST_PASSAGES)
    found = surroundings(words, candidates.fts_query, meaning.vectors, candidates.ids, first)
    return replace(gathered, candidates=replace(candidates, surroundings=found))


def standard_of(connection: StoreConnection, whole: Gathered, settings: SearchSettings, cuts: tiers.Cuts) -> Standard:
    """Return what a query reaches in the whole library, from its candidates there."""
    seen = assess(connection, whole, settings)
    return Standard(seen.best_row, judge(whole, seen, cuts))


def judge(gathered: Gathered, assessment: Assessment, cuts: tiers.Cuts) -> Verdict:
    """Give the verdict of a query from its candidates, in their order before feedback.

    It is not "none" where a passage holds rare words that are most of what was asked for, and "likely" at least where
    one that the encoder cannot read, or that has no vector yet, holds most of its words. While much of the library has
    none, nobody knows that nothing is there. What filters leave is never better than the whole library, nor worse than
    its best row.
    """
    if not len(gathered.candidates):
        return "none"
    if gathered.candidates.query_vector is None or not len(gathered.best_cosines):
        by_words = tiers.tier_by_words(max(assessment.coverages, default=0.0))
        most = assessment.standard.verdict if assessment.standard is not None else by_words
        return min(by_words, most, key=VERDICTS.index)
    passages = gathered.candidates.fts_query.rows
    signal = tiers.query_signal(gathered.best_cosines, assessment.coverages, passages, gathered.embedded)
    found = tiers.verdict(signal, max(assessment.signals, default=0.0), cuts)
    candidates = gathered.candidates
    told = told_share(candidates.fts_query.rare, candidates.ids).max(initial=0.0) >= TELLING_SHARE
    found = "weak" if found == "none" and (told or gathered.so_far) else found
    if found in ("none", "weak") and _most_words_without_meaning(gathered, assessment) >= tiers.MOST_WORDS:
        found = "likely"
    return _filtered(found, assessment, cuts) if assessment.standard is not None else found


def _most_words_without_meaning(gathered: Gathered, assessment: Assessment) -> float:
    """Return the greatest coverage of a row whose meaning is not known."""
    held = gathered.candidates.held
    waiting = (share for share, waits in zip(assessment.coverages, assessment.pending, strict=False) if waits)
    return max(*waiting, 0.0 if held is None else float(held.max(initial=0.0)), 0.0)


def _filtered(found: Verdict, assessment: Assessment, cuts: tiers.Cuts) -> Verdict:
    """Return the verdict on what filters leave: at least its best row's tier, at most that of the whole library."""
    assert assessment.standard is not None
    beside = cuts.of_query(assessment.best_row)
    best_tier = tiers.tier(max(assessment.signals, default=0.0), beside)
    least: Verdict = best_tier if best_tier != "weak" else "none"
    return min(max(found, least, key=VERDICTS.index), assessment.standard.verdict, key=VERDICTS.index)
