"""Shipped texts on many subjects: out-of-domain queries, and background passages without a common topic.

They give a model its scale: the mean cosine between the two, and the signal that a query with no answer gives.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.embedding.encoder import Encoder
from engine.embedding.manifest import Manifest

VECTORS_FILE = "foreign.npy"
RECORD_FILE = "foreign.json"

_HERE = Path(__file__).parent


class TextEncoder(Protocol):
    """Anything that turns queries and passages into vectors."""

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of queries, shape (n, dimension), each of unit length."""

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of passages, shape (n, dimension), each of unit length."""


class DescribedEncoder(TextEncoder, Protocol):
    """An encoder that has the manifest of its model."""

    manifest: Manifest

    def reads(self, text: str) -> bool:
        """Whether the model can read the writing of a text."""


@cache
def foreign_queries() -> tuple[str, ...]:
    """Return the shipped queries, 500 or more, on very many subjects."""
    lines = (_HERE / "foreign_queries.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line.strip() for line in lines if line.strip())


@cache
def background_passages() -> tuple[str, ...]:
    """Return the shipped passages, 120 or more, each on a subject of its own."""
    pieces = (_HERE / "background_passages.txt").read_text(encoding="utf-8").split("\n\n")
    return tuple(" ".join(piece.split()) for piece in pieces if piece.strip())


def foreign_vectors(encoder: DescribedEncoder) -> NDArray[np.float32]:
    """Return the vectors of the foreign queries, shape (n, dimension), each of unit length.

    They are read from the model folder where they were stored for this very model and these very queries, else
    encoded, which takes seconds.
    """
    stored = _stored(getattr(encoder, "folder", None), _record(encoder.manifest))
    return encoder.encode_queries(foreign_queries()) if stored is None else stored


def store_foreign_vectors(encoder: DescribedEncoder, folder: Path) -> NDArray[np.float32]:
    """Encode the foreign queries and keep their vectors in the model folder, with a record of what they were made of.

    Half precision is kept: it moves a cosine by .0003 at most.
    """
    vectors = encoder.encode_queries(foreign_queries())
    np.save(folder / VECTORS_FILE, vectors.astype(np.float16))
    (folder / RECORD_FILE).write_text(json.dumps(_record(encoder.manifest), indent=2) + "\n", encoding="utf-8")
    return vectors


def background_cosine(encoder: DescribedEncoder, queries: NDArray[np.float32]) -> float:
    """Return the mean cosine between query vectors and the background passages: what a chance pair scores."""
    prefix = encoder.manifest.passage_prefix
    passages = encoder.encode_passages([prefix + passage for passage in background_passages()])
    return float(queries.mean(axis=0, dtype=np.float64) @ passages.mean(axis=0, dtype=np.float64))


def _stored(folder: Path | None, record: dict[str, str]) -> NDArray[np.float32] | None:
    if folder is None:
        return None
    try:
        if json.loads((folder / RECORD_FILE).read_text(encoding="utf-8")) != record:
            return None
        vectors = np.load(folder / VECTORS_FILE, allow_pickle=False).astype(np.float32)
    except (OSError, ValueError, EOFError):  # the last: an empty file, as a power cut leaves it
        return None
    if vectors.ndim != 2 or len(vectors) != len(foreign_queries()) or not np.isfinite(vectors).all():
        return None
    scaled: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def _record(manifest: Manifest) -> dict[str, str]:
    digest = hashlib.sha256("\n".join(foreign_queries()).encode("utf-8")).hexdigest()
    return {"fingerprint": manifest.fingerprint, "queries_sha256": digest}


def measure(folder: Path, *, sessions: int = 1) -> Manifest:
    """Encode the shipped texts with the model in `folder`, write what they tell into it, and return the manifest."""
    encoder = Encoder(folder, sessions=sessions)
    queries = store_foreign_vectors(encoder, folder)
    cosine = round(background_cosine(encoder, queries), 6)
    encoder.close()
    manifest = dataclasses.replace(encoder.manifest, background_cosine=cosine)
    manifest.write(folder)
    return manifest
