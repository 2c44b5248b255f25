"""Counts what a sync does, in the terms of its report."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from engine.events import SyncFinished
from engine.records import Failure, SyncReport


@dataclass(slots=True)
class Tally:
    """The counts of a sync that is still running."""

    started: float = field(default_factory=time.monotonic)
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    moved: int = 0
    removed: int = 0
    embedded: int = 0
    reused: int = 0
    passages_removed: int = 0
    failed: list[Failure] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def changes(self) -> int:
        """How many documents differ from before."""
        return self.added + self.updated + self.removed

    def report(self) -> SyncReport:
        """Return the counts so far."""
        return SyncReport(
            added=self.added,
            updated=self.updated,
            unchanged=self.unchanged,
            moved=self.moved,
            removed=self.removed,
            failed=tuple(sorted(self.failed, key=lambda failure: failure.path)),
            skipped=dict(sorted(self.skipped.items())),
            embedded=self.embedded,
            reused=self.reused,
            passages_removed=self.passages_removed,
            seconds=round(time.monotonic() - self.started, 3),
        )


def joined(first: SyncReport, second: SyncReport) -> SyncReport:
    """Return the report of a sync that gave way and was taken up again, as if it had been one."""
    return SyncReport(
        added=first.added + second.added,
        updated=first.updated + second.updated,
        unchanged=max(0, second.unchanged - first.added - first.updated - first.moved),
        moved=first.moved + second.moved,
        removed=first.removed + second.removed,
        failed=second.failed,
        skipped=second.skipped,
        embedded=first.embedded + second.embedded,
        reused=first.reused + second.reused,
        passages_removed=first.passages_removed + second.passages_removed,
        seconds=round(first.seconds + second.seconds, 3),
    )


def to_dict(report: SyncReport) -> dict[str, Any]:
    """Return a report as plain JSON values; paths are text in the way of `os.fsdecode`."""
    failed = [{"path": os.fsdecode(failure.path), "reason": failure.reason} for failure in report.failed]
    return {**asdict(report), "failed": failed, "skipped": dict(report.skipped)}


def from_dict(values: Mapping[str, Any]) -> SyncReport:
    """Read what `to_dict` wrote."""
    known = {each.name: values[each.name] for each in fields(SyncReport) if each.name in values}
    failed = tuple(Failure(os.fsencode(each["path"]), each["reason"]) for each in known.get("failed", ()))
    return SyncReport(**{**known, "failed": failed})


def finished(report: SyncReport) -> SyncFinished:
    """Return the event that tells of a report."""
    return SyncFinished(
        added=report.added,
        updated=report.updated,
        unchanged=report.unchanged,
        moved=report.moved,
        removed=report.removed,
        failed=len(report.failed),
        embedded=report.embedded,
        reused=report.reused,
        seconds=report.seconds,
    )
