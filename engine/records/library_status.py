"""What a library tells of itself: its folders, its documents, the last sync, checks, and who writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from engine.lazy_dataclass import dataclass
from engine.records.fusion_constants import FittedConstants
from engine.records.shadow import ModelCoverage
from engine.records.team import TeamGlance

FolderState = Literal["watching", "paused", "missing"]


@dataclass(frozen=True, slots=True)
class Folder:
    """A watched root with its counts. `path` is absolute, as the file system has it.

    `held` counts the documents that stay though their files are gone: too many went at once. `walked` tells whether all
    that lies in it was looked at once; before that nobody knows what there is.
    """

    id: int
    path: bytes
    state: FolderState
    documents: int = 0
    passages: int = 0
    failed: int = 0
    held: int = 0
    walked: bool = True


@dataclass(frozen=True, slots=True)
class FolderCount:
    """How many files of a folder would be indexed, in all and by the folders in it; at least so many unless `all`."""

    files: int
    all: bool
    inside: Mapping[bytes, int]


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as the library holds it; `text` is joined from its passages, "" where only counts were asked."""

    id: int
    path: bytes
    title: str
    kind: str
    modified: float
    size: int
    tags: tuple[str, ...]
    metadata: Mapping[str, str]
    passages: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be read, and why."""

    path: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one sync did. `skipped` counts the files left out, by reason, `held` documents that stay without a file.

    `wordless` counts the passages that it wrote of data and not of words, which have no vector; `pending` the texts
    that still wait for their vector in the library when it ended.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    moved: int = 0
    removed: int = 0
    failed: tuple[Failure, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    embedded: int = 0
    reused: int = 0
    passages_removed: int = 0
    seconds: float = 0.0
    held: int = 0
    wordless: int = 0
    pending: int = 0


@dataclass(frozen=True, slots=True)
class Writer:
    """The process that holds the indexer lock."""

    pid: int
    task: str
    since: float


@dataclass(frozen=True, slots=True)
class LastCheck:
    """The last check of a library file: when it ended, in seconds since 1970, and how many faults it found."""

    at: float
    faults: int


@dataclass(frozen=True, slots=True)
class Status:
    """The library at a glance. `stale` counts files that differ from the index, or -1 where it was not counted.

    `wordless` counts the passages that are data and not words, and so are found by words alone. Of the different
    `texts` of the others (0: not counted) `pending` are found by words and still wait for their vector. `followers` are
    the models that follow the one in use, the one that runs beside it first; `fitted` are the fusion constants that
    were fitted to this library and taken into use last. `team` is there where the library is that of a team.
    """

    library: str
    schema: int
    documents: int
    passages: int
    bytes: int
    model: str
    folders: tuple[Folder, ...]
    writer: Writer | None
    stale: int
    failed: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    read_only: bool = False
    checked: LastCheck | None = None
    wordless: int = 0
    pending: int = 0
    texts: int = 0
    fitted: FittedConstants | None = None
    followers: tuple[ModelCoverage, ...] = ()
    team: TeamGlance | None = None

    @property
    def meaning(self) -> float:
        """The share of the texts that are found by meaning, of those that are words; 0 to 1."""
        needed = self.texts or self.passages - self.wordless
        return max(0.0, 1 - self.pending / needed) if needed > 0 else 1.0


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the library: its name, whether all is well, how many faults, and whether repair can mend them.

    `remedy` names what mends a fault that repair cannot, "" where nothing is wrong or repair does it.
    """

    name: str
    ok: bool
    count: int
    detail: str
    repairable: bool
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class LateStatus:
    """The late model of a library: how its token vectors are pooled, whether it is on, and how far they are made.

    `have` of `passages` have their vectors, which take so many `bytes`.
    """

    name: str
    factor: int
    method: str
    state: str
    have: int
    passages: int
    bytes: int
