"""How long a person waits for the browser, measured through a real terminal.

    python tests/bench/keys.py --library FILE
    CARREL_DATA=… python tests/bench/keys.py --passages 50000 --keep /var/tmp/carrel-bench --while-indexing

What is written is a key, and what counts is when the output arrived that shows the answer: key to new rows by words,
key to rows of both legs, process start to first paint and to first rows, and leaving. The library is copied first.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from large_library import build, copy_library, other_text  # noqa: E402
from terminal import Screen, Terminal  # noqa: E402

from engine.library import Library  # noqa: E402

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
WORDS_SO_FAR = "by words so far"
FINISHED = re.compile(r"(strong|likely|weak|nothing relevant) · [\d,]+ found")
QUERY_LINE, READING_LINE = 2, 3
SLOWEST = 12
REST_SECONDS = 0.25  # between an answer and the next key: less than the browser waits to take a word as finished
PATIENCE_SECONDS = 5.0
LEAVE = "\x11"  # ctrl+q
EMPTY = "\x1b\x1b"  # to the rows and back does no harm; in the query line it empties the line
MORE_BYTES = 12_000_000  # to be indexed meanwhile: some ten minutes of both cores


@dataclass
class Figures:
    """What was measured, in milliseconds."""

    first_paint: list[float] = field(default_factory=list)
    first_rows: list[float] = field(default_factory=list)
    first_hybrid: list[float] = field(default_factory=list)
    leaving: list[float] = field(default_factory=list)
    words: list[float] = field(default_factory=list)
    hybrid: list[float] = field(default_factory=list)
    echo: list[float] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    typed: list[tuple[float, float, str]] = field(default_factory=list)  # by words, by both legs, query


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--library", type=Path, help="a library to measure on")
    source.add_argument("--passages", type=int, help="make a library of about so many passages of CARREL_DATA/notes")
    parser.add_argument("--vectors-from", type=Path, help="a library whose vectors the large one resamples")
    parser.add_argument("--keep", type=Path, help="where the library that was made is kept for the next time")
    parser.add_argument("--while-indexing", action="store_true", help="measure while the indexer encodes")
    parser.add_argument("--starts", type=int, default=5, help="how often the browser is started")
    parser.add_argument("--interval", type=float, default=0.0, help="type words at this pace, measure their last key")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        library = options.library or build(options.keep or Path(base), notes(), options.passages, options.vectors_from)
        report = measured(Path(base), library, options)
    print(json.dumps(report, indent=1) if options.json else table(report))


def notes() -> Path:
    """Return the real notes that CARREL_DATA names."""
    folder = Path(os.environ.get("CARREL_DATA", "")) / "notes"
    if not os.environ.get("CARREL_DATA") or not folder.is_dir():
        sys.exit("Set CARREL_DATA to the folder that holds notes/.")
    return folder


def measured(base: Path, library: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Measure on a copy of a library, in a home of its own."""
    home = base / "home"
    (home / "data").mkdir(parents=True)
    copy = copy_library(library, home / "data" / "library.carrel")
    environment = {**os.environ, "CARREL_HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment = {**environment, "PYTHONPATH": str(ROOT)}
    for name in ("CARREL_LIBRARY", "NO_COLOR"):
        environment.pop(name, None)
    with Library.open(copy) as opened:
        status = opened.status()
        if options.while_indexing:
            other_text(notes(), base / "more", MORE_BYTES)
            opened.add(base / "more")
    figures = Figures()
    for turn in range(options.starts):
        one_run(environment, figures, QUERIES if turn == 0 else (), options.interval, options.while_indexing)
    with Library.open(copy) as opened:
        after = opened.status()
    return {
        "machine": machine(),
        "passages": status.passages,
        "documents": status.documents,
        "while_indexing": options.while_indexing,
        "passages_indexed_meanwhile": after.passages - status.passages,
        "typed_at_seconds": options.interval,
        "ms": {name: spread(values) for name, values in vars(figures).items() if name not in ("missed", "typed")},
        "slowest": [
            {"typed": typed, "words": round(words, 1), "hybrid": round(hybrid, 1)}
            for words, hybrid, typed in sorted(figures.typed, reverse=True)[:SLOWEST]
        ],
        "without_answer": figures.missed,
    }


def one_run(
    environment: dict[str, str], figures: Figures, queries: Sequence[str], interval: float, indexing: bool
) -> None:
    """Start the browser, type, and leave."""
    terminal = Terminal([sys.executable, "-P", "-m", "app.cli"], environment)
    painted = terminal.wait(lambda screen: "Carrel" in screen.line(0), PATIENCE_SECONDS)
    assert painted is not None, terminal.screen.text
    figures.first_paint.append((painted - terminal.began) * 1e3)
    begin(terminal, figures)
    if queries:
        if indexing:  # until the encoder is at work
            terminal.wait(lambda screen: "/s" in screen.line(0), 60.0)
        terminal.rest(2.0)
        for query in queries:
            type_query(terminal, query, figures, interval)
    taken = terminal.leave(LEAVE, 10.0)
    if taken is None:
        figures.missed.append("leaving")
    else:
        figures.leaving.append(taken * 1e3)


def begin(terminal: Terminal, figures: Figures) -> None:
    """Type a word as soon as anything stands on the screen, and wait for its rows."""
    terminal.press("commit")
    rows = terminal.wait(lambda screen: answered(screen) or WORDS_SO_FAR in screen.line(READING_LINE), 20.0)
    hybrid = terminal.wait(answered, 30.0)
    if rows is None or hybrid is None:
        figures.missed.append("first rows")
        return
    figures.first_rows.append((rows - terminal.began) * 1e3)
    figures.first_hybrid.append((hybrid - terminal.began) * 1e3)


def type_query(terminal: Terminal, query: str, figures: Figures, interval: float) -> None:
    """Type a query key by key; a space goes with the letter behind it, since it changes no row by itself."""
    terminal.press(EMPTY)
    terminal.wait(lambda screen: query_in(screen).startswith("Search"), 1.0)
    terminal.rest(0.5)
    pieces = re.findall(r" ?\S", query)
    typed = ""
    for number, piece in enumerate(pieces):
        typed += piece
        if interval and number + 1 < len(pieces):
            terminal.press(piece)
            terminal.rest(interval)
        else:
            one_key(terminal, piece, typed, figures)
            terminal.rest(REST_SECONDS)


def one_key(terminal: Terminal, piece: str, typed: str, figures: Figures) -> None:
    """Press a key and wait for the rows by words, and for those of both legs."""
    before = terminal.screen.line(READING_LINE)

    def changed(screen: Screen) -> bool:
        return screen.line(READING_LINE) != before

    pressed = terminal.press(piece)
    echo = terminal.wait(lambda screen: query_in(screen).startswith(typed), PATIENCE_SECONDS)
    words = terminal.wait(
        lambda screen: changed(screen) and (WORDS_SO_FAR in screen.line(READING_LINE) or answered(screen)),
        PATIENCE_SECONDS,
    )
    by_words = WORDS_SO_FAR in terminal.screen.line(READING_LINE)
    hybrid = terminal.wait(lambda screen: changed(screen) and answered(screen), PATIENCE_SECONDS)
    if echo is None or words is None or hybrid is None:
        figures.missed.append(typed)
        return
    figures.echo.append((echo - pressed) * 1e3)
    figures.hybrid.append((hybrid - pressed) * 1e3)
    figures.typed.append(((words - pressed) * 1e3, (hybrid - pressed) * 1e3, typed))
    if by_words:
        figures.words.append((words - pressed) * 1e3)


def query_in(screen: Screen) -> str:
    """Return what stands in the query line, with what is offered to complete it."""
    return screen.line(QUERY_LINE).replace("┃", " ").strip()


def answered(screen: Screen) -> bool:
    """Whether both legs have answered."""
    return FINISHED.search(screen.line(READING_LINE)) is not None


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return how many values there are, their median, their 95th percentile and the greatest."""
    if not values:
        return {"n": 0}
    ordered = sorted(values)
    high = ordered[min(len(ordered) - 1, round(0.95 * len(ordered) - 0.5))]
    figures = {"p50": statistics.median(ordered), "p95": high, "max": ordered[-1]}
    return {"n": len(ordered), **{name: round(value, 1) for name, value in figures.items()}}


def machine() -> dict[str, Any]:
    """Name the machine and what runs on it."""
    model = re.search(r"model name\s*: (.+)", _read("/proc/cpuinfo"))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return {
        "processor": model[1] if model else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "textual": version("textual"),
        "commit": commit.stdout.strip(),
        "load": [round(each, 2) for each in os.getloadavg()],
    }


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8") if Path(path).exists() else ""


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    named = report["machine"]
    lines = [
        f"{named['processor']}, {named['cores']} cores, load {named['load'][0]}, Python {named['python']}",
        f"{report['passages']:,} passages of {report['documents']:,} documents"
        + (f", {report['passages_indexed_meanwhile']:,} more indexed meanwhile" if report["while_indexing"] else ""),
        "",
        f"{'milliseconds':<16}{'n':>5}{'p50':>9}{'p95':>9}{'max':>9}",
    ]
    for name, values in report["ms"].items():
        shown = "".join(f"{values.get(key, '–'):>9}" for key in ("p50", "p95", "max"))
        lines.append(f"{name.replace('_', ' '):<16}{values['n']:>5}{shown}")
    lines += ["", "slowest: " + ", ".join(f"“{each['typed']}” {each['words']}" for each in report["slowest"])]
    if report["without_answer"]:
        lines.append(f"without an answer: {', '.join(report['without_answer'])}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
