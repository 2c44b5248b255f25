"""What one typed letter costs: bytes to the terminal, processor time, and how often each part of the screen is painted.

    python tests/bench/letters.py --library FILE [--beside CHECKOUT] [--json]

The browser runs in a terminal of 120 by 35 cells and is typed into: letter by letter, each with all that it begins, and
at a steady pace. A bare Textual program with one `Input` is typed into by the same keys in the same run, so that the
processor time is a ratio. `--beside` names another checkout of Carrel, which is measured in turns with this one. The
library is copied first, once for each.

How often a part was painted is the number of cells that were written in it over the cells that it has.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from browser import answered
from machine import ROOT, heading, machine
from own_home import copy_library, environment_of, library_of
from spread import against, limit_lines, spread
from terminal import Screen, Terminal

WARMING = "garden"
QUERIES = ("water b", "undo a co", "slow index")
COLUMNS, ROWS = 120, 35
SETTLED_SECONDS = 2.0  # after a letter: longer than every search that it begins
PACE_SECONDS = 0.15  # between two letters of somebody who types
READY_SECONDS = 60.0
IDLE_SECONDS = 0.03  # of the processor in one second: the cursor blinks
DRAINED_SECONDS = 0.3  # what was written before a letter is no part of its cost
EMPTY = "\x15"  # ctrl+u
LEAVE = "\x11"
LIMITS = {"bytes_a_letter": 15_000, "cpu_beside": 0.25}
BARE = """
from textual.app import App
from textual.widgets import Input

class Bare(App):
    def compose(self):
        yield Input(placeholder="ready")

Bare().run()
"""
MIGRATE = """
import sys
from pathlib import Path
from engine.store.connection import open_writer

open_writer(Path(sys.argv[1])).close()
"""
PARTS = {  # rows and columns of a screen of 120 by 35
    "query line": (range(2, 3), range(3, 120)),
    "reading": (range(3, 4), range(3, 120)),
    "rows": (range(5, 34), range(60)),
    "preview": (range(5, 33), range(62, 118)),
}


class CountedScreen(Screen):
    """A screen that knows how many bytes came, and how often each cell was written."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, ROWS)
        self.begin()

    def begin(self) -> None:
        """Count from here."""
        self.bytes = 0
        self.painted = [[0] * COLUMNS for _ in range(ROWS)]

    def feed(self, output: bytes) -> None:
        """Take in what the program wrote."""
        self.bytes += len(output)
        super().feed(output)

    def _print(self, text: str) -> None:
        y, x = self._y, self._x
        super()._print(text)
        for column in range(x, self._x):
            self.painted[y][column] += 1

    def times(self, part: str) -> float:
        """Return how often a part was painted."""
        lines, columns = PARTS[part]
        return sum(self.painted[y][x] for y in lines for x in columns) / (len(lines) * len(columns))


