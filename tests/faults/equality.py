"""Holds a library that lived through something against one that is made anew from the same folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import apsw
import numpy as np

from engine.indexer.service import Service
from engine.indexer.warm_parser import WarmParser
from engine.indexing.file_reader import DocumentParser
from engine.indexing.passage_encoder import PassageEncoder
from engine.indexing.stop_signal import Never
from engine.records import SyncReport
from engine.store import folders, models
from engine.store.connection import open_reader, open_writer
from engine.store.vector_tables import read_matrix

LEAST_COSINE = 0.99999  # two machines' sums of the same products differ by less
SHOWN = 5  # differences of a kind; more tell nothing more


@dataclass(frozen=True)
class Contents:
    """What a library says, without ids and moments.

    `passages` gives the vector of each (path, ordinal, text, headings, spans, page, hash); `documents` the title, kind
    and failure of each path.
    """

    passages: dict[tuple[object, ...], np.ndarray]
    documents: dict[bytes, tuple[object, ...]]
    modified: dict[bytes, int]  # nanoseconds since the epoch


def contents(conn: apsw.Connection) -> Contents:
    """Read all that a library says. Raises AssertionError for a vector without a passage."""
    with conn:  # one state of the library, whoever writes meanwhile
        rows = conn.execute(
            """SELECT folder.path, document.path, mtime_ns, title, title_written, kind, tags, links, metadata, size,
            failure FROM document JOIN folder ON folder.id = folder_id"""
        ).fetchall()
        # Of a file that could not be read the reason counts; a title that it had before may stay.
        documents = {
            os.path.join(folder, path): tuple(rest) if rest[-1] is None else (rest[-1],)
            for folder, path, _, *rest in rows
        }
        modified = {os.path.join(folder, path): int(at) for folder, path, at, *_ in rows}
        model = models.active(conn)
        if model is None:
            return Contents({}, documents, modified)
        ids, matrix = read_matrix(conn, model.id)
        vectors = {int(each): row for each, row in zip(ids, matrix, strict=True)}
        rows = conn.execute(
            """SELECT passage.id, folder.path || '/' || document.path, ordinal, text, headings, start, "end",
            line_start, line_end, page, hash
            FROM passage JOIN document ON document.id = document_id JOIN folder ON folder.id = folder_id"""
        )
        passages = {tuple(row[1:]): vectors.pop(row[0], np.zeros(0)) for row in rows}
    assert not vectors, "vectors without a passage"
    return Contents(passages, documents, modified)


def differences(live: Contents, fresh: Contents) -> list[str]:
    """Say in words how a library differs from one made anew; nothing where it does not."""
    found = list(_some("only the live one has the document", live.documents.keys() - fresh.documents.keys()))
    found += _some("only the fresh one has the document", fresh.documents.keys() - live.documents.keys())
    both = live.documents.keys() & fresh.documents.keys()
    unlike = [path for path in both if live.documents[path] != fresh.documents[path]]
    found += _some("not the same document", [(path, live.documents[path], fresh.documents[path]) for path in unlike])
    # A file that was written as it was read is recorded one nanosecond earlier, so that it is looked at once more.
    found += _some("not the same date", [path for path in both if abs(live.modified[path] - fresh.modified[path]) > 1])
    found += _some("only the live one has the passage", live.passages.keys() - fresh.passages.keys())
    found += _some("only the fresh one has the passage", fresh.passages.keys() - live.passages.keys())
    shared = live.passages.keys() & fresh.passages.keys()
    far = [key for key in shared if not _alike(live.passages[key], fresh.passages[key])]
    return found + list(_some("not the same vector", far))


def brought_up_to_date(
    conn: apsw.Connection, library: Path, encoder: Callable[[], PassageEncoder], parser: Callable[[], DocumentParser]
) -> SyncReport:
    """Have an indexer bring a library up to date in this process, words and vectors, and return its report."""
    warm = WarmParser(parser)
    try:
        return Service(
            conn,
            library,
            encoder_of=lambda name: encoder(),
            parser=warm,
            refit=None,
            on_event=lambda event: None,
            stop=Never(),
        ).bring_up_to_date()
    finally:
        warm.end()


def made_anew(
    library: Path, roots: Iterable[Path], encoder: Callable[[], PassageEncoder], parser: Callable[[], DocumentParser]
) -> Contents:
    """Index folders into a new library file and return what it says."""
    with closing(open_writer(library, create=True)) as conn:
        for root in roots:
            folders.add(conn, os.fsencode(root))
        brought_up_to_date(conn, library, encoder, parser)
        words_are_sound(conn)
        return contents(conn)


def read_contents(library: Path) -> Contents:
    """Return what a library says, read beside whoever writes it."""
    with closing(open_reader(library)) as conn:
        return contents(conn)


def words_are_sound(conn: apsw.Connection) -> None:
    """Hold the word index against the passages it mirrors. Raises apsw.CorruptError where they differ.

    `rank` 1 compares with the content too (https://sqlite.org/fts5.html#the_integrity_check_command); it is a write.
    """
    conn.execute("INSERT INTO passage_fts(passage_fts, rank) VALUES('integrity-check', 1)")


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    if one.shape != other.shape or not one.size:
        return False
    return float(one @ other) >= LEAST_COSINE * float(np.linalg.norm(one) * np.linalg.norm(other))


def _some(what: str, found: Iterable[object]) -> Iterator[str]:
    every = list(found)
    for each in every[:SHOWN]:
        yield f"{what}: {str(each)[:400]}"
    if len(every) > SHOWN:
        yield f"{what}: {len(every) - SHOWN} more"
