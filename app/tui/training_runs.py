"""The runs of a library as the training screen sees them: `training.runs` behind the screen's own port.

What is imported from `training` here is free of torch; a run learns in a process of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.tui.training_offer import JUDGED, LANGUAGE_MODEL, Offer
from app.tui.training_port import Prospect, QuerySource, Recipe, Run, RunPlan, RunState, Use
from engine.errors import CarrelError

if TYPE_CHECKING:
    from engine.library import Library
    from engine.store.requests import RequestState
    from training.protocol import Example
    from training.run_plan import Plan
    from training.run_removal import DiskUse
    from training.runs import Record
    from training.runs import Run as RunFolder

USE_MODEL, LATE = "use_model", "late"  # orders to the indexer
MAIN_MEASURE = "NDCG@10, memory on"  # what the gate decides by


class TrainingRuns:
    """The port to the runs whose library is the one at a path."""

    def __init__(self, library: Path) -> None:
        self._library = library
        self._offer = Offer(library)
        self._measuring = threading.Lock()
        self._unmeasurable: set[tuple[str, str]] = set()  # recipes and bases with which that failed
        self._filed: dict[str, int] = {}  # numbers of the orders of this session, by the model that they take into use

    def missing(self) -> str:
        """Return what is not installed that training needs, "" where nothing is missing."""
        from training.run_process import require_training

        try:
            require_training()
        except CarrelError as error:
            return error.cause or error.message
        return ""

    def sources(self) -> Sequence[QuerySource]:
        """Return the sources of queries, with what each would give now."""
        return self._offer.sources()

    def recipes(self) -> Sequence[Recipe]:
        """Return the recipes, the one to begin with first."""
        return self._offer.recipes(torch=not self.missing())

    def source_with(self, source: QuerySource, given: str) -> QuerySource:
        """Return a source with what it gives once a file or an address is named."""
        return self._offer.source_with(source, given)

    def prospect(self, sources: Sequence[QuerySource], plan: RunPlan) -> Prospect:
        """Return what can be expected of a plan over these sources."""
        return self._offer.prospect(sources, plan, self._plan(plan))

    def measure(self, plan: RunPlan) -> bool:
        """Time this machine with a plan's recipe, in a process of its own; returns whether that could be done."""
        from training import estimate

        made = self._plan(plan)
        with self._measuring:  # two at a time would slow each other
            if (made.recipe, made.base) in self._unmeasurable:
                return False
            done = estimate.measure_apart(made.how, made.base)
            if not done:
                self._unmeasurable.add((made.recipe, made.base))
            return done

    def start(self, plan: RunPlan) -> str:
        """Start a run in a process of its own, and return its name."""
        from engine.embedding import catalogue
        from training import run_process, runs

        name = runs.free_name({manifest.id for manifest in catalogue.installed()})
        return run_process.start(self._plan(plan, name)).name

    def _plan(self, plan: RunPlan, name: str = "") -> Plan:
        """Return a plan as the training takes it: for this library, from the model that it uses."""
        from engine.embedding import catalogue
        from training.run_plan import Plan

        given = dict(plan.given)
        return Plan(
            name,
            str(self._library),
            judged=given.get(JUDGED, ""),
            sources=plan.sources,
            base=next((model for model, state in self._models().items() if state == "active"), catalogue.EMBEDDED),
            recipe=plan.recipe,
            budget=plan.budget,
            model_url=given.get(LANGUAGE_MODEL, ""),
            review=plan.review,
        )

    def runs(self) -> Sequence[Run]:
        """Return all runs, newest first."""
        from training import fusion_promotion

        models, mine, fitted = self._models(), self._mine(), fusion_promotion.in_use(self._library)
        shown = [_shown(run, record, models, self._order_of(record.model)) for run, record in reversed(mine)]
        return [replace(run, use="in use") if fitted is not None and fitted.run == run.name else run for run in shown]

    def events(self, run: str) -> Path:
        """Return the file that a run appends its events to."""
        from training.runs import EVENTS_FILE, folder

        return folder() / run / EVENTS_FILE

    def order(self, run: str, word: str) -> None:
        """Give a living run one of `training.protocol.ORDERS`."""
        from training import runs

        runs.named(run).order(word)

    def resume(self, run: str) -> None:
        """Start a crashed run again from its last checkpoint."""
        from training import run_process, runs

        run_process.resume(runs.named(run))

    def run_beside(self, run: str) -> None:
        """Have the indexer let a run's model run beside the one in use; raises where it cannot."""
        from training import runs

        with self._opened() as library:
            library.ask_for_shadow(runs.named(run).record().model)

    def promote(self, run: str) -> None:
        """Have the indexer embed the library with a run's model, and swap the models then; constants count at once."""
        from training import fusion_promotion, promotion, runs

        chosen = runs.named(run)
        if fusion_promotion.fits(chosen):
            fusion_promotion.promote(chosen, self._library, knowingly=True)
            return
        model = promotion.promotable(chosen, knowingly=True)  # the screen has said what the gate says
        with self._opened() as library:
            if order := promotion.late_order(chosen, model):
                library.file_request(LATE, order)
                return
            former = library.status().model
            if former != model:
                promotion.promoted(chosen, former)
                self._filed[model] = library.file_request(USE_MODEL, model)

    def rollback(self) -> str:
        """Have the indexer go back to the model before, or take the constants before, and return which that is."""
        from training import fusion_promotion
        from training.promotion import former_model

        if fusion_promotion.came_last(self._library):
            before = fusion_promotion.rollback(self._library)
            return f"the constants of {before.run}" if before is not None else "the default constants"
        with self._opened() as library:
            model = former_model(library.status().model)
            self._filed[model] = library.file_request(USE_MODEL, model)
        return model

    def examples(self, run: str) -> Sequence[Example]:
        """Return the examples of a run that are to be looked at, in their order."""
        from training import review, runs

        return review.examples(runs.named(run))

    def decisions(self, run: str) -> Mapping[int, bool]:
        """Return which examples were accepted (True) and which rejected (False), by their numbers."""
        from training import review, runs

        return review.decisions(runs.named(run))

    def decide(self, run: str, numbers: Iterable[int], accepted: bool | None) -> None:
        """Accept (True) or reject (False) examples, or take a decision back (None)."""
        from training import review, runs

        review.decide(runs.named(run), numbers, accepted)

    def deletion(self, run: str) -> DiskUse:
        """Return what deleting a run would take away; raises where it is at work, or its model in use."""
        from training import run_removal, runs

        return run_removal.disk_use(runs.named(run), [self._library])

    def delete(self, run: str) -> DiskUse:
        """Delete a run that is over, and the model that it made; raises like `deletion`, and then deletes nothing."""
        from training import run_removal, runs

        return run_removal.delete(runs.named(run), [self._library])

    def note(self, run: str, text: str) -> None:
        """Keep a note with a run."""
        from training import runs

        runs.named(run).update(note=text)

    def _mine(self) -> list[tuple[RunFolder, Record]]:
        """Return the runs of this library, oldest first; those of collections are no matter of the browser."""
        from training import runs

        found = [(run, run.record()) for run in runs.every()]
        return [(run, record) for run, record in found if record.plan.library == str(self._library)]

    def _models(self) -> dict[str, str]:
        """Return the state of each model of the library by its name: active, building or kept."""
        from engine.store import models
        from engine.store.connection import open_reader

        if not self._library.exists():
            return {}
        with closing(open_reader(self._library)) as connection:
            return {model.name: model.state for model in models.every(connection)}

    def _opened(self) -> Library:
        from engine.library import Library

        return Library.open(self._library)

    def _order_of(self, model: str) -> RequestState | None:
        """Return how far the order of this session is that takes a model into use; None where none was given."""
        number = self._filed.get(model)
        if number is None:
            return None
        with self._opened() as library:
            return library.request_state(number)


