"""What runs of every kind share: how they begin and end, the library they read, and what a stage leaves behind."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.atomic_files import replace_file
from training import library_snapshot, splits
from training.kept_stages import QUERIES_FILE, forget_outdated
from training.known_queries import KnownQuery
from training.protocol import Finished, Judged, Preparing, RunStarted, StageStarted
from training.run_channel import Teller
from training.run_plan import Plan
from training.runs import Run


class StagedRun:
    """A plan that is carried out stage by stage; a stage whose file is there is not gone through again."""

    def __init__(self, run: Run, teller: Teller) -> None:
        self._run = run
        self._plan: Plan = run.record().plan
        self._teller = teller
        self._known: list[KnownQuery] = []  # the queries of the run, once its first stage is over

    def _begin(self, seconds: float | None) -> None:
        """Tell that the run begins, and how long it will take, where that is known."""
        self._teller.tell(
            RunStarted(
                run=self._run.name,
                pid=os.getpid(),
                recipe=self._plan.recipe,
                base=self._plan.base,
                seconds=seconds,
                resumed=(self._run.folder / QUERIES_FILE).exists(),
            )
        )

    def _begin_stage_of_queries(self) -> list[KnownQuery] | None:
        """Forget what was made of another state of the library, and return the queries that are kept, if any."""
        self._teller.tell(StageStarted(stage="queries"))
        if forget_outdated(self._run, self._snapshot.corpus):
            self._teller.tell(Preparing(what="the library has changed since: beginning anew"))
        kept = self._kept(QUERIES_FILE)
        return None if kept is None else [KnownQuery.from_json(each) for each in kept]

    def _end(self, outcome: str, verdict: Judged, model: str | None, found: Mapping[str, Any]) -> None:
        """Write down and tell how the run ended, with what it has found."""
        seconds = self._run.worked()
        self._run.update(
            state=outcome,
            verdict=verdict.verdict,
            seconds=seconds,
            figures={each.name: [each.base, each.candidate, each.low, each.high] for each in verdict.measures},
            **found,
        )
        self._teller.tell(Finished(outcome=outcome, model=model, seconds=seconds))

    @cached_property
    def _snapshot(self) -> library_snapshot.LibrarySnapshot:
        def report(what: str, done: int, of: int) -> None:
            self._teller.check()
            self._teller.tell(Preparing(what=what, done=done, of=of))

        return library_snapshot.open_snapshot(self._plan, report)

    @cached_property
    def _vectors(self) -> NDArray[np.float32]:
        """The base's vectors of all queries."""
        return self._snapshot.encoder.encode_queries([query.text for query in self._known])

    @cached_property
    def _split(self) -> splits.Splits:
        return splits.split(self._known, self._vectors, self._plan.seed)

    def _kept(self, name: str) -> Any:
        path = self._run.folder / name
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def _keep(self, name: str, value: Any) -> None:
        replace_file(self._run.folder / name, json.dumps(value))
