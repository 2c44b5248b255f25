"""How near a whole sync comes to the bare encoder: reading, cutting and writing should cost little beside embedding.

    CARREL_DATA=… python tests/bench/sync_rate.py [--files 600] [--json]

One after the other: a sync of real notes into a new library in a process of its own, as `carrel sync` does it, then the
bare encoder on a tenth of the passages that the sync embedded, on as many cores.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import real_text
from machine import heading, machine
from own_home import environment_of, library_of

SHARE = 10  # one of so many passages is encoded bare


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, help="so many notes, drawn at random; else all")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        report = measured(Path(base), options.files)
    print(json.dumps(report, indent=1) if options.json else table(report))


def measured(base: Path, files: int | None) -> dict[str, Any]:
    """Sync, then encode a share of the same passages bare."""
    folder = base / "notes" if files else real_text.notes()
    if files:
        real_text.copy(real_text.files()[:files], folder)
    environment = environment_of(base / "home")
    carrel = [sys.executable, "-P", "-m", "app.cli"]
    subprocess.run([*carrel, "add", str(folder)], env=environment, check=True, capture_output=True)
    began = time.perf_counter()
    done = subprocess.run([*carrel, "sync", "--json"], env=environment, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    synced = json.loads(done.stdout)
    bare = bare_rate(library_of(base / "home"))
    rate = synced["passages"]["embedded"] / seconds
    return {
        "machine": machine(),
        "files": synced["added"],
        "passages": synced["passages"]["embedded"],
        "seconds": seconds,
        "sync_rate": rate,
        "bare_rate": bare,
        "share": rate / bare,
    }


def bare_rate(library: Path) -> float:
    """Return how many of the library's passages the encoder alone does in a second."""
    from engine.embedding import catalogue
    from engine.embedding.encoder import Encoder
    from engine.store.connection import open_reader

    rows = open_reader(library).execute(
        "SELECT title, headings, text FROM passage JOIN document ON document.id = document_id WHERE passage.id % ? = 0",
        (SHARE,),
    )
    texts = ["\n".join(part for part in row if part) for row in rows]
    encoder = Encoder(catalogue.load().folder, sessions=os.cpu_count() or 1)
    encoder.encode_passages(texts[:4])
    began = time.perf_counter()
    encoder.encode_passages(texts)
    return len(texts) / (time.perf_counter() - began)


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    return "\n".join(
        [
            heading(report["machine"]),
            f"{report['files']:,} files, {report['passages']:,} passages embedded in {report['seconds']:.1f} s",
            f"sync          {report['sync_rate']:7.1f} passages a second, whole process",
            f"bare encoder  {report['bare_rate']:7.1f} passages a second",
            f"share         {report['share']:7.2f}",
        ]
    )


if __name__ == "__main__":
    main()
