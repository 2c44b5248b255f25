"""What a key waits while the search before it is still made with the model beside, against the same with that off.

    python tests/bench/keys_beside.py --library FILE [--rounds 3]

The library is copied, and a second model runs beside in the copy: the embedded one under another name, pooled
otherwise, with the vectors that are there. A query is typed, rests until it is being compared, and then one more key
is pressed; what counts is when the rows by words and by both legs arrive. Rounds with the switch off and on take turns.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from browser import EMPTY, LEAVE, PATIENCE_SECONDS, Figures, answered, begin, one_key, query_in
from keys import QUERIES
from machine import heading, machine
from own_home import copy_library, environment_of, library_of
from spread import against, spread
from terminal import Terminal

from engine.embedding import catalogue
from engine.embedding.manifest import Manifest
from engine.retrieval import tiers
from engine.store import change_log, models, vector_tables
from engine.store.connection import open_writer
from engine.store.transactions import transaction

BESIDE = "beside-bench"
BEGINS_SECONDS = 1.95  # after the answer, which has to rest for 2 s
STEP_SECONDS = 0.02  # from key to key, so that they fall on every part of a comparison
UNDISTURBED_SECONDS = 10.0  # some 3 to begin, and a second model is loaded
LIMIT_MS = 5.0  # that may be added to the 95th percentile


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True, help="a library to measure on")
    parser.add_argument("--rounds", type=int, default=3, help="how often each of both is measured")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        report = measured(Path(base), options.library, options.rounds)
    print(json.dumps(report, indent=1) if options.json else table(report))


def measured(base: Path, library: Path, rounds: int) -> dict[str, Any]:
    """Measure on a copy of a library, in a home of its own."""
    home = base / "home"
    copy = copy_library(library, library_of(home))
    passages = let_run_beside(home, copy)
    figures = {False: Figures(), True: Figures()}
    for _ in range(rounds):
        for on, found in figures.items():
            one_round(home, on, found)
    with closing(open_writer(copy)) as conn:
        compared = int(conn.execute("SELECT count(*) FROM shadow_search").get)
    ms = {
        f"{name} {'on' if on else 'off'}": spread(getattr(found, name))
        for name in ("echo", "words", "hybrid")
        for on, found in figures.items()
    }
    added = {
        f"added to {name}": ms[f"{name} on"]["p95"] - ms[f"{name} off"]["p95"]
        for name in ("words", "hybrid")
        if ms[f"{name} on"]["n"] and ms[f"{name} off"]["n"]
    }
    return {
        "machine": machine(),
        "passages": passages,
        "compared": compared,
        "ms": ms,
        "added_p95": against(added, dict.fromkeys(added, LIMIT_MS)),
        "without_answer": [each for found in figures.values() for each in found.missed],
    }


def let_run_beside(home: Path, library: Path) -> int:
    """Install the embedded model under another name, and give it vectors and tiers; return how many passages it has."""
    place = home / "data" / "models" / BESIDE
    shutil.copytree(catalogue.EMBEDDED_FOLDER, place)
    manifest = replace(Manifest.read(place), id=BESIDE, revision=BESIDE, pooling="cls")
    manifest.write(place)
    with closing(open_writer(library)) as conn, transaction(conn):
        active = models.active(conn)
        assert active is not None
        number = models.add(
            conn,
            name=BESIDE,
            manifest=manifest.to_json(),
            fingerprint=manifest.fingerprint,
            dimension=manifest.dimension,
        )
        for ids, matrix in list(vector_tables.read_blocks(conn, active.id)):
            vector_tables.put(conn, number, ids.tolist(), matrix)
        fitted = {tiers.CALIBRATED: models.figure(conn, active.id, tiers.CALIBRATED)}
        for each in (active.id, number):  # so that the indexer has nothing to do meanwhile
            models.calibrate(conn, each, {**fitted, change_log.FITTED_AT: change_log.latest(conn) + 1})
        models.start_shadow(conn, number)
        change_log.mark_moment(conn)
        return len(vector_tables.live_ids(conn, number))


def one_round(home: Path, on: bool, figures: Figures) -> None:
    """Start the browser, and press a key beside each comparison."""
    settings = home / "config" / "config.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f"search_log = true\nshadow = {str(on).lower()}\n")
    environment = {**environment_of(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment.pop("NO_COLOR", None)
    terminal = Terminal([sys.executable, "-P", "-m", "app.cli"], environment)
    begin(terminal, figures)
    terminal.rest(2.0)
    for number, query in enumerate(QUERIES):
        terminal.press(EMPTY)
        terminal.wait(lambda screen: query_in(screen).startswith("Search"), 1.0)
        terminal.rest(0.5)
        terminal.press(query)
        terminal.wait(answered, PATIENCE_SECONDS)
        terminal.rest(BEGINS_SECONDS + number * STEP_SECONDS)
        one_key(terminal, "s", f"{query}s", figures)
    if on:
        terminal.rest(UNDISTURBED_SECONDS)  # the last one comes to its end: there was something to wait for
    if terminal.leave(LEAVE, 10.0) is None:
        figures.missed.append("leaving")


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    lines = [
        heading(report["machine"]),
        f"{report['passages']:,} passages, {report['compared']:,} searches compared to their end",
        "",
        f"{'milliseconds':<16}{'n':>5}{'p50':>9}{'p95':>9}{'max':>9}",
    ]
    for name, values in report["ms"].items():
        shown = "".join(f"{values[key]:>9.1f}" if key in values else f"{'–':>9}" for key in ("p50", "p95", "max"))
        lines.append(f"{name:<16}{values['n']:>5}{shown}")
    lines += [
        f"{name}: {held['found']:+.1f} ms at the 95th percentile, of at most {held['at_most']:g}"
        for name, held in report["added_p95"].items()
    ]
    if report["without_answer"]:
        lines.append(f"without an answer: {', '.join(report['without_answer'])}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
