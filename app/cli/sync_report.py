"""Brings a library up to date and gives one report of it, whichever process did the work."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.indexer_request import OnEvent, done_or_asked
from engine.records import SyncReport

if TYPE_CHECKING:
    from engine.library import Library

SUMMED = (
    "added",
    "updated",
    "unchanged",
    "moved",
    "removed",
    "embedded",
    "reused",
    "passages_removed",
    "seconds",
    "wordless",
)


def bring_up_to_date(
    library: Library,
    paths: Sequence[Path],
    *,
    full: bool,
    accept_removals: bool = False,
    meaning: bool = True,
    on_event: OnEvent,
    stop: threading.Event,
) -> SyncReport:
    """Sync and return the report; beside another indexer, by asking it and waiting. Raises CarrelError.

    Without `meaning` it is over once all is found by words; with it and `paths` what waits elsewhere is not waited for.
    """
    kind = "_".join(filter(None, ("sync_full" if full else "", "accept_removals" if accept_removals else ""))) or "sync"
    done = done_or_asked(
        library,
        lambda: library.sync(
            paths, full=full, accept_removals=accept_removals, meaning=meaning, on_event=on_event, stop=stop
        ),
        [(kind, os.fspath(path)) for path in paths] or [(kind, "")],
        on_event=on_event,
        stop=stop,
    )
    if done is None or isinstance(done, SyncReport):
        return done or SyncReport()
    from engine.indexing.sync_progress import from_dict

    reports = [from_dict(outcome) for outcome in done]
    held = reports[0].held if len(reports) == 1 else held_once(library, paths)
    report = replace(summed(reports), held=held)
    if not meaning or not report.pending:
        return report
    from app.cli.embedding_wait import until_embedded

    if paths:
        library.embed_first(paths)
    began = time.monotonic()
    embedded = until_embedded(library, on_event, stop, paths)
    seconds = round(report.seconds + time.monotonic() - began, 3)
    return replace(report, embedded=embedded, pending=library.pending(), seconds=seconds)


def held_once(library: Library, paths: Sequence[Path]) -> int:
    """Return how many documents are held back in the watched folders around or below some paths, each counted once."""
    from engine.watching.hints import below

    wanted = [os.fsencode(path) for path in paths]
    return sum(
        folder.held
        for folder in library.folders()
        if any(below(each, folder.path) or below(folder.path, each) for each in wanted)
    )


def summed(reports: Sequence[SyncReport]) -> SyncReport:
    """Return the reports of several paths as one; what is held back, which two of them may both tell, is left out."""
    skipped: Counter[str] = Counter()
    for report in reports:
        skipped.update(report.skipped)
    return replace(
        SyncReport(),
        failed=tuple(failure for report in reports for failure in report.failed),
        skipped=dict(skipped),
        pending=reports[-1].pending if reports else 0,
        **{name: sum(getattr(report, name) for report in reports) for name in SUMMED},
    )
