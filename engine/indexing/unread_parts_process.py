"""Looks for unread words in a process of its own, under limits: the file may be hostile, and it is opened anew.

Archives and streams are unpacked and mail is taken apart there, so that what stalls or swells costs that process only.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Collection
from contextlib import suppress

from engine.indexing.unread_parts import MAX_FILE_BYTES, UnreadWord, unread_words
from engine.paths import own_process
from engine.sources.safe_open import open_beneath

SECONDS = 20  # a person waits for the answer; 64 MB are gone through in about three
MEMORY_BYTES = 2 * 2**30  # of address space, as the process that reads files has it


def find(path: bytes, root: bytes | None, words: Collection[str], indexed: str) -> tuple[UnreadWord, ...] | None:
    """Return which words stand in the file at `path` and not in its `indexed` text; None where it took too much.

    No link below `root` is followed.
    """
    request = {
        "path": path.decode("latin-1"),
        "root": root and root.decode("latin-1"),
        "words": list(words),
        "indexed": indexed,
    }
    try:
        ended = subprocess.run(
            own_process("engine.indexing.unread_parts_process"),
            input=json.dumps(request).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            timeout=SECONDS,
            start_new_session=True,
            check=True,
        )
        return tuple(UnreadWord(str(word), str(part)) for word, part in json.loads(ended.stdout))
    except (subprocess.SubprocessError, OSError, ValueError, TypeError):
        return None


def main() -> None:
    """Answer one request from standard input on standard output."""
    request = json.load(sys.stdin.buffer)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    _limit(resource.RLIMIT_CPU, SECONDS)
    path, root = request["path"].encode("latin-1"), request["root"]
    try:
        with open(open_beneath(path, root and root.encode("latin-1")), "rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError:
        raw = b""
    found = unread_words(os.path.basename(path), raw, request["words"], request["indexed"])
    json.dump([[each.word, each.part] for each in found], sys.stdout)


def _limit(which: int, most: int) -> None:
    with suppress(OSError, ValueError):  # macOS refuses some of them
        _, hard = resource.getrlimit(which)
        resource.setrlimit(which, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    main()
