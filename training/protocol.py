"""What a retraining says while it works, and what may be said to it; shared by its process and whoever follows it.

A run lives in a folder of its own: `run.json` (what it is and how it ended), `events.jsonl` (one event a line, at most
16 KB, only ever appended to), `order` (the last order given, one word). Nothing here imports torch.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar

from engine.events import MAX_LINE_BYTES

STAGES = ("queries", "mining", "training", "judging", "export")
ORDERS = ("pause", "resume", "stop", "cancel")  # stop: keep the best so far and judge it; cancel: leave nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingEvent:
    """The base of all events. `at` is seconds since the epoch."""

    type: ClassVar[str] = "event"
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(TrainingEvent):
    """The process lives. `seconds` is the estimate for the whole run, measured on this machine; None: not known."""

    type: ClassVar[str] = "run_started"
    run: str
    pid: int
    recipe: str
    base: str
    seconds: float | None
    resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStarted(TrainingEvent):
    """One of `STAGES` begins."""

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
    """What one source of queries gave. `dropped` counts by reason."""

    type: ClassVar[str] = "queries_made"
    origin: str
    made: int
    kept: int
    dropped: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitsMade(TrainingEvent):
    """Queries by split, after grouping; `smallest_gain` is the least NDCG@10 gain that the test could tell from 0.

    `shared` counts the test queries that share an answering document with train or development all the same.
    """

    type: ClassVar[str] = "splits_made"
    train: int
    development: int
    test: int
    groups: int
    smallest_gain: float | None
    shared: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined(TrainingEvent):
    """How far mining is. Blind spots are shares of the queries, 0 to 1: one leg has the passage, the other has not."""

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
    """One triple, shortened, to be looked at. `kind`: "vector blind", "keyword blind" or "agreed"."""

    type: ClassVar[str] = "example"
    number: int
    query: str
    positive: str
    negatives: tuple[str, ...]
    kind: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped(TrainingEvent):
    """How far training is. `memory` is the process's resident bytes."""

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

    `drift` is the mean cosine distance between base and candidate vectors of the same passages; `share` the weight of
    the tuned model in the mixture with the base, 0 to 1.
    """

    type: ClassVar[str] = "evaluated"
    step: int
    share: float
    base: float
    candidate: float
    low: float
    high: float
    drift: float


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
    """The gate's verdict: "gain", "no gain", "worse" or "cannot judge"; `reason` says why, `advice` what helps."""

    type: ClassVar[str] = "judged"
    verdict: str
    queries: int
    alpha: float
    smallest_gain: float
    reason: str
    advice: tuple[str, ...]
    measures: tuple[Measure, ...]


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
        Mined,
        Example,
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
    line = json.dumps({"type": event.type, **asdict(event)}, ensure_ascii=True) + "\n"
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(f"an event of {len(line)} bytes is longer than a line may be ({MAX_LINE_BYTES})")
    return line


def decode(line: str) -> TrainingEvent | None:
    """Give the event of a line; None for a line of another version or one that was cut short."""
    try:
        found: dict[str, Any] = json.loads(line)
        kind = TYPES[found.pop("type")]
        known = {each.name for each in fields(kind)}
        values = {name: _restored(name, value) for name, value in found.items() if name in known}
        return kind(**values)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _restored(name: str, value: Any) -> Any:
    if name == "measures":
        return tuple(Measure(**each) for each in value)
    return tuple(value) if isinstance(value, list) else value
