"""Judges one system, or two on the same collections, for `carrel eval`; one index serves two that share a model."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.arguments import FUSIONS, two_weights
from app.cli.progress_line import Show, progress
from engine.errors import UsageError
from engine.events import Preparing
from engine.figures import counted
from engine.records import Fusion, SearchSettings

if TYPE_CHECKING:
    from engine.embedding.encoder import Encoder
    from engine.evaluation.beir import Collection, JudgedQuery
    from engine.evaluation.evaluator import CollectionResult, OnQuery
    from engine.evaluation.report import SystemResult

SHOWN_EVERY = 50  # queries
LATE_WEIGHT = 0.3  # the default of the setting `late`
WITHOUT = {"no-feedback": "feedback"}  # parts of the ranking that can be left out
TRAIN = "train"  # the split that a model is trained on
_NUMBERS = re.compile(r"[\d.]+,[\d.]+")


@dataclass(frozen=True, slots=True)
class System:
    """What is judged: a model (None: the embedded one) and a way to join its legs, less the parts left `without`."""

    model: str | None
    fusion: Fusion
    weights: tuple[float, float] | None = None
    without: tuple[str, ...] = ()
    late: int = 0  # tokens that share a vector in late interaction; 0: without it
    late_model: str | None = None  # whose token vectors they are; None: the judged model's own
    on_demand: int | None = None  # passages that have a vector, of those that a query finds by words; None: all

    @property
    def settings(self) -> SearchSettings:
        """The search settings of this system."""
        return SearchSettings(
            fusion=self.fusion,
            weights=self.weights,
            feedback="feedback" not in self.without,
            late=LATE_WEIGHT if self.late else 0.0,
        )

    @property
    def described(self) -> str:
        """What differs from the fusion's own settings, in words."""
        weights = [f"weights {self.weights[0]:g} and {self.weights[1]:g}"] if self.weights else []
        left = [f"without {part}" for part in self.without]
        demanded = [] if self.on_demand is None else [f"{counted(self.on_demand, 'passage')} embedded on demand"]
        late = [f"late interaction, one vector for {counted(self.late, 'token')}"] if self.late else []
        by = [f"by {self.late_model}"] if late and self.late_model else []
        return ", ".join([*weights, *left, *demanded, *late, *by])


def rival(system: System, against: str | None) -> System | None:
    """Return the system to compare with, None where there is none.

    Of late interaction it is the same one without it, unless another is named. It is the same one with other weights,
    where two numbers are given; without a part of the ranking, where that is named; with another fusion and its own
    weights, where one is named; else with another model.
    """
    if against is None:
        return replace(system, late=0) if system.late else None
    for fusion in FUSIONS:
        if against == fusion:
            return System(system.model, fusion, on_demand=system.on_demand)
    if against in WITHOUT:
        return replace(system, without=(WITHOUT[against],))
    if _NUMBERS.fullmatch(against):
        return replace(system, weights=two_weights(against))
    return replace(system, model=against)


def judged(
    folders: Sequence[Path], split: str, system: System, other: System | None
) -> tuple[SystemResult, SystemResult | None]:
    """Judge one system or two on all collections. Raises UsageError, ModelError."""
    show = progress()
    try:
        if other is None:
            return _judged(folders, split, [system], show)[0], None
        if other.model == system.model:
            first, second = _judged(folders, split, [system, other], show)
            return first, second
        return _judged(folders, split, [system], show)[0], _judged(folders, split, [other], show)[0]
    finally:
        show.close()


def _judged(folders: Sequence[Path], split: str, systems: Sequence[System], show: Show) -> list[SystemResult]:
    """Judge systems that share a model on each collection in turn."""
    from engine.evaluation.report import SystemResult

    named = next((system.late_model for system in systems if system.late), None)
    with closing(load(systems[0].model)) as encoder, closing(load(named)) if named else nullcontext(encoder) as late:
        require_token_vectors(late, systems)
        results = [_on_one_index(folder, split, encoder, late, systems, show) for folder in folders]
        name = encoder.manifest.id
    return [
        SystemResult(name, system.fusion, tuple(of_folder[place] for of_folder in results), system.described)
        for place, system in enumerate(systems)
    ]


def _on_one_index(
    folder: Path, split: str, encoder: Encoder, late: Encoder, systems: Sequence[System], show: Show
) -> list[CollectionResult]:
    """Index a collection once and judge each system on it, those of late interaction by the token vectors of `late`."""
    from engine.evaluation.beir import Collection
    from engine.evaluation.evaluator import judge
    from engine.evaluation.leakage import against_train
    from engine.evaluation.temporary_library import temporary_library

    collection = Collection.open(folder)
    queries = judged_queries(collection, split)

    def indexed(documents: int, passages: int) -> None:
        show(Preparing(what=f"{collection.name}: {documents:,} documents indexed, {passages:,} passages"))

    leak = against_train(collection, split, TRAIN, encoder)
    with temporary_library(collection.documents(), encoder, systems[0].settings, indexed) as searcher:
        if factor := max(system.late for system in systems):
            show(Preparing(what=f"{collection.name}: making token vectors of {searcher.passages:,} passages"))
            searcher.with_token_vectors(factor, late)
        judged = [
            judge(
                collection.name,
                queries,
                searcher.with_settings(system.settings, system.on_demand),
                on_query=_told(show, f"{collection.name}, {system.fusion}"),
            )
            for system in systems
        ]
    return [replace(result, leakage=leak) for result in judged]


def require_token_vectors(late: Encoder, systems: Sequence[System]) -> None:
    """Raise ModelError before any work where a model that late interaction is asked of gives no token vectors."""
    if any(system.late for system in systems):
        from engine.indexing.late_build import token_dimension

        token_dimension(late)


def judged_queries(collection: Collection, split: str) -> tuple[JudgedQuery, ...]:
    """Return the queries of a split. Raises UsageError where it has none that could be judged."""
    queries = collection.queries(split)
    if not queries:
        raise UsageError(f'The split "{split}" of {collection.name} has no query with a relevant document.')
    return queries


def load(model: str | None) -> Encoder:
    """Return the encoder of an installed model, with every core for indexing. Raises ModelError."""
    from engine.embedding import catalogue

    return catalogue.load(model or catalogue.EMBEDDED, sessions=os.cpu_count() or 1)


def _told(show: Show, what: str) -> OnQuery:
    def told(done: int, of: int) -> None:
        if done % SHOWN_EVERY == 0 or done == of:
            show(Preparing(what=f"{what}: {done:,} of {of:,} queries asked"))

    return told
