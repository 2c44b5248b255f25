"""Reads what a screen browses in a team's library: folders, values to filter by, documents, links, latest changes."""

from __future__ import annotations

import os
import posixpath
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from engine.records import DocumentChange, Facets, Folder, FolderNode, ResolvedLink, StoredDocument
from engine.store import stored_values
from engine.store.browse_queries import folder_nodes
from engine.store.folding import fold
from engine.team.team_filters import SHOWN
from engine.team.team_rows import document_id_at, folder_paths, passage_texts

if TYPE_CHECKING:
    from engine.team.snapshot import Snapshot

_COUNTED = "(SELECT count(*) FROM passage p WHERE p.folder_id = d.folder_id AND p.document_id = d.id)"
_DOCUMENTS = "document d JOIN folder f ON f.id = d.folder_id AND f.state = 'watching'"
_PLACE = f"{SHOWN}, d.path"  # one value: the machine
_ORDER = "f.owner, f.machine, f.path, d.path"


def folders(snapshot: Snapshot) -> tuple[Folder, ...]:
    """Return the folders that the reader may see, with their counts, oldest first."""
    found = snapshot.rows(
        f"SELECT f.id, {SHOWN}, s.documents, s.passages,"
        " (SELECT count(*) FROM document d WHERE d.folder_id = f.id AND d.failure IS NOT NULL)"
        " FROM folder f JOIN folder_state s ON s.folder_id = f.id WHERE f.state = 'watching' ORDER BY f.added_at, f.id",
        (snapshot.machine,),
    )
    return tuple(
        Folder(number, path, "watching", documents, passages, failed)
        for number, path, documents, passages, failed in found
    )


def counts(snapshot: Snapshot) -> tuple[int, int]:
    """Return how many documents and passages the reader may see."""
    found = snapshot.rows(
        "SELECT coalesce(sum(s.documents), 0), coalesce(sum(s.passages), 0) FROM folder_state s"
        " JOIN folder f ON f.id = s.folder_id WHERE f.state = 'watching'"
    )[0]
    return int(found[0]), int(found[1])


def tree(snapshot: Snapshot, root: bytes) -> tuple[FolderNode, ...]:
    """Return the folders of a root that hold documents, each before what is in it, sorted by name."""
    number = next((number for number, path in folder_paths(snapshot) if path == root), None)
    return folder_nodes(
        snapshot.rows(
            f"SELECT d.path, {_COUNTED}, d.failure IS NOT NULL, d.indexed_at FROM document d WHERE d.folder_id = %s",
            (number,),
        )
    )


def facets(snapshot: Snapshot) -> Facets:
    """Return the values that filters can take, with their documents, the most frequent first."""
    kinds: Counter[str] = Counter(
        dict(snapshot.rows("SELECT kind, count(*) FROM document WHERE kind <> '' GROUP BY 1"))
    )
    tags: Counter[str] = Counter()
    inside: Counter[str] = Counter()
    for written, number in snapshot.rows("SELECT tags, count(*) FROM document WHERE tags <> '' GROUP BY 1"):
        for tag in written.split():
            tags[tag] += number
    for path, number in snapshot.rows(
        "SELECT left(path_text, -position('/' in reverse(path_text))), count(*) FROM document"
        " WHERE position('/' in path_text) > 0 GROUP BY 1"
    ):
        while path:
            inside[path] += number
            path = posixpath.dirname(path)
    return Facets(dict(kinds.most_common()), dict(tags.most_common()), dict(inside.most_common()))


def stored_document(snapshot: Snapshot, document_id: int, *, text: bool = True) -> StoredDocument | None:
    """Return a document, with its text joined from its passages unless `text` is false; None where there is none."""
    found = snapshot.rows(
        f"SELECT {_PLACE}, d.title, d.kind, d.mtime_ns, d.size, d.tags, d.metadata, {_COUNTED} FROM {_DOCUMENTS}"
        " WHERE d.folder_id = (%s::bigint >> 24)::integer AND d.id = %s",
        (snapshot.machine, document_id, document_id),
    )
    if not found:
        return None
    folder, path, title, kind, mtime_ns, size, tags, metadata, passages = found[0]
    return StoredDocument(
        id=document_id,
        path=os.path.join(folder, path),
        title=title,
        kind=kind,
        modified=mtime_ns / 1e9,
        size=size,
        tags=tuple(tags.split()),
        metadata=stored_values.metadata(metadata) or {},
        passages=passages,
        text="".join(part for _, part in passage_texts(snapshot, document_id)) if text else "",
    )


def document_ids(snapshot: Snapshot) -> tuple[int, ...]:
    """Return all documents that could be read, in order of folder and path."""
    found = snapshot.rows(f"SELECT d.id FROM {_DOCUMENTS} WHERE d.failure IS NULL ORDER BY {_ORDER}")
    return tuple(number for (number,) in found)


