"""Outlook messages: who, when and about what at the head, then the body, then messages in it and what is attached."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from engine.errors import SourceError
from engine.records import Document
from engine.sources.encodings import storable
from engine.sources.readers.attached_files import known_name
from engine.sources.readers.compound_file import CompoundFile
from engine.sources.readers.html_parser import html_text
from engine.sources.readers.message_text import MessageText
from engine.sources.readers.source_file import Source

_SUBJECT, _BODY, _HTML, _RTF = 0x0037, 0x1000, 0x1013, 0x1009  # property identifiers of [MS-OXPROPS]
_SENDER, _SENDER_ADDRESS, _SENDER_SMTP, _TO, _CC = 0x0C1A, 0x0C1F, 0x5D01, 0x0E04, 0x0E03
_RECIPIENT_TYPE, _RECIPIENT_SMTP, _RECIPIENT_ADDRESS = 0x0C15, 0x39FE, 0x3003
_RECIPIENT_KINDS = {1: "To", 2: "Cc", 3: "Bcc"}
_SENT, _RECEIVED = 0x0039, 0x0E06
_CODE_PAGE, _INTERNET_CODE_PAGE = 0x3FFD, 0x3FDE
_LONG_NAME, _SHORT_NAME, _DISPLAY_NAME = 0x3707, 0x3704, 0x3001
_DATA, _MEDIA_TYPE = 0x3701, 0x370E
_INTEGER, _TIME, _ANSI, _UNICODE, _BINARY = 0x0003, 0x0040, 0x001E, 0x001F, 0x0102
_PROPERTIES = "__properties_version1.0"
_OBJECT = 0x000D
_TOP_HEADER, _INNER_HEADER = 32, 24  # bytes before the properties of a message in no other, and of one inside
_RECIPIENT_HEADER = 8  # the same of one whom it goes to
DEEPEST_MESSAGE = 8  # forwarded within one another
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_ATTACHMENT, _RECIPIENT = "__attach_version1.0_", "__recip_version1.0_"
MAX_ATTACHMENTS = 2000
MAX_RECIPIENTS = 2000


def read(source: Source) -> Document:
    """Read an Outlook .msg file."""
    file = CompoundFile(source.raw)
    if _PROPERTIES not in file.names:
        raise SourceError("not an Outlook message")
    message = _Message(file, _inner_folders(file.names))
    text = MessageText(source)
    headers = _headers(message)
    text.begin(headers)
    _add_content(message, text)
    return text.finish(source, "msg", headers)


def _inner_folders(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the folders of what is attached and of recipients, in order, by the folder of their message."""
    found: dict[str, set[str]] = {}
    for name in names:
        parts = name.split("/")
        for depth, part in enumerate(parts[:-1]):
            if part.startswith((_ATTACHMENT, _RECIPIENT)):
                holder = "".join(f"{each}/" for each in parts[:depth])
                found.setdefault(holder, set()).add(f"{part}/")
    return {holder: sorted(folders) for holder, folders in found.items()}


def _headers(message: _Message) -> dict[str, str]:
    """Return who wrote to whom, when, and about what, as far as it is known."""
    sender, address = message.text(_SENDER), message.text(_SENDER_SMTP) or message.text(_SENDER_ADDRESS)
    if "@" in address and address != sender:
        sender = f"{sender} <{address}>".strip()
    said = {
        "From": sender,
        **{name: ", ".join(people) for name, people in _recipients(message).items()},
        "Date": message.moment(_SENT) or message.moment(_RECEIVED),
        "Subject": message.text(_SUBJECT),
    }
    return {name: " ".join(words.split()) for name, words in said.items() if words.strip()}


