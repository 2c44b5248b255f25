"""What a one-shot command costs from process start to its end, imports and model included.

    python tests/bench/cold_start.py --library FILE [--json]

Each command runs in turn with the others, beside an empty Python process. The page cache is warm, the process is new.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import heading, machine
from own_home import copy_library, environment_of, library_of
from spread import against, limit_lines

ROUNDS = 7
LIMITS_MS = {"carrel search": 600}  # for 50,000 passages
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "carrel --version": ["-P", "-m", "app.cli", "--version"],
    "carrel --help": ["-P", "-m", "app.cli", "--help"],
    "carrel status": ["-P", "-m", "app.cli", "status"],
    "carrel search, words alone": ["-P", "-m", "app.cli", "search", "--fusion", "keyword", "undo a commit"],
    "carrel search": ["-P", "-m", "app.cli", "search", "how", "do", "I", "undo", "a", "commit"],
    "carrel search --explain": ["-P", "-m", "app.cli", "search", "--explain", "undo a pushed commit"],
}


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        report = measured(Path(base), options.library)
    print(json.dumps(report, indent=1) if options.json else table(report))


def measured(base: Path, library: Path) -> dict[str, Any]:
    """Run all commands, round by round."""
    copy_library(library, library_of(base))
    environment = environment_of(base)
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, arguments in COMMANDS.items():
            began = time.perf_counter()
            done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True)
            taken[name].append((time.perf_counter() - began) * 1e3)
            assert done.returncode in (0, 1), done.stderr.decode()
    figures = {
        name: {"median": statistics.median(each), "least": min(each), "ratio": min(each) / min(taken["python -c pass"])}
        for name, each in taken.items()
    }
    limits = against({name: each["median"] for name, each in figures.items()}, LIMITS_MS)
    return {"machine": machine(), "library_bytes": library.stat().st_size, "ms": figures, "limits": limits}


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    lines = [heading(report["machine"]), f"{'milliseconds':<30}{'median':>9}{'least':>9}{'× empty':>9}"]
    for name, each in report["ms"].items():
        lines.append(f"{name:<30}{each['median']:>9.0f}{each['least']:>9.0f}{each['ratio']:>9.1f}")
    return "\n".join([*lines, *limit_lines(report["limits"], "ms")])


if __name__ == "__main__":
    main()
