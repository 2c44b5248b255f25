"""Brings what a person's own file holds of the folders that they share to the team library, a file a transaction.

The own file is indexed as ever, and stays complete without a server. What differs is told by the revision of each
document, so that a publisher that was killed, or a server that was away, costs nothing but a comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.events import Event, Preparing
from engine.lazy_dataclass import dataclass
from engine.store import folders
from engine.store.connection import open_reader
from engine.store.faults import translated
from engine.team import own_documents
from engine.team.membership import own_folders
from engine.team.own_documents import OwnDocument

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.indexing.stop_signal import Signal
    from engine.store.library_connection import LibraryConnection
    from engine.team.team_writer import TeamWriter

Known = tuple[bytes, int, bytes | None]  # revision, passages without a vector of the team's model, content hash
_BUILDING = "SELECT id, fingerprint FROM model WHERE state = 'building' ORDER BY id"
_MODEL = "SELECT id, fingerprint FROM model WHERE state = 'active'"
TELL_EVERY = 50  # documents: a person sees that it goes on, and a log does not fill


@dataclass(frozen=True, slots=True)
class Published:
    """What one round brought to the team library; `busy` are folders that another process of this person works on."""

    put: int = 0
    moved: int = 0
    removed: int = 0
    unchanged: int = 0
    vectors: int = 0
    busy: tuple[bytes, ...] = ()

    def plus(self, other: Published) -> Published:
        """Return the sum of two."""
        return Published(
            self.put + other.put,
            self.moved + other.moved,
            self.removed + other.removed,
            self.unchanged + other.unchanged,
            self.vectors + other.vectors,
            (*self.busy, *other.busy),
        )


class Publisher:
    """Compares and brings over, round by round; it remembers the revisions of documents that have not changed since."""

    def __init__(self, library: Path, machine: str, on_event: Callable[[Event], None] = lambda _: None) -> None:
        self._library = library
        self._machine = machine
        self._on_event = on_event
        self._revisions: dict[OwnDocument, bytes] = {}

    def publish(self, writer: TeamWriter, stop: Signal) -> Published:
        """Bring every shared folder of this machine up to date; returns early where `stop` is set.

        Raises TeamAway, TeamRefused, LibraryError; what was brought over by then stays.
        """
        done = Published()
        conn = open_reader(self._library)
        try:
            with translated(self._library):
                model, building = self._model(conn, writer), self._building(conn, writer)
                for folder in own_folders(writer, self._machine):
                    if stop.is_set():
                        break
                    if not writer.claim(folder.id):
                        done = done.plus(Published(busy=(folder.path,)))
                        continue
                    done = done.plus(_Round(self, conn, writer, folder.id, folder.path, model, building, stop).run())
        finally:
            conn.close()
        writer.seen(self._machine)
        return done

    def _model(self, conn: LibraryConnection, writer: TeamWriter) -> int | None:
        """Return the file's number of the team's model, None where the file has no vectors of it.

        A team library without a model takes that of whoever comes first.
        """
        from engine.embedding.manifest import Manifest
        from engine.store import models

        own = models.active(conn)
        for _, fingerprint in writer.run(_MODEL):
            return own_documents.model_of(conn, fingerprint)
        if own is not None:
            writer.model(Manifest.from_json(own.manifest))
        return own.id if own is not None else None

    def _building(self, conn: LibraryConnection, writer: TeamWriter) -> list[tuple[int, int]]:
        """Return the models that the team is about to take, of which the file has vectors: numbers there and here."""
        found = [
            (int(number), own_documents.model_of(conn, fingerprint)) for number, fingerprint in writer.run(_BUILDING)
        ]
        return [(number, own) for number, own in found if own is not None]

    def revision(self, conn: LibraryConnection, document: OwnDocument) -> bytes | None:
        """Return the revision of a document, None where it has changed or gone meanwhile."""
        known = self._revisions.get(document)
        if known is None:
            read = own_documents.whole(conn, document, None)
            if read is None:
                return None
            known = self._revisions[document] = read.revision
        return known

    def forget_others(self, folder: bytes, documents: Sequence[OwnDocument]) -> None:
        """Let go of the revisions of documents that are no longer there."""
        there = set(documents)
        gone = [each for each in self._revisions if each.folder == folder and each not in there]
        for each in gone:
            del self._revisions[each]

    def told(self, folder: bytes, done: int, of: int) -> None:
        """Tell how far a folder is."""
        if of > TELL_EVERY and done % TELL_EVERY == 0:
            name = folder.decode("utf-8", "replace")
            self._on_event(Preparing(what=f"bringing {name} to the team library: {done:,} of {of:,} documents"))


class _Round:
    """One folder, once: what differs, moves first, so that text which went elsewhere keeps its vectors."""

    def __init__(
        self,
        publisher: Publisher,
        conn: LibraryConnection,
        writer: TeamWriter,
        folder_id: int,
        folder: bytes,
        model: int | None,
        building: Sequence[tuple[int, int]],
        stop: Signal,
    ) -> None:
        self._publisher = publisher
        self._conn = conn
        self._writer = writer
        self._folder_id = folder_id
        self._folder = folder
        self._model = model
        self._building = building
        self._stop = stop

    def run(self) -> Published:
        """Bring what differs to the server, a file a transaction, and return what was done."""
        own = own_documents.listed(self._conn, self._folder)
        self._publisher.forget_others(self._folder, own)
        watched = folders.at(self._conn, self._folder)
        if watched is None or not watched.walked:
            return Published()  # forgotten here, or never looked into: what others search stays until it is taken out
        known = self._writer.known(self._folder_id)
        moved = self._move(own, known)
        known = {moved.get(path, path): entry for path, entry in known.items()}
        to_put, bare = [], []
        for document in own:
            revision, lacking, _ = known.get(document.path, (b"", 0, None))
            if revision != self._publisher.revision(self._conn, document):
                to_put.append(document)
            elif lacking and self._model is not None:
                bare.append(document)
        gone = sorted(set(known) - {document.path for document in own})
        if gone and not self._stop.is_set():
            self._writer.remove(self._folder_id, gone)
        put = self._put(to_put)
        vectors = self._bring_vectors(bare, self._model)
        for number, own_model in self._building:
            vectors += self._fill(number, own_model, own)
        return Published(put, len(moved), len(gone), len(own) - len(to_put), vectors)

    def _move(self, own: Sequence[OwnDocument], known: Mapping[bytes, Known]) -> dict[bytes, bytes]:
        """Tell the team library which files only went elsewhere, old path to new; their passages keep their ids."""
        there = {document.path for document in own}
        gone = [path for path in known if path not in there]
        new = [document for document in own if document.path not in known and document.content_hash is not None]
        if not gone or not new:
            return {}
        by_hash: dict[bytes, list[bytes]] = {}
        for path in sorted(gone):
            if (content := known[path][2]) is not None:
                by_hash.setdefault(content, []).append(path)
        moved = {}
        for document in new:
            if candidates := by_hash.get(document.content_hash or b""):
                moved[candidates.pop(0)] = document.path
        if moved:
            self._writer.move(self._folder_id, moved)
        return moved

    def _put(self, documents: Sequence[OwnDocument]) -> int:
        done = 0
        for document in documents:
            if self._stop.is_set():
                break
            read = own_documents.whole(self._conn, document, self._model)
            if read is None:
                continue  # it has changed meanwhile: the next round takes it
            self._writer.put(self._folder_id, read)
            done += 1
            self._publisher.told(self._folder, done, len(documents))
        return done

    def _bring_vectors(self, documents: Sequence[OwnDocument], own_model: int | None) -> int:
        """Bring vectors that the own file has got since, of documents that are there without them."""
        rows = self._writer.run(_MODEL) if documents else []
        return self._give(int(rows[0][0]), own_model, documents) if rows else 0

    def _fill(self, number: int, own_model: int, own: Sequence[OwnDocument]) -> int:
        """Give a model that the team is about to take the vectors that the own file has of it."""
        self._writer.model_id = number
        try:
            known = self._writer.known(self._folder_id)
        finally:
            self._writer.model_id = None
        bare = [document for document in own if known.get(document.path, (b"", 0, None))[1]]
        return self._give(number, own_model, bare)

    def _give(self, number: int, own_model: int | None, documents: Sequence[OwnDocument]) -> int:
        done = 0
        for vectors in self._vectors(documents, own_model):
            done += self._writer.vectors(number, vectors)
            if self._stop.is_set():
                break
        return done

    def _vectors(
        self, documents: Sequence[OwnDocument], own_model: int | None
    ) -> Iterator[dict[bytes, NDArray[np.float32]]]:
        for document in documents:
            read = own_documents.whole(self._conn, document, own_model)
            found = {each.hash: each.vector for each in read.passages if each.vector is not None} if read else {}
            if found:
                yield found


def bring(address: str, library: Path, machine: str, on_event: Callable[[Event], None], stop: Signal) -> Published:
    """Bring the shared folders of a machine to a team library once. Raises TeamAway, TeamRefused, LibraryError."""
    from engine.team.membership import writing

    with writing(address) as writer:
        return Publisher(library, machine, on_event).publish(writer, stop)
