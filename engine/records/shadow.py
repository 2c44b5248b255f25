"""A candidate beside the model in use: what each found for a question, what was thought of it, and how far it is.

"a" is the model in use, "b" the one that runs beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from engine.lazy_dataclass import dataclass
from engine.records.searches import Tier, Verdict

ShadowStream = Literal["live", "replay", "held-out"]
ShadowChoice = Literal["left", "right", "tie", "neither"]
ShadowEventKind = Literal[
    "shadow_started",
    "shadow_gap_filled",
    "shadow_accepted",
    "shadow_refused",
    "promoted",
    "burn_in_passed",
    "rolled_back",
]


@dataclass(frozen=True, slots=True)
class ShadowPair:
    """A passage among the first twenty rows of a or b: its rank in each (None outside), cosines and tiers.

    `coverage` is the idf-weighted share of the question's words that stand in it, 0 to 1.
    """

    passage_hash: bytes
    rank_a: int | None
    rank_b: int | None
    cosine_a: float
    cosine_b: float
    tier_a: Tier
    tier_b: Tier
    coverage: float


@dataclass(frozen=True, slots=True)
class ShadowSearch:
    """A question that was sent through both models; `top_a` and `top_b` are passage hashes, the best first.

    `words` counts the words of the question, `identifier` tells whether one looks like a name of code, and `folder` is
    the watched folder of a's first row, "" where there is none. `at` in seconds since 1970, 0: now.
    """

    query: str
    stream: ShadowStream
    verdict_a: Verdict
    verdict_b: Verdict
    ms_a: float
    ms_b: float
    top_a: tuple[bytes, ...]
    top_b: tuple[bytes, ...]
    words: int = 0
    identifier: bool = False
    folder: str = ""
    pairs: tuple[ShadowPair, ...] = ()
    at: float = 0.0
    id: int = 0


@dataclass(frozen=True, slots=True)
class ShadowReview:
    """What a person chose of two lists whose models were hidden; `control`: both lists were the same."""

    search_id: int
    left_is_b: bool
    choice: ShadowChoice
    seconds: float
    control: bool = False
    at: float = 0.0
    id: int = 0


@dataclass(frozen=True, slots=True)
class ShadowEvent:
    """A step in the life of a model beside the one in use; `at` in seconds since 1970."""

    kind: ShadowEventKind
    model: str
    detail: Mapping[str, object]
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class ShadowModel:
    """One of the two models; bytes of its files, of its vectors, and of the memory that encoding takes; 0: unknown."""

    id: int
    name: str
    dimension: int
    model_bytes: int = 0
    vector_bytes: int = 0
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ModelCoverage:
    """How far a model's vectors are: `covered` of `passages` have theirs, and `waiting` texts are to be embedded.

    `shared`: it differs from the model in use for queries only, whose vectors are its own.
    """

    name: str
    state: str
    covered: int
    passages: int
    waiting: int
    shared: bool = False

    @property
    def share(self) -> float:
        """The share of the passages with a vector, 0 to 1."""
        return min(1.0, self.covered / self.passages) if self.passages else 1.0


@dataclass(frozen=True, slots=True)
class ShadowState:
    """The two models, how far b is, and what was counted of them.

    `shares_vectors`: b differs for queries only, so that a's vectors are b's. `former_since` is set where b was in use
    before a promotion; `searches_since` counts the live searches since then. `reference_cut` is the signal from which
    a's rows are strong (cosine plus .2 x coverage), 0 before its tiers were fitted.
    """

    active: ShadowModel
    shadow: ShadowModel
    coverage: float
    covered: int
    passages: int
    waiting: int
    shares_vectors: bool
    tiers_fitted: bool
    former_since: float | None
    since: float
    searches: Mapping[ShadowStream, int] = field(default_factory=dict)
    reviews: int = 0
    searches_since: int = 0
    reference_cut: float = 0.0
