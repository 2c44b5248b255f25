"""How many of the watched folders the system tells us of, why it is not all of them, and what a person can do about it.

watchdog says nothing where the kernel's limit is reached, so the kernel's own list of watches is read.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import apsw

from engine.paths import display
from engine.sources.discovery import watched_folders
from engine.store import folders
from engine.watching.hints import below, collapsed
from engine.watching.mounts import Mount, remote_parts
from engine.watching.watched_roots import own_files, rules_from, watched

LIMIT = Path("/proc/sys/fs/inotify/max_user_watches")
SETTING = "fs.inotify.max_user_watches"
LEAST_LIMIT = 524_288  # what editors ask for; a watch takes about 1 KB of the kernel's memory, and only once it is used
INSTANCES = "fs.inotify.max_user_instances"
MANY_INSTANCES = 1024  # the usual limit is 128 programs a person
_WATCH = re.compile(rb"^inotify wd:[0-9a-f]+ ino:([0-9a-f]+) sdev:([0-9a-f]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of `folders` folders `watched` are; `unwatched` are those that are not, or what holds them."""

    folders: int = 0
    watched: int = 0
    unwatched: tuple[bytes, ...] = ()

    def __add__(self, other: Coverage) -> Coverage:
        """Count the folders of two roots together."""
        return Coverage(self.folders + other.folders, self.watched + other.watched, self.unwatched + other.unwatched)


class Watches:
    """The inotify watches that this process holds, by inode and device."""

    def __init__(self, places: Iterable[tuple[int, int]]) -> None:
        self._places = frozenset(places)
        self._inodes = frozenset(inode for inode, _ in self._places)
        self._devices = frozenset(device for _, device in self._places)

    def __len__(self) -> int:
        return len(self._places)

    def hold(self, folder: bytes) -> bool:
        """Whether a folder is watched; one that has just gone needs no watch.

        Some file systems (btrfs, overlayfs) tell `stat` another device than the kernel names: there the inode decides.
        """
        try:
            found = os.lstat(folder)
        except OSError:
            return True
        if (found.st_ino, found.st_dev) in self._places:
            return True
        return found.st_dev not in self._devices and found.st_ino in self._inodes


def inotify_watches() -> Watches | None:
    """Return the watches of this process as the kernel lists them (proc(5), fdinfo); None where it lists none."""
    if not sys.platform.startswith("linux"):
        return None
    places: list[tuple[int, int]] = []
    for entry in Path("/proc/self/fdinfo").iterdir():
        try:
            listed = _WATCH.findall(entry.read_bytes())
        except OSError:
            continue  # closed meanwhile
        places.extend((int(inode, 16), _device(int(device, 16))) for inode, device in listed)
    return Watches(places)


def coverage(folders: Iterable[bytes], watches: Watches | None) -> Coverage:
    """Say which of these folders, the first of them a watched root, the system watches; all where it has no limit."""
    every = list(folders)
    if watches is None or not every:
        return Coverage(len(every), len(every))
    if not watches.hold(every[0]):  # the kernel's inodes are not those that `stat` gives: only the number is known
        enough = len(watches) >= len(every)
        return Coverage(len(every), min(len(every), len(watches)), () if enough else (every[0],))
    unwatched = tuple(folder for folder in every if not watches.hold(folder))
    return Coverage(len(every), len(every) - len(unwatched), unwatched)


def watch_limit() -> int | None:
    """Return how many folders the system lets one person's programs watch, None where it has no such limit."""
    try:
        return int(LIMIT.read_text())
    except (OSError, ValueError):
        return None


def raising(setting: str, to: int) -> str:
    """Return the command that raises a limit of the kernel now and for good (sysctl.d(5))."""
    return f"echo {setting}={to} | sudo tee /etc/sysctl.d/60-{setting.rpartition('.')[2]}.conf && sudo sysctl --system"


