"""How well a small library of notes is searched: its titles and headings as questions, and written ones.

    CARREL_DATA=DIR python tests/bench/small_libraries.py [--notes N] [--each N] [--libraries FOLDER] [--json]

Each folder of DIR/notes becomes a library of its own, of at most N notes drawn with a fixed seed, those that the
written questions (note_questions.txt) ask for always among them. A title or heading counts as found where its note
stands; where several notes have it, the best of them. Gives the mean reciprocal rank among ten and the share of first
places by each fusion, and in use without what stands around a passage.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from machine import heading, machine
from quality import Variant, constants

from engine.library import Library
from engine.records import FusionConstants, SearchSettings
from engine.store.connection import open_reader

SEED = 14
DEPTH = 10
SHORTEST = 8  # code points of a heading that asks for something: "Notes" and "Usage" ask for nothing
SUFFIXES = (".md", ".rst", ".org")
QUESTIONS = Path(__file__).with_name("note_questions.txt")
VARIANTS = (
    Variant("in use"),
    Variant("nothing around", SearchSettings(constants=FusionConstants(around=0.0))),
    Variant("without feedback", SearchSettings(feedback=False)),
    Variant("rrf", SearchSettings(fusion="rrf")),
    Variant("meaning alone", SearchSettings(fusion="vector")),
    Variant("words alone", SearchSettings(fusion="keyword")),
)
Asked = tuple[str, frozenset[str]]
"""A question, and the notes that answer it, by their places below the folder."""


def written() -> dict[str, list[Asked]]:
    """Return the written questions by folder."""
    found: dict[str, list[Asked]] = defaultdict(list)
    for line in QUESTIONS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            place, question = line.split("\t")
            folder, _, note = place.partition("/")
            found[folder].append((question, frozenset({note})))
    return found


def chosen_notes(folder: Path, wanted: Sequence[Asked], most: int) -> list[str]:
    """Return the notes of a library: those asked for, and others drawn until there are enough; 0: all of them."""
    every = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix in SUFFIXES)
    needed = set().union(*(notes for _, notes in wanted))
    random.Random(SEED).shuffle(every)
    others = [note for note in every if note not in needed]
    return sorted([*needed, *(others if not most else others[: max(most - len(needed), 0)])])


def known_items(file: Path, folder: Path, count: int) -> list[Asked]:
    """Return titles and headings as questions, drawn with a fixed seed, with the notes that have each."""
    holders: dict[str, set[str]] = defaultdict(set)
    connection = open_reader(file)
    for path, title, headings in connection.execute(
        "SELECT path_text, title, headings FROM passage JOIN document ON document.id = document_id"
    ):
        for name in (str(title), *str(headings or "").split("\n")):
            if len(name) >= SHORTEST:
                holders[name].add(str(path))
    connection.close()
    asked = sorted(holders)
    random.Random(SEED).shuffle(asked)
    return [(name, frozenset(holders[name])) for name in asked[:count]]


def reciprocal_ranks(library: Library, folder: Path, asked: Sequence[Asked], variant: Variant) -> list[float]:
    """Return 1 / the rank of the first note that answers each question, 0 where it is not among the first ten."""
    found = []
    with constants(variant.constants):
        for question, notes in asked:
            hits = library.search(question.replace('"', " "), limit=DEPTH, settings=variant.settings).hits
            listed = [os.fsdecode(hit.path) for hit in hits]
            wanted = {str(folder / note) for note in notes}
            found.append(next((1 / rank for rank, path in enumerate(listed, 1) if path in wanted), 0.0))
    return found


def measured(notes: Path, kept: Path, most: int, each: int) -> dict[str, Any]:
    """Make the libraries, ask, and return the figures by folder, kind of question and setting."""
    questions, report = written(), {}
    for source in sorted(path for path in notes.iterdir() if path.is_dir()):
        wanted = [(text, there) for text, there in questions[source.name] if all((source / n).is_file() for n in there)]
        folder, file = kept / source.name, kept / f"{source.name}.carrel"
        for note in chosen_notes(source, wanted, most):
            (folder / note).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / note, folder / note)
        with Library.open(file, create=True) as library:
            library.add(folder)
            library.sync()
            kinds = {"titles and headings": known_items(file, folder, each), "written": wanted}
            report[source.name] = {
                "passages": library.status().passages,
                **{kind: _figures(library, folder, asked) for kind, asked in kinds.items()},
            }
        print(f"{source.name}: {report[source.name]['passages']} passages", file=sys.stderr, flush=True)
    return report


def _figures(library: Library, folder: Path, asked: Sequence[Asked]) -> dict[str, Any]:
    rows: dict[str, Any] = {"questions": len(asked)}
    for variant in VARIANTS:
        ranks = reciprocal_ranks(library, folder, asked, variant)
        count = max(len(ranks), 1)
        rows[variant.name] = {"mrr": sum(ranks) / count, "first": sum(rank == 1.0 for rank in ranks) / count}
    return rows


def table(report: Mapping[str, Any]) -> str:
    """Return the figures as a person reads them."""
    lines = [f"{'':46}{''.join(f'{variant.name:>18}' for variant in VARIANTS)}   MRR@10, share of first places"]
    for name, figures in report.items():
        for kind in ("titles and headings", "written"):
            rows = figures[kind]
            cells = "".join(f"{rows[each.name]['mrr']:11.3f} {rows[each.name]['first']:6.0%}" for each in VARIANTS)
            lines.append(f"{name:14}{kind:20}{rows['questions']:4} of {figures['passages']:6}{cells}")
    return "\n".join(lines)


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notes", type=int, default=0, help="notes of a library at most; 0: all of a folder")
    parser.add_argument("--each", type=int, default=100, help="titles and headings of a library")
    parser.add_argument("--libraries", type=Path, help="keep the libraries in this folder")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    data = Path(os.environ.get("CARREL_DATA", "")) / "notes"
    if not os.environ.get("CARREL_DATA") or not data.is_dir():
        sys.exit("Set CARREL_DATA to the folder that holds notes/.")
    named = machine()
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as temporary:
        kept = (chosen.libraries or Path(temporary)).resolve()
        kept.mkdir(parents=True, exist_ok=True)
        report = measured(data, kept, chosen.notes, chosen.each)
    print(
        json.dumps({"machine": named, "folders": report}, indent=1)
        if chosen.json
        else f"{heading(named)}\n{table(report)}"
    )


if __name__ == "__main__":
    main()
