"""Carries a run that fits the fusion from its queries to its verdict, without torch; a killed run goes on.

The five stages are those of a retraining. What is kept between them are the queries and the fitted constants: gathering
the candidates again takes seconds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import UsageError
from engine.evaluation.significance import paired_bootstrap
from engine.records import DEFAULT_CONSTANTS, FusionConstants
from engine.retrieval.active_model import ActiveModel
from engine.retrieval.query_memory import PastQueries
from engine.store import fitted_constants
from training import estimate, fusion_fit, fusion_test, gate, query_sources, splits
from training.candidate_evaluation import judged_memory
from training.changed_questions import changed_questions
from training.fused_queries import FusedQueries
from training.fusion_candidates import AskedQuery, JudgedSearch
from training.fusion_fit import ConstantScores
from training.kept_stages import FITTED_FILE, QUERIES_FILE
from training.known_queries import KnownQuery
from training.protocol import ConstantFit, ConstantsFitted, FoldsMade, Judged, Preparing, QueriesMade, StageStarted
from training.runs import LEDGER_FILE, folder
from training.staged_run import StagedRun

MOST_QUERIES = 1000  # whose arrays take some 100 MB; more would not move constants by what can be told apart
REPORT_EVERY = 20  # queries between two events
UNLABELLED = "nobody said what answers it"
TOO_MANY = f"more than {MOST_QUERIES:,}"


class FusionRun(StagedRun):
    """Carries out one plan. Raises Cancelled, CarrelError."""

    def carry_out(self) -> None:
        """Do what is left of the run, and tell how it ended."""
        self._begin(None)
        self._known = self._queries()
        found = self._fitted()
        verdict = self._judged(found)
        self._finish(found, verdict)

    # --- stages ------------------------------------------------------------------------------------------------------

    def _queries(self) -> list[KnownQuery]:
        kept = self._begin_stage_of_queries()
        if kept is None:
            kept = self._gathered()
            self._keep(QUERIES_FILE, [query.to_json() for query in kept])
        if not kept:
            raise UsageError(
                "There are no judged questions to fit the fusion to.",
                fix="Mark results with + and -, or give judged questions with --judged FILE.",
            )
        return kept

    def _gathered(self) -> list[KnownQuery]:
        """Return the queries of which a person said what answers them, and tell of each source."""
        found: dict[str, KnownQuery] = {}
        for name in self._plan.sources:
            self._teller.check()
            made = query_sources.gather(self._snapshot, name)
            labelled = [query for query in made.kept if query.labelled]
            unknown = [query for query in labelled if query.text.casefold() not in found]
            new = unknown[: MOST_QUERIES - len(found)]
            found |= {query.text.casefold(): query for query in new}
            dropped = dict(made.dropped)
            left = (UNLABELLED, len(made.kept) - len(labelled)), (TOO_MANY, len(unknown) - len(new))
            dropped |= {reason: number for reason, number in left if number}
            self._teller.tell(QueriesMade(origin=name, made=made.made, kept=len(new), dropped=dropped))
        return list(found.values())

    def _fitted(self) -> dict[str, Any]:
        """Return the constants that all queries give, those that each fold's others give, and what each does."""
        split = self._split
        queries = len(self._known)
        self._teller.tell(
            FoldsMade(
                queries=queries,
                folds=len(set(self._fold.tolist())),
                groups=split.groups,
                smallest_gain=gate.smallest_gain(queries),
                needed=gate.NEEDED,
                seconds=estimate.fusion_seconds(queries),
            )
        )
        kept: dict[str, Any] | None = self._kept(FITTED_FILE)
        if kept is None:
            kept = self._fit()
            self._keep(FITTED_FILE, kept)
        self._teller.tell(_told(kept))
        return kept

    def _fit(self) -> dict[str, Any]:
        self._teller.tell(StageStarted(stage="mining"))
        fused = FusedQueries(self._gathering())
        self._teller.tell(StageStarted(stage="training"))
        scores = ConstantScores(self._asking(fused), lambda: self._teller.stopped)
        every = sorted(set(self._fold.tolist()))
        whole = fusion_fit.chosen(scores, self._fold, every)
        left_out = fusion_fit.left_out(scores, self._fold)
        return {
            "constants": asdict(whole.constants),
            "used": asdict(self._used),
            "strength": None if math.isinf(whole.strength) else whole.strength,
            "left_out": [asdict(each) for each in left_out],
            "parts": [asdict(each) for each in _parts(scores, self._fold, left_out, whole.constants, self._used)],
        }

    def _gathering(self) -> Iterator[AskedQuery]:
        """Yield what each query finds, and tell how many are done."""
        for done, query in enumerate(self._search.gather(self._known, self._teller.check), 1):
            yield query
            if done % REPORT_EVERY == 0 or done == len(self._known):
                self._teller.tell(Preparing(what="gathering candidates", done=done, of=len(self._known)))

    def _asking(self, fused: FusedQueries) -> Callable[[FusionConstants], NDArray[np.float64]]:
        tried = 0

        def ask(constants: FusionConstants) -> NDArray[np.float64]:
            nonlocal tried
            self._teller.check()
            found = fused.ndcg(constants)
            tried += 1
            if tried % REPORT_EVERY == 0:
                self._teller.tell(Preparing(what="trying constants", done=tried))
            return found

        return ask

    def _judged(self, found: dict[str, Any]) -> Judged:
        self._teller.tell(StageStarted(stage="judging"))
        ledger = gate.Ledger(folder() / LEDGER_FILE)
        alpha = gate.alpha_of(ledger.uses(self._known, self._run.name))
        if found["constants"] == found["used"]:
            verdict = gate.unchanged(len(self._known), alpha, fusion_test.UNCHANGED)
        else:
            asked = fusion_test.ask_both(
                self._search,
                self._known,
                self._fold,
                [fitted_constants.constants_from(each) for each in found["left_out"]],
                fitted_constants.constants_from(found["used"]),
                self._remembered,
                self._asking_both,
            )
            alpha = gate.alpha_of(ledger.use(self._known, self._run.name))
            pairs = [(each.before, each.after) for each in asked]
            for shown in changed_questions(self._known, pairs, self._snapshot.corpus.titles):
                self._teller.tell(shown)
            verdict = fusion_test.verdict(asked, alpha)
        verdict = replace(verdict, at=time.time())
        self._teller.tell(verdict)
        return verdict

    def _asking_both(self, done: int) -> None:
        self._teller.check()
        if done % REPORT_EVERY == 0:
            self._teller.tell(Preparing(what="asking the questions left out", done=done, of=len(self._known)))

    def _finish(self, found: dict[str, Any], verdict: Judged) -> None:
        self._teller.tell(StageStarted(stage="export"))
        outcome = "promotable" if verdict.promotable else "not promotable"
        changed = found["constants"] != found["used"]
        self._end(outcome, verdict, None, {"constants": found["constants"] if changed else {}})

    # --- what several stages need ------------------------------------------------------------------------------------

    @cached_property
    def _search(self) -> JudgedSearch:
        connection = self._snapshot.connection
        model, cuts = ActiveModel(self._snapshot.encoder).of(connection)
        assert model is not None  # the snapshot has read its vectors
        return JudgedSearch(connection, model, cuts)

    @cached_property
    def _used(self) -> FusionConstants:
        """The constants that the library is searched with now."""
        return fitted_constants.in_use(self._snapshot.connection)

    @cached_property
    def _fold(self) -> NDArray[np.int64]:
        order = splits.order(self._known, self._split.group, self._plan.seed)
        return fusion_fit.folds_of(self._split.group, order)

    def _remembered(self, fold: int) -> PastQueries:
        """Return the judged queries of the other folds, as if they alone had been marked."""
        others = np.flatnonzero(self._fold != fold)
        corpus = self._snapshot.corpus
        queries = [self._known[each] for each in others.tolist()]
        return judged_memory(corpus, queries, self._vectors[others], corpus.vectors)


def _parts(
    scores: ConstantScores,
    fold: NDArray[np.int64],
    left_out: Sequence[FusionConstants],
    whole: FusionConstants,
    used: FusionConstants,
) -> list[ConstantFit]:
    """Return for each constant its values, and what it gives: with it, against the default in its place, left out."""
    parts = []
    for name in fusion_fit.GRID:
        default = getattr(DEFAULT_CONSTANTS, name)
        after, before = np.empty(len(fold)), np.empty(len(fold))
        for each, constants in enumerate(left_out):
            inside = fold == each
            after[inside] = scores.of(constants)[inside]
            before[inside] = scores.of(replace(constants, **{name: default}))[inside]
        gives = paired_bootstrap(after, before)
        values = default, getattr(used, name), getattr(whole, name)
        parts.append(ConstantFit(name, *values, gain=gives.mean, low=gives.low, high=gives.high))
    return parts


def _told(kept: dict[str, Any]) -> ConstantsFitted:
    parts = tuple(ConstantFit(**each) for each in kept["parts"])
    return ConstantsFitted(constants=parts, strength=kept["strength"])
