"""What a key waits where searches that rested are made with the model beside too, against the same with that off.

    python tests/bench/keys_beside.py --library FILE --typing [--questions 40]
    python tests/bench/keys_beside.py --library FILE [--pairs 64]

The library is copied twice, and a second model runs beside in each copy: the embedded one under another name, pooled
otherwise, with the vectors that are there. Two browsers stand open, one with the switch on.

With `--typing` the same questions are typed into both as a person types, letter by letter in turn, with pauses to
think; what counts is all keys. Without it each key is aimed: both are asked the same new question, it rests until it is
being compared, and then each gets one more key, now the one first, now the other. Intervals are those of questions, or
pairs, drawn again and again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import counted_browser
import numpy as np
from browser import EMPTY, LEAVE, PATIENCE_SECONDS, Figures, answered, begin, one_key, query_in
from counted_browser import ENDED, GAVE_WAY, comparisons
from keys import QUERIES
from machine import heading, machine
from numpy.typing import NDArray
from own_home import copy_library, environment_of, library_of
from spread import against, spread
from terminal import Terminal
from typed_keys import Typed, type_in_turns

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
DRAWN = 2000
INTERVAL = (2.5, 97.5)  # percentiles
SHARES = (50, 95)  # percentiles
COUNTED = "comparisons"  # the file in a home where its browser writes them down
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

    def key(self, query: str, at: float) -> tuple[float, float, float] | None:
        """Press one more key at a moment, and empty the line.

        Returns when that was, and how long the rows by words and by both took.
        """
        self.terminal.rest(max(at - time.perf_counter(), 0.02))  # what came meanwhile is taken in, however late it is
        before, pressed = len(self.figures.typed), time.perf_counter()
        one_key(self.terminal, "s", f"{query}s", self.figures)
        self.empty()
        return (pressed, *self.figures.typed[before][:2]) if len(self.figures.typed) > before else None


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True, help="a library to measure on")
    parser.add_argument("--typing", action="store_true", help="type whole questions at a person's pace")
    parser.add_argument("--questions", type=int, default=40, help="how many are typed, 13 s each")
    parser.add_argument("--seed", type=int, default=1, help="of the pauses")
    parser.add_argument("--pairs", type=int, default=64, help="how many aimed keys each of both is given, 4 s a pair")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        report = measured(Path(base), options)
    print(json.dumps(report, indent=1) if options.json else table(report))


def measured(base: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Measure on copies of a library, each in a home of its own."""
    sides = {on: opened(base / ("on" if on else "off"), options.library, on) for on in (False, True)}
    undisturbed(sides[True])
    loaded = time.perf_counter()
    keys = typed(sides, options.questions, options.seed) if options.typing else aimed(sides, options.pairs)
    for side in sides.values():
        if side.terminal.leave(LEAVE, 10.0) is None:
            side.figures.missed.append("leaving")
    with closing(open_writer(library_of(sides[True].home))) as conn:
        passages = len(vector_tables.live_ids(conn, models.active(conn).id))  # type: ignore[union-attr]
    made = [each for each in comparisons(sides[True].home / COUNTED) if each.began > loaded]
    return {
        "machine": machine(),
        "passages": passages,
        "questions": len({each.question for each in keys}),
        "keys": len(keys) // 2,
        "comparisons": {
            "began": len(made),
            "gave way": sum(each.how == GAVE_WAY for each in made),
            "ended": sum(each.how == ENDED for each in made),
            "with a key": sum(any(each.began <= key.pressed <= each.ended for key in keys if key.on) for each in made),
        },
        **figures(keys),
        "without_answer": [each for side in sides.values() for each in side.figures.missed],
    }


@dataclass(frozen=True)
class Waited:
    """A key, and the milliseconds until its rows stood; None where they never did."""

    on: bool
    question: int
    thought: bool  # behind a pause
    pressed: float
    words: float | None
    hybrid: float | None


def figures(keys: list[Waited]) -> dict[str, Any]:
    """Return what the keys waited, and what those with the switch on waited more, by questions drawn again."""
    ms = {}
    for which in ("words", "hybrid"):
        for on in (False, True):
            said = f"{which} {'on' if on else 'off'}"
            known = [(each.thought, getattr(each, which)) for each in keys if each.on is on and getattr(each, which)]
            ms[said] = spread([value for _, value in known])
            if not all(each.thought for each in keys):
                ms[f"{said}, paused"] = spread([value for thought, value in known if thought])
    added = {f"added to {which}": intervals(by_question(keys, which)) for which in ("words", "hybrid")}
    return {
        "ms": ms,
        "added": added,
        "added_p95": against({name: each["p95"][1] for name, each in added.items() if each}, LIMITS_MS),
    }