def _shown(run: RunFolder, record: Record, models: Mapping[str, str], order: RequestState | None) -> Run:
    """Return a run as the screen shows it; `order` is the one that takes its model into use."""
    low = high = gain = None
    if MAIN_MEASURE in record.figures:
        base, candidate, low, high = record.figures[MAIN_MEASURE]
        gain = candidate - base
    judgeable = record.verdict == "cannot judge"
    failed = (order.outcome or {}).get("error", "") if order is not None and order.done else ""
    return Run(
        name=run.name,
        started=record.created_at,
        recipe=record.plan.recipe,
        base=record.plan.base,
        state=_state(run, record),
        verdict=record.verdict,
        outcome="" if record.state == "running" else record.state,
        gain=gain,
        low=low,
        high=high,
        note=record.note,
        use=_use(models.get(record.model, ""), order),
        promotable=bool(record.model or record.constants) and (record.state == "promotable" or judgeable),
        knowingly=judgeable,
        model=record.model,
        trouble=str(failed),
    )


def _state(run: RunFolder, record: Record) -> RunState:
    if record.state != "running":
        return "ended"
    if run.alive or run.starting:
        return "waiting" if run.ordered() == "pause" else "running"
    return "crashed"


def _use(state: str, order: RequestState | None) -> Use:
    """Return whether the library uses a model of this state, or is on the way to it."""
    if state == "active":
        return "in use"
    return "building" if state == "building" or (order is not None and not order.done) else ""
