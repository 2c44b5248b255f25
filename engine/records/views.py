"""What a screen shows beside results: values to filter by, folders, links, passages and the latest changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from engine.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage as the library holds it; `path` is absolute, offsets are those of the document's text.

    Lines are those of the file, counted from 1; None where the text stands on none, as in a PDF.
    """

    id: int
    document_id: int
    ordinal: int
    path: bytes
    title: str
    headings: tuple[str, ...]
    text: str
    start: int
    end: int
    line_start: int | None
    line_end: int | None
    page: int | None


@dataclass(frozen=True, slots=True)
class ResolvedLink:
    """A link written in a document, with the absolute path of the watched document that it leads to, if any."""

    target: str
    text: str
    wiki: bool
    path: bytes | None


@dataclass(frozen=True, slots=True)
class Facets:
    """The values that filters can take here, each with the number of its documents.

    `folders` are the paths of folders below the roots, relative to them.
    """

    kinds: Mapping[str, int]
    tags: Mapping[str, int]
    folders: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FolderNode:
    """A folder below a root, with all that lies in it at any depth; `path` is relative, b"" for the root.

    `indexed_at` is when the last of it was indexed, in seconds since the epoch; 0.0 where nothing could be.
    """

    path: bytes
    depth: int
    documents: int
    passages: int
    failed: int
    indexed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """A document that was indexed, or failed to be, at a moment in seconds since the epoch."""

    path: bytes
    title: str
    at: float
    what: Literal["indexed", "failed"]


@dataclass(frozen=True, slots=True)
class SignalScale:
    """What foreign queries' rows reach here: counts in equal bins from `low` to `high`, and the limits of the tiers.

    `fitted` is false before the first fit, when the limits are guesses and there are no bins.
    """

    low: float
    high: float
    histogram: tuple[int, ...]
    strong: float
    likely: float
    fitted: bool
