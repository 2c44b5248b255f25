"""Opens a file below a watched folder without following any link on the way, whoever swaps what meanwhile.

Each folder on the way is opened below the one before it, by its name, and a link in its place is refused. `openat2` of
Linux does the same in one call; this is as safe, and the same on every system.
"""

from __future__ import annotations

import os

HASH_BYTES = 16  # of BLAKE2b: no two files of a person's will share one by chance
_FOLDER = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)  # O_PATH: a folder need not be readable
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC  # a pipe that took its place must not hold us


def open_beneath(path: bytes, root: bytes | None = None) -> int:
    """Return a descriptor of the file at an absolute path below `root`, by default the folder that it lies in.

    Links are followed down to `root` and not below it. Raises NotADirectoryError where a folder on the way is a link by
    now, another OSError where there is no such file, or a link in its place.
    """
    root = os.path.dirname(path) if root is None else root
    *folders, name = os.path.relpath(path, root).split(b"/")
    if b".." in folders or name == b"..":
        raise NotADirectoryError(path)
    folder = os.open(root, _FOLDER)
    try:
        for part in folders:
            inner = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(name, _FILE, dir_fd=folder)
    finally:
        os.close(folder)


def hash_of(content: bytes) -> bytes:
    """Return the 16-byte BLAKE2b of a file's bytes."""
    import hashlib  # 5 ms: it loads OpenSSL

    return hashlib.blake2b(content, digest_size=HASH_BYTES).digest()
