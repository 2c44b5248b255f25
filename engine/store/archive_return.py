"""Writes the documents of an archive back into a library, which keeps those that it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from engine.lazy_dataclass import dataclass
from engine.store import pending_vectors
from engine.store.archive import Kept
from engine.store.document_writer import Writer

PASSAGES_AT_ONCE = 200  # passages a commit: about 50 ms of writing words and vectors


@dataclass(slots=True)
class Returned:
    """What came of it: documents and passages brought in, and documents left as the library has them."""

    documents: int = 0
    passages: int = 0
    known: int = 0


def put_back(
    writer: Writer, documents: Iterable[Kept], folder_ids: Mapping[int, int], stop: Callable[[], bool]
) -> Returned:
    """Write documents into the folders that `folder_ids` names for theirs; those that are there already stay.

    A document of which a vector is missing, and the text to make it from, is left to the sync. Ends early, between two
    commits, where `stop` says so.
    """
    returned = Returned()
    group: list[Kept] = []
    for document in documents:
        if stop():
            break
        group.append(document)
        if sum(len(each.passages) + 1 for each in group) >= PASSAGES_AT_ONCE:
            _write(writer, group, folder_ids, returned)
            group = []
    if group and not stop():
        _write(writer, group, folder_ids, returned)
    return returned


def _write(writer: Writer, group: list[Kept], folder_ids: Mapping[int, int], returned: Returned) -> None:
    with writer.transaction():
        for each in group:
            folder_id = folder_ids[each.folder_id]
            if _is_known(writer, folder_id, each.file.path):
                returned.known += 1
                continue
            if _unembeddable(writer, each):
                continue
            if each.passages:
                writer.put(folder_id, each.file, each.document, each.passages, each.vectors)
            if each.failure is not None:
                writer.fail(folder_id, each.file, each.failure)
            elif not each.passages:
                continue
            returned.documents += 1
            returned.passages += len(each.passages)


def _unembeddable(writer: Writer, document: Kept) -> bool:
    """Whether a passage has neither a vector nor the text to make it from."""
    bare = {each.hash for each in document.passages if not each.embedded and each.hash not in document.vectors}
    missing = writer.missing(bare)
    return bool(missing - pending_vectors.among(writer.conn, missing))


def _is_known(writer: Writer, folder_id: int, path: bytes) -> bool:
    found = writer.conn.execute("SELECT 1 FROM document WHERE folder_id = ? AND path = ?", (folder_id, path))
    return found.get is not None
