"""Turns a published document into rows of the team's tables, with text that PostgreSQL can hold and folded columns."""

from __future__ import annotations

import json
from collections.abc import Sequence

from engine.store import stored_values
from engine.store.folding import fold
from engine.store.own_words import PROPERTIES
from engine.store.row_mapping import storable
from engine.team.passage_postings import Wording
from engine.team.published import PublishedDocument, PublishedEntry, PublishedPassage

DOCUMENT_COLUMNS = (
    "path", "path_text", "title", "title_written", "kind", "tags", "aliases", "own_words", "own_date", "size",
    "mtime_ns", "content_hash", "metadata", "links", "indexed_at", "failure", "revision",
    "place_folded", "path_lower", "names_folded", "tags_folded", "said_folded", "entries",
)  # fmt: skip
ENTRY_COLUMNS = (
    "number", "title", "tags", "own_words", "own_date", "metadata", "names_folded", "tags_folded", "said_folded",
)  # fmt: skip
PASSAGE_COLUMNS = (
    "ordinal", "text", "headings", "start", "end", "line_start", "line_end", "page", "hash", "length",
)  # fmt: skip


def held(text: str) -> str:
    """Return a text as PostgreSQL holds it: neither lone surrogates nor NUL, and every offset as it was."""
    return storable(text).replace("\0", "\ufffd")


def document_row(document: PublishedDocument, folder: bytes) -> tuple[object, ...]:
    """Return the values of DOCUMENT_COLUMNS; `folder` is the absolute path that the document lies below."""
    place = folder.decode("utf-8", "replace") + "/" + document.path_text
    title, aliases, tags = held(document.title), held(document.aliases), held(document.tags)
    return (
        document.path,
        held(document.path_text),
        title,
        bool(document.title_written),
        held(document.kind),
        tags,
        aliases,
        held(document.own_words),
        document.own_date,
        document.size,
        document.mtime_ns,
        document.content_hash,
        held(document.metadata),
        held(document.links),
        document.indexed_at,
        None if document.failure is None else held(document.failure),
        document.revision,
        held(fold(place)),
        held(document.path_text).encode().lower().decode(),  # ASCII letters alone, as SQLite's lower() does
        held(fold(f"{title}\n{aliases}")),
        fold(tags),
        said_folded(document.metadata),
        len(document.entries),
    )


def entry_row(entry: PublishedEntry, document: PublishedDocument) -> tuple[object, ...]:
    """Return the values of ENTRY_COLUMNS; an entry is found by the names of its document too."""
    names = f"{document.title}\n{document.aliases}\n{entry.title}"
    return (
        entry.number,
        held(entry.title),
        held(entry.tags),
        held(entry.own_words),
        entry.own_date,
        held(entry.metadata),
        held(fold(names)),
        fold(held(entry.tags)),
        said_folded(entry.metadata),
    )


def passage_row(passage: PublishedPassage, length: int) -> tuple[object, ...]:
    """Return the values of PASSAGE_COLUMNS."""
    return (
        passage.ordinal,
        held(passage.text),
        None if passage.headings is None else held(passage.headings),
        passage.start,
        passage.end,
        passage.line_start,
        passage.line_end,
        passage.page,
        passage.hash,
        length,
    )


def said_folded(metadata: str) -> str:
    """Return as JSON, by filter, what a document says of people and its subject, folded."""
    written = stored_values.metadata(metadata) or {}
    said = {
        name: held(fold("\n".join(written[each] for each in kept if each in written)))
        for name, kept in PROPERTIES.items()
    }
    return json.dumps({name: each for name, each in said.items() if each}, ensure_ascii=False)


def wordings(document: PublishedDocument, passages: Sequence[PublishedPassage]) -> list[Wording]:
    """Return for each passage what its words are made of, as the view `passage_text` of the single file has it."""
    entries = {each.number: each for each in document.entries}
    names = document.title if not document.aliases else f"{document.title}\n{document.aliases}"
    own = entries.get
    found = []
    for passage in passages:
        entry = own(passage.page) if passage.page is not None else None
        title = entry.title if entry is not None and entry.title else names
        tags, said = (document.tags, document.own_words) if entry is None else (entry.tags, entry.own_words)
        found.append(
            Wording(
                title,
                passage.headings or "",
                passage.text,
                document.kind,
                document.path_text,
                f"{tags}\n{said}" if said else tags,
            )
        )
    return found
