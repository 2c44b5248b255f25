"""Finds which parts of a folder lie on other machines: what those change is not told, so they are looked at."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine.watching.hints import below

MOUNTS = "/proc/self/mountinfo"
REMOTE_KINDS = frozenset(
    (
        b"nfs nfs4 cifs smb2 smb3 smbfs ncpfs afs afpfs webdav davfs coda ceph glusterfs lustre gpfs beegfs orangefs "
        b"ocfs2 gfs2 9p drvfs virtiofs vboxsf vmhgfs prl_fs fuse macfuse osxfuse"
    ).split()
)  # written to by other machines, or by a host, whose changes inotify never tells; see inotify(7)
MOUNT_SECONDS = 5.0  # the program that lists mounts on macOS answers in milliseconds
_OCTAL = re.compile(rb"\\([0-7]{3})")
_MAC_KIND = re.compile(rb"[^,)]++")


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system and where it begins."""

    path: bytes
    kind: bytes

    @property
    def remote(self) -> bool:
        """Whether others than this machine's kernel may change what is in it. `fuseblk` is a local disk's."""
        return self.kind in REMOTE_KINDS or self.kind.startswith(b"fuse.")


def parse_mountinfo(text: bytes) -> list[Mount]:
    """Read /proc/self/mountinfo (proc(5)): the fifth field is the place, the first behind the dash the kind."""
    found = []
    for line in text.split(b"\n"):
        before, _, after = line.partition(b" - ")
        fields, kind = before.split(b" "), after.partition(b" ")[0]
        if len(fields) >= 5 and kind:
            place = _OCTAL.sub(lambda octal: bytes([int(octal[1], 8) & 0xFF]), fields[4])
            found.append(Mount(place, kind))
    return found


def parse_mac_mounts(text: bytes) -> list[Mount]:
    """Read what `mount` prints on macOS: `//guest@box/share on /Volumes/share (smbfs, nodev)`."""
    found = []
    for line in text.split(b"\n"):
        rest = line.rpartition(b" on ")[2]
        place, _, facts = rest.rpartition(b" (")
        if place and (kind := _MAC_KIND.match(facts)):
            found.append(Mount(place, kind[0]))
    return found


def mounts() -> list[Mount]:
    """Return what is mounted now, in the order of mounting; nothing where the system does not say."""
    try:
        if sys.platform == "darwin":
            listed = subprocess.run(["/sbin/mount"], capture_output=True, timeout=MOUNT_SECONDS, check=False)
            return parse_mac_mounts(listed.stdout)
        with open(MOUNTS, "rb") as file:
            return parse_mountinfo(file.read())
    except (OSError, subprocess.SubprocessError):
        return []


def remote_parts(root: bytes, mounted: Iterable[Mount]) -> list[bytes]:
    """Return the folders at or below a real path from which on files lie on other machines."""
    lying_in = Mount(b"/", b"")
    inside: dict[bytes, Mount] = {}
    for mount in mounted:
        if below(root, mount.path) and len(mount.path) >= len(lying_in.path):
            lying_in = mount  # of two at one place, the later hides the earlier
        elif below(mount.path, root):
            inside[mount.path] = mount
    if lying_in.remote:
        return [root]
    return sorted(mount.path for mount in inside.values() if mount.remote)


class MountChanges:
    """Says when something was mounted or unmounted, without reading the list each time."""

    def __init__(self, read: Callable[[], list[Mount]] = mounts) -> None:
        self._read = read
        self._file = _opened() if read is mounts else None
        self._poll: select.poll | None = None
        if self._file is not None:
            self._poll = select.poll()
            self._poll.register(self._file, select.POLLPRI | select.POLLERR)  # proc(5): set when the table changes
        self.mounted = read()

    def look(self) -> list[bytes]:
        """Read the list where it may have changed; return the places at which another file system lies now."""
        if self._poll is not None and not self._poll.poll(0):
            return []
        before, self.mounted = self.mounted, self._read()
        return sorted({mount.path for mount in set(before) ^ set(self.mounted)})

    def close(self) -> None:
        """Let go of the list."""
        if self._file is not None:
            os.close(self._file)
            self._file = self._poll = None


def _opened() -> int | None:
    try:
        return os.open(MOUNTS, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
