"""Makes a library of many passages of real text in minutes: the real indexer, with vectors that need no encoder.

Each vector is a real passage's, drawn at random, with a little noise: as far from its neighbours as real ones are, but
of another text. So times are right, and what is found by meaning is not.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.embedding import catalogue
from engine.library import Library

BYTES_A_PASSAGE = 425  # of Markdown notes, specifications and manuals, as counted on these
REAL_VECTORS = 512
NOISE = 0.25  # length of the noise beside a vector's length of 1: cosine .97 to the original
SEED = 11


class Resampled:
    """The real encoder, but for passages: those get resampled vectors."""

    def __init__(self, real: Any, vectors: NDArray[np.float32]) -> None:
        self._real, self._vectors = real, vectors
        self._random = np.random.default_rng(SEED)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of unit length, shape (n, dimension)."""
        drawn = self._vectors[self._random.integers(len(self._vectors), size=len(texts))]
        noise = self._random.standard_normal(drawn.shape, dtype=np.float32) * NOISE / np.sqrt(drawn.shape[1])
        moved = drawn + noise
        return (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)


def build(place: Path, notes: Path, passages: int, vectors_from: Path | None) -> Path:
    """Make a library of about `passages` passages in `place`, of text below `notes`, and return its file."""
    path, folder = place / "large.carrel", place / "notes"
    if path.exists():
        return path
    copy_text(notes, folder, passages * BYTES_A_PASSAGE)
    real = catalogue.load()
    vectors = vectors_of(vectors_from) if vectors_from else real.encode_passages(some_text(folder))
    with Library.open(path, create=True, encoder=Resampled(real, vectors)) as library:  # type: ignore[arg-type]
        library.add(folder)
        library.sync()
    return path


def copy_text(notes: Path, to: Path, size: int) -> None:
    """Copy files, drawn at random, until they have `size` bytes together."""
    files = sorted(path for path in notes.rglob("*") if path.suffix in {".md", ".rst", ".txt"} and path.is_file())
    random.Random(SEED).shuffle(files)
    for path in files:
        if size <= 0:
            return
        target = to / path.relative_to(notes)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        size -= path.stat().st_size


def other_text(notes: Path, to: Path, size: int) -> None:
    """Copy files of `size` bytes with every paragraph changed a little, so that each passage has to be encoded."""
    copy_text(notes, to, size)
    for number, path in enumerate(each for each in to.rglob("*") if each.is_file()):
        text = path.read_text(encoding="utf-8", errors="replace")
        path.write_text(
            text.replace("\n\n", f"\n\nOnce more, {number}: ").replace(". ", f", {number}. "), encoding="utf-8"
        )


def some_text(folder: Path) -> list[str]:
    """Return pieces of the text to take real vectors from."""
    return list(_pieces(folder))[:REAL_VECTORS]


def _pieces(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            yield from (piece for piece in text.split("\n\n")[:20] if len(piece) > 200)


def vectors_of(library: Path) -> NDArray[np.float32]:
    """Return the vectors of a library that was really encoded."""
    from engine.store import models, vectors
    from engine.store.connection import open_reader

    connection = open_reader(library)
    model = models.active(connection)
    assert model is not None, f"{library} has no vectors"
    return vectors.read_matrix(connection, model.id)[1]


def copy_library(library: Path, to: Path) -> Path:
    """Copy a library with what is not yet folded into its file."""
    for ending in ("", "-wal"):
        source = library.with_name(library.name + ending)
        if source.exists():
            shutil.copyfile(source, to.with_name(to.name + ending))
            os.chmod(to.with_name(to.name + ending), 0o600)
    return to
