"""Walks a watched folder: each file is found, or left out with a reason that can be counted and shown.

Symbolic links are never followed and no folder is entered twice, so a walk always ends. A whole folder that is left
out is not entered, but its files are counted, up to COUNTED_AT_MOST a walk, so that the counts mean files.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator

from engine.lazy_dataclass import dataclass
from engine.sources.encodings import SNIFFED_BYTES, is_text
from engine.sources.file_times import kept_ns
from engine.sources.path_rules import DEFAULT_RULES, Rules, Verdicts, contents_reason
from engine.sources.readers.file_types import has_no_reader, kind_of, reader_by_content

__all__ = ["FoundFile", "LeftOut", "Rules", "decide", "discover", "discover_each", "watched_folders"]

COUNTED_AT_MOST = 20_000  # directory entries looked at only to count what a pruned folder holds: about 20 ms
OWN = "Carrel's own file"
SYMLINK = "symbolic link"
SPECIAL = "not a file or folder"
UNREADABLE = "not readable"
GONE = "not there"
NOT_TEXT = "not text"
TWICE = "a folder already seen"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to index. `path` is relative to the root, as the file system has it.

    `ctime_ns` is when anything of the file last changed, its name and rights included; 0 where that is not known.
    """

    path: bytes
    size: int
    mtime_ns: int
    inode: int
    device: int
    ctime_ns: int = 0


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file or a whole folder that is not indexed. `count` is the number of files it stands for, 0 if it has none.

    Where a folder holds more than is worth counting, `count` is a lower bound; an unreadable folder counts 1.
    """

    path: bytes
    reason: str
    is_folder: bool
    count: int = 1


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder that is walked."""

    path: bytes


@dataclass(frozen=True, slots=True)
class _Opened:
    """A folder above a path that is judged alone: its entries by name, and the rules in force in it."""

    entries: dict[bytes, os.DirEntry[bytes]]
    verdicts: Verdicts


@dataclass(slots=True)
class _Level:
    """One folder on the way down: its entries still to come, and the rules in force there."""

    prefix: bytes
    entries: Iterator[os.DirEntry[bytes]]
    verdicts: Verdicts


def discover(
    root: bytes, rules: Rules = DEFAULT_RULES, own_files: Collection[bytes] = ()
) -> Iterator[FoundFile | LeftOut]:
    """Walk `root` in order of names.

    `own_files` are absolute paths of files and folders that belong to Carrel and are never indexed.
    """
    yield from discover_each(root, (b"",), rules, own_files)


def discover_each(
    root: bytes, paths: Iterable[bytes], rules: Rules = DEFAULT_RULES, own_files: Collection[bytes] = ()
) -> Iterator[FoundFile | LeftOut]:
    """Walk only these files and folders, relative to `root` and none in another, under the rules of the whole."""
    yield from _Walk(root, rules, own_files).each(paths)


def watched_folders(root: bytes, rules: Rules = DEFAULT_RULES, own_files: Collection[bytes] = ()) -> Iterator[bytes]:
    """Give every folder that is walked, relative to the root and beginning with the root itself as b""."""
    for item in _Walk(root, rules, own_files, folders_only=True).run(b""):
        if isinstance(item, _Folder):
            yield item.path


def decide(
    root: bytes, relative: bytes, rules: Rules = DEFAULT_RULES, own_files: Collection[bytes] = ()
) -> LeftOut | None:
    """Say why the path would be left out, naming the first folder on the way that is; None if it is indexed."""
    return _Walk(root, rules, own_files).decide(relative)


