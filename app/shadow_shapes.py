"""The JSON of a model beside the one in use, with all that the screen shows of it; keys may be added, none removed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app.wording.beside import RAW_AGREEMENT, review_said, sees_said, verdict_said

if TYPE_CHECKING:
    from engine.evaluation.model_agreement import ThresholdCurve
    from training.blind_review import ReviewStanding
    from training.shadow_agreement import AgreementReport
    from training.shadow_standing import Standing

TIERS = ("strong", "likely", "weak")
Shape = dict[str, Any]


def standing_shape(found: Standing) -> Shape:
    """Return what agreement, review, gate and burn-in say of the model beside the one in use."""
    decision = found.decision
    return {
        "agreement": agreement_shape(found.report),
        "raw_agreement": RAW_AGREEMENT,
        "review": review_shape(found.review) | {"sees": asdict(found.sees)},
        "sees_said": sees_said(found.sees),
        "gate": asdict(found.gate) if found.gate else None,
        "verdict": decision.verdict,
        "promotable": decision.promotable,
        "reason": decision.reason,
        "missing": list(decision.missing),
        "verdict_said": verdict_said(found),
        "burn_in": asdict(found.burn_in) if found.burn_in else None,
    }


def agreement_shape(report: AgreementReport) -> Shape:
    """Return the agreement of all searches, by stream and slice, with the curve, the tiers and the times."""
    return {
        **asdict(report.overall),
        "queries": report.queries,
        "streams": {name: asdict(each) for name, each in report.streams},
        "slices": {name: asdict(each) for name, each in report.slices},
        "curve": _curve_shape(report.curve) if report.curve else None,
        "tiers": dict(zip(TIERS, (dict(zip(TIERS, row, strict=True)) for row in report.confusion), strict=True)),
        "ms_in_use": asdict(report.speed_a) if report.speed_a else None,
        "ms_beside": asdict(report.speed_b) if report.speed_b else None,
    }


def _curve_shape(curve: ThresholdCurve) -> Shape:
    return {
        "reference": curve.reference,
        "carried_over": asdict(curve.carried),
        "fitted": asdict(curve.fitted),
        "points": [asdict(each) for each in curve.points],
    }


def review_shape(review: ReviewStanding) -> Shape:
    """Return how the review stands; which way it leans only once it is over, for it would lead the next choice."""
    shape: Shape = {
        "reviews": review.tally.reviews,
        "left_at_most": review.left,
        "waiting": review.waiting,
        "outcome": review.outcome,
        "controls": asdict(review.controls),
        "said": review_said(review),
    }
    if review.outcome != "open":
        shape |= {"for": review.tally.won, "against": review.tally.lost, "for_neither": review.tally.even}
    return shape