def _recipients(message: _Message) -> dict[str, list[str]]:
    """Return whom a message goes to, each with the address; of some it has only the names, on one line."""
    found: dict[str, list[str]] = {name: [] for name in _RECIPIENT_KINDS.values()}
    for kind, name, address in message.recipients():
        person = f"{name} <{address}>" if name and address and name.strip("'\"") != address else name or address
        if person and kind in _RECIPIENT_KINDS:
            found[_RECIPIENT_KINDS[kind]].append(person)
    for header, identifier in (("To", _TO), ("Cc", _CC)):
        listed = {person.partition(" <")[0] for person in found[header]}
        named = [name for each in message.text(identifier).split(";") if (name := each.strip(" \0"))]
        found[header] += [name for name in named if name not in listed]
    return found


def _add_content(message: _Message, text: MessageText, level: int = 1) -> None:
    """Add what the message says, then the messages in it, then its files."""
    _add_body(message, text)
    unread: dict[str, str] = {}
    for folder, name in message.attachments():
        inner = message.inside(folder)
        if inner is None:
            raw = message.binary(_DATA, folder)
            unread[name or "file"] = text.add_attached(name, raw, level) if name and raw else ""
        elif level < DEEPEST_MESSAGE:
            headers = _headers(inner)
            text.begin(headers, headers.get("Subject") or name or "(no subject)", level)
            _add_content(inner, text, level + 1)
    text.list_attached(unread)


def _add_body(message: _Message, text: MessageText) -> None:
    """Add what the message says, from the plainest of the forms in which it is written there."""
    plain, rich = message.text(_BODY), message.html()
    if plain.strip():
        text.add_plain(plain)
    elif rich.strip():
        text.add_html(rich)
    elif rtf := unpacked(message.binary(_RTF)):
        from engine.sources.readers.rtf import Reader  # only messages that were written in RTF alone

        reader = Reader()
        reader.run(rtf)
        written, blocks = reader.builder.finish()
        for block in blocks:
            text.builder.add(block.kind, written[block.start : block.end], level=block.level, label=block.label)


class _Message:
    """The properties of a message; `folder` is where it lies in the file, "" for the message that the file is."""

    def __init__(self, file: CompoundFile, inner: Mapping[str, Sequence[str]], folder: str = "") -> None:
        self._file = file
        self._inner = inner
        self._folder = folder
        header = _INNER_HEADER if folder else _TOP_HEADER
        self._fixed = _fixed_properties(file.read(folder + _PROPERTIES)[header:])
        page = self._number(_CODE_PAGE) or self._number(_INTERNET_CODE_PAGE) or 1252
        self._encoding = "utf-8" if page == 65001 else f"cp{page}"

    def text(self, identifier: int, folder: str = "") -> str:
        """Return a text of the message, or of what lies in a folder of it; "" where there is none."""
        wide = self._file.read(_stream(identifier, _UNICODE, self._folder + folder))
        if wide:
            return storable(wide.decode("utf-16-le", "replace")).rstrip("\ufffd")
        narrow = self._file.read(_stream(identifier, _ANSI, self._folder + folder))
        try:
            return storable(narrow.decode(self._encoding, "replace"))
        except LookupError:
            return storable(narrow.decode("cp1252", "replace"))

    def binary(self, identifier: int, folder: str = "") -> bytes:
        """Return the bytes of a property of the message, or of what lies in a folder of it; b"" where there is none."""
        return self._file.read(_stream(identifier, _BINARY, self._folder + folder))

    def inside(self, folder: str) -> _Message | None:
        """Return the message that is attached in a folder; None where it is a file."""
        inner = f"{self._folder}{folder}__substg1.0_{_DATA:04X}{_OBJECT:04X}/"
        return _Message(self._file, self._inner, inner) if inner + _PROPERTIES in self._file.names else None

    def html(self) -> str:
        """Return the body in HTML, which some programs write as bytes and others as text."""
        raw = self.binary(_HTML)
        return html_text(raw) if raw else self.text(_HTML)

    def moment(self, identifier: int) -> str:
        """Return a time as `2024-05-31 12:30 UTC`."""
        written = self._fixed.get((identifier, _TIME))
        if not written:
            return ""
        try:
            return f"{_EPOCH + timedelta(microseconds=int.from_bytes(written, 'little') // 10):%Y-%m-%d %H:%M} UTC"
        except (OverflowError, ValueError):
            return ""

    def attachments(self) -> list[tuple[str, str]]:
        """Return the folder and the name of what is attached, "" where nothing tells a name."""
        found = []
        for folder in self._folders(_ATTACHMENT)[:MAX_ATTACHMENTS]:
            names = (self.text(each, folder) for each in (_LONG_NAME, _SHORT_NAME, _DISPLAY_NAME))
            name = " ".join(next(filter(None, names), "").split())
            found.append((folder, known_name(name, self.text(_MEDIA_TYPE, folder))))
        return found

    def recipients(self) -> Iterator[tuple[int, str, str]]:
        """Give whom the message goes to: in which way, the name, and the address, "" for what is not known."""
        for folder in self._folders(_RECIPIENT)[:MAX_RECIPIENTS]:
            fixed = _fixed_properties(self._file.read(self._folder + folder + _PROPERTIES)[_RECIPIENT_HEADER:])
            kind = int.from_bytes(fixed.get((_RECIPIENT_TYPE, _INTEGER), b"")[:4], "little")
            addresses = [self.text(each, folder).strip(" \0") for each in (_RECIPIENT_SMTP, _RECIPIENT_ADDRESS)]
            address = next((each for each in addresses if "@" in each), "")  # Exchange has others of its own
            yield kind, self.text(_DISPLAY_NAME, folder).strip(" \0"), address

    def _folders(self, beginning: str) -> list[str]:
        return [folder for folder in self._inner.get(self._folder, ()) if folder.startswith(beginning)]

    def _number(self, identifier: int) -> int:
        return int.from_bytes(self._fixed.get((identifier, _INTEGER), b"")[:4], "little")


