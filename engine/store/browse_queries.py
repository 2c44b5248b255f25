"""Reads what a screen browses: values to filter by, folders with their counts, passages, links, latest changes."""

from __future__ import annotations

import os
import posixpath
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

import apsw

from engine.records import DocumentChange, Facets, FolderNode, ResolvedLink, StoredDocument, StoredPassage
from engine.store import stored_values
from engine.store.documents import HydratedRow, document_id_at, links_of, listed, rows_for, stored_document
from engine.store.documents import passages_of as rows_of
from engine.store.folding import fold


def passages(conn: apsw.Connection, passage_ids: Iterable[int]) -> tuple[StoredPassage, ...]:
    """Return these passages in the order asked; those that are gone are left out."""
    wanted = list(passage_ids)
    rows = rows_for(conn, wanted)
    return tuple(stored_passage(rows[each]) for each in wanted if each in rows)


def passages_of(conn: apsw.Connection, document_id: int) -> tuple[StoredPassage, ...]:
    """Return all passages of a document in order."""
    return tuple(stored_passage(row) for row in rows_of(conn, document_id))


def passage_hashes(conn: apsw.Connection, passage_ids: Iterable[int]) -> dict[int, bytes]:
    """Return the hashes of passages, by id; those that are gone are left out."""
    found = conn.execute(
        "SELECT id, hash FROM passage WHERE id IN (SELECT value FROM json_each(?))", (listed(passage_ids),)
    )
    return dict(found)


def document_ids(conn: apsw.Connection) -> tuple[int, ...]:
    """Return all documents that could be read, in order of path."""
    found = conn.execute(
        """SELECT document.id FROM document JOIN folder ON folder.id = folder_id WHERE failure IS NULL
        ORDER BY folder.path, document.path"""
    )
    return tuple(row[0] for row in found)


def facets(conn: apsw.Connection) -> Facets:
    """Return the values that filters can take, with their documents, the most frequent first."""
    kinds: Counter[str] = Counter()
    for kind, count in conn.execute("SELECT CAST(kind AS BLOB), count(*) FROM document WHERE kind <> '' GROUP BY kind"):
        kinds[stored_values.text(kind)] = count
    tags: Counter[str] = Counter()
    for (written,) in conn.execute("SELECT CAST(tags AS BLOB) FROM document WHERE tags <> ''"):
        tags.update(stored_values.text(written).split())
    folders: Counter[str] = Counter()
    for (written,) in conn.execute("SELECT CAST(path_text AS BLOB) FROM document"):
        path = stored_values.text(written)
        while path := posixpath.dirname(path):
            folders[path] += 1
    return Facets(dict(kinds.most_common()), dict(tags.most_common()), dict(folders.most_common()))


def tree(conn: apsw.Connection, root: bytes) -> tuple[FolderNode, ...]:
    """Return the folders of a watched root that hold documents, each before what is in it, sorted by name."""
    return folder_nodes(
        conn.execute(
            """SELECT document.path, (SELECT count(*) FROM passage WHERE document_id = document.id),
            failure IS NOT NULL, indexed_at FROM document JOIN folder ON folder.id = folder_id WHERE folder.path = ?""",
            (root,),
        )
    )


def folder_nodes(documents: Iterable[tuple[bytes, int, bool, object]]) -> tuple[FolderNode, ...]:
    """Return the folders of documents with what is below each.

    A document is its path, its passages, whether it failed, and when that was. The root comes first, even where it is
    empty.
    """
    sums: defaultdict[bytes, list[int]] = defaultdict(lambda: [0, 0, 0])
    latest: dict[bytes, float] = {}
    sums[b""] = [0, 0, 0]
    for path, passages, failed, at in documents:
        indexed_at = 0.0 if failed else stored_values.moment(at) or 0.0
        while True:
            path = posixpath.dirname(path)
            total = sums[path]
            total[0], total[1], total[2] = total[0] + 1, total[1] + passages, total[2] + failed
            latest[path] = max(latest.get(path, 0.0), indexed_at)
            if not path:
                break
    nodes = []
    for path in sorted(sums, key=lambda path: path.split(b"/") if path else []):
        inside, passages_inside, failures = sums[path]
        depth = path.count(b"/") + bool(path)
        nodes.append(FolderNode(path, depth, inside, passages_inside, failures, latest.get(path, 0.0)))
    return tuple(nodes)


