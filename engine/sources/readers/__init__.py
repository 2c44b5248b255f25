"""One reader for each format: `read_document` knows which reader a file goes to, and loads it only then."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from engine.errors import SourceError
from engine.records import Document
from engine.sources.readers.file_types import OWN_LINES, has_no_reader, kind_of, reader_of
from engine.sources.readers.source_file import MAX_CHARACTERS, load
from engine.sources.safe_open import hash_of

if TYPE_CHECKING:
    from engine.sources.readers.ocr import Recogniser

__all__ = ["kind_of", "read_document"]

_BINARY_KINDS = frozenset({"pdf", "docx", "epub", "pptx", "xlsx", "odt", "ods", "odp", "rtf", "msg"})


def read_document(path: bytes, recogniser: Recogniser | None = None, root: bytes | None = None) -> Document:
    """Read the file at `path` in this process; raises SourceError with the reason where it cannot be read.

    No link below `root` is followed.

    Pages that are pictures are read by the `recogniser`, if there is one. A file whose name promises nothing is read
    as plain text. A text file that is empty is an empty document.
    """
    name = os.path.basename(path)
    kind = kind_of(name)
    if kind is None and (reason := has_no_reader(name)):
        raise SourceError(reason)
    source = load(path, recogniser, root)
    if not source.raw and kind in _BINARY_KINDS:
        raise SourceError("empty")
    document: Document = import_module(f"engine.sources.readers.{reader_of(name)}").read(source)
    if len(document.text) > MAX_CHARACTERS:
        raise SourceError(f"too much text (over {MAX_CHARACTERS // 10**6} million characters)")
    line_map = () if document.line_map is None and document.kind not in OWN_LINES else document.line_map
    return replace(document, content_hash=hash_of(source.raw), line_map=line_map)
