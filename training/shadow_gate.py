"""What the gate says of a model beside the one in use: of its run, or of the judged questions that both were asked.

A model that a run made has learnt from the judgements of its library, so only what was held out from it counts. One
that comes from elsewhere is judged on all of them, as the searches of the stream "held-out" answered them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from engine.records import ShadowSearch, StoredDocument, StoredPassage
from training.shadow_decision import GateFinding

if TYPE_CHECKING:
    from training.gate import Series
    from training.runs import Record

MAIN_MEASURE = "NDCG@10, memory on"  # what the gate decides by


class JudgedLibrary(Protocol):
    """The part of a library that tells what was judged."""

    def answers(self) -> dict[str, dict[bytes, bool]]:
        """Return which documents are right for each question, and which are not."""

    def document(self, path: bytes) -> StoredDocument | None:
        """Return the document of a file."""

    def passages_of(self, document_id: int) -> tuple[StoredPassage, ...]:
        """Return the passages of a document."""

    def passage_hashes(self, passage_ids: Sequence[int]) -> dict[int, bytes]:
        """Return the hashes of passages."""


def gate_finding(library: JudgedLibrary, model: str, searches: Sequence[ShadowSearch]) -> GateFinding | None:
    """Return what the gate says of a model; None where nothing was judged."""
    made = _run_of(model)
    return _of_run(made) if made is not None else _of_searches(library, searches)


def _run_of(model: str) -> Record | None:
    from training import runs

    return next((record for run in runs.every() if (record := run.record()).model == model), None)


def _of_run(record: Record) -> GateFinding | None:
    if not record.verdict:
        return None
    _, _, low, high = record.figures.get(MAIN_MEASURE, (None,) * 4)
    return GateFinding(record.verdict, low, high)


def _of_searches(library: JudgedLibrary, searches: Sequence[ShadowSearch]) -> GateFinding | None:
    held_out = {each.query: each for each in sorted(searches, key=lambda each: each.id) if each.stream == "held-out"}
    if not held_out:
        return None
    answers = {query: judged for query, judged in library.answers().items() if query in held_out}
    return of_series(judged_series([held_out[query] for query in answers], answers, _homes(library, answers)))


def of_series(series: Series) -> GateFinding | None:
    """Return the gate's finding from what candidate and base reached on each question; None without any."""
    from training import gate

    if not len(series[0]):
        return None
    found = gate.difference(series, gate.ALPHA)
    judged = gate.verdict(series, series, ([], []), {}, gate.ALPHA)
    return GateFinding(judged.verdict, found.low, found.high, found.queries)


def judged_series(
    searches: Sequence[ShadowSearch], answers: Mapping[str, Mapping[bytes, bool]], homes: Mapping[bytes, bytes]
) -> Series:
    """Return NDCG@10 of candidate and model in use on each judged question that something answers.

    `homes` leads from the hash of a passage to the document that it stands in.
    """
    from engine.evaluation.metrics import ndcg

    series: tuple[list[float], list[float]] = ([], [])
    for search in searches:
        grades = {path.hex(): int(right) for path, right in answers[search.query].items()}
        if any(grades.values()):
            for scores, top in zip(series, (search.top_b, search.top_a), strict=True):
                listed = dict.fromkeys(homes.get(row, b"\0" + row).hex() for row in top)
                scores.append(ndcg(list(listed), grades))
    return series


def _homes(library: JudgedLibrary, answers: Mapping[str, Mapping[bytes, bool]]) -> dict[bytes, bytes]:
    homes: dict[bytes, bytes] = {}
    for path in {path for judged in answers.values() for path in judged}:
        if (document := library.document(path)) is not None:
            hashes = library.passage_hashes([each.id for each in library.passages_of(document.id)])
            homes |= dict.fromkeys(hashes.values(), path)
    return homes
