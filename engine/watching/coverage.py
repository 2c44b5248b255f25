"""How many folders the system really watches for us: watchdog says nothing where the kernel's limit is reached."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LIMIT = Path("/proc/sys/fs/inotify/max_user_watches")
SETTING = "fs.inotify.max_user_watches"
LEAST_LIMIT = 524_288  # what editors ask for; a watch takes about 1 KB of the kernel's memory, and only once it is used
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


def _device(kernel: int) -> int:
    """Return a device as `stat` has it; the kernel keeps the minor number in the lower 20 bits (kdev_t.h)."""
    return os.makedev(kernel >> 20, kernel & 0xFFFFF)
