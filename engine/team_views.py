"""Reads a team's library beside searching it; of the reader's own folders also what only their own file knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from engine.library_views import LibraryViews
from engine.records import (
    DocumentChange,
    Facets,
    Folder,
    FolderNode,
    ResolvedLink,
    StoredDocument,
    StoredPassage,
)
from engine.store.browse_queries import stored_passage
from engine.team import browse

if TYPE_CHECKING:
    from engine.library_file import LibraryFile
    from engine.team.snapshot import Snapshot
    from engine.team.team_store import TeamStore

_Answer = TypeVar("_Answer")


class TeamViews(LibraryViews):
    """What a team's library holds of all whose folders the reader may see.

    Rules of folders, what was left out, and what could not be read are told of the reader's own folders alone.
    """

    def __init__(self, file: LibraryFile, team: TeamStore) -> None:
        super().__init__(file)
        self._team = team

    def folders(self) -> tuple[Folder, ...]:
        """Return the reader's own folders, as their file has them, and behind them those of others."""
        own = super().folders()
        known = {folder.path for folder in own}
        return (*own, *(folder for folder in self._of(browse.folders) if folder.path not in known))

    def tree(self, folder: bytes) -> tuple[FolderNode, ...]:
        """Return the folders below one that hold documents, each before what is in it."""
        return self._of(lambda snapshot: browse.tree(snapshot, folder))

    def facets(self) -> Facets:
        """Return the values that filters can take here."""
        return self._of(browse.facets)

    def document(self, path: bytes) -> StoredDocument | None:
        """Return the document of the file at a path, as it is shown here, with its text; None where there is none."""
        with self._team.searching() as connection:
            found = connection.document_id_at(path)
            return browse.stored_document(connection.snapshot, found) if found is not None else None

    def document_by_id(self, document_id: int) -> StoredDocument | None:
        """Return a document with its text; None where it is gone."""
        return self._of(lambda snapshot: browse.stored_document(snapshot, document_id))

    def documents_named(self, fragment: str, limit: int = 50) -> tuple[StoredDocument, ...]:
        """Return documents whose title or path holds a text, without their own text, best fits first."""
        return self._of(lambda snapshot: browse.documents_named(snapshot, fragment, limit))

    def paths_ending(self, ending: bytes) -> tuple[bytes, ...]:
        """Return the paths of the documents whose path ends so, at a folder's boundary; at most 20."""
        return self._of(lambda snapshot: browse.paths_ending(snapshot, ending, 20))

    def passages(self, passage_ids: Sequence[int]) -> tuple[StoredPassage, ...]:
        """Return passages in the order asked; those that are gone are left out."""
        with self._team.searching() as connection:
            rows = connection.rows_for(passage_ids)
        return tuple(stored_passage(rows[each]) for each in passage_ids if each in rows)

    def passages_of(self, document_id: int) -> tuple[StoredPassage, ...]:
        """Return all passages of a document in order."""
        with self._team.searching() as connection:
            return tuple(stored_passage(row) for row in connection.passages_of(document_id))

    def passage_hashes(self, passage_ids: Sequence[int]) -> dict[int, bytes]:
        """Return the hashes of passages, by which marks know them."""
        with self._team.searching() as connection:
            return connection.passage_hashes(passage_ids)

    def every_document(self) -> Iterator[StoredDocument]:
        """Yield all documents with their texts, in order of path; those that could not be read are left out."""
        for document_id in self._of(browse.document_ids):
            document = self.document_by_id(document_id)
            if document is not None:
                yield document

    def links(self, document_id: int) -> tuple[ResolvedLink, ...]:
        """Return the links written in a document, with the documents that they lead to."""
        return self._of(lambda snapshot: browse.links(snapshot, document_id))

    def changed_since(self, moment: float, limit: int = 200) -> tuple[DocumentChange, ...]:
        """Return what was indexed, or failed to be, since a moment in seconds since the epoch, newest first."""
        return self._of(lambda snapshot: browse.changes(snapshot, moment, limit))

    def _of(self, question: Callable[[Snapshot], _Answer]) -> _Answer:
        """Return what a question finds in one state of the team's library."""
        with self._team.searching() as connection:
            return question(connection.snapshot)
