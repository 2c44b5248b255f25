"""What a retraining is doing, folded from its events; pure, so that a screen and a test read the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from training import protocol

MOST_POINTS = 512  # of a curve; a chart of 160 columns in braille shows 320
KEPT_EXAMPLES = 40  # a screen of them; older ones are in the event file
KEPT_EVALUATIONS = 64
KEPT_QUESTIONS = 200  # of the side by side view


@dataclass(frozen=True, slots=True)
class Point:
    """The mean of `weight` neighbouring steps, the last of which is `step`."""

    step: int
    loss: float
    learning_rate: float
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Curve:
    """A bounded picture of arbitrarily many steps: neighbours are merged as it grows, each point `stride` steps."""

    points: tuple[Point, ...] = ()
    stride: int = 1

    def add(self, step: int, loss: float, learning_rate: float) -> Curve:
        """Return the curve with one more step; a step that was there before drops what followed it."""
        points = self.points
        while points and points[-1].step >= step:
            points = points[:-1]
        new = Point(step, loss, learning_rate)
        if points and points[-1].weight < self.stride:
            return replace(self, points=(*points[:-1], _merged(points[-1], new)))
        curve = replace(self, points=(*points, new))
        return curve if len(curve.points) <= MOST_POINTS else curve._halved()

    def _halved(self) -> Curve:
        pairs = zip(self.points[::2], self.points[1::2], strict=False)
        odd = self.points[-1:] if len(self.points) % 2 else ()
        return Curve((*(_merged(*pair) for pair in pairs), *odd), self.stride * 2)


def _merged(one: Point, other: Point) -> Point:
    weight = one.weight + other.weight

    def mean(first: float, second: float) -> float:
        return (first * one.weight + second * other.weight) / weight

    return Point(other.step, mean(one.loss, other.loss), mean(one.learning_rate, other.learning_rate), weight)


@dataclass(frozen=True, slots=True)
class TrainingState:
    """A run at a glance. `begun` says when each stage began, in seconds since the epoch; `at` when it last spoke."""

    started: protocol.RunStarted | None = None
    stage: str = ""
    begun: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    queries: tuple[protocol.QueriesMade, ...] = ()
    splits: protocol.SplitsMade | None = None
    folds: protocol.FoldsMade | None = None  # of a run that fits the fusion
    constants: protocol.ConstantsFitted | None = None
    mined: protocol.Mined | None = None
    examples: tuple[protocol.Example, ...] = ()
    stepped: protocol.Stepped | None = None
    curve: Curve = Curve()
    evaluations: tuple[protocol.Evaluated, ...] = ()
    preparing: protocol.Preparing | None = None
    paused: bool = False
    review: protocol.ReviewAwaited | None = None  # what the run waits for while it is paused
    judged: protocol.Judged | None = None
    questions: tuple[protocol.BeforeAfter, ...] = ()
    finished: protocol.Finished | None = None
    failed: protocol.Failed | None = None
    at: float = 0.0
    trouble: str = ""  # why not all that the run told could be read

    @property
    def over(self) -> bool:
        """Whether the run said its last word."""
        return self.finished is not None or self.failed is not None

    @property
    def took(self) -> float:
        """How many seconds the run took, by its own word, else from its last start to its last word."""
        said = self.finished.seconds if self.finished is not None else 0.0
        return said or (self.at - self.started.at if self.started is not None else 0.0)


def after(state: TrainingState, event: protocol.TrainingEvent) -> TrainingState:
    """Return the state once `event` has happened."""
    fold = _FOLDS.get(event.type)
    changes = fold(state, event) if fold else {}
    preparing = state.preparing if event.type in ("paused", "resumed") else None
    return replace(state, at=event.at, **{"preparing": preparing, **changes})


def _started(state: TrainingState, event: protocol.RunStarted) -> dict[str, Any]:
    return {"started": event, "paused": False, "review": None, "finished": None, "failed": None}


def _stage(state: TrainingState, event: protocol.StageStarted) -> dict[str, Any]:
    return {"stage": event.stage, "begun": {**state.begun, event.stage: event.at}}


def _queries(state: TrainingState, event: protocol.QueriesMade) -> dict[str, Any]:
    others = tuple(each for each in state.queries if each.origin != event.origin)
    return {"queries": (*others, event)}


def _example(state: TrainingState, event: protocol.Example) -> dict[str, Any]:
    others = tuple(each for each in state.examples if each.number != event.number)
    return {"examples": (*others, event)[-KEPT_EXAMPLES:]}


def _stepped(state: TrainingState, event: protocol.Stepped) -> dict[str, Any]:
    return {"stepped": event, "curve": state.curve.add(event.step, event.loss, event.learning_rate)}


def _evaluated(state: TrainingState, event: protocol.Evaluated) -> dict[str, Any]:
    key = event.mixed, event.step, event.share
    others = tuple(each for each in state.evaluations if (each.mixed, each.step, each.share) != key)
    return {"evaluations": (*others, event)[-KEPT_EVALUATIONS:]}


def _asked(state: TrainingState, event: protocol.BeforeAfter) -> dict[str, Any]:
    others = tuple(each for each in state.questions if each.query != event.query)
    return {"questions": (*others, event)[:KEPT_QUESTIONS]}


_FOLDS: dict[str, Callable[[TrainingState, Any], dict[str, Any]]] = {
    "run_started": _started,
    "stage_started": _stage,
    "queries_made": _queries,
    "splits_made": lambda state, event: {"splits": event},
    "folds_made": lambda state, event: {"folds": event},
    "constants_fitted": lambda state, event: {"constants": event},
    "mined": lambda state, event: {"mined": event},
    "example": _example,
    "stepped": _stepped,
    "evaluated": _evaluated,
    "preparing": lambda state, event: {"preparing": event},
    "paused": lambda state, event: {"paused": True},
    "resumed": lambda state, event: {"paused": False, "review": None},
    "review_awaited": lambda state, event: {"review": event},
    "judged": lambda state, event: {"judged": event},
    "before_after": _asked,
    "finished": lambda state, event: {"finished": event, "paused": False, "review": None},
    "failed": lambda state, event: {"failed": event, "paused": False, "review": None},
}
