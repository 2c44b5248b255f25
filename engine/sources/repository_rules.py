"""What git leaves out by rules that are not written in a watched folder: above it, in `.git`, in the account's file.

They are read anew for each walk, as the ignore files inside the folder are.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from engine.lazy_dataclass import dataclass
from engine.sources.ignore_files import IgnoreFile, read_ignore_file

GIT = b".git"
MAX_POINTER_BYTES = 4096  # of a `.git` that is a file, as a work tree or a submodule has it
MAX_SETTINGS_BYTES = 2**20  # of git's settings
ABOVE_REASON = ".gitignore above the folder"
EXCLUDE_REASON = ".git/info/exclude"
ACCOUNT_REASON = "git's excludes of your account"
_EXCLUDES_FILE = re.compile(r"^[ \t]*+excludesfile[ \t]*+=[ \t]*+(.*+)$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class OuterRules:
    """One ignore file from outside a folder; `prefix` goes before a path in the folder, for the file to be asked."""

    ignore: IgnoreFile
    prefix: str
    reason: str


def outer_rules(root: bytes) -> tuple[OuterRules, ...]:
    """Return the rules of the repository around a folder, the nearest first; none where it lies in no repository.

    Those above a folder that they leave out as a whole do not count: who adds it by name wants it.
    """
    inside, top = b"", os.path.realpath(root)
    found: list[OuterRules] = []
    while not os.path.lexists(os.path.join(top, GIT)):
        parent, name = os.path.split(top)
        if parent == top:
            return ()
        inside, top = os.path.join(name, inside), parent
        prefix = os.fsdecode(inside)
        if ignore := read_ignore_file(os.path.join(parent, b".gitignore")):
            found.append(OuterRules(ignore, prefix, ABOVE_REASON))
    found += list(excluded(top, os.fsdecode(inside)))
    return () if any(map(_leaves_out_the_folder, found)) else tuple(found)


def excluded(top: bytes, prefix: str = "") -> Iterator[OuterRules]:
    """Give what the repository at `top` and the account leave out beside its `.gitignore` files."""
    if ignore := read_ignore_file(os.path.join(_common_folder(os.path.join(top, GIT)), b"info", b"exclude")):
        yield OuterRules(ignore, prefix, EXCLUDE_REASON)
    if ignore := read_ignore_file(_account_file()):
        yield OuterRules(ignore, prefix, ACCOUNT_REASON)


def _leaves_out_the_folder(rules: OuterRules) -> bool:
    """Whether an ignore file names the watched folder itself, or a folder on the way to it."""
    names = rules.prefix.rstrip("/").split("/") if rules.prefix else []
    ways = ("/".join(names[: count + 1]) for count in range(len(names)))
    return any(rules.ignore.verdict(way, way.rpartition("/")[2], True) for way in ways)


def _common_folder(git: bytes) -> bytes:
    """Return the folder that holds a repository's own files, also where `.git` is a file that points elsewhere."""
    if os.path.isdir(git):
        return git
    pointed = _head(git).removeprefix(b"gitdir:").strip()
    folder = os.path.join(os.path.dirname(git), pointed)
    common = _head(os.path.join(folder, b"commondir")).strip()
    return os.path.join(folder, common) if common else folder


def _account_file() -> bytes:
    """Return the path of the account's ignore file: as git's settings name it, else where git looks by default."""
    home = os.path.expanduser(b"~")
    settings = os.environb.get(b"XDG_CONFIG_HOME") or os.path.join(home, b".config")
    for place in (os.path.join(home, b".gitconfig"), os.path.join(settings, b"git", b"config")):
        written = _head(place, MAX_SETTINGS_BYTES).decode("utf-8", "surrogateescape")
        if named := _EXCLUDES_FILE.findall(written):
            return os.path.join(home, os.path.expanduser(os.fsencode(named[-1].strip().strip('"'))))
    return os.path.join(settings, b"git", b"ignore")


def _head(path: bytes, most: int = MAX_POINTER_BYTES) -> bytes:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            return file.read(most)
    except OSError:
        return b""
