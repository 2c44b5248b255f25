"""What the parts of a MIME message are to its reader: of alternatives one is chosen, all else is added in its order.

Lines of the other alternatives that hold words of their own stand behind the one that is chosen, so that none is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import Message

from engine.errors import SourceError
from engine.sources.readers.attached_files import NAMES_BY_TYPE, known_name
from engine.sources.readers.html import Page
from engine.sources.readers.html_elements import texts
from engine.sources.readers.html_parser import parse_html
from engine.sources.readers.mail_headers import decoded_bytes, file_name, header

MAX_PARTS = 2000  # a message with more parts was made to be one
MAX_NESTING = 50  # parts in parts
OWN_WORDS = 0.3  # share of a part's words that its plainer alternative lacks, from which that one is a stub
_WORD = re.compile(r"\w+")
_URL = re.compile(r"https?://\S+")
_RICH = ("text/html", "application/xhtml+xml", "text/x-amp-html", "text/watch-html")
_ENCRYPTED = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")
_REPORTS = ("message/delivery-status", "message/disposition-notification", "text/rfc822-headers")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of what a message says: a page, or plain text; `is_aside`: lines of a form that was not chosen."""

    text: str
    is_html: bool = False
    is_aside: bool = False


@dataclass(slots=True)
class Parts:
    """What a message is made of: what it says, the messages in it, the files attached to it by name."""

    pieces: list[Piece] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)
    named: list[str] = field(default_factory=list)  # the names of files that are part of what the message says
    encrypted: bool = False
    signed: bool = False  # so that the message lies within the signature


def parse_message(raw: bytes) -> Message:
    """Parse a message; whatever it is, something comes of it."""
    return message_from_bytes(raw.lstrip(b"\xef\xbb\xbf \t\r\n"), policy=policy.compat32)


def parts_of(message: Message) -> Parts:
    """Return what a message is made of. Raises SourceError where all that it says is encrypted."""
    parts = Parts()
    parts.pieces = _Collector(parts).pieces(message, 0)
    if parts.encrypted and not any(piece.text.strip() for piece in parts.pieces) and not parts.messages:
        raise SourceError("signed in a closed form" if parts.signed else "encrypted")
    return parts


