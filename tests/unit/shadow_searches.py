"""Searches that two models answered, made by hand for tests: rows are named by letters."""

from __future__ import annotations

from typing import Any

from engine.evaluation.sequential_test import Tally
from engine.records import ShadowPair, ShadowReview, ShadowSearch
from training.blind_review import Controls, ReviewStanding
from training.shadow_agreement import Agreement


def rows(letters: str) -> tuple[bytes, ...]:
    """Return passage hashes named by letters."""
    return tuple(letter.encode() for letter in letters)


def search(number: int, a: str = "abcdefgh", b: str = "bacdefgh", **other: Any) -> ShadowSearch:
    """Return a search whose lists are `a` and `b`, under a question of its own."""
    facts: dict[str, Any] = {"query": f"question {number}", "stream": "live", "verdict_a": "likely",
                             "verdict_b": "likely", "ms_a": 10.0, "ms_b": 12.0, "words": 2 + number % 12}  # fmt: skip
    return ShadowSearch(**(facts | {"top_a": rows(a), "top_b": rows(b), "id": number} | other))


def pair(cosine_a: float, cosine_b: float, tier_a: Any = "weak", tier_b: Any = "weak") -> ShadowPair:
    """Return a passage under both models."""
    return ShadowPair(b"h", 1, 1, cosine_a, cosine_b, tier_a, tier_b, 0.0)


def chosen(number: int, *, left_is_b: bool, choice: Any, control: bool = False) -> ShadowReview:
    """Return a choice between the lists of a search."""
    return ShadowReview(number, left_is_b, choice, 3.0, control)


def reviewed(won: int = 0, lost: int = 0, even: int = 0, *, shown: int = 0, preferred: int = 0) -> ReviewStanding:
    """Return the standing of a review with so many choices."""
    return ReviewStanding(Tally(won, lost, even), Controls(shown, preferred), waiting=50)


def agreeing(kappa: float | None = 0.9, rbo: float | None = 0.9) -> Agreement:
    """Return the agreement of two models that are alike unless told otherwise."""
    return Agreement(80, 900, kappa, rbo, 0.9, 0.8, 0.9, 0.95, 0.95, 0.98)
