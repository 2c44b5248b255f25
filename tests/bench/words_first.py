"""How soon all of a folder is found by words, beside a bare loop that reads, cuts and inserts the same passages.

    CARREL_DATA=… python tests/bench/words_first.py [--files 600] [--meaning] [--json]

One after the other on the same notes: `carrel sync --wait words` into a new library, in a process of its own; then the
bare loop, in one process and one transaction: no child that parses under limits, no walk, no comparison with what is
known. With `--meaning` the sync is then brought to its end, with the real encoder, which takes its time.
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
from own_home import environment_of


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, help="so many notes, drawn at random; else all")
    parser.add_argument("--meaning", action="store_true", help="embed them too")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        report = measured(Path(base), options.files, meaning=options.meaning)
    print(json.dumps(report, indent=1) if options.json else table(report))


def measured(base: Path, files: int | None, *, meaning: bool = False) -> dict[str, Any]:
    """Sync the words of notes, then do the bare loop over the same files."""
    folder = base / "notes" if files else real_text.notes()
    if files:
        real_text.copy(real_text.files()[:files], folder)
    environment = environment_of(base / "home")
    carrel = [sys.executable, "-P", "-m", "app.cli"]

    def timed(*arguments: str) -> tuple[float, dict[str, Any]]:
        began = time.perf_counter()
        done = subprocess.run([*carrel, *arguments], env=environment, check=True, capture_output=True, text=True)
        return time.perf_counter() - began, json.loads(done.stdout or "{}")

    timed("add", str(folder), "--json")
    words, synced = timed("sync", "--wait", "words", "--json")
    passages = timed("status", "--json")[1]["passages"]
    bare, inserted = bare_loop(folder, base / "bare.carrel")
    embedding = timed("sync", "--json")[0] if meaning else None
    return {
        "machine": machine(),
        "files": synced["added"],
        "passages": passages,
        "words_seconds": words,
        "bare_seconds": bare,
        "bare_passages": inserted,
        "share": bare / words * passages / max(1, inserted),
        "meaning_seconds": embedding,
    }


def bare_loop(folder: Path, library: Path) -> tuple[float, int]:
    """Read, cut and insert every file of a folder that has a reader; return the seconds and how many passages."""
    from engine.embedding import catalogue
    from engine.errors import SourceError
    from engine.indexing.passage_encoder import cutting
    from engine.sources.document_cutter import cut_passages
    from engine.sources.readers import read_document
    from engine.sources.readers.file_types import kind_of
    from engine.store import folders, models
    from engine.store.connection import open_writer
    from engine.store.document_writer import Writer
    from engine.store.row_mapping import FileFacts

    encoder = catalogue.load()
    how = cutting(encoder)
    assert how is not None
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and kind_of(os.fsencode(path.name))]
    conn = open_writer(library, create=True)
    writer = Writer(conn, models.write_down(conn, encoder.manifest, state="active"))
    folder_id = folders.add(conn, os.fsencode(folder))
    began, inserted = time.perf_counter(), 0
    with writer.transaction():
        for path in paths:
            try:
                document = read_document(os.fsencode(path))
            except SourceError:
                continue
            passages = cut_passages(document, how)
            facts = FileFacts(os.fsencode(path.relative_to(folder)), path.stat().st_size, 0, 0, 0, None)
            writer.put(folder_id, facts, document, passages)
            inserted += len(passages)
    seconds = time.perf_counter() - began
    conn.close()
    return seconds, inserted


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    lines = [
        heading(report["machine"]),
        f"{report['files']:,} files, {report['passages']:,} passages",
        f"found by words after  {report['words_seconds']:7.1f} s, whole process",
        f"bare loop             {report['bare_seconds']:7.1f} s for {report['bare_passages']:,} passages",
        f"share                 {report['share']:7.2f}",
    ]
    if report["meaning_seconds"] is not None:
        lines.append(f"the rest, embedded    {report['meaning_seconds']:7.1f} s more")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
