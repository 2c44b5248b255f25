"""What a snippet costs of the worst passages, and of ordinary ones.

    python tests/bench/snippet_cost.py [--rounds 20] [--json]

Each passage is made of one thing that once was, or could be, slow; its snippet is made again and again for a query of
words, a prefix and a phrase that stand in it. The slowest is held against 5 ms, each by the best of its rounds, since a
busy machine only adds to them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import heading, machine
from spread import against, limit_lines

from engine.retrieval.fts_query import FtsQuery, fts_query_of
from engine.retrieval.postings_cache import PostingsCache
from engine.retrieval.query import parse
from engine.retrieval.snippet import snippet
from engine.store.connection import open_writer

LIMIT_MS = 5.0
QUERY = 'wombat burrow* "badger and heron"'
MOST = 60_000  # characters: five times what a snippet reads
PASSAGES = {
    "ordinary": "A wombat digs its burrow where a badger and heron never meet. " * 20,
    "blank lines": "wombat burrow" + "\n" * MOST + "badger and heron",
    "blanks": "wombat burrow" + " " * MOST + "badger and heron",
    "blanks and line ends": "wombat " + " \n" * (MOST // 2),
    "open brackets": "wombat " + "[" * MOST,
    "open links": "wombat " + "[](" * (MOST // 3),
    "nested links": "wombat " + "[a](b" * (MOST // 5),
    "wiki links": "wombat " + "[[burrow|" * (MOST // 9),
    "stars": "wombat " + "*" * MOST,
    "back quotes": "wombat " + "`" * MOST,
    "hashes": "wombat\n" + "# " * (MOST // 2),
    "list signs": "wombat\n" + "- " * (MOST // 2),
    "quotes": "wombat\n" + "> " * (MOST // 2),
    "open front matter": "---\nwombat\n" + "---\n " * (MOST // 5),
    "one word": "wombat " + "a" * MOST,
    "the query again and again": "wombat burrow badger and heron " * (MOST // 31),
    "single letters": "wombat " + "a " * (MOST // 2),
    "Chinese": "wombat " + "漢字" * (MOST // 2),
    "combining marks": "wombat a" + "\u0301" * MOST,
    "emoji": "wombat " + "\U0001f468\u200d" * (MOST // 2),
}


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        report = measured(Path(base), options.rounds)
    print(json.dumps(report, indent=1, ensure_ascii=False) if options.json else table(report))


def measured(base: Path, rounds: int) -> dict[str, Any]:
    """Make each snippet so many times."""
    asked = query_of(base / "library.carrel")
    taken = {name: best_ms(text, asked, rounds) for name, text in PASSAGES.items()}
    worst = max(taken.values())
    return {
        "machine": machine(),
        "rounds": rounds,
        "ms": taken,
        "limits": against({"a snippet, worst": worst}, {"a snippet, worst": LIMIT_MS}),
    }


def query_of(path: Path) -> FtsQuery:
    """Return the query as a library reads it, which is empty here."""
    connection = open_writer(path, create=True)
    try:
        return fts_query_of(parse(QUERY), PostingsCache().of(connection))
    finally:
        connection.close()


def best_ms(text: str, asked: FtsQuery, rounds: int) -> float:
    """Return the milliseconds that a snippet of a Markdown passage takes at best."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        snippet(text, asked, ("A title",), "markdown")
        taken.append((time.perf_counter() - began) * 1000)
    return min(taken)


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    lines = [f"{name:28}{ms:7.2f} ms" for name, ms in sorted(report["ms"].items(), key=lambda each: -each[1])]
    return "\n".join([heading(report["machine"]), *lines, *limit_lines(report["limits"], "ms")])


if __name__ == "__main__":
    main()
