"""Mailboxes of many messages in one file: each is a section of its own, headed by its subject, counted like a page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.errors import SourceError
from engine.records import Document
from engine.sources.readers.email import UNNAMED, add_content, headers_of
from engine.sources.readers.mail_headers import header
from engine.sources.readers.message_text import MessageText
from engine.sources.readers.mime_parts import parse_message
from engine.sources.readers.source_file import Source

_BEGINS = re.compile(rb"^From [^\n]{0,1000}\n(?=[A-Za-z][A-Za-z0-9-]{0,60}:|>From )", re.MULTILINE)
_ESCAPED = re.compile(rb"^>(?=>{0,20}From )", re.MULTILINE)
_EXPUNGED = 0x0008  # of Mozilla's status: a message that was deleted and waits to be compacted away


def read(source: Source) -> Document:
    """Read a mailbox in the format mbox; its title is its name."""
    raw = source.raw.replace(b"\r\n", b"\n")
    text = MessageText(source)
    number = 0
    for begins, written in _messages(raw):
        number += 1
        message = parse_message(_ESCAPED.sub(b"", written))
        if _is_expunged(header(message, "X-Mozilla-Status")):
            continue
        headers = headers_of(message)
        text.builder.line = begins
        text.begin(headers, headers.get("Subject") or UNNAMED, 1, number)
        try:
            add_content(message, text, 2, number)
        except SourceError as error:
            text.add_plain(f"({error.reason})", number)
    if not number and raw.strip():
        raise SourceError("not a mailbox")
    written_text, blocks = text.builder.finish()
    metadata = {"pages": str(number)} if number else {}
    return source.document(
        "mbox", written_text, blocks, "", links=text.links, metadata=metadata, line_map=text.builder.line_map
    )


def _messages(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Give each message with the line of the file on which it begins."""
    starts = [(match.start(), match.end()) for match in _BEGINS.finditer(raw)]
    line = counted = 0
    for place, (start, head) in enumerate(starts):
        end = starts[place + 1][0] if place + 1 < len(starts) else len(raw)
        line += raw.count(b"\n", counted, start)
        counted = start
        yield line + 1, raw[head:end]


def _is_expunged(status: str) -> bool:
    try:
        return bool(int(status, 16) & _EXPUNGED)
    except ValueError:
        return False
