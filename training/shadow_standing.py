"""How the model beside the one in use stands, put together from its library: agreement, review, gate, verdict, burn-in.

What a screen and a command show of it is made here once, so that both say the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from engine.lazy_dataclass import dataclass
from engine.records import Mark, ShadowReview, ShadowSearch, ShadowState
from training.blind_review import ReviewStanding
from training.burn_in import BurnIn
from training.shadow_agreement import AgreementReport
from training.shadow_decision import Decision, Evidence, GateFinding, decide, savings
from training.shadow_gate import JudgedLibrary

if TYPE_CHECKING:
    from engine.evaluation.sequential_test import FixedTest, Sight

SHORT_REVIEW = 15  # pairs: a length that people think enough, beside which the test says what it sees


class ShadowLibrary(JudgedLibrary, Protocol):
    """The part of a library that knows of a model beside the one in use."""

    def shadow_state(self) -> ShadowState | None:
        """Return how it stands; None where nothing runs beside."""

    def shadow_searches(self, *, pairs: bool = False) -> tuple[ShadowSearch, ...]:
        """Return what both models answered, newest first."""

    def shadow_reviews(self) -> tuple[ShadowReview, ...]:
        """Return what was chosen, oldest first."""

    def marks(self) -> Sequence[Mark]:
        """Return what was opened and marked."""


@dataclass(frozen=True, slots=True)
class Sees:
    """What a blind review can see of a candidate that is preferred in `share` of the choices that prefer a list.

    `whole` is the test up to its cap, less the reviews in which neither list was preferred; `short` a review of a fixed
    length. Neither tells which way the choices lean.
    """

    share: float
    whole: Sight
    short: FixedTest
    cap: int


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is known of a model beside the one in use; `burn_in` where it was in use before."""

    state: ShadowState
    report: AgreementReport
    review: ReviewStanding
    gate: GateFinding | None
    decision: Decision
    sees: Sees
    burn_in: BurnIn | None = None


def standing(library: ShadowLibrary, now: float) -> Standing | None:
    """Return how the model beside the one in use stands; None where there is none. `now` in seconds since the epoch."""
    from training import blind_review, shadow_agreement
    from training.shadow_gate import gate_finding

    state = library.shadow_state()
    if state is None:
        return None
    searches, reviews = library.shadow_searches(pairs=True), library.shadow_reviews()
    report = shadow_agreement.report(searches, state.reference_cut)
    review = blind_review.standing(searches, reviews, seed(state))
    gate = gate_finding(library, state.shadow.name, searches)
    return Standing(
        state,
        report,
        review,
        gate,
        decide(_evidence(state, report, review, gate)),
        sees(review),
        _burn_in(library, state, searches, now),
    )


def seed(state: ShadowState) -> int:
    """Return the seed of a pair of models: it decides the order of a review and its sides, and stays for both."""
    told = f"{state.active.name} {state.shadow.name} {state.since}"
    return int.from_bytes(hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=6).digest(), "big")


def _evidence(
    state: ShadowState, report: AgreementReport, review: ReviewStanding, gate: GateFinding | None
) -> Evidence:
    a, b = state.active, state.shadow
    measured = [
        ("time", report.speed_a.median if report.speed_a else 0.0, report.speed_b.median if report.speed_b else 0.0),
        ("disk", a.model_bytes + a.vector_bytes, (b.model_bytes + b.vector_bytes) if b.model_bytes else 0),
        ("memory", a.memory_bytes, b.memory_bytes),
    ]
    fitted = report.curve is not None
    return Evidence(
        coverage=state.coverage,
        tiers_fitted=state.tiers_fitted,
        fitted_pairs=report.overall.pairs if fitted else 0,
        fitted_queries=report.queries if fitted else 0,
        agreement=report.overall,
        review=review,
        gate=gate,
        savings=savings(measured),
    )


def sees(review: ReviewStanding) -> Sees:
    """Return what a review can see, whichever way its choices lean."""
    from engine.evaluation.sequential_test import BETTER, CAP, Tally, fixed_test, sight

    return Sees(BETTER, sight(BETTER, tally=Tally(even=review.tally.even)), fixed_test(SHORT_REVIEW), CAP)


def _burn_in(library: ShadowLibrary, state: ShadowState, searches: Sequence[ShadowSearch], now: float) -> BurnIn | None:
    from training.burn_in import burn_in
    from training.shadow_agreement import speed

    if state.former_since is None:
        return None
    live = [each for each in searches if each.stream == "live" and each.at >= state.former_since]
    speeds = speed([each.ms_a for each in live]), speed([each.ms_b for each in live])
    return burn_in(live, library.marks(), state.former_since, now, speeds)