class _Walk:
    """One pass over one root."""

    def __init__(self, root: bytes, rules: Rules, own_files: Collection[bytes], folders_only: bool = False) -> None:
        self._root = root
        self._real_root = os.path.realpath(root)
        self._rules = rules
        self._verdicts = Verdicts.at_root(rules, root)
        self._own = frozenset(os.path.realpath(path) for path in own_files)
        self._folders_only = folders_only
        self._seen: set[tuple[int, int]] = set()
        self._countable = COUNTED_AT_MOST
        self._open: dict[bytes, _Opened | LeftOut] = {}

    def run(self, below: bytes) -> Iterator[FoundFile | LeftOut | _Folder]:
        """Give what lies at or below a relative path, b"" for the root, each folder before what is in it."""
        first = self._item(below)
        if not isinstance(first, _Level):
            yield first
            return
        yield _Folder(below)
        stack = [first]
        while stack:
            level = stack[-1]
            for entry in level.entries:
                item = self._judge(entry, level)
                if isinstance(item, _Level):
                    yield _Folder(item.prefix.rstrip(b"/"))
                    stack.append(item)
                    break
                if item is not None:
                    yield item
            else:
                stack.pop()

    def decide(self, relative: bytes) -> LeftOut | None:
        """Return why a path would be left out, None where it is indexed."""
        item = self._item(relative)
        return item if isinstance(item, LeftOut) else None

    def each(self, paths: Iterable[bytes]) -> Iterator[FoundFile | LeftOut]:
        """Give the files at or below relative paths, and what is left out of them."""
        for path in paths:
            for item in self.run(path):
                if not isinstance(item, _Folder):
                    yield item

    def _item(self, relative: bytes) -> FoundFile | LeftOut | _Level:
        """Judge one path under all the rules above it."""
        if not relative:
            return self._enter(b"", self._verdicts)
        folder, name = os.path.split(relative)
        above = self._opened(folder)
        if isinstance(above, LeftOut):
            return above
        entry = above.entries.get(name)
        if entry is None:
            return LeftOut(relative, GONE, False)
        level = _Level(folder + b"/" if folder else b"", iter(()), above.verdicts)
        return self._judge(entry, level) or LeftOut(relative, SPECIAL, False)

    def _opened(self, folder: bytes) -> _Opened | LeftOut:
        """Gather what is in a folder and the rules in force there, unless a folder on the way is left out.

        Each folder is read once, however many paths in it are judged.
        """
        found = self._open.get(folder)
        if found is None:
            found = self._open[folder] = self._open_anew(folder)
        return found

    def _open_anew(self, folder: bytes) -> _Opened | LeftOut:
        verdicts = self._verdicts
        if folder:
            parent, name = os.path.split(folder)
            above = self._opened(parent)
            if isinstance(above, LeftOut):
                return above
            entry = above.entries.get(name)
            if entry is None:
                return LeftOut(folder, GONE, False)
            judged = self._judge(entry, _Level(parent + b"/" if parent else b"", iter(()), above.verdicts), False)
            if judged is not None:  # left out, or a file took the folder's place
                return judged if isinstance(judged, LeftOut) else LeftOut(folder, GONE, False)
            verdicts = above.verdicts
        level = self._enter(folder, verdicts, once=False)
        if isinstance(level, LeftOut):
            return level
        return _Opened({entry.name: entry for entry in level.entries}, level.verdicts)

    def _enter(self, relative: bytes, verdicts: Verdicts, once: bool = True) -> _Level | LeftOut:
        folder = os.path.join(self._root, relative) if relative else self._root
        try:
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=_name)
            identity = os.stat(folder)
        except OSError:
            return LeftOut(relative, UNREADABLE, True)
        if once and (identity.st_dev, identity.st_ino) in self._seen:
            return LeftOut(relative, TWICE, True)
        self._seen.add((identity.st_dev, identity.st_ino))
        names = frozenset(map(_name, entries))
        reason = contents_reason(names)
        if reason and relative and not verdicts.takes_back(relative):
            return LeftOut(relative, reason, True, self._count(folder))
        prefix = relative + b"/" if relative else b""
        return _Level(prefix, iter(entries), verdicts.inside(folder, relative, names))

    def _judge(
        self, entry: os.DirEntry[bytes], level: _Level, enter: bool = True
    ) -> FoundFile | LeftOut | _Level | None:
        name = entry.name
        path = level.prefix + name
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
            is_link = not is_folder and entry.is_symlink()
        except OSError:
            return LeftOut(path, UNREADABLE, False)
        if self._own and os.path.join(self._real_root, path) in self._own:
            return LeftOut(path, OWN, is_folder, self._count(entry.path) if is_folder else 1)
        if not is_folder and self._folders_only:
            return None
        reason = level.verdicts.reason(path, name, is_folder)
        if reason:
            return LeftOut(path, reason, is_folder, self._count(entry.path) if is_folder else 1)
        if is_link:
            return LeftOut(path, SYMLINK, False)
        if is_folder:
            return self._enter(path, level.verdicts) if enter else None
        return self._judge_file(entry, path)

    def _judge_file(self, entry: os.DirEntry[bytes], path: bytes) -> FoundFile | LeftOut:
        name = entry.name
        kind = kind_of(name)
        if kind is None and (reason := has_no_reader(name)):
            return LeftOut(path, reason, False)
        try:
            status = entry.stat(follow_symlinks=False)
            if not stat.S_ISREG(status.st_mode):
                return LeftOut(path, SPECIAL, False)
            large = status.st_size > self._rules.max_bytes
            mailbox = large and (kind == "mbox" or (kind is None and _begins_as_mailbox(entry.path)))
            if large and status.st_size > self._rules.most_bytes(mailbox):
                return LeftOut(path, self._rules.too_large(mailbox), False)
            if kind is None and not _looks_like_text(entry.path):
                return LeftOut(path, NOT_TEXT, False)
        except OSError:
            return LeftOut(path, UNREADABLE, False)
        changed, touched = kept_ns(status.st_mtime_ns), kept_ns(status.st_ctime_ns)
        return FoundFile(path, status.st_size, changed, status.st_ino, status.st_dev, touched)

    def _count(self, folder: bytes) -> int:
        """Count the files below a folder that is left out, without following links, while the allowance lasts."""
        files = 0
        folders = [folder]
        while folders and self._countable > 0 and not self._folders_only:
            try:
                with os.scandir(folders.pop()) as scan:
                    for entry in scan:
                        self._countable -= 1
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
                        else:
                            files += 1
            except OSError:
                continue
        return max(files, 1) if folders else files


def _name(entry: os.DirEntry[bytes]) -> bytes:
    return entry.name


def _looks_like_text(path: bytes) -> bool:
    return is_text(_beginning(path))


def _begins_as_mailbox(path: bytes) -> bool:
    """Whether a file whose name promises nothing is a mailbox, as `Inbox` of Thunderbird is."""
    return reader_by_content(_beginning(path)) == "mbox"


def _beginning(path: bytes) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return os.read(descriptor, SNIFFED_BYTES)
    finally:
        os.close(descriptor)
