"""Turns the records of a file into rows of `document` and `passage`, with text that SQLite can hold."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TypeAlias

import apsw

from engine.lazy_dataclass import dataclass
from engine.paths import display
from engine.records import Document, Passage
from engine.store.own_words import own_date, own_words

_SURROGATE = re.compile("[\ud800-\udfff]")

Row: TypeAlias = "tuple[apsw.SQLiteValue, ...]"  # the type exists in the stubs only


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the file system says of a file. `path` is relative to its folder; `content_hash` is the 16-byte BLAKE2b of
    its bytes, None where they could not be read."""

    path: bytes
    size: int
    mtime_ns: int
    inode: int
    device: int
    content_hash: bytes | None


def storable(text: str) -> str:
    """Return the text with lone surrogates, which SQLite cannot hold, as U+FFFD; offsets stay right."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


def tag_text(tags: Sequence[str]) -> str:
    """Return tags as one column: separated by spaces, a space inside a tag written as a hyphen."""
    return storable(" ".join("-".join(tag.split()) for tag in tags if tag.strip()))


WORD_COLUMNS = (
    "path_text",
    "title",
    "aliases",
    "tags",
    "own_words",
    "kind",
)  # of a document: the word index holds them with every passage
DOCUMENT_COLUMNS = (*WORD_COLUMNS, "own_date", "title_written", "metadata", "links")
FILE_COLUMNS = ("path", "size", "mtime_ns", "inode", "device", "content_hash")


def document_row(file: FileFacts, document: Document) -> Row:
    """Return the values of DOCUMENT_COLUMNS."""
    metadata = json.dumps(dict(document.metadata))
    links = json.dumps([{"target": link.target, "text": link.text, "wiki": link.wiki} for link in document.links])
    aliases = storable(document.metadata.get("aliases", ""))
    title, said = storable(document.title), storable(own_words(document.metadata, document.title))
    words = (display(file.path), title, aliases, tag_text(document.tags), said, document.kind)
    return (*words, own_date(document.metadata), int(document.title_written), metadata, links)


def file_row(file: FileFacts) -> Row:
    """Return the values of FILE_COLUMNS."""
    return (file.path, file.size, file.mtime_ns, signed(file.inode), signed(file.device), file.content_hash)


def signed(number: int) -> int:
    """Fold a 64-bit unsigned number, as some file systems give inodes, into what SQLite holds."""
    return number - 2**64 if number >= 2**63 else number


def unsigned(number: int) -> int:
    """Undo what `file_row` did to inode and device."""
    return number + 2**64 if number < 0 else number


TEXT_COLUMNS = ("text", "headings")  # of a passage: what the word index holds
PASSAGE_COLUMNS = (*TEXT_COLUMNS, "ordinal", "start", '"end"', "line_start", "line_end", "page", "hash")
PAGE = PASSAGE_COLUMNS.index("page")


def passage_row(passage: Passage) -> Row:
    """Return the values of PASSAGE_COLUMNS; a passage that stands on no line of its file has the lines 0."""
    text = storable(passage.text)
    headings = [storable(" ".join(heading.split())) for heading in passage.headings]
    return (
        text,
        "\n".join(headings) if headings else None,
        passage.ordinal,
        passage.start,
        passage.end,
        passage.line_start or 0,
        passage.line_end or 0,
        passage.page,
        passage.hash,
    )


def headings_of(column: apsw.SQLiteValue) -> tuple[str, ...]:
    """Return the headings that a passage's `headings` column holds, one a line."""
    return tuple(column.split("\n")) if isinstance(column, str) else ()
