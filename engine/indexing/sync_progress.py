"""What a sync has done so far and how far its words and its meaning are: counts, report, and progress events."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from engine.events import Event, MeaningProgress, Progress, SyncFinished
from engine.paths import display
from engine.records import Failure, SyncReport

INTERVAL_SECONDS = 0.1  # 10 Hz: more than a screen can show
RATE_SECONDS = 10.0  # long enough to even out long and short texts, short enough to follow a laptop's heat
SURE_AFTER_SECONDS = 2.0  # before, an estimate of what is left jumps about


@dataclass(slots=True)
class Tally:
    """What a sync that is still running has done, in the terms of its report."""

    started: float = field(default_factory=time.monotonic)
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    moved: int = 0
    removed: int = 0
    embedded: int = 0
    reused: int = 0
    pending: int = 0
    passages_removed: int = 0
    wordless: int = 0
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
            wordless=self.wordless,
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
        held=second.held,
        wordless=first.wordless + second.wordless,
        pending=second.pending,
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
        pending=report.pending,
    )


class Rate:
    """How many a second were done of late."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._total = 0
        self._recent: deque[tuple[float, int]] = deque([(clock(), 0)])

    def add(self, number: int) -> None:
        """Count so many as done now."""
        self._total += number
        now = self._clock()
        self._recent.append((now, self._total))
        while len(self._recent) > 2 and self._recent[1][0] < now - RATE_SECONDS:
            self._recent.popleft()

    def per_second(self) -> float:
        """Return how many a second were done over the last ten seconds."""
        (since, before), now = self._recent[0], self._clock()
        return (self._total - before) / (now - since) if now > since else 0.0


class MeaningMeter:
    """Tells how many texts are still to be embedded, and how long that takes, ten times a second at most."""

    def __init__(self, on_event: Callable[[Event], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._on_event = on_event
        self._clock = clock
        self._rate = Rate(clock)
        self._began = self._last = clock()
        self._told = self._began - INTERVAL_SECONDS

    def resume(self) -> None:
        """Begin a spell of embedding: the time since the last one says nothing of the pace, unless it was short."""
        now = self._clock()
        if now - self._last > SURE_AFTER_SECONDS:
            self._rate, self._began = Rate(self._clock), now

    def embedded(self, texts: int, pending: int, passages: int) -> None:
        """Count texts that got their vector; so many are `pending` now, of all `passages` that need one."""
        self._rate.add(texts)
        now, rate = self._clock(), self._rate.per_second()
        self._last = now
        if pending and now - self._told < INTERVAL_SECONDS:
            return
        self._told = now
        left = round(pending / rate, 1) if rate and now - self._began >= SURE_AFTER_SECONDS else None
        self._on_event(MeaningProgress(pending=pending, passages=passages, rate=round(rate, 1), seconds_left=left))


class ProgressMeter:
    """Counts what was done and tells it as `Progress` events, ten a second at most."""

    def __init__(
        self,
        files_total: int,
        bytes_total: int,
        on_event: Callable[[Event], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._files_total = files_total
        self._bytes_total = bytes_total
        self._on_event = on_event
        self._clock = clock
        self._started = clock()
        self._told = self._started - INTERVAL_SECONDS
        self._files_done = self._bytes_done = self._passages = 0
        self._rate = Rate(clock)
        self._path = b""

    def file_done(self, path: bytes, size: int) -> None:
        """Count a file of `size` bytes as done with."""
        self._files_done += 1
        self._bytes_done += size
        self._path = path
        self.tell()

    def passages_done(self, passages: int, path: bytes) -> None:
        """Count passages that are found by words now, or got their vectors; `path` is the file they stand in."""
        self._passages += passages
        self._path = path
        self._rate.add(passages)
        self.tell()

    def more(self, files: int, size: int) -> None:
        """Put off: files that have to be read once more."""
        self._files_total += files
        self._bytes_total += size

    def tell(self, *, at_once: bool = False) -> None:
        """Send a `Progress` event, unless the last one was sent less than a tenth of a second ago."""
        now = self._clock()
        if not at_once and now - self._told < INTERVAL_SECONDS:
            return
        self._told = now
        self._on_event(
            Progress(
                files_done=self._files_done,
                files_total=self._files_total,
                passages=self._passages,
                rate=round(self._rate.per_second(), 1),
                seconds_left=self.seconds_left(),
                path=display(self._path),
            )
        )

    def seconds_left(self) -> float | None:
        """Return what the rest will take if its bytes take as long as those done, or None while that is a guess."""
        passed = self._clock() - self._started
        if passed < SURE_AFTER_SECONDS or not self._bytes_done:
            return None
        return round(passed * max(0, self._bytes_total - self._bytes_done) / self._bytes_done, 1)
