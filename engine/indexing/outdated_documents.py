"""Which documents need work though their files look untouched: an older reader read them, or they lack vectors.

The table `meta` keeps the versions of the readers that this library was last synced with, and for each reader that has
risen since when: a document that was indexed before that moment was read by an older one. Files that had no reader
before need nothing of this: they are no documents yet, so the walk finds them as new.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

import apsw

from engine.sources.readers.file_types import READER_VERSIONS, reader_of
from engine.store import meta, stored_values
from engine.store.passage_counts import HELD_BACK, WORDS, queued

_KEY = "readers"


@dataclass(frozen=True, slots=True)
class _Readers:
    """Versions by reader, and the moment (seconds since the epoch) up to which a reader's documents are outdated."""

    versions: Mapping[str, int]
    risen: Mapping[str, float] = field(default_factory=dict)


def note_readers(conn: apsw.Connection) -> None:
    """Write down the present versions of the readers, and from now on which of them have risen.

    Where none has, it costs one row read by its key. The caller holds the indexer lock.
    """
    kept = _kept(conn)
    if kept is None:
        _rise(conn, {}, _older({}))
    elif kept.versions != READER_VERSIONS:
        _rise(conn, kept.risen, _older(kept.versions))


def note_arrivals(conn: apsw.Connection, versions: Mapping[str, int]) -> None:
    """Count documents that have come from elsewhere as outdated where these versions, which read them, are older.

    `note_readers` was called before they came; if not, all documents count as outdated.
    """
    kept, older = _kept(conn), _older(versions)
    if kept is None:
        note_readers(conn)
    elif older:
        _rise(conn, kept.risen, older)


def outdated(conn: apsw.Connection) -> frozenset[int]:
    """Return the documents that an older version of their reader has read; asks the documents only after a rise."""
    kept = _kept(conn)
    if kept is None or not kept.risen:
        return frozenset()
    rows = conn.execute("SELECT id, path, indexed_at FROM document WHERE indexed_at < ?", (max(kept.risen.values()),))
    return frozenset(each for each, path, at in rows if at < kept.risen.get(reader_of(os.path.basename(path)), 0.0))


def note_all_read(conn: apsw.Connection) -> None:
    """Write down that no document is outdated any more, where some were."""
    kept = _kept(conn)
    if kept is not None and kept.risen:
        _write(conn, {})


def versions_here(conn: apsw.Connection) -> dict[str, int]:
    """Return the versions by which all documents here were read, to go with documents that leave the library."""
    kept = _kept(conn)
    return {} if kept is None else {name: each for name, each in kept.versions.items() if name not in kept.risen}


def versions_in(written: object) -> dict[str, int]:
    """Return versions as `versions_here` gave them; what is none of them counts as not known."""
    if not isinstance(written, dict):
        return {}
    return {name: each for name, each in written.items() if isinstance(name, str) and type(each) is int}


def active_model(conn: apsw.Connection) -> int | None:
    """Return the id of the model that searches use, None before the first sync."""
    row = conn.execute("SELECT id FROM model WHERE state = 'active'").fetchone()
    return int(row[0]) if row else None


def documents_with_gaps(conn: apsw.Connection, model_id: int) -> set[int]:
    """Return the documents of which a passage has no vector of this model, and waits for none either.

    Counting comes first, since it is much cheaper and says in nearly
    every sync that there are none.
    """
    rows = _rows(model_id)
    surplus = conn.execute(
        f"""SELECT (SELECT count(*) FROM passage) - (SELECT count(*) FROM passage WHERE {HELD_BACK})
        + (SELECT count(*) FROM free_slot WHERE id IN (SELECT rowid FROM {rows})) - (SELECT count(*) FROM {rows})"""
    ).get
    if surplus <= 0:
        return set()
    found = conn.execute(f"SELECT DISTINCT document_id FROM passage WHERE {_bare(conn, model_id)}")
    return {row[0] for row in found}


def documents_of_words(conn: apsw.Connection) -> set[int]:
    """Return the documents that should have vectors: where their model was lost, all of them are to be made."""
    return {row[0] for row in conn.execute(f"SELECT DISTINCT document_id FROM passage WHERE {WORDS}")}


def gaps_of(conn: apsw.Connection, model_id: int, document_id: int) -> dict[int, bytes]:
    """Return the passages of a document that have no vector of this model and wait for none: hash by id."""
    rows = conn.execute(
        f"SELECT id, hash FROM passage WHERE document_id = ? AND {_bare(conn, model_id)} ORDER BY ordinal",
        (document_id,),
    )
    return dict(rows)


def _bare(conn: apsw.Connection, model_id: int) -> str:
    """Return the condition of SQL for a passage that should have a vector of this model, and will not get one."""
    return f"{WORDS} AND id NOT IN (SELECT rowid FROM {_rows(model_id)}) AND NOT {queued(conn, model_id)}"


def _older(versions: Mapping[str, int]) -> list[str]:
    return [name for name, version in READER_VERSIONS.items() if version > versions.get(name, 0)]


def _rise(conn: apsw.Connection, risen: Mapping[str, float], older: Iterable[str]) -> None:
    """Count what these readers have read until now as outdated, whatever the clock said when they read it."""
    latest = conn.execute("SELECT max(indexed_at) FROM document").get
    moment = max(time.time(), latest + 1e-3) if stored_values.moment(latest) is not None else 0.0
    _write(conn, {**risen, **dict.fromkeys(older, moment)} if moment else {})


def _write(conn: apsw.Connection, risen: Mapping[str, float]) -> None:
    meta.put(conn, _KEY, json.dumps({"versions": READER_VERSIONS, "risen": dict(risen)}))


def _kept(conn: apsw.Connection) -> _Readers | None:
    """Return what is written down; None where nothing is, or it is damaged."""
    try:
        found = json.loads(cast(str, meta.get(conn, _KEY)))
        risen = {str(name): moment for name, at in found["risen"].items() if (moment := stored_values.moment(at))}
        return _Readers(versions_in(found["versions"]), risen)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _rows(model_id: int) -> str:
    """Name the table of the rows of a model's vectors; `engine.store.vector_tables` would bring numpy (0.1 s)."""
    return f"vector_{int(model_id)}_rowids"
