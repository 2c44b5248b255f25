"""What `carrel watch` prints: one line for each thing that happened, with the time in front."""

from __future__ import annotations

import time
from typing import TextIO

from app.cli.progress_line import PlainLines
from app.wording.safe_text import one_line
from app.wording.times import duration
from engine.events import Event, FollowsAnother, IndexerStarted, Progress, Scanned, Stopped, SyncFinished, Watching
from engine.figures import counted

CLOCK = "%Y-%m-%d %H:%M:%S"


class LogLines(PlainLines):
    """Events as log lines; a sync that found nothing to do says nothing, a short one only its end."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.at = 0.0
        self.covered = ""

    def __call__(self, event: Event) -> None:
        """Print the event's line, if it has one."""
        self.at = event.at
        match event:
            case Scanned():
                self.last = self.clock()
                if event.to_do:
                    super().__call__(event)
            case Progress() if event.files_done >= event.files_total:
                return  # the end of the sync says it
            case IndexerStarted():
                self._print(f"indexer started, process {event.pid}")
            case FollowsAnother():
                self._print(f"process {event.pid} indexes already ({one_line(event.task)}); following it")
            case Watching():
                self._print_coverage(watching(event), one_line(event.fix))
            case SyncFinished():
                changes = finished(event)
                if changes:
                    self._print(changes)
            case Stopped():
                self._print(f"indexer stopped: {one_line(event.reason)}")
            case _:
                super().__call__(event)

    def _print_coverage(self, covered: str, fix: str) -> None:
        """Say how much is watched where that differs from what was said last."""
        if covered != self.covered:
            self.covered = covered
            for line in filter(None, (covered, fix)):
                self._print(line)

    def _print(self, line: str) -> None:
        super()._print(f"{time.strftime(CLOCK, time.localtime(self.at))} {line}")


def watching(event: Watching) -> str:
    """Return how many folders are watched, and why that is not all of them."""
    covered = f"watching {event.covered:,} of {counted(event.folders, 'folder')}"
    return "; ".join(part for part in (covered, one_line(event.remark)) if part)


def finished(event: SyncFinished) -> str:
    """Return what a sync did in words, "" where it changed nothing."""
    counts = (
        (event.added, "added"),
        (event.updated, "updated"),
        (event.moved, "moved"),
        (event.removed, "removed"),
    )
    changes = [f"{number:,} {word}" for number, word in counts if number]
    if not changes:
        return ""
    embedded = f", {counted(event.embedded, 'passage')} embedded" if event.embedded or not event.pending else ""
    pending = f", {counted(event.pending, 'passage')} to embed" if event.pending else ""
    return f"{', '.join(changes)} in {duration(event.seconds)}{embedded}{pending}"
