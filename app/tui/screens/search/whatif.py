"""What if: other settings than the person's own, changed a step at a time. Pure; the panel draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from engine.lazy_dataclass import dataclass
from engine.records import DEFAULT_CONSTANTS, Fusion, FusionConstants, Hit, SearchResult, SearchSettings, Weights

Control = Literal["weight", "fusion", "feedback", "memory", "collapse", "diversity", "cutoff", "fitted", "late"]
CONTROLS: tuple[Control, ...] = ("weight", "fusion", "feedback", "memory", "collapse", "diversity", "cutoff")
FUSIONS: tuple[Fusion, ...] = ("convex", "rrf", "rrf-published", "vector", "keyword")
WEIGHT_STEP = 0.05
COLLAPSE_STEP = 0.01
LATE_STEP = 0.1
LOWEST_COLLAPSE = 0.50  # below it most pairs of passages on one subject would count as the same
HIGHEST_COLLAPSE = 0.99  # above it only exact copies would; that is what "never" is near to
DIVERSITIES = (0.9, 0.7, 0.5, 0.3)  # of maximal marginal relevance: how much the score counts, likeness has the rest
CUTOFFS = (2.0, 1.75, 1.5, 1.3225, 1.15)  # times the least distance; vstash (arXiv 2604.15484) cuts at 1.3225


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The person's own settings, those tried now, and the weights and constants that the rows shown were made with."""

    own: SearchSettings
    tried: SearchSettings
    weights: Weights
    moved: int = 0  # rows that stand elsewhere than by the person's own settings
    kept: bool = False  # whether the person's own were changed here, so that those of before can come back
    late: bool = False  # whether the library has late interaction on, so that its weight can be tried
    constants: FusionConstants = DEFAULT_CONSTANTS
    fitted: FusionConstants | None = None  # what a run has fitted to the library; None where the defaults serve

    @property
    def controls(self) -> tuple[Control, ...]:
        """What can be tried here, in order."""
        found = CONTROLS if self.fitted is None else (*CONTROLS, "fitted")
        return (*found, "late") if self.late else found

    @property
    def changed(self) -> bool:
        """Whether other settings than the person's own are tried."""
        return self.tried != self.own

    @property
    def vector_weight(self) -> float:
        """The share that meaning counts for, from 0 to 1."""
        vector, keyword = self.tried.weights or (self.weights.vector, self.weights.keyword)
        if self.tried.fusion in ("vector", "keyword"):
            return 1.0 if self.tried.fusion == "vector" else 0.0
        return vector / (vector + keyword) if vector + keyword > 0 else 0.0

    @property
    def collapse(self) -> float:
        """The cosine from which near-duplicates are folded, 0 for never."""
        return self.constants.collapse if self.tried.collapse is None else self.tried.collapse

    def try_settings(self, settings: SearchSettings) -> WhatIf:
        """Try other settings."""
        return replace(self, tried=settings)

    def weigh(self, vector: float) -> WhatIf:
        """Give meaning a weight and words the rest; where a leg was off, both legs count again."""
        vector = round(min(1.0, max(0.0, vector)), 2)
        fusion = self.tried.fusion
        if fusion in ("vector", "keyword"):
            fusion = self.own.fusion if self.own.fusion not in ("vector", "keyword") else "convex"
        return replace(self, tried=replace(self.tried, fusion=fusion, weights=(vector, round(1.0 - vector, 2))))

    def collapse_from(self, cosine: float) -> WhatIf:
        """Collapse near-duplicates from a cosine on; above the highest one, never."""
        cosine = round(max(LOWEST_COLLAPSE, cosine), 2)
        cosine = 0.0 if cosine > HIGHEST_COLLAPSE else cosine
        return replace(self, tried=replace(self.tried, collapse=cosine))

    def by_fit(self, wanted: bool) -> WhatIf:
        """Rank by the constants that were fitted to the library, or by the defaults."""
        return replace(self, tried=replace(self.tried, constants=None if wanted else DEFAULT_CONSTANTS))

    def stepped(self, control: Control, steps: int) -> WhatIf:
        """Move a control by steps: to the right where `steps` is above 0."""
        tried = self.tried
        match control:
            case "weight":
                return self.weigh(_on_grid(self.vector_weight, WEIGHT_STEP, steps))
            case "fusion":
                place = FUSIONS.index(tried.fusion) + (1 if steps > 0 else -1)
                return replace(self, tried=replace(tried, fusion=FUSIONS[place % len(FUSIONS)]))
            case "feedback":
                return replace(self, tried=replace(tried, feedback=not tried.feedback))
            case "memory":
                return replace(self, tried=replace(tried, memory=not tried.memory))
            case "collapse":
                now = self.collapse or HIGHEST_COLLAPSE + COLLAPSE_STEP
                return self.collapse_from(min(HIGHEST_COLLAPSE + COLLAPSE_STEP, now + steps * COLLAPSE_STEP))
            case "diversity":
                return replace(self, tried=replace(tried, diversity=_further(DIVERSITIES, tried.diversity, steps)))
            case "cutoff":
                return replace(self, tried=replace(tried, cutoff=_further(CUTOFFS, tried.cutoff, steps)))
            case "fitted":
                return self.by_fit(self.tried.constants is not None)
            case "late":
                return replace(
                    self, tried=replace(tried, late=min(1.0, max(0.0, _on_grid(tried.late, LATE_STEP, steps))))
                )

    def reset(self) -> WhatIf:
        """Return to the person's own settings."""
        return replace(self, tried=self.own, moved=0)


def _on_grid(value: float, step: float, steps: int) -> float:
    """Return the value moved by steps, on a multiple of the step."""
    return round(round(value / step) * step + steps * step, 2)


def _further(values: Sequence[float], now: float | None, steps: int) -> float | None:
    """Return the value `steps` behind the present one, which may lie between two; before the first lies None: off."""
    ladder: list[float | None] = [None, *values]
    if now in ladder:
        place = ladder.index(now)
    else:  # the values descend
        place = sum(value > now for value in values if now is not None) + (steps < 0)
    return ladder[max(0, min(place + steps, len(ladder) - 1))]


def moved_rows(own: SearchResult, tried: SearchResult) -> int:
    """Return how many of the tried rows stand elsewhere than by the person's own settings."""
    before = {hit.passage_id: hit.rank for hit in own.hits}
    return sum(before.get(hit.passage_id) != hit.rank for hit in tried.hits)


def row_of(passage_id: int, result: SearchResult) -> Hit | None:
    """Return the row that shows a passage, or has it below its best one."""
    rows = result.hits
    shown = next((hit for hit in rows if hit.passage_id == passage_id), None)
    return shown or next((hit for hit in rows if passage_id in hit.more_in_document), None)
