"""Finds in which part of a file a word lies that its reader did not take, and says why that part is not read.

The bytes are gone through as they are: as text, as the members of an archive, as the streams of a PDF, as the parts of
a mail. How much is looked at is bounded; `unread_parts_process` does it under limits.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes, policy

from engine.errors import SourceError
from engine.sources.encodings import decode
from engine.sources.readers.file_types import kind_of
from engine.sources.readers.packed_file import unpacked
from engine.store.folding import fold

MAX_FILE_BYTES = 64 * 2**20
MAX_UNPACKED_BYTES = 64 * 2**20  # of all members and streams
MAX_PARTS = 2000
_TAG = re.compile(r"<[^<>]{0,2000}>")
_STREAM = re.compile(rb"stream\r?\n")
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".emf", ".wmf", ".tif", ".tiff", ".webp")
_SETTINGS = (
    "settings",
    "styles",
    "theme",
    "fonttable",
    "websettings",
    "docprops",
    "meta.xml",
    "content_types",
    ".rels",
)


@dataclass(frozen=True, slots=True)
class UnreadWord:
    """A word of a query that stands in a file but in no passage of it, and in words the part where it stands."""

    word: str
    part: str


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    text: str


def unread_words(name: bytes, raw: bytes, words: Collection[str], indexed: str) -> tuple[UnreadWord, ...]:
    """Return those of `words` that are in the bytes of a file and not in its `indexed` text, with their parts."""
    folded = fold(indexed)
    wanted = {word: fold(word) for word in words if len(word) > 1 and fold(word) not in folded}
    found: dict[str, str] = {}
    if not wanted or len(raw) > MAX_FILE_BYTES:
        return ()
    try:
        name, raw = unpacked(name, raw)
    except SourceError:
        return ()
    for part in _parts(name, raw):
        text = fold(part.text)
        for word, sought in wanted.items():
            if word not in found and (at := text.find(sought)) >= 0:
                found[word] = _place(part, text, at, kind_of(name) or "text")
        if len(found) == len(wanted):
            break
    return tuple(UnreadWord(word, found[word]) for word in wanted if word in found)


def _parts(name: bytes, raw: bytes) -> Iterator[_Part]:
    """Give the parts of a file as text, those that a person would look into first."""
    if raw.startswith(b"PK\x03\x04"):
        yield from _members(raw)
    elif raw.startswith(b"%PDF"):
        yield from _streams(raw)
    else:
        if kind_of(name) in ("email", "mbox", "mhtml"):
            yield from _mail_parts(raw)
        with suppress(SourceError):
            yield _Part("", decode(raw))
    yield _Part("bytes that are no text of the file", raw.decode("latin-1"))
    yield _Part("bytes that are no text of the file (UTF-16)", raw.decode("utf-16-le", "ignore"))


def _members(raw: bytes) -> Iterator[_Part]:
    left = MAX_UNPACKED_BYTES
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
        members = archive.infolist()[:MAX_PARTS]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return
    for member in members:
        try:
            with archive.open(member) as file:
                content = file.read(left)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError):
            continue
        left -= len(content)
        written = content.decode("utf-8", "replace")
        shown = _TAG.sub("", written) if written.lstrip()[:1] == "<" else written
        yield _Part(f"{member.filename}, {_why_member(member.filename)}", shown)
        if shown is not written:
            yield _Part(f"the markup of {member.filename}, which no reader of the document sees", written)
        if left <= 0:
            return


def _why_member(name: str) -> str:
    lowered = name.lower()
    if lowered.endswith(_PICTURES):
        return "a picture"
    if any(each in lowered for each in _SETTINGS):
        return "which holds settings and no text of the document"
    return "a part of the file that is not read"


def _streams(raw: bytes) -> Iterator[_Part]:
    left = MAX_UNPACKED_BYTES
    for number, match in enumerate(_STREAM.finditer(raw)):
        if number >= MAX_PARTS or left <= 0:
            return
        try:
            content = zlib.decompressobj().decompress(raw[match.end() : match.end() + 2**20], left)
        except zlib.error:
            continue
        left -= len(content)
        yield _Part("a stream of the PDF that is no text of its pages", content.decode("latin-1"))


def _mail_parts(raw: bytes) -> Iterator[_Part]:
    message = message_from_bytes(raw, policy=policy.compat32)
    for number, part in enumerate(message.walk()):
        if number >= MAX_PARTS:
            return
        said = "\n".join(f"{name}: {value}" for name, value in part.items())
        kind = part.get_content_type()
        yield _Part("the headers of the message" if not number else f"the headers of its part {kind}", said)
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            called = part.get_filename()
            where = f"the attachment {called}" if called else f"its part {kind}"
            yield _Part(f"{where}, which is not read", content[:MAX_UNPACKED_BYTES].decode("utf-8", "replace"))


def _place(part: _Part, text: str, at: int, kind: str) -> str:
    """Say where in a part a word stands. `text` is folded, and its lines are still those of the file."""
    if part.name:
        return part.name
    line = text.count("\n", 0, at) + 1
    why = _why_of_page(text, at) if kind in ("html", "mhtml", "epub", "markdown") else ""
    why = why or (_why_of_tex(text, at) if kind == "latex" else "")
    return f"line {line}, {why or 'which the reader leaves out'}"


def _why_of_page(text: str, at: int) -> str:
    for tag, what in (("script", "in a script of the page"), ("style", "in a style sheet of the page")):
        if text.rfind(f"<{tag}", 0, at) > text.rfind(f"</{tag}", 0, at):
            return what
    if text.rfind("<!--", 0, at) > text.rfind("-->", 0, at):
        return "in a comment of the page"
    opened = text.rfind("<", 0, at)
    if opened > text.rfind(">", 0, at) and at - opened < 2000:
        return "inside a tag of the page"
    return "in a part of the page that is not shown" if opened >= 0 else ""


def _why_of_tex(text: str, at: int) -> str:
    begins = text.rfind("\n", 0, at) + 1
    if "%" in text[begins:at]:
        return "in a comment"
    if text.rfind("\\end{document}", 0, at) >= 0:
        return "behind the end of the document"
    if text.find("\\begin{document}", at) >= 0:
        return "in the preamble"
    return "in the argument of a command that prints nothing"
