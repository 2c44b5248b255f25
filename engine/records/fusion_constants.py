"""The constants of the fusion `convex`: those that hold for every library, and those that were fitted to one."""

from __future__ import annotations

from engine.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class FusionConstants:
    """What the score of a passage is made of, and how rows are folded.

    The defaults were chosen by leaving one of five judged collections out (tests/bench/left_out.py); of a plateau the
    plainest. A `meaning` of .8 to .85, a `sharpness` of 25 to 50, a `keep` of .5 to .7 and an `around` of .3 to .6
    differ by less than chance there.
    """

    meaning: float = 0.8
    """The weight of meaning, 0 to 1; words have the rest. Long questions are weighed by a rule of their own."""
    around: float = 0.5
    """How much of a passage's meaning and words is what stands around it, 0 to 1; the rest is its own."""
    keep: float = 0.6
    """How much of the query's own vector stays in the one that feedback makes, 0 to 1; 1: feedback moves nothing."""
    sharpness: float = 25.0
    """How much more the best of the first passages moves the query than the others: of a softmax over their scores."""
    rare: float = 2.0
    """What a passage gets that holds all that the query says in rare words, in times of the weight of words."""
    collapse: float = 0.95
    """The cosine from which passages of two documents count as one; 0: never."""


DEFAULT_CONSTANTS = FusionConstants()


@dataclass(frozen=True, slots=True)
class FittedConstants:
    """Constants that a run has fitted to a library, for searches with one model; `at` in seconds since the epoch.

    `former` are those that were in use before, None where those were the defaults.
    """

    run: str
    model: str
    at: float
    constants: FusionConstants
    former: FittedConstants | None = None
