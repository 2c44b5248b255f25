"""How soon a saved note is searchable while a long sync runs, with real processes and the real encoder.

    python tests/bench/saved_note.py FOLDER [--notes 12] [--order sync_full]

FOLDER is copied, indexed by a process of its own, and one note after another is saved into the copy meanwhile. Where
the sync ends before the last note is saved, the folder was too small for the figure to mean anything.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from engine.library import Library
from engine.records import SearchSettings

ROOT = Path(__file__).resolve().parents[2]
WORDS = SearchSettings(fusion="keyword")
LOOK_SECONDS = 0.02
GIVE_UP_SECONDS = 60.0


def main() -> None:
    """Measure and print one line a note, then the median and the worst."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--notes", type=int, default=12)
    parser.add_argument("--order", default="", help="wait for the first sync, then measure while this order is obeyed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        measure(Path(base), options.folder, options.notes, options.order)


def measure(base: Path, folder: Path, notes: int, order: str) -> None:
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
            wait(lambda: "finished" in events(base), "the first sync", 3600.0)
            library.file_request(order)
            time.sleep(3.0)
        taken = [saved(library, copy, number) for number in range(notes)]
        ended = not order and bool(events(base))
    finally:
        worker.stdin.close()  # type: ignore[union-attr]
        worker.wait(10)
    if ended:
        print("the whole sync ended meanwhile: take a larger folder")
    print(f"median {statistics.median(taken):.2f} s, worst {max(taken):.2f} s")


def saved(library: Library, folder: Path, number: int) -> float:
    """Save a note and return the seconds until a search finds it."""
    word = f"quokka{number}x{time.time_ns()}"
    (folder / f"saved-{number}.md").write_text(f"# Saved\n\nA line with {word} in it.\n")
    began = time.monotonic()
    wait(lambda: bool(library.search(word, settings=WORDS).hits), word)
    taken = time.monotonic() - began
    print(f"{number:>3}  {taken:.2f} s  after {library.status().documents} documents", flush=True)
    time.sleep(0.37 * (number % 5))  # so that notes come at different moments of a batch
    return taken


def wait(condition, what: str, seconds: float = GIVE_UP_SECONDS) -> None:
    """Wait until `condition` holds."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(what)
        time.sleep(LOOK_SECONDS)


def events(base: Path) -> str:
    """Return "finished" once the first sync has ended; the notes saved in its midst tell of no end of their own."""
    lines = (base / "events.jsonl").read_text().splitlines()
    return "finished" if any('"sync_finished"' in line for line in lines) else ""


def start(base: Path) -> subprocess.Popen[bytes]:
    """Start the indexer as the browser does."""
    command = [sys.executable, "-P", "-m", "engine.worker", "--library", str(base / "library.carrel")]
    return subprocess.Popen(
        [*command, "--events", str(base / "events.jsonl"), "--watch"],
        cwd=base,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        start_new_session=True,
    )


if __name__ == "__main__":
    main()
