"""Folders to pick from: what a half-typed path may become. Reads the disk, so it belongs in a thread."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

MOST = 500  # folders listed; a letter more narrows them


@dataclass(frozen=True, slots=True)
class Offered:
    """What a typed path leads to: the folder that it names, if it is one, and the folders that may be meant."""

    typed: str
    names_folder: bool
    folders: tuple[str, ...]
    trouble: str = ""


def offered(typed: str) -> Offered:
    """Return the folders whose path begins as `typed` does, `~` standing for the person's home.

    Hidden ones are offered only where the dot was typed. Paths are as `os.fsdecode` gives them.
    """
    path = os.path.expanduser(typed or "~/")
    if not os.path.isabs(path):
        return Offered(typed, False, (), "A path begins with / or ~.")
    folder, start = os.path.split(path)
    found = []
    trouble = ""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if _fits(entry.name, start) and _is_folder(entry):
                    found.append(os.path.join(folder, entry.name))
                if len(found) >= MOST:
                    break
    except FileNotFoundError:
        trouble = "There is no such folder."
    except OSError as error:
        trouble = f"It cannot be looked into: {(error.strerror or 'unknown reason').lower()}."
    found.sort(key=lambda each: os.path.basename(each).casefold())
    return Offered(typed, os.path.isdir(path), tuple(found), trouble)


def _fits(name: str, start: str) -> bool:
    hidden = name.startswith(".") and not start.startswith(".")
    return not hidden and name.casefold().startswith(start.casefold())


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def completed(offers: Offered, chosen: int) -> str:
    """Return the typed text as far as it can be completed: the chosen folder, else what all have in common."""
    folders = offers.folders
    if not folders:
        return offers.typed
    if 0 <= chosen < len(folders):
        return shortened(folders[chosen], offers.typed) + "/"
    common = _common_start(folders)
    if len(folders) == 1:
        common += "/"
    return shortened(common, offers.typed) if len(common) > len(os.path.expanduser(offers.typed)) else offers.typed


def _common_start(texts: Sequence[str]) -> str:
    """Return the characters with which all of the texts begin."""
    first, last = min(texts), max(texts)  # whatever these two share, all between them in order share too
    length = next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:length]


def shortened(path: str, typed: str) -> str:
    """Return a path in the way the person writes: with ~, unless they began at the root."""
    home = os.path.expanduser("~")
    if not typed.startswith("/") and (path == home or path.startswith(home + "/")):
        return "~" + path[len(home) :]
    return path
