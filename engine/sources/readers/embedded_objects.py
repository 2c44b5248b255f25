"""The files that lie in Office documents and RTF as objects, each with its name: packed as OLE has it, or as they are.

An object that only a program can show, such as a formula, is none. What is inside is never trusted: a damaged one is
passed over.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice

from engine.errors import SourceError
from engine.sources.encodings import decode, storable
from engine.sources.readers.compound_file import SIGNATURE, CompoundFile
from engine.sources.readers.zip_container import Archive

MAX_OBJECTS = 100  # of one document
_EMBEDDED = frozenset(("package", "oleObject"))
_PACKED = "\x01Ole10Native"
_HOLDING = ("Package", "package_stream", "CONTENTS", "EmbeddedOdf")  # streams that are a file of their own
_MADE_OF = {"WordDocument": ".doc", "Workbook": ".xls", "Book": ".xls", "PowerPoint Document": ".ppt"}
_OFFICE_FOLDERS = {"word": ".docx", "xl": ".xlsx", "ppt": ".pptx"}
_OPENDOCUMENT = {"text": ".odt", "spreadsheet": ".ods", "presentation": ".odp", "graphics": ".odg"}
_RTF_OBJECT = re.compile(rb"\\objdata((?:[ \t\r\n]*+[0-9a-fA-F]++)++)")
_MEDIA_TYPE = "application/vnd.oasis.opendocument."

File = tuple[str, bytes]


def embedded_files(archive: Archive, parts: Iterable[tuple[str, str]]) -> Iterator[File]:
    """Give the files among the parts that others refer to; the numbers behind a chart are no file of their own.

    A package that unpacks to too much has nothing left to give, so that this comes last.
    """
    paths = dict.fromkeys(path for what, path in parts if what in _EMBEDDED)
    for path in list(paths)[:MAX_OBJECTS]:
        with suppress(SourceError):
            yield from object_files(path.rpartition("/")[2], archive.read(path))


def object_files(name: str, raw: bytes) -> Iterator[File]:
    """Give the file that an object is, under the name by which it was packed, else under that of the object."""
    if not raw.startswith(SIGNATURE):
        yield from _named(name, raw)
        return
    try:
        compound = CompoundFile(raw)
        streams = compound.names
        if _PACKED in streams:
            yield from packed_files(compound.read(_PACKED)[4:])
        for stream in _HOLDING:
            yield from _named(name, compound.read(stream))
        for stream, suffix in _MADE_OF.items():
            if stream in streams:
                yield _stem(name) + suffix, raw
    except (SourceError, struct.error):
        return


def rtf_files(raw: bytes) -> Iterator[File]:
    """Give the files that lie in an RTF as objects: in digits, behind the name of the program and two more."""
    for match in islice(_RTF_OBJECT.finditer(raw), MAX_OBJECTS):
        digits = b"".join(match[1].split()).decode("ascii")
        content = bytes.fromhex(digits[: len(digits) // 2 * 2])
        at, names = 8, list[bytes]()
        with suppress(struct.error, SourceError):
            for _ in range(3):
                (length,) = struct.unpack_from("<I", content, at)
                names.append(content[at + 4 : at + 4 + length].rstrip(b"\0"))
                at += 4 + length
            inside = content[at + 4 :]
            yield from packed_files(inside) if names[0] == b"Package" else object_files("object", inside)


def packed_files(packed: bytes) -> Iterator[File]:
    """Give the file that the packager of Windows wrapped; its names stand behind it once more, in Unicode.

    Before it lie two bytes of flags, its label, its path, four bytes, and a path in four bytes of length.
    """
    label, _, rest = packed[2:].partition(b"\0")
    path, _, rest = rest.partition(b"\0")
    if len(rest) < 8:
        return
    (temporary,) = struct.unpack_from("<I", rest, 4)
    at = 8 + temporary
    if len(rest) < at + 4:
        return
    (size,) = struct.unpack_from("<I", rest, at)
    content, behind = rest[at + 4 : at + 4 + size], rest[at + 4 + size :]
    _, again = _wide(behind, 0)
    written, _ = _wide(behind, again)
    if name := _bare(written or decode(label or path)):
        yield name, content


def _wide(raw: bytes, at: int) -> tuple[str, int]:
    """Return a text in UTF-16 behind its length, and where the next begins; "" where there is none."""
    if len(raw) < at + 4:
        return "", len(raw)
    (length,) = struct.unpack_from("<I", raw, at)
    end = at + 4 + 2 * length
    return raw[at + 4 : end].decode("utf-16-le", "replace").rstrip("\0"), end


def _bare(path: str) -> str:
    return " ".join(storable(path).replace("\\", "/").rpartition("/")[2].split())


def _named(name: str, raw: bytes) -> Iterator[File]:
    """Give a file under a name that ends as what is in it asks for; what no reader knows is passed over."""
    if suffix := _suffix(raw):
        yield (name if name.lower().endswith(suffix) else _stem(name) + suffix), raw


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _suffix(raw: bytes) -> str:
    """Return what the name of a file ends in by what the file is, "" where it is nothing known."""
    if raw.startswith(b"%PDF-"):
        return ".pdf"
    if raw.startswith(b"{\\rtf"):
        return ".rtf"
    if not raw.startswith(b"PK"):
        return ""
    try:
        archive = Archive(raw, "document")
        if archive.has("mimetype"):
            kind = archive.read("mimetype").decode("ascii", "replace").strip().removeprefix(_MEDIA_TYPE)
            return _OPENDOCUMENT.get(kind, "")
        folders = {name.partition("/")[0] for name in archive.names}
        return next((suffix for folder, suffix in _OFFICE_FOLDERS.items() if folder in folders), "")
    except SourceError:
        return ""
