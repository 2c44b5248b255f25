"""Reads a library beside searching it: folders, documents, passages, links, failures. Takes no lock."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import PathError
from engine.library_file import LibraryFile
from engine.paths import display, folder_path
from engine.records import (
    DocumentChange,
    Facets,
    Failure,
    Folder,
    FolderCount,
    FolderNode,
    ResolvedLink,
    StoredDocument,
    StoredPassage,
)
from engine.store import browse_queries, documents, folders
from engine.store.transactions import transaction

if TYPE_CHECKING:
    from engine.events import Watching
    from engine.store.library_connection import LibraryConnection

LOOKED_AT_MOST = 400_000  # files and left-out entries of a folder that is only counted
STOP_STEP = 64  # of them, between two questions whether to stop


class LibraryViews:
    """What one library holds, to be looked at from any thread."""

    def __init__(self, file: LibraryFile) -> None:
        self._file = file

    def folders(self) -> tuple[Folder, ...]:
        """Return the watched folders with their counts, in the order in which they were added."""
        return self._file.read(folders.every)

    def tree(self, folder: bytes) -> tuple[FolderNode, ...]:
        """Return the folders below a watched one that hold documents, each before what is in it."""
        return self._file.read(lambda connection: browse_queries.tree(connection, folder))

    def facets(self) -> Facets:
        """Return the values that filters can take here."""
        return self._file.read(browse_queries.facets)

    def document(self, path: bytes) -> StoredDocument | None:
        """Return the document of the file at an absolute path, with its text; None where there is none."""
        with self._file.reading() as connection:
            found = documents.document_id_at(connection, path)
            return documents.stored_document(connection, found) if found is not None else None

    def document_by_id(self, document_id: int) -> StoredDocument | None:
        """Return a document with its text; None where it is gone."""
        return self._file.read(lambda connection: documents.stored_document(connection, document_id))

    def documents_named(self, fragment: str, limit: int = 50) -> tuple[StoredDocument, ...]:
        """Return documents whose title or path holds a text, without their own text, best fits first."""
        return self._file.read(lambda connection: browse_queries.documents_named(connection, fragment, limit))

    def paths_ending(self, ending: bytes) -> tuple[bytes, ...]:
        """Return the absolute paths of the documents whose path ends so, at a folder's boundary; at most 20."""
        return self._file.read(lambda connection: documents.paths_ending(connection, ending, 20))

    def passages(self, passage_ids: Sequence[int]) -> tuple[StoredPassage, ...]:
        """Return passages in the order asked; those that are gone are left out."""
        return self._file.read(lambda connection: browse_queries.passages(connection, passage_ids))

    def passages_of(self, document_id: int) -> tuple[StoredPassage, ...]:
        """Return all passages of a document in order."""
        return self._file.read(lambda connection: browse_queries.passages_of(connection, document_id))

    def passage_hashes(self, passage_ids: Sequence[int]) -> dict[int, bytes]:
        """Return the hashes of passages, by which marks know them."""
        return self._file.read(lambda connection: browse_queries.passage_hashes(connection, passage_ids))

    def every_document(self) -> Iterator[StoredDocument]:
        """Yield all documents with their texts, in order of path; those that could not be read are left out."""
        for document_id in self._file.read(browse_queries.document_ids):
            document = self.document_by_id(document_id)
            if document is not None:
                yield document

    def links(self, document_id: int) -> tuple[ResolvedLink, ...]:
        """Return the links written in a document, with the documents that they lead to."""
        return self._file.read(lambda connection: browse_queries.links(connection, document_id))

    def failures(self) -> tuple[Failure, ...]:
        """Return the files that could not be read, and why, in order of path."""
        return self._file.read(documents.failures)

    def changed_since(self, moment: float, limit: int = 200) -> tuple[DocumentChange, ...]:
        """Return what was indexed, or failed to be, since a moment in seconds since the epoch, newest first."""
        return self._file.read(lambda connection: browse_queries.changes(connection, moment, limit))

    def watching(self) -> Watching | None:
        """Return how many folders the process that indexes watches now; None where none does, or none was told."""
        from engine.store.lock import events_of

        events = events_of(self._file.path)
        if events is None:
            return None
        from engine.event_log.event_file import last_watching

        return last_watching(events)

    def left_out(self, folder: bytes | None = None) -> dict[str, int]:
        """Return how many files the last whole sync left out, by reason, in one folder or in all."""
        with self._file.reading() as connection:
            known = folders.at(connection, folder) if folder is not None else None
            return folders.left_out(connection, known.id if known else None)

    def left_out_files(
        self, folder: bytes, reason: str | None = None, limit: int = 1000, rules: Sequence[str] | None = None
    ) -> tuple[tuple[bytes, str], ...]:
        """Walk a watched folder now and return what is left out of it, as relative path and reason.

        `rules` are tried in place of the folder's own patterns. A folder left out whole stands for what is in it.
        """
        from dataclasses import replace

        from engine.sources.discovery import LeftOut, discover
        from engine.watching.watched_roots import own_files, rules_from

        with self._file.reading() as connection:
            own = rules_from(folders.rules(connection, watched_folder(connection, folder).id))
        tried = own if rules is None else replace(own, extra_patterns=tuple(rules))
        found: list[tuple[bytes, str]] = []
        for each in discover(folder, tried, own_files(self._file.path)):
            if isinstance(each, LeftOut) and reason in (None, each.reason):
                found.append((each.path, each.reason))
                if len(found) == limit:
                    break
        return tuple(found)

    def count_files(self, folder: Path, most: int, stop: Callable[[], bool] = lambda: False) -> FolderCount:
        """Walk a folder that may be watched, and count the files that would be indexed: `most`, and then no further.

        Nothing is read of the library. `stop` is asked now and then, and ends the walk. Raises PathError where it is
        missing or no folder.
        """
        from engine.sources.discovery import FoundFile, discover
        from engine.watching.watched_roots import own_files

        inside: dict[bytes, int] = {}
        files = 0
        for looked_at, each in enumerate(discover(folder_path(folder), own_files=own_files(self._file.path)), 1):
            if isinstance(each, FoundFile):
                files += 1
                top, below, _ = each.path.partition(b"/")
                if below:
                    inside[top] = inside.get(top, 0) + 1
            if files >= most or looked_at >= LOOKED_AT_MOST or (looked_at % STOP_STEP == 0 and stop()):
                return FolderCount(files, False, inside)
        return FolderCount(files, True, inside)

    def ignore_files(self, folder: bytes) -> tuple[tuple[bytes, tuple[str, ...]], ...]:
        """Walk a watched folder now and return its `.carrelignore` files, as relative paths, with their patterns."""
        from engine.sources.discovery import watched_folders
        from engine.sources.ignore_files import patterns_of
        from engine.sources.path_rules import CARRELIGNORE
        from engine.watching.watched_roots import own_files, rules_from

        with self._file.reading() as connection:
            rules = rules_from(folders.rules(connection, watched_folder(connection, folder).id))
        walked = watched_folders(folder, rules, own_files(self._file.path))
        paths = (os.path.join(inside, CARRELIGNORE) for inside in walked)
        read = ((path, patterns_of(os.path.join(folder, path))) for path in paths)
        return tuple((path, patterns) for path, patterns in read if patterns)

    def folder_rules(self, folder: bytes) -> tuple[str, ...]:
        """Return the patterns by which files of a watched folder are left out beside its own ignore files."""
        with self._file.reading() as connection:
            written = folders.rules(connection, watched_folder(connection, folder).id)
        return tuple(str(line) for line in written.get("extra_patterns", ()))

    def set_folder_rules(self, folder: bytes, patterns: Sequence[str]) -> None:
        """Keep other patterns for a watched folder; the next sync acts on them."""
        with self._file.writing() as connection:
            known = watched_folder(connection, folder)
            written = {**folders.rules(connection, known.id), "extra_patterns": list(patterns)}
            with transaction(connection):
                connection.execute("UPDATE folder SET rules = ? WHERE id = ?", (json.dumps(written), known.id))


def watched_folder(connection: LibraryConnection, path: bytes) -> Folder:
    """Return a watched folder. Raises PathError where it is not watched."""
    known = folders.at(connection, os.path.normpath(path)) or folders.at(connection, os.path.realpath(path))
    if known is None:
        raise PathError(f"{display(path)} is not a watched folder.", fix="`carrel folders` lists the folders that are.")
    return known
