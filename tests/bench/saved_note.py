"""How soon a saved note is searchable while a long sync runs, with real processes and the real encoder.

    python tests/bench/saved_note.py FOLDER [--notes 12] [--order sync_full] [--json]

FOLDER is copied, indexed by a process of its own, and one note after another is saved into the copy meanwhile. Where
the sync ends before the last note is saved, the folder was too small for the figure to mean anything.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from indexer import WORDS, start, stop, syncs, wait
from machine import heading, machine
from spread import against, limit_lines

from engine.library import Library

FIRST_SYNC_SECONDS = 3600.0
LIMIT_SECONDS = 2.0


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--notes", type=int, default=12)
    parser.add_argument("--order", default="", help="wait for the first sync, then measure while this order is obeyed")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        report = measured(Path(base), options.folder, options.notes, options.order)
    print(json.dumps(report, indent=1) if options.json else table(report))


def measured(base: Path, folder: Path, notes: int, order: str) -> dict[str, Any]:
    """Run the indexer on a copy of `folder` and save notes into it."""
    os.environ["CARREL_HOME"] = str(base / "home")
    copy = base / "notes"
    shutil.copytree(folder, copy, copy_function=shutil.copyfile)
    library = Library.open(base / "library.carrel", create=True)
    library.add(copy)
    worker = start(base)
    try:
        wait(lambda: library.status().documents > 0, "the first document")
        if order:
            wait(lambda: bool(syncs(base)), "the first sync", FIRST_SYNC_SECONDS)
            library.file_request(order)
            time.sleep(3.0)
        taken = [saved(library, copy, number) for number in range(notes)]
        ended = not order and bool(syncs(base))
    finally:
        stop(worker)
    seconds = {"median": statistics.median(taken), "worst": max(taken)}
    return {
        "machine": machine(),
        "notes": notes,
        "sync_ended_meanwhile": ended,
        "seconds": seconds,
        "limits": against({"searchable, worst": max(taken)}, {"searchable, worst": LIMIT_SECONDS}),
    }


def saved(library: Library, folder: Path, number: int) -> float:
    """Save a note and return the seconds until a search finds it."""
    word = f"quokka{number}x{time.time_ns()}"
    (folder / f"saved-{number}.md").write_text(f"# Saved\n\nA line with {word} in it.\n")
    began = time.monotonic()
    wait(lambda: bool(library.search(word, settings=WORDS).hits), word)
    taken = time.monotonic() - began
    time.sleep(0.37 * (number % 5))  # so that notes come at different moments of a batch
    return taken


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    taken = report["seconds"]
    lines = [
        heading(report["machine"]),
        f"{report['notes']} notes, searchable after {taken['median']:.2f} s median, {taken['worst']:.2f} s worst",
        *limit_lines(report["limits"], "s"),
    ]
    if report["sync_ended_meanwhile"]:
        lines.append("the whole sync ended meanwhile: take a larger folder")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
