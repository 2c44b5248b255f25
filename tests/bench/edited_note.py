"""What one edited paragraph costs in a library of any size: only its passages, and how soon it is found.

    python tests/bench/edited_note.py --library FILE [--edits 8] [--json]

FILE is copied, its folders are paused, and a folder with one long note is watched beside them by a process of its own.
One paragraph after another is changed; one clock stops when a search by words finds the new words in a process that
searches again and again, as the browser does, the other when the passage has its vector and both legs find it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from indexer import WORDS, start, stop, syncs, wait
from machine import heading, machine
from own_home import copy_library
from spread import against, limit_lines

from engine.library import Library
from engine.records import Hit
from engine.store import folders
from engine.store.connection import open_writer

PARAGRAPHS = 200
WORDS_SECONDS, MEANING_SECONDS = 0.3, 1.0  # what the worst may take
FITTING_SECONDS = 600.0  # the tiers are fitted anew once, where the library's have never been


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--edits", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        report = measured(Path(base), options.library, options.edits)
    print(json.dumps(report, indent=1) if options.json else table(report))


def measured(base: Path, original: Path, edits: int) -> dict[str, Any]:
    """Edit one note again and again beside the whole library."""
    os.environ["CARREL_HOME"] = str(base / "home")
    path = copy_library(original, base / "library.carrel")
    pause_all(path)
    notes = base / "notes"
    notes.mkdir()
    paragraphs = [
        f"Paragraph {number} of the long note, which says little but at length. " * 6 for number in range(PARAGRAPHS)
    ]
    write(notes / "long.md", paragraphs)
    library = Library.open(path)
    library.add(notes)
    library.warm()
    worker = start(base)
    try:
        wait(
            lambda: bool(library.search("paragraph 7 of the long note", settings=WORDS).hits),
            "the note",
            FITTING_SECONDS,
        )
        wait(lambda: len(syncs(base)) > 0, "the first sync", FITTING_SECONDS)
        wait(lambda: not library.pending(), "its vectors", FITTING_SECONDS)
        first = sum(each["pending"] for each in syncs(base))
        taken = [edited(library, notes / "long.md", paragraphs, number) for number in range(edits)]
        wait(lambda: len(syncs(base)) > edits, "the last sync", FITTING_SECONDS)
        passages = library.status().passages
    finally:
        stop(worker)
    embedded = sum(each["pending"] for each in syncs(base)) - first
    words, meaning = ([each[kind] for each in taken] for kind in (0, 1))
    worst = {"by words, worst": max(words), "by meaning, worst": max(meaning)}
    return {
        "machine": machine(),
        "passages": passages,
        "edits": edits,
        "embedded_an_edit": embedded / edits,
        "words": {"median": statistics.median(words), "worst": max(words)},
        "meaning": {"median": statistics.median(meaning), "worst": max(meaning)},
        "limits": against(worst, dict(zip(worst, (WORDS_SECONDS, MEANING_SECONDS), strict=True))),
    }


def pause_all(path: Path) -> None:
    """Leave the library's own folders alone: their files are not here."""
    connection = open_writer(path)
    for folder in folders.every(connection):
        folders.set_state(connection, folder.id, "paused")
    connection.close()


def write(path: Path, paragraphs: list[str]) -> None:
    """Write the note."""
    path.write_text("# A long note\n\n" + "\n\n".join(paragraphs) + "\n", encoding="utf-8")


def edited(library: Library, path: Path, paragraphs: list[str], number: int) -> tuple[float, float]:
    """Change one paragraph and return the seconds until it is found by words, and by meaning too."""
    word = f"quokka{number}x{time.time_ns()}"
    place = (number * 37) % len(paragraphs)
    paragraphs[place] = f"{paragraphs[place]} And then {word}."
    write(path, paragraphs)
    began = time.monotonic()
    wait(lambda: bool(library.search(word, settings=WORDS).hits), word)
    words = time.monotonic() - began
    wait(lambda: not library.pending(), word)
    wait(lambda: holds(word, library.search(f"a long note which says little {word}").hits), word)
    meaning = time.monotonic() - began
    time.sleep(0.9)  # the next edit is one of its own
    return words, meaning


def holds(word: str, hits: Sequence[Hit]) -> bool:
    """Whether a row holds a word."""
    return any(term.term == word for hit in hits if hit.keyword for term in hit.keyword.terms)


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    words, meaning = report["words"], report["meaning"]
    return "\n".join(
        [
            heading(report["machine"]),
            f"{report['passages']:,} passages, {report['edits']} edits of one paragraph",
            f"embedded an edit  {report['embedded_an_edit']:.1f} passages",
            f"found by words    {words['median']:.2f} s median, {words['worst']:.2f} s worst",
            f"by meaning too    {meaning['median']:.2f} s median, {meaning['worst']:.2f} s worst",
            *limit_lines(report["limits"], "s"),
        ]
    )


if __name__ == "__main__":
    main()
