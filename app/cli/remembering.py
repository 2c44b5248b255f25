"""Judges what memory is worth, for `carrel eval --memory`: each collection indexed once and asked twice."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.evaluation import System, judged_queries, load
from app.cli.progress_line import Show, progress
from engine.errors import UsageError
from engine.events import Preparing

if TYPE_CHECKING:
    from engine.embedding.encoder import Encoder
    from engine.evaluation.evaluator import CollectionResult
    from engine.evaluation.memory_gain import MemoryReport
    from engine.evaluation.report import SystemResult


def remembered(
    folders: Sequence[Path], split: str, taught: str, system: System
) -> tuple[SystemResult, list[MemoryReport]]:
    """Judge a system with the marks of the split `taught`, and tell what they gave. Raises UsageError, ModelError."""
    from engine.evaluation.report import SystemResult

    if taught == split:
        raise UsageError(f"Marks from {taught} would be judged by the same queries.", fix="Name two different splits.")
    if system.fusion != "convex":
        raise UsageError("Memory counts in the fusion convex only.", fix="Leave --fusion out.")
    show = progress()
    try:
        with closing(load(system.model)) as encoder:
            judged = [_on_one(folder, split, taught, system, encoder, show) for folder in folders]
            name = encoder.manifest.id
    finally:
        show.close()
    return SystemResult(name, system.fusion, tuple(each[0] for each in judged)), [each[1] for each in judged]


def _on_one(
    folder: Path, split: str, taught: str, system: System, encoder: Encoder, show: Show
) -> tuple[CollectionResult, MemoryReport]:
    from engine.evaluation.beir import Collection
    from engine.evaluation.evaluator import judge
    from engine.evaluation.memory_gain import by_group, remember
    from engine.evaluation.temporary_library import temporary_library

    collection = Collection.open(folder)
    queries, lessons = judged_queries(collection, split), collection.queries(taught)

    def told(what: str) -> None:
        show(Preparing(what=f"{collection.name}: {what}"))

    def indexed(documents: int, passages: int) -> None:
        told(f"{documents:,} documents indexed, {passages:,} passages")

    with temporary_library(collection.documents(), encoder, system.settings, indexed) as library:
        told("asking without memory")
        without = judge(collection.name, queries, library.with_settings(replace(system.settings, memory=False)))
        told(f"marking the judgements of {taught}")
        marks = remember(library, lessons, encoder)
        told("asking with memory")
        result = judge(collection.name, queries, library.with_settings(system.settings))
    return result, by_group(collection.name, marks, lessons, queries, without, result, encoder)
