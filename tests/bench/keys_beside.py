"""What a key waits while the search before it is still made with the model beside, against the same with that off.

    python tests/bench/keys_beside.py --library FILE [--pairs 64]

The library is copied twice, and a second model runs beside in each copy: the embedded one under another name, pooled
otherwise, with the vectors that are there. Two browsers stand open, one with the switch on. Both are asked the same new
question, it rests until it is being compared, and then each gets one more key, now the one first, now the other; what
counts is when the rows by words and by both legs arrive. The interval is that of pairs drawn again and again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
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
MORE = ("", " tool", " example", " file", " command", " server", " error", " test")  # so that no vector is kept yet
BEGINS_SECONDS = 1.985  # after the answer, which has to rest for 2 s
STEP_SECONDS = 0.006  # from pair to pair, so that the keys fall on every part of a comparison
STEPS = 8
BEFORE_SECONDS = 1.0  # when the browser without gets its key first: long before the other begins to compare
EMPTY_SECONDS = 0.4  # the rows of an empty line have come
UNDISTURBED_SECONDS = 12.0  # some 3 to begin, and a second model is loaded
DRAWN = 4000
INTERVAL = (2.5, 97.5)  # percentiles
NAMES = ("added to words", "added to hybrid")
LIMITS_MS = dict.fromkeys(NAMES, 5.0)  # at the 95th percentile


@dataclass
class Side:
    """A browser that stands open, with the switch on or off, and what its keys waited for."""

    home: Path
    terminal: Terminal
    figures: Figures = field(default_factory=Figures)

    def empty(self) -> None:
        """Empty the query line: nothing of it is compared any more."""
        self.terminal.press(EMPTY)
        self.terminal.wait(lambda screen: query_in(screen).startswith("Search"), 1.0)
        self.terminal.rest(EMPTY_SECONDS)

    def ask(self, query: str) -> float:
        """Ask a question, and return when its answer stood."""
        self.terminal.press(query)
        return self.terminal.wait(answered, PATIENCE_SECONDS) or time.perf_counter()

    def key(self, query: str, at: float) -> tuple[float, float] | None:
        """Press one more key at a moment, empty the line, and return how long the rows by words and by both took."""
        self.terminal.rest(max(at - time.perf_counter(), 0.02))  # what came meanwhile is taken in, however late it is
        before = len(self.figures.typed)
        one_key(self.terminal, "s", f"{query}s", self.figures)
        self.empty()
        return self.figures.typed[before][:2] if len(self.figures.typed) > before else None


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True, help="a library to measure on")
    parser.add_argument("--pairs", type=int, default=64, help="how many keys each of both is given, 4 s a pair")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        report = measured(Path(base), options.library, options.pairs)
    print(json.dumps(report, indent=1) if options.json else table(report))


def measured(base: Path, library: Path, pairs: int) -> dict[str, Any]:
    """Measure on copies of a library, each in a home of its own."""
    sides = {on: opened(base / ("on" if on else "off"), library, on) for on in (False, True)}
    undisturbed(sides[True])
    waited = [found for number in range(pairs) if (found := one_pair(sides, number)) is not None]
    for side in sides.values():
        if side.terminal.leave(LEAVE, 10.0) is None:
            side.figures.missed.append("leaving")
    with closing(open_writer(library_of(sides[True].home))) as conn:
        passages = len(vector_tables.live_ids(conn, models.active(conn).id))  # type: ignore[union-attr]
        compared = int(conn.execute("SELECT count(*) FROM shadow_search").get)
    ms = {
        f"{name} {'on' if on else 'off'}": spread([each[place] for each in waited])
        for place, (name, on) in enumerate((name, on) for on in (False, True) for name in ("words", "hybrid"))
    }
    added = {name: intervals([(each[place], each[place + 2]) for each in waited]) for place, name in enumerate(NAMES)}
    return {
        "machine": machine(),
        "passages": passages,
        "pairs": len(waited),
        "compared": compared,
        "ms": ms,
        "added": added,
        "added_p95": against({name: each["p95"][1] for name, each in added.items() if each}, LIMITS_MS),
        "without_answer": [each for side in sides.values() for each in side.figures.missed],
    }


def intervals(pairs: list[tuple[float, float]]) -> dict[str, tuple[float, float, float]]:
    """Return what the second of each pair has more than the first, at p50 and p95: lower end, figure, upper end."""
    values = np.array(pairs).reshape(-1, 2)
    if not len(values):
        return {}
    drawn = values[np.random.default_rng(42).integers(0, len(values), (DRAWN, len(values)))]  # (drawn, pairs, 2)
    found = {}
    for name, share in (("p50", 50), ("p95", 95)):
        off, on = np.percentile(values, share, axis=0)
        again = np.percentile(drawn, share, axis=1)
        low, high = np.percentile(again[:, 1] - again[:, 0], INTERVAL)
        found[name] = float(low), float(on - off), float(high)
    return found


def opened(home: Path, library: Path, on: bool) -> Side:
    """Start a browser on a copy of a library, with the switch on or off."""
    let_run_beside(home, copy_library(library, library_of(home)))
    settings = home / "config" / "config.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f"search_log = true\nshadow = {str(on).lower()}\n")
    environment = {**environment_of(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment.pop("NO_COLOR", None)
    side = Side(home, Terminal([sys.executable, "-P", "-m", "app.cli"], environment))
    begin(side.terminal, side.figures)
    side.terminal.rest(2.0)
    return side


def undisturbed(side: Side) -> None:
    """Let one question be compared to its end, which loads the model beside; then there is something to wait for."""
    side.empty()
    side.ask(QUERIES[0])
    side.terminal.rest(UNDISTURBED_SECONDS)
    side.empty()


def one_pair(sides: dict[bool, Side], number: int) -> tuple[float, ...] | None:
    """Ask both the same, and press a key in each; return what the rows took, off and on, by words and by both legs."""
    query = QUERIES[number % len(QUERIES)] + MORE[number // len(QUERIES) % len(MORE)]
    off_first = number % 2 == 1
    stood = {on: sides[on].ask(query) for on in (False, True)}
    compares = stood[True] + BEGINS_SECONDS + number // 2 % STEPS * STEP_SECONDS
    found = {}
    for on in (False, True) if off_first else (True, False):
        at = compares if on else stood[True] + BEFORE_SECONDS if off_first else time.perf_counter()
        found[on] = sides[on].key(query, at)
    without, beside = found[False], found[True]
    return None if without is None or beside is None else (*without, *beside)


def let_run_beside(home: Path, library: Path) -> None:
    """Install the embedded model under another name, and give it vectors and tiers."""
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


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    lines = [
        heading(report["machine"]),
        f"{report['passages']:,} passages, {report['pairs']:,} pairs of keys, "
        f"{report['compared']:,} searches compared to their end",
        "",
        f"{'milliseconds':<16}{'n':>5}{'p50':>9}{'p95':>9}{'max':>9}",
    ]
    for name, values in report["ms"].items():
        shown = "".join(f"{values[key]:>9.1f}" if key in values else f"{'–':>9}" for key in ("p50", "p95", "max"))
        lines.append(f"{name:<16}{values['n']:>5}{shown}")
    for name, each in report["added"].items():
        said = [f"{found:+.1f} ms ({low:+.1f} to {high:+.1f}) at {share}" for share, (low, found, high) in each.items()]
        lines.append(f"{name}: {', '.join(said)}; at most {LIMITS_MS[name]:g} at p95")
    if report["without_answer"]:
        lines.append(f"without an answer: {', '.join(report['without_answer'])}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
