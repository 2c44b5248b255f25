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
from engine.team.team_rows import document_id_at, passage_hashes, passages_of, rows_for
from engine.team_or_own import TEAM_IDS

if TYPE_CHECKING:
    from engine.library_file import LibraryFile
    from engine.team.snapshot import Snapshot
    from engine.team_or_own import TeamOrOwn

_Answer = TypeVar("_Answer")
_Otherwise = TypeVar("_Otherwise")
TEAM_DOCUMENTS = 1 << 24  # from which on a document's number is a team's: below a folder's there are 24 bits


class TeamViews(LibraryViews):
    """What a team's library holds of all whose folders the reader may see.

    Rules of folders, what was left out, and what could not be read are told of the reader's own folders alone. While
    the server is away, so is all else.
    """

    def __init__(self, file: LibraryFile, team: TeamOrOwn) -> None:
        super().__init__(file)
        self._team = team

    def folders(self) -> tuple[Folder, ...]:
        """Return the reader's own folders, as their file has them, and behind them those of others."""
        own = super().folders()
        known = {folder.path for folder in own}
        return (*own, *(folder for folder in self._of(browse.folders, lambda: ()) if folder.path not in known))

    def tree(self, folder: bytes) -> tuple[FolderNode, ...]:
        """Return the folders below one that hold documents, each before what is in it."""
        own = super().tree
        return self._of(lambda snapshot: browse.tree(snapshot, folder), lambda: own(folder))

    def facets(self) -> Facets:
        """Return the values that filters can take here."""
        return self._of(browse.facets, super().facets)

    def document(self, path: bytes) -> StoredDocument | None:
        """Return the document of the file at a path, as it is shown here, with its text; None where there is none."""

        def found(snapshot: Snapshot) -> StoredDocument | None:
            number = document_id_at(snapshot, path)
            return None if number is None else browse.stored_document(snapshot, number)

        own = super().document
        return self._of(found, lambda: own(path))

    def document_by_id(self, document_id: int) -> StoredDocument | None:
        """Return a document with its text; None where it is gone."""
        own = super().document_by_id
        if document_id < TEAM_DOCUMENTS:
            return own(document_id)
        return self._of(lambda snapshot: browse.stored_document(snapshot, document_id), lambda: None)

    def documents_named(self, fragment: str, limit: int = 50) -> tuple[StoredDocument, ...]:
        """Return documents whose title or path holds a text, without their own text, best fits first."""
        own = super().documents_named
        return self._of(
            lambda snapshot: browse.documents_named(snapshot, fragment, limit), lambda: own(fragment, limit)
        )

    def paths_ending(self, ending: bytes) -> tuple[bytes, ...]:
        """Return the paths of the documents whose path ends so, at a folder's boundary; at most 20."""
        own = super().paths_ending
        return self._of(lambda snapshot: browse.paths_ending(snapshot, ending, 20), lambda: own(ending))

    def passages(self, passage_ids: Sequence[int]) -> tuple[StoredPassage, ...]:
        """Return passages in the order asked; those that are gone are left out."""
        own = super().passages
        if all(each < TEAM_IDS for each in passage_ids):
            return own(passage_ids)

        def found(snapshot: Snapshot) -> tuple[StoredPassage, ...]:
            rows = rows_for(snapshot, passage_ids)
            return tuple(stored_passage(rows[each]) for each in passage_ids if each in rows)

        return self._of(found, lambda: ())

    def passages_of(self, document_id: int) -> tuple[StoredPassage, ...]:
        """Return all passages of a document in order."""
        own = super().passages_of
        if document_id < TEAM_DOCUMENTS:
            return own(document_id)
        return self._of(
            lambda snapshot: tuple(stored_passage(row) for row in passages_of(snapshot, document_id)), lambda: ()
        )

    def passage_hashes(self, passage_ids: Sequence[int]) -> dict[int, bytes]:
        """Return the hashes of passages, by which marks know them."""
        own = super().passage_hashes
        if all(each < TEAM_IDS for each in passage_ids):
            return own(passage_ids)
        return self._of(lambda snapshot: passage_hashes(snapshot, passage_ids), dict)

    def every_document(self) -> Iterator[StoredDocument]:
        """Yield all documents with their texts, in order of path; those that could not be read are left out."""
        own = super().every_document
        numbers = self._of(browse.document_ids, lambda: None)
        if numbers is None:
            yield from own()
            return
        for document_id in numbers:
            document = self.document_by_id(document_id)
            if document is not None:
                yield document

    def links(self, document_id: int) -> tuple[ResolvedLink, ...]:
        """Return the links written in a document, with the documents that they lead to."""
        own = super().links
        if document_id < TEAM_DOCUMENTS:
            return own(document_id)
        return self._of(lambda snapshot: browse.links(snapshot, document_id), lambda: ())

    def changed_since(self, moment: float, limit: int = 200) -> tuple[DocumentChange, ...]:
        """Return what was indexed, or failed to be, since a moment in seconds since the epoch, newest first."""
        own = super().changed_since
        return self._of(lambda snapshot: browse.changes(snapshot, moment, limit), lambda: own(moment, limit))

    def _of(self, question: Callable[[Snapshot], _Answer], own: Callable[[], _Otherwise]) -> _Answer | _Otherwise:
        """Return what a question finds in one state of the team's library; while that is away, what `own` gives."""
        from engine.team.team_connection import TeamConnection

        with self._team.searching() as connection:
            if isinstance(connection, TeamConnection):
                return question(connection.snapshot)
        return own()
