"""E-mail messages: subject as title, who and when at the head, what it says, then what hangs on it."""

from __future__ import annotations

import re
from dataclasses import replace
from email.message import Message

from engine.errors import SourceError
from engine.records import Document
from engine.sources.encodings import SNIFFED_BYTES, decode
from engine.sources.readers.frontmatter import as_keywords, as_tags
from engine.sources.readers.mail_headers import header
from engine.sources.readers.message_text import SHOWN, MessageText
from engine.sources.readers.mime_parts import parse_message, parts_of
from engine.sources.readers.source_file import Source

_COUNT = re.compile(rb"\s{0,20}(\d{1,12})[ \t]{0,200}\r?\n")  # Apple Mail: the length, then the message, then a list
_LABELS = ("X-Gmail-Labels", "Keywords")  # a label may hold spaces
_FLAGS = "X-Keywords"  # parted by spaces, if by nothing else
UNNAMED = "(no subject)"
DEEPEST_MESSAGE = 8  # forwarded within one another


def read(source: Source) -> Document:
    """Read one message in the format of RFC 5322, alone or as Apple Mail keeps it."""
    message = parse_message(message_bytes(source.raw))
    if not any(name in message for name in (*SHOWN, "Message-ID")):
        raise SourceError("not an e-mail message")
    text = MessageText(source)
    headers = headers_of(message)
    text.begin(headers)
    add_content(message, text)
    document = text.finish(source, "email", headers)
    return with_labels(document, message)


def message_bytes(raw: bytes) -> bytes:
    """Return the message that a file holds, in an encoding that has ASCII in it."""
    if not raw.strip():
        raise SourceError("empty")
    if b"\x00" in raw[:SNIFFED_BYTES] or raw.startswith(b"\xef\xbb\xbf"):  # saved as UTF-16, or with a mark
        raw = decode(raw).encode("utf-8")
    if (count := _COUNT.match(raw)) and int(count[1]) <= len(raw):
        return raw[count.end() : count.end() + int(count[1])]
    return raw


def headers_of(message: Message) -> dict[str, str]:
    """Return the headers that are shown, those that are there."""
    return {name: words for name in SHOWN if (words := header(message, name))}


def with_labels(document: Document, message: Message) -> Document:
    """Give a document the labels of its message as tags."""
    tags = labels_of(message)
    return replace(document, tags=tags) if tags else document


def labels_of(message: Message) -> tuple[str, ...]:
    """Return the labels that a mail program gave a message."""
    labels = [tag for name in _LABELS for tag in as_keywords(header(message, name))]
    return tuple(dict.fromkeys([*labels, *as_tags(header(message, _FLAGS))]))


def add_content(message: Message, text: MessageText, level: int = 1, page: int | None = None) -> None:
    """Add what a message says, then the messages in it, then its files; `level` is that of headings below it."""
    parts = parts_of(message)
    for piece in parts.pieces:
        if piece.is_aside:
            text.add_aside(piece.text, page)
        elif piece.is_html:
            text.add_html(piece.text, page)
        else:
            text.add_plain(piece.text, page)
    for inner in parts.messages:
        headers = headers_of(inner)
        text.begin(headers, headers.get("Subject") or UNNAMED, level, page)
        if level < DEEPEST_MESSAGE:
            try:
                add_content(inner, text, level + 1, page)
            except SourceError as error:
                text.add_plain(f"({error.reason})", page)
        else:
            text.add_plain("(more messages are inside one another than are read)", page)
    unread = {name: text.add_attached(name, raw, level, page) for name, raw in parts.files}
    text.list_attached(dict.fromkeys(parts.named, "") | unread, page)
