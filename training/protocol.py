"""The events that a retraining run reports and the orders that it takes, shared by its process and its watchers.

A run lives in a folder of its own: `run.json` (what it is and how it ended), `events.jsonl` (one event a line, at most
16 KB, only ever appended to), `order` (the last order given, one word). Nothing here imports torch.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from engine.json_lines import MAX_LINE_BYTES, Tail, TimedEvent, event_in, record_of
from engine.lazy_dataclass import dataclass

STAGES = ("queries", "mining", "training", "judging", "export")
ORDERS = ("pause", "resume", "stop", "cancel")  # stop: keep the best so far and judge it; cancel: leave nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingEvent(TimedEvent):
    """The base of a training's events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(TrainingEvent):
    """The process of a run has started. `seconds` is the estimate for the whole run, None where it is not known."""

    type: ClassVar[str] = "run_started"
    run: str
    pid: int
    recipe: str
    base: str
    seconds: float | None
    resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStarted(TrainingEvent):
    """A stage of the run, one of `STAGES`, begins."""

    type: ClassVar[str] = "stage_started"
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparing(TrainingEvent):
    """Work within a stage that has no event of its own: how much of what is done; `of` 0 where it cannot be told."""

    type: ClassVar[str] = "preparing"
    what: str
    done: int = 0
    of: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueriesMade(TrainingEvent):
    """The queries of one source. `dropped` counts by reason."""

    type: ClassVar[str] = "queries_made"
    origin: str
    made: int
    kept: int
    dropped: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitsMade(TrainingEvent):
    """Queries by split, after grouping; `smallest_gain` is the least NDCG@10 gain that the test could tell from 0.

    `shared` counts the test queries that share an answering document with train or development all the same; `seconds`
    is the estimate for the whole run, now that the queries are counted; None: not known.
    """

    type: ClassVar[str] = "splits_made"
    train: int
    development: int
    test: int
    groups: int
    smallest_gain: float | None
    shared: int = 0
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldsMade(TrainingEvent):
    """The judged queries that the fusion is fitted to, and the folds that each of them is left out in once.

    `smallest_gain` is the least NDCG@10 gain that so many could tell from 0, `needed` how many the gate asks for;
    `seconds` is the estimate for the whole run.
    """

    type: ClassVar[str] = "folds_made"
    queries: int
    folds: int
    groups: int
    smallest_gain: float
    needed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ConstantFit:
    """One constant of the fusion: its default, the value in use, the fitted one, and what that gives.

    `gain` is the NDCG@10 with it less that with the default in its place, everything else fitted, on queries that were
    left out; `low` and `high` hold it in 95 of 100 cases.
    """

    name: str
    default: float
    used: float
    fitted: float
    gain: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantsFitted(TrainingEvent):
    """The constants that all queries give; `strength` is that of the prior, None where the defaults alone held."""

    type: ClassVar[str] = "constants_fitted"
    constants: tuple[ConstantFit, ...]
    strength: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined(TrainingEvent):
    """The progress of mining. Blind spots are shares of the queries, 0 to 1, in which one leg alone has the passage."""

    type: ClassVar[str] = "mined"
    queries: int
    of: int
    triples: int
    disagreement: float
    vector_blind: float
    keyword_blind: float
    dropped: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example(TrainingEvent):
    """One row to learn from, its texts shortened. `kind`: "vector blind", "keyword blind" or "agreed".

    `number` is the row's own in its run. Of each passage, the positive first, `places` tells where its document lies,
    `meaning` and `words` its rank in the vector-heavy and the keyword-heavy search, 0 where it is not among the first.
    Without `labelled` nobody said what answers the query: the passages are what the fused search finds.
    """

    type: ClassVar[str] = "example"
    number: int
    query: str
    positive: str
    negatives: tuple[str, ...]
    kind: str
    origin: str
    places: tuple[str, ...] = ()
    meaning: tuple[int, ...] = ()
    words: tuple[int, ...] = ()
    labelled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAwaited(TrainingEvent):
    """The run waits until so many of its examples were looked at; the order "resume" lets it go on."""

    type: ClassVar[str] = "review_awaited"
    run: str
    examples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped(TrainingEvent):
    """The progress of training. `memory` is the process's resident bytes."""

    type: ClassVar[str] = "stepped"
    step: int
    of: int
    epoch: float
    loss: float
    learning_rate: float
    triples_per_second: float
    seconds_left: float | None
    memory: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated(TrainingEvent):
    """NDCG@10 of hybrid search on the development queries: base, candidate, their difference with its 95 % interval.

    `step` is the one whose weights were judged, `share` (t) their part in a mixture with the base's, 0 to 1.
    `mixed` tells the mixtures of the best weights, judged after the training, from the weights as they were at a step.
    `drift` is the mean cosine distance between base and candidate vectors of the same passages. `factors` is the table
    of a model trained for late interaction: factor of pooling, base, candidate.
    """

    type: ClassVar[str] = "evaluated"
    step: int
    share: float
    base: float
    candidate: float
    low: float
    high: float
    drift: float
    mixed: bool = False
    factors: tuple[tuple[int, float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused(TrainingEvent):
    """The run waits for an order."""

    type: ClassVar[str] = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(TrainingEvent):
    """The run goes on."""

    type: ClassVar[str] = "resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One line of the verdict's table: a measure of base and candidate, and the difference with its interval."""

    name: str
    base: float
    candidate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged(TrainingEvent):
    """The gate's verdict: "gain", "no gain", "worse" or "cannot judge"; `reason` says why, `advice` what helps.

    `smallest_gain` is the least NDCG@10 gain that so many queries could have told from 0.
    """

    type: ClassVar[str] = "judged"
    verdict: str
    queries: int
    alpha: float
    smallest_gain: float
    reason: str
    advice: tuple[str, ...]
    measures: tuple[Measure, ...]

    @property
    def promotable(self) -> bool:
        """Whether the gate lets the candidate through."""
        return self.verdict == "gain"


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeAfter(TrainingEvent):
    """The first titles for one of the person's own questions, before and after, for the side by side view."""

    type: ClassVar[str] = "before_after"
    query: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(TrainingEvent):
    """The run is over. `outcome`: "promotable", "not promotable", "stopped", "cancelled"; `model`: its name, if any."""

    type: ClassVar[str] = "finished"
    outcome: str
    model: str | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(TrainingEvent):
    """The run ended by an error, told in plain words."""

    type: ClassVar[str] = "failed"
    message: str
    fix: str


TYPES: dict[str, type[TrainingEvent]] = {
    kind.type: kind
    for kind in (
        RunStarted,
        StageStarted,
        Preparing,
        QueriesMade,
        SplitsMade,
        FoldsMade,
        ConstantsFitted,
        Mined,
        Example,
        ReviewAwaited,
        Stepped,
        Evaluated,
        Paused,
        Resumed,
        Judged,
        BeforeAfter,
        Finished,
        Failed,
    )
}


def encode(event: TrainingEvent) -> str:
    """Give an event as one line of JSON with its newline, at most 16 KB. Raises ValueError where it is longer."""
    line = json.dumps(record_of(event)) + "\n"
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(f"an event of {len(line)} bytes is longer than a line may be ({MAX_LINE_BYTES})")
    return line


def shortened(text: str, characters: int, most: int) -> str:
    """Return the beginning of a text: at most so many characters, and at most so many bytes as an event writes it."""
    text = text[:characters]
    while len(json.dumps(text)) > most:
        text = text[: -(len(text) // 8 + 1)]
    return text


def decode(line: str | bytes) -> TrainingEvent | None:
    """Give the event of a line; None for a line of another version or one that was cut short."""
    try:
        return event_in(line, TYPES, _restored)
    except ValueError:
        return None


def tail(path: Path) -> Tail[TrainingEvent]:
    """Return the tail of a run's events, from their beginning."""
    return Tail(path, TYPES, _restored)


def _restored(name: str, value: Any) -> Any:
    if name == "measures":
        return tuple(Measure(**each) for each in value)
    if name == "factors":
        return tuple((int(factor), float(base), float(candidate)) for factor, base, candidate in value)
    if name == "constants":
        return tuple(ConstantFit(**each) for each in value)
    return tuple(value) if isinstance(value, list) else value
