"""Forgetting a watched folder with all its documents, in commits short enough to hold nobody up."""

from __future__ import annotations

import apsw

from engine.indexing import removed_folders
from engine.store import folders, models
from engine.store.connection import path_of
from engine.store.document_writer import Writer

AT_ONCE = 200  # documents a commit: about 50 ms of removing words and vectors


def forget_folder(conn: apsw.Connection, folder_id: int, *, forever: bool = False) -> int:
    """Remove a folder's documents and then the folder; return how many documents there were.

    Unless `forever`, what was indexed waits a day beside the library, to come back. The caller holds the indexer lock.
    Killed in between, the folder is still watched and a sync brings it back. Raises LibraryFull before anything is
    removed where there is no room to keep it.
    """
    if forever:
        removed_folders.drop(conn, path_of(conn), folder_id)
    else:
        removed_folders.keep(conn, path_of(conn), folder_id)
    documents = folders.documents_in(conn, folder_id)
    model = models.active(conn)
    if model is not None:
        writer = Writer(conn, model.id)
        for start in range(0, len(documents), AT_ONCE):
            with writer.transaction():
                writer.remove(documents[start : start + AT_ONCE])
    folders.remove(conn, folder_id)
    return len(documents)
