"""What each process of Carrel holds in memory at its most, beside what its vectors and its model must take.

    python tests/bench/memory.py --library FILE [--json]

`library` is copied first. Figures are the greatest resident size that the system counted, in MB.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from machine import heading, machine
from own_home import copy_library, environment_of, library_of
from spread import against, limit_lines

MB = 2**20
LIMIT_MB = 1024  # for a library of a million passages, and so for every smaller one
LONG_LIVED = """
import sys
from pathlib import Path
from engine.library import Library
library = Library.open(Path(sys.argv[1]))
library.warm()
for query in ("how do I undo a commit", "slow index", "type hints for callables", "backup of a database") * 5:
    library.explore(query, limit=100)
"""
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "carrel status": ["-P", "-m", "app.cli", "status"],
    "carrel search, words alone": ["-P", "-m", "app.cli", "search", "--fusion", "keyword", "undo a commit"],
    "carrel search": ["-P", "-m", "app.cli", "search", "undo a commit"],
    "twenty searches in one process": ["-c", LONG_LIVED],
    "carrel doctor": ["-P", "-m", "app.cli", "doctor"],
    "carrel sync, nothing to do": ["-P", "-m", "app.cli", "sync"],
}


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(greatest(options.child, options.library))
        return
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        report = measured(Path(base), options.library)
    print(json.dumps(report, indent=1) if options.json else table(report))


def greatest(name: str, library: Path) -> float:
    """Run a command as the only child of this process, and return its greatest resident size in MB."""
    subprocess.run([sys.executable, *COMMANDS[name], *([str(library)] if "one process" in name else [])], check=False)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def measured(base: Path, library: Path) -> dict[str, Any]:
    """Run each command below a process of its own, which counts its children alone.

    Carrel's rooms are imported after that: a child's count begins with what the process held that starts it.
    """
    copy = copy_library(library, library_of(base))
    held = {}
    for name in COMMANDS:
        command = [sys.executable, __file__, "--library", str(copy), "--child", name]
        done = subprocess.run(command, env=environment_of(base), capture_output=True, text=True, check=True)
        held[name] = float(done.stdout.split()[-1])
    must = must_hold(copy)
    return {
        "machine": machine(),
        **must,
        "resident_mb": held,
        "times_what_it_must": {name: each / (must["vectors_mb"] + must["model_mb"]) for name, each in held.items()},
        "limits": against(held, dict.fromkeys(set(held) - {"python -c pass"}, LIMIT_MB)),
    }


def must_hold(library: Path) -> dict[str, float]:
    """Return how many passages there are, and what their vectors and the model take."""
    from engine.embedding import catalogue
    from engine.store import models, vector_tables
    from engine.store.connection import open_reader

    connection = open_reader(library)
    model = models.active(connection)
    assert model is not None
    count, size = len(vector_tables.live_ids(connection, model.id)), vector_tables.dimension(connection, model.id)
    return {
        "passages": count,
        "vectors_mb": count * size * 4 / MB,
        "model_mb": (catalogue.load().folder / "model.onnx").stat().st_size / MB,
    }


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    must = f"vectors {report['vectors_mb']:.0f} MB, model {report['model_mb']:.0f} MB"
    lines = [heading(report["machine"]), f"{report['passages']:,} passages: {must}", ""]
    for name, held in report["resident_mb"].items():
        lines.append(f"{name:<34}{held:>8.0f} MB{report['times_what_it_must'][name]:>8.2f} of vectors and model")
    worst = max(report["limits"].items(), key=lambda each: each[1]["found"])
    return "\n".join([*lines, *limit_lines(dict([worst]), "MB")])


if __name__ == "__main__":
    main()