class Typed:
    """A program in a terminal that is typed into, and what each letter cost it."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], ready: Callable[[Screen], bool]) -> None:
        self.terminal = Terminal(command, environment, COLUMNS, ROWS)
        self.screen = self.terminal.screen = CountedScreen()
        assert self.terminal.wait(ready, READY_SECONDS) is not None, self.screen.text
        self._rest_at_last()
        self.letters: list[dict[str, float]] = []
        self.paced: list[dict[str, float]] = []

    def warm(self) -> None:
        """Type something that is not counted: the first search loads what all others find loaded."""
        self.terminal.press(WARMING)
        self._rest_at_last()
        self._empty()

    def type(self, query: str) -> None:
        """Type a query letter by letter, and then once more at a steady pace."""
        for letter in query:
            self.letters.append(self._cost(letter))
        self._empty()
        self.paced.append(self._paced(query))
        self._empty()

    def leave(self) -> None:
        """End the program."""
        self.terminal.leave(LEAVE, 10.0)

    def _rest_at_last(self) -> None:
        """Wait until the program does next to nothing: at first it loads a model, and its indexer looks at folders."""
        until = time.perf_counter() + READY_SECONDS
        while time.perf_counter() < until:
            began = processor_seconds(self.terminal.pid)
            self.terminal.rest(1.0)
            if processor_seconds(self.terminal.pid) - began < IDLE_SECONDS:
                return

    def _empty(self) -> None:
        self.terminal.press(EMPTY)
        self.terminal.rest(SETTLED_SECONDS)

    def _cost(self, letter: str) -> dict[str, float]:
        self.terminal.rest(DRAINED_SECONDS)
        self.screen.begin()
        began = processor_seconds(self.terminal.pid)
        self.terminal.press(letter)
        self.terminal.rest(SETTLED_SECONDS)
        spent = processor_seconds(self.terminal.pid) - began
        return {"bytes": self.screen.bytes, "cpu_ms": spent * 1e3, **{part: self.screen.times(part) for part in PARTS}}

    def _paced(self, query: str) -> dict[str, float]:
        self.terminal.rest(DRAINED_SECONDS)
        self.screen.begin()
        began = processor_seconds(self.terminal.pid)
        for letter in query:
            self.terminal.press(letter)
            self.terminal.rest(PACE_SECONDS)
        self.terminal.rest(SETTLED_SECONDS)
        spent = processor_seconds(self.terminal.pid) - began
        return {"bytes": self.screen.bytes / len(query), "cpu_ms": spent * 1e3 / len(query)}


def processor_seconds(pid: int) -> float:
    """Return what all threads of a process have used; not its children."""
    return time.clock_gettime((~pid << 3) | 2)  # the clock of another process: see clock_getcpuclockid(3)


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True, help="a library to measure on")
    parser.add_argument("--beside", type=Path, metavar="CHECKOUT", help="another checkout, measured in turns")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        report = measured(Path(base), options.library, options.beside)
    print(json.dumps(report, indent=1) if options.json else table(report))


def measured(base: Path, library: Path, beside: Path | None) -> dict[str, Any]:
    """Type the same queries into each program, in turns."""
    checkouts = {"here": ROOT, **({"beside": beside.resolve()} if beside else {})}
    programs = {name: browser(base / name, library, checkout) for name, checkout in checkouts.items()}
    script = base / "bare.py"
    script.write_text(BARE)
    programs["bare"] = Typed([sys.executable, str(script)], terminal_of(base / "bare"), lambda s: "ready" in s.text)
    try:
        for program in programs.values():
            program.warm()
        for query in QUERIES:
            for program in programs.values():
                program.type(query)
    finally:
        for program in programs.values():
            program.leave()
    costs = {name: costs_of(program) for name, program in programs.items()}
    bare = costs["bare"]["cpu_ms"]["p50"]
    found = {"bytes_a_letter": costs["here"]["bytes"]["p50"]}
    if beside:
        found["cpu_beside"] = costs["here"]["cpu_ms"]["p50"] / costs["beside"]["cpu_ms"]["p50"]
    return {
        "machine": machine(),
        "programs": costs,
        "cpu_of_bare": {name: each["cpu_ms"]["p50"] / bare for name, each in costs.items()},
        "limits": against(found, LIMITS),
    }


def browser(home: Path, library: Path, checkout: Path) -> Typed:
    """Start the browser of a checkout on a copy of a library."""
    copy = copy_library(library, library_of(home))
    environment = {**terminal_of(home), "PYTHONPATH": str(checkout)}
    migrate = (
        f"from pathlib import Path; from engine.store.connection import open_writer; open_writer(Path({str(copy)!r}))"
    )
    subprocess.run([sys.executable, "-P", "-c", migrate], env=environment, check=True)
    return Typed([sys.executable, "-P", "-m", "app.cli"], environment, ready_to_type)


def ready_to_type(screen: Screen) -> bool:
    """Whether the library is open and what changed last is listed."""
    return "passages" in screen.line(0) or answered(screen)


def terminal_of(home: Path) -> dict[str, str]:
    """Return the environment of a terminal of 16 million colours."""
    environment = {**environment_of(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment.pop("NO_COLOR", None)
    return environment


def costs_of(program: Typed) -> dict[str, dict[str, float]]:
    """Return the spread of what the letters of a program cost."""
    costs = {name: spread([letter[name] for letter in program.letters]) for name in ("bytes", "cpu_ms", *PARTS)}
    for name in ("bytes", "cpu_ms"):
        costs[f"{name}, paced"] = spread([query[name] for query in program.paced])
    return costs


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    lines = [heading(report["machine"]), "", f"{'a letter':<26}{'n':>5}{'p50':>10}{'p95':>10}{'max':>10}"]
    for name, costs in report["programs"].items():
        for what, values in costs.items():
            if name == "bare" and what in PARTS:
                continue
            shown = "".join(f"{values[key]:>10,.1f}" for key in ("p50", "p95", "max"))
            lines.append(f"{name + ': ' + what:<26}{values['n']:>5}{shown}")
    ratios = ", ".join(f"{name} {ratio:.1f} x" for name, ratio in report["cpu_of_bare"].items() if name != "bare")
    lines += ["", f"processor time against the bare program: {ratios}"]
    return "\n".join([*lines, *limit_lines(report["limits"])])


if __name__ == "__main__":
    main()