def _stream(identifier: int, form: int, folder: str = "") -> str:
    return f"{folder}__substg1.0_{identifier:04X}{form:04X}"


def _fixed_properties(raw: bytes) -> dict[tuple[int, int], bytes]:
    """Map identifier and form to the eight bytes of each property that is no longer than that."""
    found = {}
    for at in range(0, len(raw) - 15, 16):
        form, identifier = struct.unpack_from("<HH", raw, at)
        found[identifier, form] = raw[at + 8 : at + 16]
    return found


_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor "
    b"MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20"
    b"\\b\\i\\u\\tab\\tx"
)
MAX_RTF = 50 * 2**20


def unpacked(raw: bytes) -> bytes:
    """Unpack compressed RTF as [MS-OXRTFCP] describes it; b"" for what is none."""
    if len(raw) < 16:
        return b""
    size, form = struct.unpack_from("<4xI4s", raw, 0)
    if form == b"MELA":
        return raw[16 : 16 + size]
    if form != b"LZFu":
        return b""
    window = bytearray(_DICTIONARY.ljust(4096, b"\x00"))
    write, out, at = len(_DICTIONARY), bytearray(), 16
    while at < len(raw) and len(out) < min(size, MAX_RTF):
        flags, at = raw[at], at + 1
        for bit in range(8):
            if at >= len(raw):
                break
            if flags >> bit & 1:
                if at + 1 >= len(raw):
                    return bytes(out)
                offset, length, at = raw[at] << 4 | raw[at + 1] >> 4, (raw[at + 1] & 15) + 2, at + 2
                if offset == write % 4096:
                    return bytes(out)
                copied = []
                for step in range(length):
                    byte = window[(offset + step) % 4096]
                    window[write % 4096] = byte
                    write += 1
                    copied.append(byte)
                out += bytes(copied)
            else:
                out.append(raw[at])
                window[write % 4096] = raw[at]
                write, at = write + 1, at + 1
    return bytes(out)