def by_question(keys: list[Waited], which: str) -> list[tuple[list[float], list[float]]]:
    """Return of each question what its keys waited with the switch off, and on; of those that both have."""
    found: dict[int, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for each in keys:
        value = getattr(each, which)
        if value is not None:
            found[each.question][each.on].append(value)
    return [each for each in found.values() if all(each)]


def intervals(groups: list[tuple[list[float], list[float]]]) -> dict[str, tuple[float, float, float]]:
    """Return what the second of each group has more than the first, at p50 and p95: lower end, figure, upper end."""
    if not groups:
        return {}
    chance = np.random.default_rng(42)

    def difference(among: Iterable[int]) -> NDArray[np.float64]:
        off, on = (np.concatenate([groups[each][which] for each in among]) for which in (0, 1))
        return np.percentile(on, SHARES) - np.percentile(off, SHARES)

    whole = difference(range(len(groups)))
    drawn = [difference(chance.integers(0, len(groups), len(groups)).tolist()) for _ in range(DRAWN)]
    low, high = np.percentile(drawn, INTERVAL, axis=0)
    return {f"p{share}": (float(low[at]), float(whole[at]), float(high[at])) for at, share in enumerate(SHARES)}


def typed(sides: dict[bool, Side], questions: int, seed: int) -> list[Waited]:
    """Type questions into both, and return their keys."""
    browsers = {on: Typed(side.terminal) for on, side in sides.items()}
    type_in_turns(list(browsers.values()), [question(number) for number in range(questions)], seed)
    for on, browser in browsers.items():
        unanswered = [key for key in browser.keys if key.both is None]
        sides[on].figures.missed += [f"a letter of “{question(key.question)}”" for key in unanswered]
    return [
        Waited(on, key.question, key.pause > 0.0, key.pressed, key.waited(key.words), key.waited(key.both))
        for on, browser in browsers.items()
        for key in browser.keys
    ]


def aimed(sides: dict[bool, Side], pairs: int) -> list[Waited]:
    """Press keys at the moment of a comparison, and return them."""
    return [each for number in range(pairs) for each in one_pair(sides, number)]


def question(number: int) -> str:
    """Return a question that was not asked before."""
    return QUERIES[number % len(QUERIES)] + MORE[number // len(QUERIES) % len(MORE)]


def opened(home: Path, library: Path, on: bool) -> Side:
    """Start a browser on a copy of a library, with the switch on or off."""
    let_run_beside(home, copy_library(library, library_of(home)))
    settings = home / "config" / "config.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f"search_log = true\nshadow = {str(on).lower()}\n")
    environment = {**environment_of(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment.pop("NO_COLOR", None)
    counted = str(Path(counted_browser.__file__)), str(home / COUNTED)
    side = Side(home, Terminal([sys.executable, "-P", *counted], environment))
    begin(side.terminal, side.figures)
    side.terminal.rest(2.0)
    return side


def undisturbed(side: Side) -> None:
    """Let one question be compared to its end, which loads the model beside; then there is something to wait for."""
    side.empty()
    side.ask(QUERIES[0])
    side.terminal.rest(UNDISTURBED_SECONDS)
    side.empty()


def one_pair(sides: dict[bool, Side], number: int) -> list[Waited]:
    """Ask both the same, and press a key in each; nothing where one of them gave no rows."""
    query = question(number)
    off_first = number % 2 == 1
    stood = {on: sides[on].ask(query) for on in (False, True)}
    compares = stood[True] + BEGINS_SECONDS + number // 2 % STEPS * STEP_SECONDS
    found = []
    for on in (False, True) if off_first else (True, False):
        at = compares if on else stood[True] + BEFORE_SECONDS if off_first else time.perf_counter()
        if (waited := sides[on].key(query, at)) is not None:
            found.append(Waited(on, number, True, *waited))
    return found if len(found) == 2 else []


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
    made = report["comparisons"]
    lines = [
        heading(report["machine"]),
        f"{report['passages']:,} passages, {report['questions']:,} questions, {report['keys']:,} keys in each browser",
        f"{made['began']:,} comparisons began, {made['with a key']:,} had a key, {made['gave way']:,} gave way, "
        f"{made['ended']:,} ended",
        "",
        f"{'milliseconds':<20}{'n':>5}{'p50':>9}{'p95':>9}{'max':>9}",
    ]
    for name, values in report["ms"].items():
        shown = "".join(f"{values[key]:>9.1f}" if key in values else f"{'–':>9}" for key in ("p50", "p95", "max"))
        lines.append(f"{name:<20}{values['n']:>5}{shown}")
    for name, each in report["added"].items():
        said = [f"{found:+.1f} ms ({low:+.1f} to {high:+.1f}) at {share}" for share, (low, found, high) in each.items()]
        lines.append(f"{name}: {', '.join(said)}; at most {LIMITS_MS[name]:g} at p95")
    if report["without_answer"]:
        lines.append(f"without an answer: {', '.join(report['without_answer'])}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
