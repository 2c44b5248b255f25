"""How search grows with the library: from a thousand passages to a million, of real text.

    python tests/bench/search_scale.py --library FILE --sizes 1000,10000,50000,100000,1000000 --keep FOLDER
        [--vstash PYTHON] [--json]

The library named is a real one of some ten thousand passages; larger ones hold its documents several times. Measured in
a process of its own for each size: opening to the first answer, searches (encoding left out), each leg, what the
process holds in memory, and the share of the ten nearest vectors that an exact comparison finds too. The scan of the
vectors is set against the time that reading as many bytes once takes here. `--vstash` names an interpreter that has
vstash: after each size it searches a store of the same passages, vectors and queries, in a process of its own as well.
Carrel's rooms are imported where they are needed, so that opening a library loads what it loads for a person.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from machine import heading, machine
from numpy.typing import NDArray
from own_home import environment_of
from spread import against, spread

QUESTIONS = (
    "how do I undo a commit that was already pushed",
    "why is a postgres query with an index still slow",
    "what happens to the congestion window after packet loss",
    "how are type hints for callables with keyword arguments written",
    "record a vim macro and repeat it over many lines",
    "how to make a consistent backup of a sqlite database in use",
    "what does a deprecated keyword argument mean for callers",
    "forward an ssh agent through a bastion host",
)
TITLES = 92  # beside the questions
SEED = 5
MILLION = 1_000_000
LIMITS_OF_A_MILLION = {"search_p50_ms": 50, "words_p95_ms": 120, "opened_ms": 1500, "resident_mb": 1024}
VSTASH_SHARE = 0.2  # of vstash's median that Carrel's may take


def main() -> None:
    """Measure every size and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True, help="a real library")
    parser.add_argument("--sizes", default="1000,10000,50000,100000")
    parser.add_argument("--keep", type=Path, help="where the libraries are kept for the next time")
    parser.add_argument("--vstash", type=Path, metavar="PYTHON", help="an interpreter that has vstash")
    parser.add_argument("--vstash-most", type=int, default=100_000, help="the largest size that vstash is asked at")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(options.one)))
        return
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        place = options.keep or Path(base)
        place.mkdir(parents=True, exist_ok=True)
        left_out = missing(options.vstash)
        rows = [row(place, int(size), options, left_out) for size in options.sizes.split(",")]
    report = {"machine": machine(), "vstash": left_out or "searched", "sizes": rows}
    print(json.dumps(report, indent=1) if options.json else table(report))


def missing(python: Path | None) -> str | None:
    """Return why vstash cannot be asked, or None where it can."""
    if python is None:
        return "name an interpreter that has vstash with --vstash"
    try:
        done = subprocess.run([python, "-c", "import vstash.store"], capture_output=True, text=True)
    except OSError as error:
        return f"{python}: {error.strerror}"
    return f"{python}: {done.stderr.strip().splitlines()[-1]}" if done.returncode else None


def row(place: Path, size: int, options: argparse.Namespace, left_out: str | None) -> dict[str, Any]:
    """Make a library of one size and measure it in another process, twice: the second finds what the first kept."""
    path = place / f"{size}.carrel"
    if not path.exists():
        from multiplied import Multiplied

        made = Multiplied(path, options.library)
        made.grow_to(size)
        made.settle()
    for _ in range(2):
        command = [sys.executable, __file__, "--library", str(path), "--one", str(path)]
        found = subprocess.run(command, env=environment_of(place / "home"), capture_output=True, text=True, check=True)
    answer: dict[str, Any] = {**json.loads(found.stdout), "load": machine()["load"][0]}
    if answer["passages"] >= MILLION:
        answer["limits"] = against(limited(answer), LIMITS_OF_A_MILLION)
    if size <= options.vstash_most and not left_out:
        answer["vstash"] = beside(path, place / f"{size}.vstash", options.vstash, answer)
    return answer


def limited(answer: dict[str, Any]) -> dict[str, float]:
    """Return the figures that have a limit, by its name."""
    return {
        "search_p50_ms": answer["first"]["total"]["p50"],
        "words_p95_ms": answer["first"]["keyword"]["p95"],
        "opened_ms": answer["open_to_first_answer_ms"],
        "resident_mb": answer["resident_mb"],
    }


def beside(path: Path, folder: Path, python: Path, carrel: dict[str, Any]) -> dict[str, Any]:
    """Return what vstash takes for the same queries on the same passages, and Carrel's share of it."""
    from peer import searched

    from engine.embedding import catalogue

    encoder, queries = catalogue.load(), asked(path)
    found = searched(python, path, folder, queries, np.stack([encoder.encode_query(each) for each in queries]))
    times = {turn: spread(found[turn]) for turn in ("first", "again")}
    return {
        "version": found["version"],
        "passages": found["passages"],
        **times,
        "share_of_p50": {turn: carrel[turn]["total"]["p50"] / times[turn]["p50"] for turn in times},
        "share_of_p95": {turn: carrel[turn]["total"]["p95"] / times[turn]["p95"] for turn in times},
        "share_at_most": VSTASH_SHARE,
    }


class Remembered:
    """The real encoder; what was asked once is answered from memory, so that encoding stays out of the figures."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self._known: dict[str, NDArray[np.float32]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a query."""
        if text not in self._known:
            self._known[text] = self._real.encode_query(text)
        return self._known[text]


