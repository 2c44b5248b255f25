"""What travels through a sync: a file to look into, and what came of it."""

from __future__ import annotations

import os

from engine.indexing.file_identity import Stat
from engine.lazy_dataclass import dataclass
from engine.records import Document, Passage
from engine.store.documents import KnownFile


@dataclass(frozen=True, slots=True)
class Work:
    """A file to look into. `path` is relative to the watched folder `root`; `known` is what the library has of it."""

    folder_id: int
    root: bytes
    path: bytes
    stat: Stat
    known: KnownFile | None = None
    reread: bool = False  # read it though its content is the same
    again: bool = False  # it changed while it was read, so this is its second reading
    moved: bool = False  # it is counted as moved already

    @property
    def absolute(self) -> bytes:
        """The file's absolute path."""
        return os.path.join(self.root, self.path)


@dataclass(frozen=True, slots=True)
class Vanished:
    """A document whose file is no longer there."""

    folder_id: int
    known: KnownFile


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of looking into a file. `stat` and `content_hash` are to be recorded with it; None: not known."""

    work: Work
    stat: Stat
    content_hash: bytes | None


@dataclass(frozen=True, slots=True)
class Same(Outcome):
    """The stat differs, the content does not: only the record of the stat is brought up to date."""


@dataclass(frozen=True, slots=True)
class Read(Outcome):
    """The file was read and cut."""

    document: Document
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Failed(Outcome):
    """The file could not be read."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unsettled(Outcome):
    """The file changed while it was read; it is read again at the end."""


@dataclass(frozen=True, slots=True)
class Gone(Outcome):
    """The file vanished between the walk and its reading."""
