"""What a start costs against its floor: commands against an empty Python, the browser against a bare Textual program.

    python tests/bench/startup.py --library FILE [--before FOLDER] [--rounds 7] [--json]

Everything is started in turns, in one run: an empty process, a program of two widgets (`bare_browser.py`), and of each
checkout the commands and the browser, in pseudo-terminals of the same size. `--before` names another checkout, to be
held against this one. The page cache is warm, byte code is written, each process is new. What counts are medians, and
of them the ratios: a busy machine slows both sides.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bare_browser import GREETING
from browser import LEAVE, WORDS_SO_FAR, answered
from machine import ROOT, heading, machine
from own_home import copy_library, environment_of, library_of
from spread import against, limit_lines
from terminal import Screen, Terminal

EMPTY, BARE = "python -c pass", "bare Textual, first paint"
SEARCH = ("search", "how", "do", "I", "undo", "a", "commit")
COMMANDS = {
    "--version": ("--version",),
    "status": ("status",),
    "search, words alone": ("search", "--fusion", "keyword", "undo a commit"),
    "search": SEARCH,
}
PAINT, ROWS, BOTH = "first paint", "first paint to rows by words", "first paint to rows of both legs"
LIMITS = {"status": 8.0, "search": 22.0, PAINT: 1.4}  # times the floor
MOST_ROWS_MS = 200.0
TYPED = "commit"
PATIENCE_SECONDS = 120.0  # the suite keeps every core at work; what takes so long has failed


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--before", type=Path, help="another checkout, measured in turns with this one")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    checkouts = {"now": ROOT} | ({"before": options.before.resolve()} if options.before else {})
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        report = measured(Path(base), options.library, checkouts, options.rounds)
    print(json.dumps(report, indent=1) if options.json else table(report))


def measured(base: Path, library: Path, checkouts: dict[str, Path], rounds: int) -> dict[str, Any]:
    """Start everything in turns, once more than counts: the first round writes byte code and fills the page cache.

    Each checkout has a copy of the library, brought to its own schema.
    """
    taken: dict[str, list[float]] = {}
    environments = {}
    for name, checkout in checkouts.items():
        home = base / name
        copy_library(library, library_of(home))
        environments[name] = {**environment_of(home), "PYTHONPATH": str(checkout), "TERM": "xterm-256color"}
        for unwanted in ("NO_COLOR", "PYTHONDONTWRITEBYTECODE"):
            environments[name].pop(unwanted, None)
        spent([sys.executable, "-P", "-m", "app.cli", "sync"], environments[name])  # to the schema of that checkout
    for turn in range(rounds + 1):
        anyone = environments["now"]
        taken.setdefault(EMPTY, []).append(spent([sys.executable, "-c", "pass"], anyone))
        taken.setdefault(BARE, []).append(bare_paint(anyone))
        in_turns = list(environments.items())[:: -1 if turn % 2 else 1]  # who comes first has no advantage in the end
        for name, environment in in_turns:
            for command, arguments in COMMANDS.items():
                took = spent([sys.executable, "-P", "-m", "app.cli", *arguments], environment)
                taken.setdefault(f"{name}: {command}", []).append(took)
            for what, took in browser_start(environment).items():
                taken.setdefault(f"{name}: {what}", []).append(took)
    medians = {name: statistics.median(values[1:]) for name, values in taken.items()}
    return {
        "machine": machine(),
        "library_bytes": library.stat().st_size,
        "rounds": rounds,
        "ms": medians,
        "ratio": {name: ms / medians[floor_of(name)] for name, ms in medians.items()},
        "limits": limits(medians),
    }


def floor_of(name: str) -> str:
    """Return what a figure is held against."""
    return BARE if PAINT in name else EMPTY


def limits(medians: dict[str, float]) -> dict[str, dict[str, float]]:
    """Hold the figures of this checkout against what is wanted of them."""
    ratios = {name: medians[f"now: {name}"] / medians[floor_of(name)] for name in LIMITS}
    return against({**ratios, ROWS: medians[f"now: {ROWS}"]}, {**LIMITS, ROWS: MOST_ROWS_MS})


def spent(command: list[str], environment: dict[str, str]) -> float:
    """Run a command to its end, and return the milliseconds."""
    began = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True)
    assert done.returncode in (0, 1), done.stderr.decode()
    return (time.perf_counter() - began) * 1e3


def bare_paint(environment: dict[str, str]) -> float:
    """Return the milliseconds from the start of the bare program to its first paint."""
    terminal = Terminal([sys.executable, str(Path(__file__).with_name("bare_browser.py"))], environment)
    painted = terminal.wait(lambda screen: GREETING in screen.text, PATIENCE_SECONDS)
    assert painted is not None, terminal.screen.text
    assert terminal.leave(LEAVE, PATIENCE_SECONDS) is not None
    return (painted - terminal.began) * 1e3


def browser_start(environment: dict[str, str]) -> dict[str, float]:
    """Start the browser, type a word as soon as anything stands on the screen, and return when its rows were there."""
    terminal = Terminal([sys.executable, "-P", "-m", "app.cli"], environment)
    painted = terminal.wait(lambda screen: "Carrel" in screen.line(0), PATIENCE_SECONDS)
    assert painted is not None, terminal.screen.text
    terminal.press(TYPED)
    rows = terminal.wait(has_rows, PATIENCE_SECONDS)
    both = terminal.wait(answered, PATIENCE_SECONDS)
    assert rows is not None and both is not None, terminal.screen.text
    assert terminal.leave(LEAVE, PATIENCE_SECONDS) is not None
    return {
        PAINT: (painted - terminal.began) * 1e3,
        ROWS: (rows - painted) * 1e3,
        BOTH: (both - painted) * 1e3,
    }


def has_rows(screen: Screen) -> bool:
    """Whether rows of the word stand on the screen, by words or by both legs."""
    return WORDS_SO_FAR in screen.text or answered(screen)


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    lines = [heading(report["machine"]), f"{'milliseconds, median':<46}{'ms':>8}{'× floor':>9}"]
    for name, ms in report["ms"].items():
        ratio = "" if "to rows" in name else f"{report['ratio'][name]:>9.1f}"
        lines.append(f"{name:<46}{ms:>8.0f}{ratio}")
    return "\n".join([*lines, "", *limit_lines(report["limits"])])


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    main()