class _Collector:
    """Goes through the parts of one message; files and messages are kept from alternatives that are not chosen too."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._left = MAX_PARTS

    def pieces(self, part: Message, depth: int) -> list[Piece]:
        """Return what a part says, and keep what hangs on it."""
        self._left -= 1
        if self._left < 0 or depth > MAX_NESTING:
            return []
        kind = part.get_content_type()
        self._parts.encrypted |= kind in _ENCRYPTED
        self._parts.signed |= str(part.get_param("smime-type") or "").lower() == "signed-data"
        if kind == "message/rfc822":
            self._parts.messages += _inner_messages(part)
            return []
        payload = part.get_payload()
        if isinstance(payload, list):
            if kind in _REPORTS:
                return [Piece("\n\n".join(_headers_as_text(each) for each in payload if isinstance(each, Message)))]
            inner = [self.pieces(each, depth + 1) for each in payload if isinstance(each, Message)]
            if kind == "multipart/alternative":
                return _chosen(inner)
            return [piece for pieces in inner for piece in pieces]
        return self._leaf(part, kind)

    def _leaf(self, part: Message, kind: str) -> list[Piece]:
        name = file_name(part)
        attached = part.get_content_disposition() == "attachment"
        if (kind == "text/plain" or kind in _RICH) and not attached:
            text = text_of(part)
            self._parts.named += [name] if name else []
            return [Piece(unflowed(part, text) if kind == "text/plain" else text, kind in _RICH)]
        if kind.startswith("text/") and not name and not attached and kind not in NAMES_BY_TYPE:
            return [Piece(text_of(part))]
        if kind in _REPORTS:
            return [Piece(text_of(part))]
        named = known_name(name, kind)
        payload = part.get_payload(decode=True)
        if kind not in _ENCRYPTED and (named or attached):
            self._parts.files.append((named or kind, payload if isinstance(payload, bytes) else b""))
        return []


def _inner_messages(part: Message) -> list[Message]:
    """Return the messages that a part of type message/rfc822 holds; some programs encode them against the rules."""
    inner = part.get_payload()
    found = [each for each in inner if isinstance(each, Message)] if isinstance(inner, list) else []
    if str(part.get("content-transfer-encoding", "")).strip().lower() in ("base64", "quoted-printable"):
        bare = Message()
        bare["Content-Transfer-Encoding"] = str(part["content-transfer-encoding"])
        written = found[0].get_payload() if found else inner
        bare.set_payload(written if isinstance(written, str) else "")
        raw = bare.get_payload(decode=True)
        if isinstance(raw, bytes) and raw.strip():
            return [parse_message(raw)]
    return found


def _headers_as_text(message: Message) -> str:
    return "\n".join(f"{name}: {header(message, name)}" for name in dict.fromkeys(message.keys()))


def text_of(part: Message) -> str:
    """Return the text of a part, decoded as it declares or else as is likeliest."""
    payload = part.get_payload(decode=True)
    return decoded_bytes(payload, _charset(part)) if isinstance(payload, bytes) else ""


def _charset(part: Message) -> str:
    try:
        return str(part.get_content_charset() or "")
    except Exception:  # the standard library raises many kinds on malformed parameters
        return ""


def _chosen(alternatives: list[list[Piece]]) -> list[Piece]:
    """Return the plainest alternative that says what the others say, then what only others say."""
    said = [(pieces, set(_words(pieces))) for pieces in alternatives]
    said = [(pieces, words) for pieces, words in said if words]
    if not said:
        return []
    said.sort(key=lambda each: any(piece.is_html for piece in each[0]))
    best, known = said[0]
    for pieces, words in said[1:]:
        if len(words) > len(known) and (known <= words or len(words - known) > OWN_WORDS * len(words)):
            best, known = pieces, words
    known = set(known)
    others = (pieces for pieces, words in said if pieces is not best and not words <= known)
    lacking = "\n".join(line for pieces in others for line in _lines_lacking(pieces, known))
    return [*best, Piece(lacking, is_aside=True)] if lacking else best


def _lines_lacking(pieces: list[Piece], known: set[str]) -> Iterator[str]:
    """Give the lines that hold words that are not known yet, and take them for known from then on."""
    for piece in pieces:
        text = piece.text
        if piece.is_html:
            try:
                text, _ = Page(parse_html(text)).builder.finish()
            except SourceError:
                continue
        for line in text.split("\n"):
            words = set(_words_of(line))
            if not words <= known:
                known |= words
                yield line.strip()


def _words(pieces: list[Piece]) -> Iterator[str]:
    for piece in pieces:
        text = piece.text
        if piece.is_html:
            try:
                root = parse_html(text)
            except SourceError:
                continue
            text = "" if root is None else "".join(texts(root))
        yield from _words_of(text)


def _words_of(text: str) -> Iterator[str]:
    """Give the words of a text without its addresses; a lone sign or letter is none."""
    return (word for word in _WORD.findall(_URL.sub(" ", text).lower()) if len(word) > 1)


def unflowed(part: Message, text: str) -> str:
    """Join the lines of a paragraph that were broken to be joined again (format=flowed, RFC 3676)."""
    if str(part.get_param("format") or "").lower() != "flowed":
        return text
    joins = "" if str(part.get_param("delsp") or "").lower() == "yes" else " "
    lines: list[str] = []
    open_depth = -1  # of the quotation whose last line goes on
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        flows = content.endswith(" ") and content != "-- "
        kept = content[:-1] + joins if flows else content
        if depth == open_depth:
            lines[-1] += kept
        else:
            lines.append((">" * depth + " " if depth else "") + kept)
        open_depth = depth if flows else -1
    return "\n".join(lines)
