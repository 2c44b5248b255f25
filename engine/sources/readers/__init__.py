"""One reader for each format: `read_document` knows which reader a file goes to, and loads it only then.

What reads is imported inside the functions: a walk of folders asks `file_types` for the kinds of files and reads none.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from engine.errors import SourceError
from engine.records import Document
from engine.sources.encodings import SNIFFED_BYTES, is_text
from engine.sources.readers.file_types import (
    OWN_LINES,
    has_no_reader,
    kind_of,
    reader_by_content,
    reader_of,
)
from engine.sources.safe_open import hash_of

if TYPE_CHECKING:
    from engine.sources.readers.ocr import Recogniser
    from engine.sources.readers.source_file import Source

__all__ = ["kind_of", "read_attached", "read_document"]

MAX_DEPTH = 4  # files inside files
_BINARY_KINDS = frozenset(
    {"pdf", "docx", "epub", "pptx", "xlsx", "xls", "odt", "ods", "odp", "odg", "rtf", "msg", "webarchive"}
)


def read_document(
    path: bytes,
    recogniser: Recogniser | None = None,
    root: bytes | None = None,
    alone: bool = False,
    go_on: Callable[[], None] = lambda: None,
    opening: Callable[[], None] = lambda: None,
) -> Document:
    """Read the file at `path` in this process; raises SourceError with the reason where it cannot be read.

    No link below `root` is followed. With `alone` what hangs on it, as on a message, stays closed. `go_on` is called
    where a reader that goes through a long file has come a good way and wants more time, `opening` before a file that
    hangs on it is read.

    Pages that are pictures are read by the `recogniser`, if there is one. A file whose name promises nothing is read
    as plain text, unless it is mail. A text file that is empty is an empty document.
    """
    from engine.sources.readers.packed_file import unpacked
    from engine.sources.readers.source_file import load

    name = os.path.basename(path)
    if kind_of(name) is None and (reason := has_no_reader(name)):
        raise SourceError(reason)
    source = load(path, recogniser, root)
    inner, raw = unpacked(source.name, source.raw)
    document = _read(replace(source, name=inner, raw=raw, alone=alone, go_on=go_on, opening=opening))
    return replace(document, content_hash=hash_of(source.raw))


def read_attached(holder: Source, name: str, raw: bytes) -> Document:
    """Read a file that another one holds, as a message does; raises SourceError where it cannot be read."""
    from engine.sources.readers.source_file import Source

    if holder.alone:
        raise SourceError("not read, for it or another one ended or stalled its reader")
    if holder.depth >= MAX_DEPTH:
        raise SourceError("too deep inside other files")
    holder.opening()
    source = Source(name.encode("utf-8", "replace"), raw, holder.recogniser, holder.depth + 1)
    if kind_of(source.name) is None and not (raw.strip() and is_text(raw[:SNIFFED_BYTES])):
        raise SourceError(has_no_reader(source.name) or "not text")
    try:
        return _read(source)
    except SourceError:
        raise
    except MemoryError:
        raise SourceError("needs too much memory") from None
    except Exception as error:  # a reader's own fault may not cost the file that holds this one
        raise SourceError(f"the reader failed ({type(error).__name__})") from None


def _read(source: Source) -> Document:
    from engine.sources.readers.clippings import is_clippings
    from engine.sources.readers.link_targets import with_targets
    from engine.sources.readers.source_file import MAX_CHARACTERS

    kind = kind_of(source.name)
    if not source.raw and kind in _BINARY_KINDS:
        raise SourceError("empty")
    reader = reader_of(source.name) if kind else reader_by_content(source.raw)
    if reader == "text" and is_clippings(source.raw):
        reader = "clippings"  # its version is that of plain text
    document: Document = import_module(f"engine.sources.readers.{reader}").read(source)
    if len(document.text) > MAX_CHARACTERS:
        raise SourceError(f"too much text (over {MAX_CHARACTERS // 10**6} million characters)")
    line_map = () if document.line_map is None and document.kind not in OWN_LINES else document.line_map
    return with_targets(replace(document, line_map=line_map))