def documents_named(snapshot: Snapshot, fragment: str, limit: int) -> tuple[StoredDocument, ...]:
    """Return documents whose title, alias or path holds a text, in any case and accents, best fits first."""
    asked, lower = (each.replace("\0", "\ufffd") for each in (fold(fragment), fragment.lower()))
    found = snapshot.rows(
        "SELECT id FROM (SELECT d.id, d.title, d.path_text, d.mtime_ns, asked, strpos(d.names_folded, asked) AS place,"
        " strpos(d.path_lower, lower) AS inside FROM (SELECT %s::text AS asked, %s::text AS lower) AS q"
        f" CROSS JOIN {_DOCUMENTS}) AS named WHERE place > 0 OR inside > 0"
        " ORDER BY CASE asked WHEN '' THEN mtime_ns END DESC, place <> 1, place = 0, length(title), path_text"
        " LIMIT %s",
        (asked, lower, limit),
    )
    documents = (stored_document(snapshot, number, text=False) for (number,) in found)
    return tuple(each for each in documents if each is not None)


def paths_ending(snapshot: Snapshot, ending: bytes, limit: int) -> tuple[bytes, ...]:
    """Return the absolute paths, at most `limit`, that end with `ending` from the start of a name on."""
    found = snapshot.rows(
        f"SELECT {_PLACE} FROM {_DOCUMENTS} WHERE d.path = %s OR right(encode(d.path, 'hex'), %s) = %s"
        f" ORDER BY {_ORDER} LIMIT %s",
        (snapshot.machine, ending, 2 * len(ending) + 2, (b"/" + ending).hex(), limit),
    )
    return tuple(os.path.join(root, path) for root, path in found)


def changes(snapshot: Snapshot, moment: float, limit: int) -> tuple[DocumentChange, ...]:
    """Return the documents that were indexed, or failed to be, since a moment, newest first."""
    found = snapshot.rows(
        f"SELECT {_PLACE}, d.title, d.indexed_at, d.failure IS NULL FROM {_DOCUMENTS} WHERE d.indexed_at >= %s"
        " ORDER BY d.indexed_at DESC, d.id DESC LIMIT %s",
        (snapshot.machine, moment, limit),
    )
    return tuple(
        DocumentChange(os.path.join(root, path), title, at, "indexed" if read else "failed")
        for root, path, title, at, read in found
    )


def links(snapshot: Snapshot, document_id: int) -> tuple[ResolvedLink, ...]:
    """Return the links of a document, each with the document that it leads to: of the same member and machine."""
    document = stored_document(snapshot, document_id, text=False)
    if document is None:
        return ()
    written = snapshot.rows(
        "SELECT links FROM document WHERE folder_id = (%s::bigint >> 24)::integer AND id = %s",
        (document_id, document_id),
    )
    found = stored_values.links(written[0][0]) or ()
    return tuple(
        ResolvedLink(
            link.target,
            link.text,
            link.wiki,
            _wiki_target(snapshot, link.target, document_id)
            if link.wiki
            else _file_target(snapshot, document.path, link.target),
        )
        for link in found
    )


def _file_target(snapshot: Snapshot, source: bytes, target: str) -> bytes | None:
    bare = unquote(target.removeprefix("file:").partition("#")[0].partition("?")[0])  # org writes file:
    if not bare or "://" in target or target.startswith("mailto:"):
        return None
    path = os.path.normpath(os.path.join(os.path.dirname(source), os.fsencode(bare)))
    return next((each for each in (path, path + b".md") if document_id_at(snapshot, each) is not None), None)


def _wiki_target(snapshot: Snapshot, target: str, source: int) -> bytes | None:
    """Resolve a wiki link by file name without suffix, else by title or alias; the shortest path wins."""
    name = target.partition("#")[0].strip().replace("\0", "\ufffd")
    if not name:
        return None
    folded = fold(name)
    rows: list[Any] = snapshot.rows(
        f"SELECT {_PLACE}, d.path_lower, d.names_folded FROM {_DOCUMENTS}"
        " WHERE (strpos(d.path_lower, lower(%s)) > 0 OR strpos(d.names_folded, %s) > 0) AND f.owner ="
        " (SELECT owner FROM folder WHERE id = (%s::bigint >> 24)::integer)"
        " ORDER BY length(d.path_text), d.path_text",
        (snapshot.machine, name, folded, source),
    )
    wanted = name.casefold()
    by_name = (row for row in rows if posixpath.splitext("/" + row[2])[0].endswith("/" + wanted))
    by_title = (row for row in rows if folded in row[3].split("\n"))
    row = next(by_name, None) or next(by_title, None)
    return os.path.join(row[0], row[1]) if row is not None else None
