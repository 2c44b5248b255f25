"""Mailboxes of many messages in one file: each is an entry with its own subject, names and date, numbered like pages.

The messages are read one after another from the bytes of the file, the newest first, as programs append them: a mailbox
may hold more text than is taken, and then it is the oldest that are left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from engine.errors import SourceError
from engine.lazy_dataclass import dataclass
from engine.records import Document, Entry, Link
from engine.sources.readers.email import UNNAMED, add_content, headers_of, labels_of
from engine.sources.readers.mail_headers import header
from engine.sources.readers.message_text import MessageText
from engine.sources.readers.mime_parts import parse_message
from engine.sources.readers.source_file import MAX_CHARACTERS, MAX_LINKS, Source
from engine.sources.readers.text_builder import TextBuilder

MAX_MAILBOX_CHARACTERS = MAX_CHARACTERS - 10_000  # of all messages: room for what is said of those left unread
ATTACHED_SECONDS = 300.0  # for the files that hang on all messages
BYTES_A_SPELL = 8 * 2**20  # after so much of the file the reader asks for as much time again
_BEGINS = re.compile(rb"^From [^\n]{0,1000}\n(?=[A-Za-z][A-Za-z0-9-]{0,60}:|>From )", re.MULTILINE)
_ESCAPED = re.compile(rb"^>(?=>{0,20}From )", re.MULTILINE)
_EXPUNGED = 0x0008  # of Mozilla's status: a message that was deleted and waits to be compacted away


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a message stands in the file: its number, its bytes without the line that begins it, and that line."""

    number: int
    start: int
    end: int
    line: int


@dataclass(frozen=True, slots=True)
class _Message:
    """A message that was read."""

    entry: Entry
    text: TextBuilder
    links: tuple[Link, ...]


def read(source: Source) -> Document:
    """Read a mailbox in the format mbox; its title is its name."""
    spans = list(_spans(source.raw))
    if not spans and source.raw.strip():
        raise SourceError("not a mailbox")
    messages, unread = _messages(source, spans)
    builder = TextBuilder()
    if unread:
        builder.add("paragraph", f"({unread:,} older messages are not read: the mailbox holds too much text.)")
    for message in messages:
        _append(builder, message.text)
    text, blocks = builder.finish()
    links = [link for message in messages for link in message.links][:MAX_LINKS]
    tags = [tag for message in messages for tag in message.entry.tags]
    metadata = {"pages": str(len(spans))} if spans else {}
    document = source.document(
        "mbox", text, blocks, "", tags=tags, links=links, metadata=metadata, line_map=builder.line_map
    )
    return replace(document, entries=tuple(message.entry for message in messages))


def _messages(source: Source, spans: list[_Span]) -> tuple[list[_Message], int]:
    """Return the messages in the order of the file, the newest that fit, and how many older ones are left."""
    text = MessageText(source, ATTACHED_SECONDS)
    found: list[_Message] = []
    length, spell = 0, len(source.raw)
    for span in reversed(spans):
        if spell - span.start > BYTES_A_SPELL:
            spell = span.start
            source.go_on()
        message = _message(source.raw, span, text)
        if message is None:
            continue
        length += len(message.text)
        if length > MAX_MAILBOX_CHARACTERS:
            return found[::-1], span.number
        found.append(message)
    return found[::-1], 0


def _message(raw: bytes, span: _Span, text: MessageText) -> _Message | None:
    """Read one message; None where it was deleted."""
    written = raw[span.start : span.end].replace(b"\r\n", b"\n")
    message = parse_message(_ESCAPED.sub(b"", written))
    if _is_expunged(header(message, "X-Mozilla-Status")):
        return None
    headers = headers_of(message)
    subject = headers.get("Subject", "")
    text.begin_anew(span.line)
    text.begin(headers, subject or UNNAMED, 1, span.number)
    try:
        add_content(message, text, 2, span.number)
    except SourceError as error:
        text.add_plain(f"({error.reason})", span.number)
    metadata = {name.lower(): words for name, words in headers.items()}
    return _Message(Entry(span.number, subject, metadata, labels_of(message)), text.builder, tuple(text.links))


def _append(builder: TextBuilder, message: TextBuilder) -> None:
    text, blocks = message.finish()
    start = builder.open_piece(text, message.line_map)
    builder.blocks += [replace(block, start=block.start + start, end=block.end + start) for block in blocks]


def _spans(raw: bytes) -> Iterator[_Span]:
    starts = [(match.start(), match.end()) for match in _BEGINS.finditer(raw)]
    line = counted = 0
    for place, (start, head) in enumerate(starts):
        end = starts[place + 1][0] if place + 1 < len(starts) else len(raw)
        line += raw.count(b"\n", counted, start)
        counted = start
        yield _Span(place + 1, head, end, line + 1)


def _is_expunged(status: str) -> bool:
    try:
        return bool(int(status, 16) & _EXPUNGED)
    except ValueError:
        return False
