"""E-mail messages: subject as title, who and when at the head, the plain text body, and the names of attachments."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

from engine.errors import SourceError
from engine.records import Document
from engine.sources.encodings import SNIFFED_BYTES, decode, storable
from engine.sources.readers.html import Page, parse_html
from engine.sources.readers.message import MessageText
from engine.sources.readers.source_file import Source

_SHOWN = ("From", "To", "Cc", "Date", "Subject")
_ENCRYPTED = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")
MAX_PARTS = 2000  # a message with more parts was made to be one


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
            text.links += Page(parse_html(words), text.prose).links
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
    declared = part.get_content_charset()
    if declared and declared not in ("us-ascii", "ascii", "unknown-8bit"):
        try:
            return storable(payload.decode(declared))
        except (LookupError, UnicodeError):
            pass
    try:
        return decode(payload)
    except SourceError:
        return ""
