"""Decides whether a model that ran beside the one in use may take its place. Pure; every reason is said in words.

Accepted is what a blind review or the gate found better. Being as good is a verdict of its own, which needs something
that is won by it: a smaller or a faster model. Nothing is accepted whose tiers were not fitted anew: with the cuts of
another model a harmless change has agreed in 6.8 % of all pairs, where its own cuts gave 95.4 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import TYPE_CHECKING, Literal

from engine.figures import percent, percent_there
from engine.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from training.blind_review import ReviewStanding
    from training.shadow_agreement import Agreement

LEAST_COVERAGE = 0.99  # of the passages that have a vector of the candidate
LEAST_PAIRS, LEAST_QUERIES = 200, 50  # that the candidate's cut must rest on
LEAST_KAPPA, LEAST_RBO = 0.7, 0.7  # of a model that is as good: a ruined one reached .55 and .45
WORST_LOSS = -0.01  # of NDCG@10, that the gate's interval must leave out for a model that is as good
LEAST_SAVING = 0.1  # of milliseconds, bytes on disk or in memory, from which one is worth naming
AGAINST = 0.05  # chance of so few preferences for the candidate, below which the reviews speak against it

Verdict = Literal["accepted", "as good", "refused", "undecided", "open"]


@dataclass(frozen=True, slots=True)
class GateFinding:
    """What the gate said of a candidate on judged questions; `low` bounds its NDCG@10 difference, None: not measured.

    `verdict` is "gain", "no gain", "worse" or "cannot judge"; `queries` counts the questions, 0: not known,
    as of a run.
    """

    verdict: str
    low: float | None = None
    high: float | None = None
    queries: int = 0


@dataclass(frozen=True, slots=True)
class Saving:
    """What a candidate takes less of: "time", "disk" or "memory", and the share that is saved."""

    of: str
    share: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a decision rests on. `fitted_pairs` and `fitted_queries` are those behind the candidate's cut."""

    coverage: float
    tiers_fitted: bool
    fitted_pairs: int
    fitted_queries: int
    agreement: Agreement
    review: ReviewStanding
    gate: GateFinding | None = None
    savings: tuple[Saving, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with its reason, and what is still missing before the candidate could be taken into use."""

    verdict: Verdict
    reason: str
    missing: tuple[str, ...] = ()

    @property
    def promotable(self) -> bool:
        """Whether the candidate may be taken into use."""
        return self.verdict in ("accepted", "as good") and not self.missing


def decide(evidence: Evidence) -> Decision:
    """Decide. What is missing stays named whatever the verdict is, and nothing is promotable while there is any."""
    verdict, reason = _found(evidence)
    return Decision(verdict, reason, tuple(_missing(evidence)))


def _found(evidence: Evidence) -> tuple[Verdict, str]:
    gate, review = evidence.gate, evidence.review
    if gate is not None and gate.verdict == "worse":
        return "refused", f"It is worse on {_asked(gate)}."
    if speaks_against(review):
        return "refused", f"The reviews prefer the model in use: {_choices(review)}."
    if review.outcome == "accepted":
        return "accepted", f"The reviews prefer it: {_choices(review)}."
    if gate is not None and gate.verdict == "gain":
        return "accepted", f"It finds more on {_asked(gate)}."
    if _as_good(evidence):
        saved = " and ".join(f"{percent(each.share)} less {each.of}" for each in evidence.savings)
        return "as good", f"It answers as the model in use does, with {saved}."
    if review.outcome == "refused":
        return "refused", f"The reviews do not prefer it: {_choices(review)}."
    if review.outcome == "undecided":
        return "undecided", f"{review.tally.reviews} reviews did not tell which of the two is better."
    if not review.controls.passed:
        return "open", "A side was preferred where both lists were the same, so the reviews do not count yet."
    return "open", "Nothing has shown yet that it is better."


def speaks_against(review: ReviewStanding) -> bool:
    """Whether so few preferences for the candidate would come by chance in less than one review of twenty.

    Looked at where the test has ended only: looking after each choice would find such a run sooner or later.
    """
    won, asked = review.tally.won, review.tally.won + review.tally.lost
    if review.outcome not in ("refused", "undecided") or not asked:
        return False
    chance = float(sum(comb(asked, each) for each in range(won + 1)) / 2**asked)
    return chance <= AGAINST


def _asked(gate: GateFinding) -> str:
    return f"{gate.queries} judged questions" if gate.queries else "questions that were held out"


def _choices(review: ReviewStanding) -> str:
    return f"{review.tally.won} to {review.tally.lost}, {review.tally.even} for neither"


def _as_good(evidence: Evidence) -> bool:
    found, gate = evidence.agreement, evidence.gate
    alike = (found.kappa or 0.0) >= LEAST_KAPPA and (found.rbo or 0.0) >= LEAST_RBO
    harmless = gate is not None and gate.low is not None and gate.low > WORST_LOSS
    return alike and harmless and bool(evidence.savings)


def _missing(evidence: Evidence) -> list[str]:
    """Return what has to be there before any candidate is taken into use."""
    missing = []
    if evidence.coverage < LEAST_COVERAGE:
        missing.append(f"its vectors of {percent_there(1 - evidence.coverage, 1)} of the passages")
    if not evidence.tiers_fitted:
        missing.append("its own cuts of strong, likely and weak")
    if evidence.fitted_pairs < LEAST_PAIRS or evidence.fitted_queries < LEAST_QUERIES:
        have = f"{evidence.fitted_pairs} of {LEAST_PAIRS} pairs from {evidence.fitted_queries} of {LEAST_QUERIES}"
        missing.append(f"searches through both, to fit its cut on: {have} questions are there")
    return missing


def savings(measured: Sequence[tuple[str, float, float]]) -> tuple[Saving, ...]:
    """Return what is saved, the most first; each measure as its name, what the model in use takes, and the candidate.

    What is 0 was not measured, and saves nothing.
    """
    shares = [Saving(name, 1 - candidate / used) for name, used, candidate in measured if used > 0 and candidate > 0]
    return tuple(sorted((each for each in shares if each.share >= LEAST_SAVING), key=lambda each: -each.share))
