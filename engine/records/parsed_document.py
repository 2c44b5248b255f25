"""What a reader gives of a file, and what chunking makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from engine.lazy_dataclass import dataclass

PASSAGE_HASH_BYTES = 16
HELD_BACK = "\0"  # begins what would be embedded of a passage that is data and not words: no text holds this character
HELD_BACK_HASH = bytes(4)  # begins the hash of such a passage; of other hashes one in four billion does

BlockKind = Literal["heading", "paragraph", "list", "code", "table", "quote", "meta"]


@dataclass(frozen=True, slots=True)
class Block:
    """One structural piece of a document, in order of `start`; blocks never overlap.

    `label` is a heading's text without its markup and `level` its depth from 1; both are empty for other kinds.
    `page` counts from 1 where the format has pages. A `meta` block (front matter) is kept but never embedded.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    label: str = ""
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A link written in a document: its target as written, the words that carry it, and whether it is a wiki link."""

    target: str
    text: str
    wiki: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One of several writings that a file holds, such as a message of a mailbox, which is found like a document.

    Its passages are those on the page `number`, from 1. It has a title, tags and metadata as a document has; with ""
    for its title it goes by that of the document.
    """

    number: int
    title: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cutting:
    """How a file's text is to be cut by the process that reads it: with the tokenizer of a model's `folder`.

    `rules` are the model's passage rules and `prefix` is what it wants before every passage.
    """

    folder: str
    rules: tuple[tuple[str, int], ...]
    prefix: str


@dataclass(frozen=True, slots=True)
class Document:
    """What a reader makes of one file.

    `text` has `\\n` line ends. For formats that people edit (Markdown, code, ...) it is the file's own text, so that
    lines agree with the editor's. `title_written` is true where the title stands in the document, false where it was
    taken from the file name: only a written title is embedded. `entries` are the writings that a file of many holds.

    `line_map` is None where the lines of the text are those of the file. For text that was derived from a file it holds
    pairs in order, (offset in the text, line of the file): what follows the offset, up to that of the next pair, stands
    on that line, counted from 1, or on none that is known, 0. Without a pair no line is known.
    """

    text: str
    title: str
    title_written: bool
    kind: str
    blocks: tuple[Block, ...] = ()
    tags: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    line_map: tuple[tuple[int, int], ...] | None = None
    content_hash: bytes | None = field(default=None, compare=False)  # of the bytes that it was read from
    passages: tuple[Passage, ...] | None = field(default=None, compare=False)  # where it was to be cut as well


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that is embedded and found as one.

    The passages of a document tile it: joining their `text` in order of `ordinal` (from 0) gives the document's text.
    `embedded` is exactly what the encoder sees, prefix included; `hash` is the 16-byte BLAKE2b of it. `line_start` and
    `line_end` are lines of the file, counted from 1, both None where the text stands on none.
    """

    ordinal: int
    text: str
    headings: tuple[str, ...]
    start: int
    end: int
    line_start: int | None
    line_end: int | None
    page: int | None
    embedded: str
    hash: bytes


def passage_hash(embedded: str) -> bytes:
    """Return what tells a passage from any other: the hash of the text that the encoder sees.

    That of a passage which is held back from the encoder shows it.
    """
    from hashlib import blake2b  # 4 ms, which a search does without

    digest = blake2b(embedded.encode("utf-8", "surrogatepass"), digest_size=PASSAGE_HASH_BYTES).digest()
    return HELD_BACK_HASH + digest[len(HELD_BACK_HASH) :] if embedded.startswith(HELD_BACK) else digest


def is_held_back(digest: bytes) -> bool:
    """Whether the passage of this hash is data and not words, so that it has no vector and is found by words alone."""
    return digest.startswith(HELD_BACK_HASH)