def changes(conn: apsw.Connection, moment: float, limit: int) -> tuple[DocumentChange, ...]:
    """Return the documents that were indexed, or failed to be, since a moment, newest first."""
    rows = conn.execute(
        """SELECT folder.path, document.path, CAST(title AS BLOB), indexed_at, failure IS NULL FROM document
        JOIN folder ON folder.id = folder_id WHERE indexed_at >= ?
        ORDER BY indexed_at DESC, document.id DESC LIMIT ?""",
        (moment, limit),
    )
    return tuple(
        DocumentChange(os.path.join(folder, path), stored_values.text(title), at, "indexed" if read else "failed")
        for folder, path, title, at, read in rows
        if stored_values.moment(at) is not None
    )


def documents_named(conn: apsw.Connection, fragment: str, limit: int) -> tuple[StoredDocument, ...]:
    """Return documents whose title, alias or path holds a text, in any case and accents, without text; best fits first.

    A title that begins so comes before one that holds it, and that before a path that does; where nothing is asked for,
    the document that changed last comes first.
    """
    rows: list[Any] = conn.execute(
        """SELECT id FROM (
            SELECT id, title, path_text, mtime_ns, instr(folded(title || char(10) || aliases), ?1) AS place
            FROM document WHERE place > 0 OR instr(folded(path_text), ?1) > 0
        ) ORDER BY CASE ?1 WHEN '' THEN mtime_ns END DESC, place <> 1, place = 0, length(title), path_text LIMIT ?2""",
        (fold(fragment), limit),
    ).fetchall()
    found = (stored_document(conn, row[0], text=False) for row in rows)
    return tuple(document for document in found if document is not None)


def links(conn: apsw.Connection, document_id: int) -> tuple[ResolvedLink, ...]:
    """Return the links of a document, each with the watched document that it leads to."""
    document = stored_document(conn, document_id, text=False)
    if document is None:
        return ()
    return tuple(
        ResolvedLink(
            link.target,
            link.text,
            link.wiki,
            target_of(conn, document.path, link.target, link.wiki),
        )
        for link in links_of(conn, document_id)
    )


def target_of(conn: apsw.Connection, source: bytes, target: str, wiki: bool) -> bytes | None:
    """Return the file of the library that a link leads to, written in the file `source`; None where it leads to none.

    A wiki link, which leads to the same from everywhere, is looked for in all names: 4 ms with 20,000 documents.
    """
    return _wiki_target(conn, target) if wiki else _file_target(conn, source, target)


def _file_target(conn: apsw.Connection, source: bytes, target: str) -> bytes | None:
    """Resolve a relative path as written in a document; what is no file of the library leads nowhere."""
    bare = unquote(target.removeprefix("file:").partition("#")[0].partition("?")[0])  # org writes file:
    if not bare or "://" in target or target.startswith("mailto:"):
        return None
    path = os.path.normpath(os.path.join(os.path.dirname(source), os.fsencode(bare)))
    for candidate in (path, path + b".md"):
        if document_id_at(conn, candidate) is not None:
            return candidate
    return None


def _wiki_target(conn: apsw.Connection, target: str) -> bytes | None:
    """Resolve a wiki link by file name without suffix, else by title or alias; the shortest path wins."""
    name = target.partition("#")[0].strip()
    if not name:
        return None
    rows: list[Any] = conn.execute(
        """SELECT folder.path, document.path FROM document JOIN folder ON folder.id = folder_id
        WHERE lower(path_text) LIKE '%' || lower(?1) || '.%' OR lower(title) = lower(?1)
        ORDER BY length(path_text), path_text""",
        (name,),
    ).fetchall()
    paths: list[bytes] = [os.path.join(folder, path) for folder, path in rows]
    wanted = os.fsencode(name.casefold())
    for path in paths:
        stem = os.path.splitext(path)[0].decode("utf-8", "replace").casefold().encode()
        if stem.endswith(b"/" + wanted):
            return path
    titled = conn.execute(
        """SELECT id FROM document
        WHERE instr(char(10) || lower(title || char(10) || aliases) || char(10), char(10) || lower(?1) || char(10)) > 0
        ORDER BY lower(title) <> lower(?1), length(path_text)""",
        (name,),
    )
    row = titled.fetchone()
    if row is None:
        return None
    found = stored_document(conn, row[0], text=False)
    return found.path if found else None


def stored_passage(row: HydratedRow) -> StoredPassage:
    """Return a row as the passage that it is."""
    return StoredPassage(
        id=row.passage_id,
        document_id=row.document_id,
        ordinal=row.ordinal,
        path=row.absolute,
        title=row.title,
        headings=row.headings,
        text=row.text,
        start=row.start,
        end=row.end,
        line_start=row.line_start,
        line_end=row.line_end,
        page=row.page,
    )
