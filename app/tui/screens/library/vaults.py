"""Folders of a home that likely hold notes: vaults of other programs, and names that say so. Reads the disk."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator

from engine.lazy_dataclass import dataclass

DEEPEST = 3  # folders below the home: vaults lie in ~, ~/Documents, ~/Documents/Obsidian
LOOKED_INTO = 2_000  # folders of a home that are looked into: some 50 ms
MOST = 8
MARKS = {".obsidian": "Obsidian vault", "logseq": "Logseq graph"}  # what such a folder holds
NAMES = ("notes", "documents")


@dataclass(frozen=True, slots=True)
class Vault:
    """A folder with the words that say why it is offered; `path` as `os.fsdecode` gives it."""

    path: str
    words: str


def likely_folders(home: str) -> tuple[Vault, ...]:
    """Return the folders that likely hold notes, vaults first, then ~/notes and ~/Documents."""
    vaults = sorted(_vaults(home), key=lambda vault: vault.path.casefold())[:MOST]
    names = {entry.name.casefold(): entry.path for entry in _folders(home)}
    named = [Vault(names[name], "") for name in NAMES if name in names]
    known = {vault.path for vault in vaults}
    return (*vaults, *(each for each in named if each.path not in known))


def _vaults(home: str) -> Iterator[Vault]:
    """Yield the vaults, the nearest to the home first; nothing inside a vault is looked at."""
    waiting = deque([(home, 0)])
    for _ in range(LOOKED_INTO):
        if not waiting:
            return
        folder, depth = waiting.popleft()
        inside = _folders(folder, hidden=True)
        words = next((MARKS[entry.name] for entry in inside if entry.name in MARKS), "")
        if words and depth:
            yield Vault(folder, words)
        elif depth < DEEPEST:
            waiting.extend((entry.path, depth + 1) for entry in inside if not entry.name.startswith("."))


def _folders(folder: str, hidden: bool = False) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [
                each
                for each in entries
                if (hidden or not each.name.startswith(".")) and each.is_dir(follow_symlinks=False)
            ]
    except OSError:
        return []
