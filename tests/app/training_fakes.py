"""Retraining that was recorded: runs whose events are files, and orders that are only remembered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from app.tui.training_port import Prospect, QuerySource, Recipe, Run, RunPlan
from engine.errors import UsageError
from training.protocol import Example, decode
from training.run_removal import DiskUse

EVENTS = Path(__file__).parent / "training_events"
BEGAN = 1_782_999_000.0

SOURCES = (
    QuerySource("judged", "judged by you", 61, "Questions that you gave with their answers. They are worth the most."),
    QuerySource("opened", "marked and opened", 212, "Searches of yours, with what you opened or marked."),
    QuerySource("links", "links between notes", 104, "The text of a link is a question, its target the answer."),
    QuerySource("titles", "titles and headings", 1333, "A title is a question that its note answers.", taken=False),
    QuerySource("file", "[b]questions in a file[/]", 0, "One question a line.", taken=False, asks="a file: ~/asked"),
)
RECIPES = (
    Recipe("local", "local: all of the model, gently", "Two rounds over the examples with a high learning rate."),
    Recipe("adapter", "adapter: a small lens before the model", "Seconds, and nothing is embedded anew."),
    Recipe("published", "published: the recipe of the paper", "60,000 triples; hours without a GPU."),
)
FUSION = Recipe("fusion", "fusion: how meaning and words are joined", "Seconds, and no model learns.", trains=False)


class FakeTraining:
    """Answers at once; a started run appends nothing by itself, tests write its events."""

    def __init__(self, folder: Path, *runs: Run, missing: str = "") -> None:
        self.folder = folder
        self.history = list(runs)
        self.lacking = missing
        self.without_torch: tuple[Recipe, ...] = ()
        self.done: list[tuple[str, ...]] = []
        self.plans: list[RunPlan] = []
        self.trouble: str = ""
        self.unplannable = ""
        self.timed = self.measurable = True
        self.decided: dict[int, bool] = {}
        self.disk_use = DiskUse(3 << 20, "tuned-2", 91 << 20)

    def record(self, run: Run, recording: str, *, lines: int | None = None) -> Run:
        """Give a run the events of a recording, or only its first lines."""
        written = (EVENTS / f"{recording}.jsonl").read_text(encoding="ascii").splitlines(keepends=True)
        self.events(run.name).write_text("".join(written[:lines]), encoding="ascii")
        if run not in self.history:
            self.history.append(run)
        return run

    def go_on(self, run: str, recording: str, since: int, until: int | None = None) -> None:
        """Append the rest of a recording to a run's events, or a part of it."""
        written = (EVENTS / f"{recording}.jsonl").read_text(encoding="ascii").splitlines(keepends=True)
        with self.events(run).open("a", encoding="ascii") as stream:
            stream.write("".join(written[since:until]))

    def change(self, name: str, **changes: object) -> None:
        """Change what the history says of a run."""
        self.history = [replace(run, **changes) if run.name == name else run for run in self.history]  # type: ignore[arg-type]

    # --- the port -----------------------------------------------------------------------------------------------

    def missing(self) -> str:
        return self.lacking

    def sources(self) -> Sequence[QuerySource]:
        if self.unplannable:
            raise UsageError(self.unplannable)
        return SOURCES

    def recipes(self) -> Sequence[Recipe]:
        return self.without_torch if self.lacking else RECIPES

    def source_with(self, source: QuerySource, given: str) -> QuerySource:
        self._did("source", given)
        return replace(source, queries=1000, given=given)

    def prospect(self, sources: Sequence[QuerySource], plan: RunPlan) -> Prospect:
        queries = sum(source.queries for source in sources if source.name in plan.sources)
        held_out = queries // 5
        seconds = 60 + plan.budget / 14.8 if self.timed else None
        return Prospect(queries, held_out, 200, 0.156 / held_out**0.5 if held_out else None, seconds)

    def measure(self, plan: RunPlan) -> bool:
        self._did("measure", plan.recipe)
        self.timed = self.timed or self.measurable
        return self.measurable

    def start(self, plan: RunPlan) -> str:
        self._did("start")
        self.plans.append(plan)
        name = f"tuned-{len(self.history) + 1}"
        self.history.insert(0, Run(name, BEGAN, plan.recipe, "all-MiniLM-L6-v2", "running"))
        return name

    def runs(self) -> Sequence[Run]:
        return tuple(self.history)

    def events(self, run: str) -> Path:
        return self.folder / f"{run}.jsonl"

    def order(self, run: str, word: str) -> None:
        self._did("order", run, word)

    def resume(self, run: str) -> None:
        self._did("resume", run)
        self.change(run, state="running")

    def run_beside(self, run: str) -> None:
        self._did("beside", run)

    def promote(self, run: str) -> None:
        self._did("promote", run)
        self.change(run, use="building")

    def rollback(self) -> str:
        self._did("rollback")
        self.history = [replace(run, use="") for run in self.history]
        return "all-MiniLM-L6-v2"

    def examples(self, run: str) -> Sequence[Example]:
        written = self.events(run).read_text(encoding="ascii").splitlines()
        return [event for event in map(decode, written) if isinstance(event, Example)]

    def decisions(self, run: str) -> Mapping[int, bool]:
        return dict(self.decided)

    def decide(self, run: str, numbers: Iterable[int], accepted: bool | None) -> None:
        chosen = tuple(numbers)
        self._did("decide", run, ",".join(map(str, chosen)), str(accepted))
        self.decided |= dict.fromkeys(chosen, bool(accepted))

    def deletion(self, run: str) -> DiskUse:
        if self.trouble:
            raise UsageError(self.trouble)
        return self.disk_use

    def delete(self, run: str) -> DiskUse:
        self._did("delete", run)
        self.history = [each for each in self.history if each.name != run]
        return self.disk_use

    def note(self, run: str, text: str) -> None:
        self._did("note", run, text)
        self.change(run, note=text)

    def _did(self, *what: str) -> None:
        if self.trouble:
            raise UsageError(self.trouble)
        self.done.append(what)
