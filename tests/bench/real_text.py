"""The real notes that benchmarks read, below CARREL_DATA, and copies of some of them."""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

SEED = 11
ENDINGS = {".md", ".rst", ".org"}


def notes() -> Path:
    """Return the real notes that CARREL_DATA names; ends the program where there are none."""
    folder = Path(os.environ.get("CARREL_DATA", "")) / "notes"
    if not os.environ.get("CARREL_DATA") or not folder.is_dir():
        sys.exit("Set CARREL_DATA to the folder that holds notes/.")
    return folder


def files() -> list[Path]:
    """Return all notes in an order by chance that is always the same."""
    found = sorted(path for path in notes().rglob("*") if path.suffix in ENDINGS and path.is_file())
    random.Random(SEED).shuffle(found)
    return found


def passages(count: int) -> list[str]:
    """Return real passages as the indexer would embed them, of notes drawn by chance."""
    from engine.chunking import PassageRules, cut
    from engine.embedding import catalogue
    from engine.sources.parser import Parser

    encoder = catalogue.load()
    rules = PassageRules.from_dict(encoder.manifest.passage_rules)
    found: list[str] = []
    with Parser() as parser:
        for path in files():
            document = parser.read(os.fsencode(path))
            found += [each.embedded for each in cut(document, encoder.token_starts, rules)]
            if len(found) >= count:
                break
    return found[:count]


def copy(chosen: Sequence[Path], to: Path) -> None:
    """Copy notes into a folder, each below the folders that it lies in."""
    for path in chosen:
        target = to / path.relative_to(notes())
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def copy_changed(to: Path, size: int) -> None:
    """Copy `size` bytes of notes with every paragraph changed a little, so that each passage has to be encoded."""
    every = files()
    before = accumulate((path.stat().st_size for path in every), initial=0)
    copy([path for path, sofar in zip(every, before, strict=False) if sofar < size], to)
    for number, path in enumerate(sorted(each for each in to.rglob("*") if each.is_file())):
        text = path.read_text(encoding="utf-8", errors="replace")
        path.write_text(
            text.replace("\n\n", f"\n\nOnce more, {number}: ").replace(". ", f", {number}. "), encoding="utf-8"
        )
