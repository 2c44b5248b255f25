"""What the training screen needs from outside: sources of queries, recipes, runs, and what may be done with them.

The screen is written against this, so that it works without torch and tests can hand in recorded runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from engine.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from training.protocol import Example
    from training.run_removal import DiskUse

# running: its process lives; waiting: it lives and is paused; crashed: its process is gone and it said no last word
RunState = Literal["running", "waiting", "crashed", "ended"]
Use = Literal["", "building", "in use"]  # building: the library is being embedded anew with its model


@dataclass(frozen=True, slots=True)
class QuerySource:
    """Where queries can come from, and how many it gives; `taken` where it is used unless the person says otherwise.

    `asks` is what a person has to name before it gives any, such as a file, and `given` what was named; `judges` is
    False where the queries have no known answer, so that none of them can be held out. `labelled` of them have answers
    that a person named.
    """

    name: str
    title: str
    queries: int
    explained: str
    taken: bool = True
    asks: str = ""
    given: str = ""
    judges: bool = True
    labelled: int = 0


@dataclass(frozen=True, slots=True)
class Recipe:
    """A way to learn. `explained` is one or two plain sentences; `trains` is False where no model learns.

    Such a one learns from questions alone whose answers a person named, and takes all of them.
    """

    name: str
    title: str
    explained: str
    trains: bool = True


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a person wants: which sources, which recipe, at most how many triples, and what was named for a source.

    With `review` the run waits before the training until its examples were looked at.
    """

    sources: tuple[str, ...]
    recipe: str
    budget: int
    given: tuple[tuple[str, str], ...] = ()
    review: bool = False


@dataclass(frozen=True, slots=True)
class Prospect:
    """What can be expected of a plan before it starts.

    `held_out` queries are kept for the test that only the gate sees, which needs `needed` to judge at all;
    `smallest_gain` is the least NDCG@10 gain that they could tell from chance; `seconds` estimates the whole run.
    """

    queries: int
    held_out: int
    needed: int
    smallest_gain: float | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Run:
    """A run as the history tells it; gain and interval are the gate's, in NDCG@10, None where it gave none.

    `started` is in seconds since the epoch; `promotable` whether its model may be taken into use, `knowingly` whether
    only against the gate's doubt.
    """

    name: str
    started: float
    recipe: str
    base: str
    state: RunState
    verdict: str = ""
    outcome: str = ""
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""
    use: Use = ""
    promotable: bool = False
    knowingly: bool = False
    model: str = ""  # what it made, "" where it left none
    trouble: str = ""  # why its model could not be taken into use

    @property
    def alive(self) -> bool:
        """Whether its process lives."""
        return self.state in ("running", "waiting")


class TrainingPort(Protocol):
    """The runs of one library; every method may be called from any thread, and raises CarrelError."""

    def missing(self) -> str:
        """Return what is not installed that training needs, "" where nothing is missing."""

    def sources(self) -> Sequence[QuerySource]:
        """Return the sources of queries, with what each would give now."""

    def source_with(self, source: QuerySource, given: str) -> QuerySource:
        """Return a source that asks for something with what it gives once that is named; raises where it cannot be."""

    def recipes(self) -> Sequence[Recipe]:
        """Return the recipes, the one to begin with first."""

    def prospect(self, sources: Sequence[QuerySource], plan: RunPlan) -> Prospect:
        """Return what can be expected of a plan over these sources; `seconds` None: this machine was not timed yet."""

    def measure(self, plan: RunPlan) -> bool:
        """Time this machine with a plan's recipe, which takes some seconds; returns whether that could be done."""

    def start(self, plan: RunPlan) -> str:
        """Start a run in a process of its own, and return its name."""

    def runs(self) -> Sequence[Run]:
        """Return all runs, newest first."""

    def events(self, run: str) -> Path:
        """Return the file that a run appends its events to."""

    def order(self, run: str, word: str) -> None:
        """Give a living run one of `training.protocol.ORDERS`."""

    def resume(self, run: str) -> None:
        """Start a crashed run again from its last checkpoint."""

    def run_beside(self, run: str) -> None:
        """Have the indexer let a run's model run beside the one in use."""

    def promote(self, run: str) -> None:
        """Take into use what a run made: for a model the indexer embeds the library anew, constants count at once."""

    def rollback(self) -> str:
        """Go back to what was in use before the last promotion, and return what that is."""

    def examples(self, run: str) -> Sequence[Example]:
        """Return the examples of a run that are to be looked at, in their order."""

    def decisions(self, run: str) -> Mapping[int, bool]:
        """Return which examples were accepted (True) and which rejected (False), by their numbers."""

    def decide(self, run: str, numbers: Iterable[int], accepted: bool | None) -> None:
        """Accept (True) or reject (False) examples, or take a decision back (None)."""

    def deletion(self, run: str) -> DiskUse:
        """Return what deleting a run would take away; raises where it is at work, or its model in use."""

    def delete(self, run: str) -> DiskUse:
        """Delete a run that is over, and the model that it made; raises like `deletion`, and then deletes nothing."""

    def note(self, run: str, text: str) -> None:
        """Keep a note with a run."""
