"""Lets marks follow their documents: one that moved, and one that was renamed and edited between two syncs."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping, Sequence

import apsw

from engine.records import Mark
from engine.store import judgements, stored_values
from engine.store.documents import document_id_at
from engine.store.row_mapping import unsigned
from engine.store.text_sketch import pairs_of, share_within
from engine.store.transactions import transaction

KNOWN_AGAIN = 0.5  # of a marked text: from so large a share on, another document holds it now
SAME_INODE = 0.2  # the same, in the file that has the inode of the one that is gone; a number is soon given anew
LOOKED_BACK_SECONDS = 600.0  # the new name of a file may be heard of some syncs before the old one is gone
MOST_DOCUMENTS = 2000  # that are looked through, the newest

Identity = tuple[int, int]  # inode and device of a file
_Fresh = tuple[bytes, Identity, str]


def follow_moves(conn: apsw.Connection, moved: Mapping[bytes, bytes]) -> None:
    """Give marks on moved documents their new paths; `moved` maps absolute paths, old to new."""
    marked = {mark.path for mark in judgements.every(conn)}
    if marked:
        with transaction(conn):
            judgements.sketch_missing(conn)  # while the texts that this sync changes are still there
    judgements.follow(conn, {old: new for old, new in moved.items() if old in marked})


def follow_texts(conn: apsw.Connection, leaving: Mapping[bytes, Identity]) -> None:
    """Find marked texts again that their documents have lost, in what was just indexed.

    To be called before the documents at `leaving`, absolute paths with their inodes, are removed. Where nothing
    resembles a text enough, its mark stays as it is: it finds its passage when the document is back.
    """
    lost = [mark for mark in judgements.every(conn) if mark.sketch and not _still_there(conn, mark, leaving)]
    if lost:
        fresh = _fresh(conn, leaving)
        paths = {path for path, _, _ in fresh}
        wandering = [each for each in lost if each.path in paths or _has_left(conn, each.path, leaving)]
        best = _best_places(wandering, fresh, leaving)
        judgements.follow(conn, {path: new for path, new in best.items() if path != new})


def _has_left(conn: apsw.Connection, path: bytes, leaving: Collection[bytes]) -> bool:
    return path in leaving or document_id_at(conn, path) is None


def _still_there(conn: apsw.Connection, mark: Mark, leaving: Collection[bytes]) -> bool:
    rows = conn.execute(
        """SELECT folder.path, document.path FROM passage JOIN document ON document.id = document_id
        JOIN folder ON folder.id = folder_id WHERE passage.hash = ?""",
        (mark.passage_hash,),
    )
    return mark.path in {os.path.join(folder, path) for folder, path in rows} - set(leaving)


def _fresh(conn: apsw.Connection, leaving: Collection[bytes]) -> list[_Fresh]:
    """Return path, inode and text of the passages in documents that were just indexed."""
    rows = conn.execute(
        """SELECT folder.path, fresh.path, fresh.inode, fresh.device, CAST(passage.text AS BLOB)
        FROM (SELECT * FROM document WHERE indexed_at >= ? ORDER BY indexed_at DESC LIMIT ?) AS fresh
        JOIN folder ON folder.id = fresh.folder_id JOIN passage ON passage.document_id = fresh.id
        ORDER BY fresh.indexed_at DESC, ordinal""",
        (time.time() - LOOKED_BACK_SECONDS, MOST_DOCUMENTS),
    )
    found = [
        (os.path.join(folder, path), (unsigned(inode), unsigned(device)), stored_values.text(text))
        for folder, path, inode, device, text in rows
    ]
    return [each for each in found if each[0] not in leaving]


def _best_places(
    lost: Sequence[Mark], fresh: Sequence[_Fresh], leaving: Mapping[bytes, Identity]
) -> dict[bytes, bytes]:
    """Return for the path of each lost mark that of the document which holds most of its text; its own goes first."""
    best: dict[bytes, tuple[bool, float, bytes]] = {}
    for path, identity, text in fresh:
        pairs = pairs_of(text)
        for mark in lost:
            found = path == mark.path, share_within(mark.sketch, pairs), path
            enough = SAME_INODE if leaving.get(mark.path) == identity else KNOWN_AGAIN
            if found[1] >= enough and found[:2] > best.get(mark.path, (False, 0.0, b""))[:2]:
                best[mark.path] = found
    return {path: found[2] for path, found in best.items()}
