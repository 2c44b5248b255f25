"""Rows of a team's library: passages with all that is shown of them, documents by path, and where folders lie.

A folder of the reader at this machine is shown by its own path, any other behind the name of its owner and machine:
`ada@laptop:/home/ada/notes`. So no two folders have one path, and what lies on another machine is not opened here.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from engine.store.documents import WHOLE_TEXT, HydratedRow
from engine.store.row_mapping import headings_of
from engine.team.phrase_sql import Sql
from engine.team.row_lookups import BY_ID, DOCUMENT, ENTRY, FOLDER
from engine.team.team_filters import SHOWN

if TYPE_CHECKING:
    from engine.team.snapshot import Snapshot

MOST_LEFT = 2**30  # characters that `left` is asked for: more than PostgreSQL holds in a value

_COLUMNS = f"""p.id, d.id, f.id, {SHOWN}, d.path, coalesce(nullif(e.title, ''), d.title), d.kind,
    coalesce(e.tags, d.tags), d.mtime_ns, p.ordinal, p.headings, p.start, p."end", p.line_start, p.line_end, p.page,
    left(p.text, %s)"""


def rows_for(snapshot: Snapshot, passage_ids: Iterable[int], most: int = WHOLE_TEXT) -> dict[int, HydratedRow]:
    """Return what is shown of these passages, by id; of their texts the first `most` code points."""
    wanted = list(dict.fromkeys(map(int, passage_ids)))
    keep_rows(snapshot, wanted, most)
    found = ((each, snapshot.brought.rows[most, each]) for each in wanted)
    return {each: row for each, row in found if row is not None}


def keep_rows(snapshot: Snapshot, passage_ids: Sequence[int], most: int) -> None:
    """Keep what is shown of these passages; what was not brought is asked for now."""
    known = snapshot.brought.rows
    missing = unknown_rows(snapshot, passage_ids, most)
    if missing:
        known.update(((most, row[0]), _hydrated(row)) for row in snapshot.answer(showing(snapshot, missing, most)))
        for each in missing:
            known.setdefault((most, each), None)


def unknown_rows(snapshot: Snapshot, passage_ids: Iterable[int], most: int) -> list[int]:
    """Return those of these passages of which no row was brought."""
    return [each for each in dict.fromkeys(passage_ids) if (most, each) not in snapshot.brought.rows]


def showing(snapshot: Snapshot, passage_ids: Sequence[int], most: int) -> Sql:
    """Return what selects all that is shown of passages."""
    return Sql(
        f"SELECT {_COLUMNS} FROM {BY_ID} {DOCUMENT} {FOLDER} {ENTRY}",
        (snapshot.machine, min(most, MOST_LEFT), list(passage_ids)),
    )


def passages_of(snapshot: Snapshot, document_id: int) -> list[HydratedRow]:
    """Return all passages of a document in order."""
    found = snapshot.rows(
        f"SELECT {_COLUMNS} FROM passage p {DOCUMENT} {FOLDER} {ENTRY}"
        " WHERE p.folder_id = (%s::bigint >> 24)::integer AND p.document_id = %s ORDER BY p.ordinal",
        (snapshot.machine, MOST_LEFT, document_id, document_id),
    )
    return [_hydrated(row) for row in found]


def passage_texts(snapshot: Snapshot, document_id: int) -> list[tuple[int, str]]:
    """Return the passages of a document in order, with their texts."""
    return snapshot.rows(
        "SELECT id, text FROM passage WHERE folder_id = (%s::bigint >> 24)::integer AND document_id = %s"
        " ORDER BY ordinal",
        (document_id, document_id),
    )


def document_id_at(snapshot: Snapshot, absolute: bytes) -> int | None:
    """Return the document at an absolute path, as it is shown here; None where there is none."""
    for folder_id, folder in folder_paths(snapshot):
        inside = os.path.join(folder, b"")
        if absolute.startswith(inside):
            found = snapshot.rows(
                "SELECT id FROM document WHERE folder_id = %s AND path = %s", (folder_id, absolute[len(inside) :])
            )
            if found:
                return int(found[0][0])
    return None


def paths_of(snapshot: Snapshot, passage_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the absolute path of each passage's document, as it is shown here."""
    found = snapshot.rows(
        f"SELECT p.id, {SHOWN}, d.path FROM {BY_ID} {DOCUMENT} {FOLDER}",
        (snapshot.machine, [int(each) for each in passage_ids]),
    )
    return {passage: os.path.join(folder, path) for passage, folder, path in found}


def passage_hashes(snapshot: Snapshot, passage_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the hash of each passage."""
    return dict(snapshot.rows(f"SELECT p.id, p.hash FROM {BY_ID}", ([int(each) for each in passage_ids],)))


def passages_with_hashes(snapshot: Snapshot, hashes: Collection[bytes]) -> list[tuple[int, bytes]]:
    """Return the passages that have one of these hashes, with it, in order of passage."""
    return snapshot.rows(
        "SELECT id, hash FROM passage WHERE folder_id = ANY(ARRAY(SELECT id FROM folder)) AND hash = ANY(%s)"
        " ORDER BY id",
        (list(hashes),),
    )


def folder_paths(snapshot: Snapshot) -> tuple[tuple[int, bytes], ...]:
    """Return the folders that the reader may see, with their absolute paths as they are shown here."""
    return tuple(snapshot.answer(listing_folders(snapshot)))


def listing_folders(snapshot: Snapshot) -> Sql:
    """Return what selects the folders that the reader may see, with their absolute paths."""
    return Sql(f"SELECT f.id, {SHOWN} FROM folder f WHERE f.state = 'watching' ORDER BY f.id", (snapshot.machine,))


def _hydrated(row: Sequence[Any]) -> HydratedRow:
    passage, document, folder_id, folder, path, title, kind, tags, mtime_ns, ordinal = row[:10]
    headings, start, end, line_start, line_end, page, text = row[10:]
    return HydratedRow(
        passage_id=passage,
        document_id=document,
        folder_id=folder_id,
        folder=folder,
        path=path,
        title=title,
        kind=kind,
        tags=tuple(tags.split()),
        mtime_ns=mtime_ns,
        ordinal=ordinal,
        headings=headings_of(headings),
        start=start,
        end=end,
        line_start=line_start or None,
        line_end=line_end or None,
        page=page,
        text=text,
    )
