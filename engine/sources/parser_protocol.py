"""What a parser and its child write to each other: length-prefixed JSON, and a document as JSON and back.

JSON and not pickle, because the child has handled hostile files; what comes back is checked before it is believed.
"""

from __future__ import annotations

import json
import struct
from typing import Any, cast, get_args

from engine.records import Block, BlockKind, Document, Link

REQUEST = ("path", "root")  # bytes, written as Latin-1; the second may be null
LENGTH = struct.Struct("!I")
MAX_MESSAGE_BYTES = 512 * 2**20  # far above the longest document that a reader lets through
_KINDS = frozenset(get_args(BlockKind))


def pack(message: dict[str, Any]) -> bytes:
    """Make one message ready to be written."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return LENGTH.pack(len(body)) + body


def document_to_json(document: Document) -> dict[str, Any]:
    """Turn a Document into plain lists and strings."""
    return {
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
        content_hash=bytes.fromhex(value["content_hash"]) if value["content_hash"] else None,
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


def _check_order(blocks: tuple[Block, ...], length: int) -> None:
    reached = 0
    for block in blocks:
        if not reached <= block.start <= block.end <= length:
            raise ValueError("blocks out of order")
        reached = block.end
