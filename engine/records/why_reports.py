"""Why a document is not in the list: where a search lost it, and what would bring it back."""

from __future__ import annotations

from dataclasses import field

from engine.lazy_dataclass import dataclass
from engine.records.searches import Fusion


@dataclass(frozen=True, slots=True)
class WhyStage:
    """One stage of "why not": whether the document passed it, its rank there, and what would be needed."""

    stage: str  # indexed, filters, vector, keyword, cutoff, fused, late, grouped, collapsed, listed
    passed: bool
    rank: int | None
    detail: str
    needed: str = ""


@dataclass(frozen=True, slots=True)
class WhyChanges:
    """What would bring a document back, as values to search with; the report's advice says the same in words."""

    weights: tuple[float, float] | None = None  # of meaning and words: the nearest under which it is listed
    fusion: Fusion | None = None
    words: tuple[str, ...] = ()  # telling words of the document that the query lacks


@dataclass(frozen=True, slots=True)
class WhyReport:
    """Where a document fell out of a search, and what would bring it back."""

    query: str
    path: bytes
    found: bool
    final_rank: int | None
    stages: tuple[WhyStage, ...]
    dropped_at: str | None
    advice: tuple[str, ...]
    changes: WhyChanges = field(default_factory=WhyChanges)
