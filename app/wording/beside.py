"""What is said of a model that runs beside the one in use: its verdict, its review, its cuts, its burn-in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from app.wording.paths import shown_path
from app.wording.safe_text import one_line
from engine.figures import counted, figure, interval, percent

if TYPE_CHECKING:
    from engine.evaluation.model_agreement import CutAgreement
    from training.blind_review import ReviewStanding
    from training.burn_in import BurnIn
    from training.shadow_decision import Decision, GateFinding
    from training.shadow_standing import Sees, Standing

VERDICTS = {
    "accepted": "● accepted",
    "as good": "● as good",
    "refused": "✗ refused",
    "undecided": "? undecided",
    "open": "○ open",
}
RAW_AGREEMENT = (
    "Raw agreement says nothing: most passages lie below any cut, so a ruined model agrees in 95 % too. Kappa takes "
    "off what chance reaches."
)
NOTHING_BESIDE = "No model runs beside the one in use."
STREAMS = {"live": "live", "replay": "replayed", "held-out": "held out"}
NOT_KNOWN = "–"


def slice_said(name: str) -> str:
    """Return the name of a slice; that of a folder with the person's home as ~."""
    return shown_path(os.fsencode(name)) if name.startswith("/") else one_line(name)


def known(value: float | None, decimals: int = 3) -> str:
    """Return a figure, or a dash where there is none."""
    return NOT_KNOWN if value is None else figure(value, decimals)


def tenths(share: float | None) -> str:
    """Return a share in percent with one decimal, as agreement needs it: 6.8 %, 95.4 %."""
    return NOT_KNOWN if share is None else f"{100 * share:.1f} %"


def verdict_said(found: Standing) -> str:
    """Return the verdict in a sentence or two, and what is missing before the candidate may be taken into use."""
    decision = found.decision
    said = f"{VERDICTS[decision.verdict]}: {decision.reason}"
    return f"{said} {missing_said(decision)}" if decision.missing else said


def missing_said(decision: Decision) -> str:
    """Return what a candidate lacks before it may be taken into use."""
    return f"Before it may be taken into use it lacks {'; '.join(decision.missing)}."


def review_said(review: ReviewStanding) -> str:
    """Return how many reviews are left at most; how the choices stand is told once they are all made."""
    made = counted(review.tally.reviews, "review")
    if review.outcome != "open":
        won, lost, even = review.tally.won, review.tally.lost, review.tally.even
        return f"The review is over after {made}: {won} for the candidate, {lost} against it, {even} for neither."
    left = f"{counted(review.left, 'more review')} at most"
    if not review.waiting:
        return f"{made} so far, {left}; no search whose first rows differ waits for one."
    return (
        f"{made} so far, {left}; {counted(review.waiting, 'search', 'searches')} to be reviewed."
        if (review.tally.reviews or review.waiting < review.left)
        else f"{left}; {counted(review.waiting, 'search', 'searches')} to be reviewed."
    )


def sees_said(sees: Sees) -> str:
    """Return what a review can see, and what a short one could not."""
    share = percent(sees.share)
    return (
        f"Of 100 candidates preferred in {share}, {int(100 * sees.whole.accepted)} are accepted, after "
        f"{sees.whole.reviews:.0f} reviews on average; a review of {sees.short.reviews} pairs would see "
        f"{int(100 * sees.short.power)} of them."
    )


def controls_said(review: ReviewStanding) -> str:
    """Return what was chosen where both lists were the same; "" where that was not shown yet."""
    shown, preferred = review.controls.shown, review.controls.preferred
    if not shown:
        return ""
    said = f"Both lists were the same {counted(shown, 'time')}; a side was preferred in {preferred} of them."
    return said if review.controls.passed else f"{said} Such choices accept nothing."


def cut_said(name: str, cut: CutAgreement) -> str:
    """Return what a cut agrees in: carried over .522: 6.8 % agree, kappa .00."""
    return f"{name} {figure(cut.cut)}: {tenths(cut.agreement)} agree, kappa {figure(cut.kappa, 2)}"


def gate_said(gate: GateFinding | None) -> str:
    """Return what the gate says on judged questions."""
    if gate is None:
        return "No judged question was asked of both."
    where = f"{counted(gate.queries, 'judged question')}" if gate.queries else "questions held out from its run"
    bounds = "" if gate.low is None or gate.high is None else f", NDCG@10 {interval(gate.low, gate.high)}"
    return f"The gate on {where}: {one_line(gate.verdict)}{bounds}."


def burn_in_said(found: BurnIn, before: str) -> str:
    """Return how a model that was taken into use stands the test of use; `before` is the model kept beside it."""
    before = one_line(before)
    if found.standing == "way back":
        return f"Better go back to {before}: {'; '.join(found.faults)}."
    if found.standing == "passed":
        return f"The burn-in is passed; {before} need not be kept beside it any longer."
    waits = [
        counted(round(found.days_left + 0.49), "day") if found.days_left else "",
        counted(found.searches_left, "search", "searches") if found.searches_left else "",
        f"{counted(found.rows_left, 'row')} that you open or mark" if found.rows_left else "",
    ]
    return f"Burn-in: {', '.join(filter(None, waits))} to go; {before} is kept current until then."
