"""E-mail messages: subject as title, who and when at the head, the body, and the names of attachments.

`MessageText` puts the text of a message together whichever program wrote it; Outlook's are made with it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage

from engine.errors import SourceError
from engine.records import Document, Link
from engine.sources.encodings import SNIFFED_BYTES, decode, storable
from engine.sources.readers.html import Page, parse_html
from engine.sources.readers.source_file import Source
from engine.sources.readers.text import paragraphs
from engine.sources.readers.text_builder import TextBuilder

_SHOWN = ("From", "To", "Cc", "Date", "Subject")
_ENCRYPTED = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")
MAX_PARTS = 2000  # a message with more parts was made to be one
_URL = re.compile(r"https?://[^\s<>\"')\]]+")


def read(source: Source) -> Document:
    """Read one message in the format of RFC 5322."""
    raw = source.raw
    if not raw.strip():
        raise SourceError("empty")
    if b"\x00" in raw[:SNIFFED_BYTES] or raw.startswith(b"\xef\xbb\xbf"):  # saved as UTF-16, or with a mark
        raw = decode(raw).encode("utf-8")
    message = message_from_bytes(raw, policy=policy.default)
    if not isinstance(message, EmailMessage) or not any(name in message for name in (*_SHOWN, "Message-ID")):
        raise SourceError("not an e-mail message")
    headers = {name: words for name in _SHOWN if (words := _header(message, name))}
    text = MessageText(headers)
    attachments = _add_body(message, text)
    return text.finish(source, "email", attachments)


def _header(message: EmailMessage, name: str) -> str:
    try:
        value = message.get(name)
        return " ".join(storable(str(value)).split()) if value is not None else ""
    except Exception:  # the standard library's header parser raises many kinds on malformed headers
        raw = next((content for key, content in message.raw_items() if key.lower() == name.lower()), "")
        return " ".join(storable(str(raw)).split())


def _add_body(message: EmailMessage, text: MessageText) -> list[str]:
    """Add what the message says; returns the names of what is attached to it."""
    plain, rich, attached, encrypted = list[str](), list[str](), list[str](), False
    for number, part in enumerate(message.walk()):
        if number > MAX_PARTS or not isinstance(part, EmailMessage):
            break
        kind = part.get_content_type()
        encrypted = encrypted or kind in _ENCRYPTED
        name = _file_name(part)
        if name or part.get_content_disposition() == "attachment":
            attached.append(name or kind)
        elif kind == "text/plain":
            plain.append(_content(part))
        elif kind == "text/html":
            rich.append(_content(part))
    if any(words.strip() for words in plain):
        for words in plain:
            text.add_plain(words)
    elif any(words.strip() for words in rich):
        for words in rich:
            text.links += Page(parse_html(words), text.builder).links
    elif encrypted:
        raise SourceError("encrypted")
    return attached


def _file_name(part: EmailMessage) -> str:
    try:
        return " ".join(storable(part.get_filename() or "").split())
    except Exception:  # as above: malformed parameters raise many kinds
        return ""


def _content(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return decode(payload, part.get_content_charset() or "")
    except SourceError:
        return ""


class MessageText:
    """The text of a message while it is put together; `headers` are From, To, Cc, Date and Subject, where known."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = headers
        self.builder = TextBuilder()
        self.links: list[Link] = []
        self.builder.add("paragraph", "\n".join(f"{name}: {words}" for name, words in headers.items()))

    def add_plain(self, words: str) -> None:
        """Add a body in plain text: its paragraphs, those that quote another message, and the addresses in them."""
        for start, end in paragraphs(words):
            piece = words[start:end]
            quoted = all(line.lstrip().startswith(">") for line in piece.split("\n"))
            self.builder.add("quote" if quoted else "paragraph", piece)
            addresses = (match[0].rstrip(".,;:") for match in _URL.finditer(piece))
            self.links += [Link(address, address) for address in addresses]

    def finish(self, source: Source, kind: str, attachments: Iterable[str]) -> Document:
        """Return the document, with the names of what is attached; its title is the subject."""
        self.builder.add("list", "\n".join(f"- Attachment: {name}" for name in attachments))
        text, blocks = self.builder.finish()
        title = self.headers.get("Subject", "")
        return source.document(
            kind,
            text,
            blocks,
            title,
            links=self.links,
            metadata={name.lower(): words for name, words in self.headers.items() if name != "Subject"},
        )
