"""The same searches put to vstash: a store of the passages and vectors of a library, in another interpreter."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.store import models, vector_tables
from engine.store.connection import open_reader
from engine.store.library_connection import LibraryConnection

SEARCHING = Path(__file__).with_name("vstash_search.py")


def searched(
    python: Path, library: Path, folder: Path, queries: Sequence[str], asked: NDArray[np.float32]
) -> dict[str, Any]:
    """Return the milliseconds of each search, "first" and "again", of a store in `folder` made as large as `library`.

    `asked` holds the vectors of the queries, row for row. Where `folder` holds a store already, that one is searched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "vstash.db").exists():
        write_out(library, folder)
    (folder / "queries.json").write_text(json.dumps(list(queries)), encoding="utf-8")
    np.save(folder / "queries.npy", asked)
    done = subprocess.run([python, SEARCHING, folder], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"vstash ended with {done.returncode}:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def write_out(library: Path, folder: Path) -> None:
    """Write the documents of a library with the texts of their passages, and the vectors in the same order."""
    connection = open_reader(library)
    model = models.active(connection)
    assert model is not None, f"{library} has no vectors"
    ids, matrix = vector_tables.read_matrix(connection, model.id)
    order: list[int] = []
    with (folder / "documents.jsonl").open("w", encoding="utf-8") as lines:
        for document, passages in documents(connection):
            lines.write(json.dumps({**document, "chunks": list(passages.values())}) + "\n")
            order += passages
    np.save(folder / "vectors.npy", matrix[np.searchsorted(ids, order)])
    connection.close()


def documents(connection: LibraryConnection) -> Iterator[tuple[dict[str, str], dict[int, str]]]:
    """Yield each document that has passages: its path and title, and the texts of its passages by id."""
    rows = connection.execute("SELECT id, path_text, title FROM document WHERE failure IS NULL").fetchall()
    for number, path, title in rows:
        passages = connection.execute(
            "SELECT id, text FROM passage WHERE document_id = ? ORDER BY ordinal", (number,)
        ).fetchall()
        if passages:
            yield {"path": path, "title": title}, dict(passages)
