"""A document as a member's own file holds it and the team's library takes it over: the same values, row for row."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from engine.lazy_dataclass import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REVISION_BYTES = 32


@dataclass(frozen=True, slots=True)
class PublishedPassage:
    """One passage. `headings` has one heading a line; `end` and `start` count code points of the document's text.

    `vector` is its unit vector, None where it has none yet or, being data, never will; `waiting` is the text that the
    encoder is to see while it waits for one.
    """

    ordinal: int
    text: str
    headings: str | None
    start: int
    end: int
    line_start: int
    line_end: int
    page: int | None
    hash: bytes
    vector: NDArray[np.float32] | None = None
    waiting: str | None = None


@dataclass(frozen=True, slots=True)
class PublishedEntry:
    """A writing of a file that holds several. `metadata` is JSON, `tags` are separated by spaces."""

    number: int
    title: str
    tags: str
    own_words: str
    own_date: float | None
    metadata: str


@dataclass(frozen=True, slots=True)
class PublishedDocument:
    """One file of a folder: `path` is relative to it, `metadata` and `links` are JSON, `tags` separated by spaces.

    `failure` is the reason for which it could not be read, None where it was. `revision` stands for all of it but the
    vectors: two documents of one revision differ in nothing that is found or shown.
    """

    path: bytes
    path_text: str
    title: str
    title_written: bool
    kind: str
    tags: str
    aliases: str
    own_words: str
    own_date: float | None
    size: int
    mtime_ns: int
    content_hash: bytes | None
    metadata: str
    links: str
    indexed_at: float
    failure: str | None
    entries: tuple[PublishedEntry, ...]
    passages: tuple[PublishedPassage, ...]
    revision: bytes = b""


def revision_of(document: PublishedDocument) -> bytes:
    """Return what stands for a document without its vectors, `REVISION_BYTES` long.

    When it was indexed, and what the file system knows beside its size and its date, tell nothing of what it holds.
    """
    digest = hashlib.blake2b(digest_size=REVISION_BYTES)
    of_file = (
        document.path,
        document.title,
        document.title_written,
        document.kind,
        document.tags,
        document.aliases,
        document.own_words,
        document.own_date,
        document.size,
        document.mtime_ns,
        document.metadata,
        document.links,
        document.failure,
    )
    entries = [(e.number, e.title, e.tags, e.own_words, e.own_date, e.metadata) for e in document.entries]
    passages = [
        (p.ordinal, p.text, p.headings, p.start, p.end, p.line_start, p.line_end, p.page, p.hash)
        for p in document.passages
    ]
    for part in (of_file, entries, passages):
        digest.update(repr(part).encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return digest.digest()
