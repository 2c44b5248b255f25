"""Searches a store of vstash over passages that Carrel has embedded. It runs in an interpreter that has vstash.

    PYTHON tests/bench/vstash_search.py FOLDER

Carrel is not needed there, nor is vstash where Carrel runs. FOLDER holds `documents.jsonl` (a path, a title and the
texts of its passages a line), `vectors.npy` (a row a passage, in that order), `queries.json` and `queries.npy`. The
store is made in FOLDER where it is not there yet. Printed as JSON: what each search took in milliseconds, without
encoding and with vstash's own defaults but for the ten results, twice over.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from vstash.store import VstashStore

DOCUMENTS_AT_ONCE = 500
RESULTS = 10


def main() -> None:
    """Open the store, search, and print the times."""
    folder = Path(sys.argv[1])
    store = opened(folder)
    texts = json.loads((folder / "queries.json").read_text(encoding="utf-8"))
    asked = list(zip(texts, np.load(folder / "queries.npy").tolist(), strict=True))
    spent(store, *asked[0])  # counts the words of the whole store once and keeps the counts
    rounds = [[spent(store, text, vector) for text, vector in asked] for _ in range(2)]
    stored = store.stats().chunks
    print(json.dumps({"version": version("vstash"), "passages": stored, "first": rounds[0], "again": rounds[1]}))


def opened(folder: Path) -> Any:
    """Return the store of a folder, filled; a store that was not filled to its end has another name."""
    path, unfinished = folder / "vstash.db", folder / "vstash.part"
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    if not path.exists():
        for left in folder.glob("vstash.part*"):
            left.unlink()
        with VstashStore(str(unfinished), embedding_dim=vectors.shape[1]) as store:
            fill(store, folder / "documents.jsonl", vectors)
        unfinished.rename(path)
    return VstashStore(str(path), embedding_dim=vectors.shape[1])


def fill(store: Any, documents: Path, vectors: Any) -> None:
    """Put in the documents, each passage with its own vector."""
    batch, taken = [], 0
    with documents.open(encoding="utf-8") as lines:
        for line in lines:
            document = json.loads(line)
            upto = taken + len(document["chunks"])
            batch.append({**document, "embeddings": vectors[taken:upto].tolist(), "source_type": "txt"})
            taken = upto
            if len(batch) == DOCUMENTS_AT_ONCE:
                store.add_documents_batch(batch)
                batch = []
    store.add_documents_batch(batch)


def spent(store: Any, text: str, vector: list[float]) -> float:
    """Search once and return the milliseconds."""
    began = time.perf_counter()
    store.search(vector, text, top_k=RESULTS)
    return (time.perf_counter() - began) * 1e3


if __name__ == "__main__":
    main()