def wanted_limit(folders: int, limit: int) -> int:
    """Return a limit that leaves room for these folders and for other programs."""
    return max(LEAST_LIMIT, 2 * limit, 4 * folders)


def count_folders(
    conn: apsw.Connection,
    library: Path,
    roots: Collection[bytes],
    refused: Collection[bytes],
    mounted: Sequence[Mount],
    watches: Watches | None,
) -> tuple[Coverage, list[bytes]]:
    """Return how many folders of `roots` are watched, and which parts of them lie on other machines.

    A root that the system `refused` to watch counts as unwatched; folders on other machines do too, watched or not.
    """
    counted, remote = Coverage(), list[bytes]()
    for folder in watched(conn):
        if folder.path not in roots or not os.path.isdir(folder.path):
            continue
        real = os.path.realpath(folder.path)
        apart = [folder.path + path[len(real) :] for path in remote_parts(real, mounted)]
        rules = rules_from(folders.rules(conn, folder.id))
        inside = watched_folders(folder.path, rules, own_files(library))
        every = [os.path.join(folder.path, path) if path else folder.path for path in inside]
        near = [path for path in every if not any(below(path, part) for part in apart)]
        found = Coverage(len(near), 0) if folder.path in refused else coverage(near, watches)
        counted += Coverage(len(every), found.watched, found.unwatched)
        remote += apart
    return counted, remote


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What the system does not watch for us.

    `counted` are all folders; of those that nobody tells of, `remote` lie elsewhere and `refused` are whole roots.

    `limit` is how many folders the system lets one person's programs watch, `refusal` what it said of the roots.
    """

    counted: Coverage = Coverage()
    remote: tuple[bytes, ...] = ()
    refused: tuple[bytes, ...] = ()
    limit: int | None = None
    refusal: OSError | None = None

    @property
    def short_of_watches(self) -> bool:
        """Whether the kernel's limit leaves folders unwatched."""
        full = self.refusal is not None and self.refusal.errno == errno.ENOSPC and bool(self.refused)
        return full or bool(self.counted.unwatched) or (self._missing > 0 and not self.remote and not self.refused)

    @property
    def _missing(self) -> int:
        return self.counted.folders - self.counted.watched

    def places(self) -> list[bytes]:
        """Return what is to be looked at from time to time."""
        return collapsed([*self.counted.unwatched, *self.remote, *self.refused], [*self.remote, *self.refused])

    def remark(self, poll_seconds: float) -> str:
        """Say why not all folders are watched, and how often the rest is looked at; "" where all are."""
        if not self._missing and not self.remote:
            return ""
        reasons = []
        if self.short_of_watches:
            limit = f" of {self.limit:,} watches" if self.limit else ""
            reasons.append(f"the system's limit{limit} is reached")
        elif self.refused:
            reasons.append(f"the system refuses to watch {_named(self.refused)}")
        if self.remote:
            reasons.append(f"{_named(self.remote)} may be changed from elsewhere without our hearing of it")
        often = f"the rest is looked at every {_spoken(poll_seconds)}" if poll_seconds else ""
        return "; ".join([*reasons, often] if often else reasons)

    def fix(self) -> str:
        """Say what a person can do about it; "" where there is nothing."""
        if not sys.platform.startswith("linux"):
            return ""
        if self.short_of_watches:
            return f"Raise the limit: {raising(SETTING, wanted_limit(self.counted.folders, self.limit or 0))}"
        if self.refused and self.refusal is not None and self.refusal.errno == errno.EMFILE:
            return f"Raise the number of watching programs: {raising(INSTANCES, MANY_INSTANCES)}"
        return ""


def _named(folders: Sequence[bytes]) -> str:
    return display(folders[0]) if len(folders) == 1 else f"{display(folders[0])} and {len(folders) - 1} more"


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def _device(kernel: int) -> int:
    """Return a device as `stat` has it; the kernel keeps the minor number in the lower 20 bits (kdev_t.h)."""
    return os.makedev(kernel >> 20, kernel & 0xFFFFF)
