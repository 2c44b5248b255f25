"""How long a person waits for the browser, measured through a real terminal.

    python tests/bench/keys.py --library FILE
    CARREL_DATA=… python tests/bench/keys.py --library FILE --while-indexing

What is written is a key, and what counts is when the output arrived that shows the answer: key to new rows by words,
key to rows of both legs, key to the rows that a step of the what-if slider moved, process start to first paint and to
first rows, and leaving. The library is copied first. The limits are those for 50,000 passages; `search_scale.py --keep`
makes a library of any size.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from browser import Figures, one_run
from machine import heading, machine
from own_home import copy_library, environment_of, library_of
from real_text import copy_changed
from spread import against, spread

from engine.library import Library

QUERIES = (
    "how do I undo a commit",
    "slow postgres query index",
    "ssh key agent forwarding",
    "congestion window after packet loss",
    "type hints for callables",
    "vim macro over many lines",
    "backup of a sqlite database",
    "what is a deprecated keyword argument",
)
TRIED = QUERIES[0], QUERIES[2], QUERIES[6]  # those whose rows the slider is moved on
LIMITS_MS = {  # at the 95th percentile
    "first_paint": 400,
    "leaving": 1000,
    "words": 90,
    "hybrid": 180,
    "what_if": 60,
    "palette": 200,
    "library_screen": 200,
    "reader": 200,
}
SLOWEST = 12
MORE_BYTES = 12_000_000  # to be indexed meanwhile: some ten minutes of both cores


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True, help="a library to measure on")
    parser.add_argument("--while-indexing", action="store_true", help="measure while the indexer encodes")
    parser.add_argument("--starts", type=int, default=5, help="how often the browser is started")
    parser.add_argument("--interval", type=float, default=0.0, help="type words at this pace, measure their last key")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        report = measured(Path(base), options.library, options)
    print(json.dumps(report, indent=1) if options.json else table(report))


def measured(base: Path, library: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Measure on a copy of a library, in a home of its own."""
    home = base / "home"
    copy = copy_library(library, library_of(home))
    environment = {**environment_of(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment.pop("NO_COLOR", None)
    with Library.open(copy) as opened:
        status = opened.status()
        if options.while_indexing:
            copy_changed(base / "more", MORE_BYTES)
            opened.add(base / "more")
    figures = Figures()
    for turn in range(options.starts):
        queries, tried = (QUERIES, TRIED) if turn == 0 else ((), ())
        one_run(environment, figures, queries, tried, options.interval, options.while_indexing)
    with Library.open(copy) as opened:
        after = opened.status()
    ms = {name: spread(values) for name, values in vars(figures).items() if name not in ("missed", "typed")}
    return {
        "machine": {**machine(), "textual": version("textual")},
        "passages": status.passages,
        "documents": status.documents,
        "while_indexing": options.while_indexing,
        "passages_indexed_meanwhile": after.passages - status.passages,
        "typed_at_seconds": options.interval,
        "ms": ms,
        "limits_p95": against({name: each["p95"] for name, each in ms.items() if each["n"]}, LIMITS_MS),
        "slowest": [
            {"typed": typed, "words": round(words, 1), "hybrid": round(hybrid, 1)}
            for words, hybrid, typed in sorted(figures.typed, reverse=True)[:SLOWEST]
        ],
        "without_answer": figures.missed,
    }


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    lines = [
        heading(report["machine"]),
        f"{report['passages']:,} passages of {report['documents']:,} documents"
        + (f", {report['passages_indexed_meanwhile']:,} more indexed meanwhile" if report["while_indexing"] else ""),
        "",
        f"{'milliseconds':<16}{'n':>5}{'p50':>9}{'p95':>9}{'max':>9}{'limit':>9}{'p95 / it':>9}",
    ]
    for name, values in report["ms"].items():
        shown = "".join(f"{values[key]:>9.1f}" if key in values else f"{'–':>9}" for key in ("p50", "p95", "max"))
        held = report["limits_p95"].get(name)
        limit = f"{held['at_most']:>9.0f}{held['ratio']:>9.2f}" if held else ""
        lines.append(f"{name.replace('_', ' '):<16}{values['n']:>5}{shown}{limit}")
    lines += ["", "slowest: " + ", ".join(f"“{each['typed']}” {each['words']}" for each in report["slowest"])]
    if report["without_answer"]:
        lines.append(f"without an answer: {', '.join(report['without_answer'])}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