def measured(path: Path) -> dict[str, Any]:
    """Measure one library in this process."""
    from engine.embedding import catalogue
    from engine.library import Library

    encoder = Remembered(catalogue.load())
    encoder.encode_query(QUESTIONS[0])
    began = time.perf_counter()
    library = Library.open(path, encoder=encoder)  # type: ignore[arg-type]
    library.warm()
    library.search(QUESTIONS[0])
    opened = time.perf_counter() - began
    queries = asked(path)
    first = [spent(library, query) for query in queries]
    again = [spent(library, query) for query in queries]
    report = {
        "passages": library.status().passages,
        "bytes": path.stat().st_size,
        "open_to_first_answer_ms": opened * 1e3,
        "first": {leg: spread([each[leg] for each in first]) for leg in first[0]},
        "again": {leg: spread([each[leg] for each in again]) for leg in again[0]},
        "resident_mb": resident_mb(),
    }
    return {**report, **against_exact(path, [encoder.encode_query(query) for query in queries])}


def resident_mb() -> float:
    """Return the greatest resident size of this process so far; the system's own count begins with its parent's."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found[1] if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024


def asked(path: Path) -> list[str]:
    """Return the questions and some titles of the library, drawn with a fixed seed, without quotation marks."""
    from engine.store.connection import open_reader

    found = [row[0] for row in open_reader(path).execute("SELECT DISTINCT title FROM document ORDER BY title")]
    drawn = np.random.default_rng(SEED).choice(len(found), min(TITLES, len(found)), replace=False)
    return [query.replace('"', " ") for query in [*QUESTIONS, *(found[at] for at in drawn)]]


def spent(library: Any, query: str) -> dict[str, float]:
    """Search once and return what each part took, in milliseconds, without encoding and loading."""
    timings = library.search(query).timings
    return {
        "keyword": timings.keyword,
        "vector": timings.vector,
        "total": timings.total - timings.encode - timings.load,
    }


def against_exact(path: Path, queries: list[NDArray[np.float32]]) -> dict[str, Any]:
    """Compare the vector leg with an exact one, and its scan with reading the same bytes once."""
    from engine.retrieval.cancellation import Cancellation
    from engine.retrieval.vector_index import VectorIndex
    from engine.store import models
    from engine.store.connection import open_reader
    from engine.store.vector_tables import read_blocks

    connection = open_reader(path)
    model = models.active(connection)
    assert model is not None
    index = VectorIndex(model.id).at(connection)
    best = [index.ids[index.nearest(query, 10, None, Cancellation()).settled(connection).rows] for query in queries]
    asked = np.stack(queries)
    ids = np.zeros((len(queries), 0), np.int64)
    cosines = np.zeros((len(queries), 0), np.float32)
    for block_ids, block in read_blocks(connection, model.id):
        cosines = np.concatenate([cosines, asked @ block.T], axis=1)
        ids = np.concatenate([ids, np.broadcast_to(block_ids, (len(queries), len(block_ids)))], axis=1)
        kept = np.argsort(-cosines, axis=1)[:, :10]
        cosines, ids = np.take_along_axis(cosines, kept, 1), np.take_along_axis(ids, kept, 1)
    hits = [len(set(found.tolist()) & set(true.tolist())) / 10 for found, true in zip(best, ids, strict=True)]
    scans = []
    for query in queries[:20]:
        began = time.perf_counter()
        index.nearest(query, 200, None, Cancellation()).settled(connection)
        scans.append((time.perf_counter() - began) * 1e3)
    scanned = sum(getattr(index, name).nbytes for name in ("matrix", "bits") if hasattr(index, name))
    block = np.ones(scanned // 8, np.uint64)
    reads = []
    for _ in range(5):
        began = time.perf_counter()
        block.max()
        reads.append((time.perf_counter() - began) * 1e3)
    return {
        "recall_at_10": sum(hits) / len(hits),
        "compressed": hasattr(index, "bits"),
        "scan_ms": float(np.median(scans)),
        "reading_once_ms": min(reads),
    }


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    lines = [
        heading(report["machine"]),
        f"{'passages':>10}{'open ms':>9}{'p50':>8}{'p95':>8}{'again':>8}{'p95':>8}{'words':>8}{'p95':>8}"
        f"{'vectors':>9}{'read once':>10}{'MB':>7}{'recall@10':>11}{'load':>7}",
    ]
    for each in report["sizes"]:
        first, again = each["first"], each["again"]
        lines.append(
            f"{each['passages']:>10,}{each['open_to_first_answer_ms']:>9.0f}"
            f"{first['total']['p50']:>8.1f}{first['total']['p95']:>8.1f}"
            f"{again['total']['p50']:>8.1f}{again['total']['p95']:>8.1f}"
            f"{first['keyword']['p50']:>8.1f}{first['keyword']['p95']:>8.1f}"
            f"{each['scan_ms']:>9.1f}{each['reading_once_ms']:>10.1f}{each['resident_mb']:>7.0f}"
            f"{each['recall_at_10']:>11.4f}{each['load']:>7.1f}"
        )
    return "\n".join([*lines, "", *beside_lines(report)])


def beside_lines(report: dict[str, Any]) -> list[str]:
    """Return the lines about vstash and about the limits of a million passages."""
    lines = [] if report["vstash"] == "searched" else [f"vstash left out: {report['vstash']}"]
    for each in report["sizes"]:
        told = f"{each['passages']:,} passages"
        if "vstash" in each:
            there, share = each["vstash"], each["vstash"]["share_of_p50"]
            first, again = there["first"], there["again"]
            lines.append(
                f"vstash {there['version']}, {told}: {first['p50']:.1f} / {first['p95']:.1f} ms, again"
                f" {again['p50']:.1f} / {again['p95']:.1f}; Carrel takes {share['first']:.3f} of its median,"
                f" again {share['again']:.3f}, at most {there['share_at_most']}"
            )
        for name, held in each.get("limits", {}).items():
            lines.append(f"{told}: {name} {held['found']:.0f}, {held['ratio']:.2f} of {held['at_most']}")
    return lines


if __name__ == "__main__":
    main()
