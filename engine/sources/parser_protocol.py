"""What a parser and its child write to each other: length-prefixed JSON, and a document as JSON and back.

JSON and not pickle, because the child has handled hostile files; what comes back is checked before it is believed.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from itertools import pairwise
from typing import Any, cast, get_args

from engine.records import Block, BlockKind, Cutting, Document, Entry, Link, Passage, passage_hash

LENGTH = struct.Struct("!I")
MAX_MESSAGE_BYTES = 512 * 2**20  # far above the longest document that a reader lets through
_KINDS = frozenset(get_args(BlockKind))


def pack(message: dict[str, Any]) -> bytes:
    """Make one message ready to be written."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return LENGTH.pack(len(body)) + body


def request_to_json(path: bytes, root: bytes | None, cutting: Cutting | None, alone: bool = False) -> dict[str, Any]:
    """Ask for the file at `path` below `root`, and for its passages where it is known how to cut it.

    With `alone` what hangs on it, as on a message, stays closed.
    """
    return {
        "path": path.decode("latin-1"),
        "root": root and root.decode("latin-1"),
        "cutting": cutting and astuple(cutting),
        "alone": alone,
    }


def request_from_json(value: dict[str, Any]) -> tuple[bytes, bytes | None, Cutting | None, bool]:
    """Read what `request_to_json` wrote."""
    path, root, cutting = value["path"], value["root"], value["cutting"]
    if cutting is not None:
        folder, rules, prefix = cutting
        cutting = Cutting(folder, tuple((name, number) for name, number in rules), prefix)
    return path.encode("latin-1"), root and root.encode("latin-1"), cutting, bool(value["alone"])


def as_received(document: Document) -> Document:
    """Return a document as it arrives on the other side, where lone surrogates are question marks."""
    return document_from_json(json.loads(pack(document_to_json(document))[LENGTH.size :]))


def document_to_json(document: Document) -> dict[str, Any]:
    """Turn a Document into plain lists and strings; of a passage, what its text and place do not tell."""
    written: dict[str, Any] = {
        "text": document.text,
        "title": document.title,
        "title_written": document.title_written,
        "kind": document.kind,
        "blocks": [[b.kind, b.start, b.end, b.level, b.label, b.page] for b in document.blocks],
        "tags": document.tags,
        "links": [[link.target, link.text, link.wiki] for link in document.links],
        "metadata": dict(document.metadata),
        "content_hash": document.content_hash and document.content_hash.hex(),
    }
    if document.entries:
        written["entries"] = [[each.number, each.title, dict(each.metadata), each.tags] for each in document.entries]
    if document.line_map is not None:
        written["line_map"] = document.line_map
    if document.passages is not None:
        written["passages"] = [
            [each.start, each.end, each.line_start, each.line_end, each.page, each.headings, each.embedded]
            for each in document.passages
        ]
    return written


def document_from_json(value: dict[str, Any]) -> Document:
    """Build a Document from `document_to_json`'s output; raises ValueError, TypeError or KeyError if it is not one."""
    text = _string(value["text"])
    blocks = tuple(_block(fields) for fields in value["blocks"])
    _check_order(blocks, len(text))
    return Document(
        text=text,
        title=_string(value["title"]),
        title_written=bool(value["title_written"]),
        kind=_string(value["kind"]),
        blocks=blocks,
        tags=tuple(_string(tag) for tag in value["tags"]),
        links=tuple(Link(_string(target), _string(words), bool(wiki)) for target, words, wiki in value["links"]),
        metadata={_string(name): _string(content) for name, content in value["metadata"].items()},
        entries=tuple(_entry(fields) for fields in value.get("entries", ())),
        line_map=tuple(_line_map(value["line_map"])) if "line_map" in value else None,
        content_hash=bytes.fromhex(value["content_hash"]) if value["content_hash"] else None,
        passages=tuple(_passages(value["passages"], text)) if "passages" in value else None,
    )


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _block(fields: list[Any]) -> Block:
    kind, start, end, level, label, page = fields
    if kind not in _KINDS or not all(isinstance(number, int) for number in (start, end, level, page or 0)):
        raise ValueError("not a block")
    return Block(cast(BlockKind, kind), start, end, level, _string(label), page)


def _entry(fields: list[Any]) -> Entry:
    number, title, metadata, tags = fields
    if not isinstance(number, int) or number < 1:
        raise ValueError("not an entry")
    said = {_string(name): _string(content) for name, content in metadata.items()}
    return Entry(number, _string(title), said, tuple(_string(tag) for tag in tags))


def _line_map(pairs: Sequence[list[Any]]) -> Iterator[tuple[int, int]]:
    reached = 0
    for offset, line in pairs:
        if not (isinstance(offset, int) and isinstance(line, int) and offset >= reached and line >= 0):
            raise ValueError("not a map of lines")
        reached = offset
        yield offset, line


def _passages(written: Sequence[list[Any]], text: str) -> Iterator[Passage]:
    """Build the passages of a text; they tile it, each with the hash of what it embeds."""
    edges = [0, *(fields[1] for fields in written)]
    if not written or edges[-1] != len(text) or any(left > right for left, right in pairwise(edges)):
        raise ValueError("passages that do not tile the text")
    for ordinal, (start, (_, end, first, last, page, headings, embedded)) in enumerate(
        zip(edges, written, strict=False)
    ):
        if not all(isinstance(number, int) for number in (first or 0, last or 0, page or 0)):
            raise ValueError("not a passage")
        named, digest = tuple(map(_string, headings)), passage_hash(_string(embedded))
        yield Passage(ordinal, text[start:end], named, start, end, first, last, page, embedded, digest)


def _check_order(blocks: tuple[Block, ...], length: int) -> None:
    reached = 0
    for block in blocks:
        if not reached <= block.start <= block.end <= length:
            raise ValueError("blocks out of order")
        reached = block.end
