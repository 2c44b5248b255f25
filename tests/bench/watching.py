"""What watching costs: 8,000 folders with 100,000 small files, at rest, at a single change, and in a burst of 20,000.

    python tests/bench/watching.py [--json] [--folders 8000] [--files 100000] [--burst 20000] [--rest 60]

The indexer is a process of its own, as `carrel watch` starts it, with the encoder without a model: what is measured is
the watching and the writing. CPU seconds and memory are the kernel's figures for that process and its children.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fake_indexer import watch_command
from indexer import WORDS, start, syncs, wait
from machine import heading, machine
from spread import against, limit_lines

from engine.event_log.event_file import last_watching
from engine.library import Library

LIMITS = {"at_rest_percent_of_a_core": 0.5, "change_worst_seconds": 2.0}  # of 100,000 files in 8,000 folders
CHANGES = 10
FOLDERS_OF_BURST = 200
TICKS = os.sysconf("SC_CLK_TCK")
LONGEST_SECONDS = 3600.0


def main() -> None:
    """Measure, and print a table or JSON."""
    options = _parse()
    with tempfile.TemporaryDirectory(prefix="carrel-bench-", dir=options.dir) as base:
        found = Bench(Path(base), options).run()
    held = against({name: float(str(found[name])) for name in LIMITS}, LIMITS)
    report = {"machine": machine(), **found, "limits": held}
    print(json.dumps(report, indent=2) if options.json else table(report))


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    figures = [f"{name:<36} {value}" for name, value in report.items() if name not in ("machine", "limits")]
    return "\n".join([heading(report["machine"]), *figures, *limit_lines(report["limits"])])


class Bench:
    """A tree of small files, and one indexer that follows it."""

    def __init__(self, base: Path, options: argparse.Namespace) -> None:
        self.base, self.options = base, options
        self.notes = base / "notes"
        self.events = base / "events.jsonl"
        self.found: dict[str, object] = {"folders": options.folders, "files": options.files}
        os.environ["CARREL_HOME"] = str(base / "home")

    def run(self) -> dict[str, object]:
        """Make the tree, index it, and measure."""
        self._say("making the tree")
        self._make_tree()
        self.library = Library.open(self.base / "library.carrel", create=True)
        self.library.add(self.notes)
        self.process = start(self.base, watch_command)
        try:
            self._first_sync()
            self._rest("at_rest")
            self._changes()
            self._burst()
            self._rest("at_rest_afterwards")
        finally:
            self.process.send_signal(signal.SIGTERM)
            told = time.monotonic()
            self.process.wait(60)
            self.found["seconds_to_leave"] = round(time.monotonic() - told, 2)
            self.library.close()
        return self.found

    # --- the parts --------------------------------------------------------------------------------------------------

    def _first_sync(self) -> None:
        self._say("indexing")
        began = time.monotonic()
        self._until(lambda: bool(syncs(self.base)), "the first sync")
        self.found["first_sync_seconds"] = round(time.monotonic() - began, 1)
        self.found["documents"] = self.library.status().documents
        watching = last_watching(self.events)
        self.found["watched"] = f"{watching.covered} of {watching.folders}" if watching else None
        self.found["memory_mb"] = self._memory()

    def _rest(self, name: str) -> None:
        self._say("settling")  # the tiers are fitted, and what was lost in a burst is looked for
        began = time.monotonic()
        while self._spends(2.0) > 0.02:
            self._spends(3.0)
        self.found[f"{name}_after_seconds"] = round(time.monotonic() - began, 1)
        self._say("resting")
        before, began = self._cpu(), time.monotonic()
        time.sleep(self.options.rest)
        share = (self._cpu() - before) / (time.monotonic() - began)
        self.found[f"{name}_percent_of_a_core"] = round(100.0 * share, 3)

    def _spends(self, seconds: float) -> float:
        """Return the share of a core that the indexer takes for so long."""
        before = self._cpu()
        time.sleep(seconds)
        return (self._cpu() - before) / seconds

    def _changes(self) -> None:
        """Edit, create, rename and delete files one at a time, and wait until a search sees it."""
        self._say("changing")
        taken = []
        for number in range(CHANGES):
            word = f"quokka{number}x{time.time_ns()}"
            path = self._path(number * 977)
            path = path if number % 2 else path.with_name(f"new{number}.md")
            before = self._cpu()
            began = time.monotonic()
            path.write_text(f"# Saved\n\nA line with {word} in it.\n")
            self._until(lambda word=word: bool(self.library.search(word, settings=WORDS).hits), word)  # type: ignore[misc]
            taken.append(time.monotonic() - began)
            time.sleep(0.3 + 0.11 * number)
            self.found["cpu_seconds_of_a_change"] = round(self._cpu() - before, 3)
        self.found["change_median_seconds"] = round(statistics.median(taken), 2)
        self.found["change_worst_seconds"] = round(max(taken), 2)

    def _burst(self) -> None:
        """Write very many files as fast as the disk takes them, and wait until every one is there."""
        self._say("a burst")
        before = self.library.status().documents
        peak = _Peak(self._memory)
        began = time.monotonic()
        for number in range(self.options.burst):
            folder = self.notes / "burst" / f"b{number % FOLDERS_OF_BURST}"
            if number < FOLDERS_OF_BURST:
                folder.mkdir(parents=True)
            (folder / f"{number}.md").write_text(f"# Burst {number}\n\nbursting{number} words here\n")
        self.found["burst_written_seconds"] = round(time.monotonic() - began, 1)
        wanted = before + self.options.burst
        self._until(lambda: self.library.status().documents >= wanted, "the burst")
        self.found["burst_absorbed_seconds"] = round(time.monotonic() - began, 1)
        last = f"bursting{self.options.burst - 1}"
        self._until(lambda: bool(self.library.search(last, settings=WORDS).hits), last)
        self.found["burst_lost"] = wanted - self.library.status().documents
        self.found["burst_peak_memory_mb"] = peak.stop()
        self.found["stale_afterwards"] = self.library.status(stale=True).stale

    # --- the process ------------------------------------------------------------------------------------------------

    def _cpu(self) -> float:
        """Return the CPU seconds of the indexer and its children, those that live and those that have ended."""
        total = 0
        for pid in self._family():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            except OSError:
                continue
            total += sum(int(fields[place]) for place in (11, 12, 13, 14))
        return total / TICKS

    def _memory(self) -> float:
        """Return the resident MB of the indexer alone; its children have limits of their own."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return round(int(status.partition("VmRSS:")[2].split()[0]) / 1024, 1)

    def _family(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task")
        found = [self.process.pid]
        for task in children.iterdir():
            found += [int(pid) for pid in (task / "children").read_text().split()]
        return found

    # --- the tree ---------------------------------------------------------------------------------------------------

    def _make_tree(self) -> None:
        for number in range(self.options.folders):
            self._folder(number).mkdir(parents=True, exist_ok=True)
        for number in range(self.options.files):
            self._path(number).write_text(f"# Note {number}\n\nThis is note number {number}, and it says little.\n")

    def _folder(self, number: int) -> Path:
        return self.notes / f"a{number % 20}" / f"b{number // 20 % 20}" / f"c{number // 400}"

    def _path(self, number: int) -> Path:
        return self._folder(number % self.options.folders) / f"note{number}.md"

    # --- waiting ----------------------------------------------------------------------------------------------------

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        wait(lambda: condition() or self._left(what), what, LONGEST_SECONDS)

    def _left(self, what: str) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"the indexer has left before {what}")
        return False

    def _say(self, what: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {what} …", file=sys.stderr, flush=True)


class _Peak:
    """The most that a figure reached, looked at ten times a second."""

    def __init__(self, look: Callable[[], float]) -> None:
        self._look = look
        self._most = look()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(0.1):
            self._most = max(self._most, self._look())

    def stop(self) -> float:
        """Return the most."""
        self._ended.set()
        self._thread.join()
        return self._most


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--folders", type=int, default=8000)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--burst", type=int, default=20_000)
    parser.add_argument("--rest", type=float, default=60.0, help="seconds at rest")
    parser.add_argument("--dir", type=Path, help="where the tree is made; the system's temporary folder otherwise")
    return parser.parse_args()


if __name__ == "__main__":
    assert shutil.disk_usage(tempfile.gettempdir()).free > 2 << 30, "needs 2 GB of free space"
    main()
