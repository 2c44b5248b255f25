"""Reads the files that lie inside another one, within limits of time and length that hold for all of them together."""

from __future__ import annotations

import time
from collections.abc import Iterable

from engine.errors import SourceError
from engine.records import Document
from engine.sources.readers import read_attached
from engine.sources.readers.file_types import has_no_reader, kind_of
from engine.sources.readers.source_file import Source
from engine.sources.readers.text_builder import TextBuilder

MAX_ATTACHED_CHARACTERS = 5_000_000  # of all files that hang on one document: its own text comes first
ATTACHED_SECONDS = 30.0  # after which no further file is opened; the whole has a minute
NAMES_BY_TYPE = {
    "text/calendar": "invitation.ics",
    "text/vcard": "card.vcf",
    "text/x-vcard": "card.vcf",
    "text/directory": "card.vcf",
    "text/rtf": "text.rtf",
    "text/html": "page.html",
    "text/csv": "table.csv",
    "application/ics": "invitation.ics",
    "message/rfc822": "message.eml",
}
_DOCUMENTS_BY_TYPE = {  # behind `application/`
    "pdf": "pdf",
    "rtf": "rtf",
    "epub+zip": "epub",
    "vnd.ms-excel": "xls",
    "vnd.ms-outlook": "msg",
    "vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "vnd.oasis.opendocument.text": "odt",
    "vnd.oasis.opendocument.presentation": "odp",
    "vnd.oasis.opendocument.spreadsheet": "ods",
}


def known_name(name: str, media_type: str) -> str:
    """Return the name by which a file is read, "" for none: its own, ending as its media type asks where nothing does.

    One without a name gets one where a reader takes its type.
    """
    media_type = media_type.partition(";")[0].strip().lower()
    suffix = _DOCUMENTS_BY_TYPE.get(media_type.removeprefix("application/"))
    by_type = f"document.{suffix}" if suffix else NAMES_BY_TYPE.get(media_type, "")
    if not name:
        return by_type or ("text.txt" if media_type.startswith("text/") else "")
    written = name.encode("utf-8", "replace")
    if not by_type or kind_of(written) or has_no_reader(written):
        return name
    return name + by_type[by_type.rfind(".") :]


class AttachedFiles:
    """Reads the files inside one, as long as there is time and room."""

    def __init__(self, holder: Source, seconds: float = ATTACHED_SECONDS) -> None:
        """Begin with none; all files of the `holder` may take so many `seconds`."""
        self._holder = holder
        self._room = MAX_ATTACHED_CHARACTERS
        self._until = time.monotonic() + seconds

    def read(self, name: str, raw: bytes) -> Document:
        """Read one of them; raises SourceError where it cannot be read, or where no more may be."""
        if time.monotonic() > self._until:
            raise SourceError("not read, as the others took too long")
        document = read_attached(self._holder, name, raw)
        if len(document.text) > self._room:
            raise SourceError("too much text")
        self._room -= len(document.text)
        return document


def add_attached(holder: Source, builder: TextBuilder, files: Iterable[tuple[str, bytes]]) -> None:
    """Add what the files inside a document say, each under its name; those not read are named with the reason."""
    attached, reasons = AttachedFiles(holder), dict[str, str]()
    for name, raw in files:
        try:
            document = attached.read(name, raw)
        except SourceError as error:
            reasons[name] = error.reason
            continue
        builder.heading(f"{holder.display_name} › {name}", 1)
        builder.include(document)
    builder.add("list", "\n".join(f"- Attachment: {name} ({why})" for name, why in reasons.items()))
