"""Ignore files as git reads them: one line is one pattern, the last that matches decides, `!` takes a file back.

Patterns are held against one path at a time and never against what lies below it, because whoever walks the tree
asks about every folder before its contents; that is how git itself does it (gitignore(5), "PATTERN FORMAT").
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import field
from functools import lru_cache

from engine.lazy_dataclass import dataclass

MAX_IGNORE_BYTES = 2**20  # an ignore file above 1 MiB is cut there: no person wrote it
MOST_GLOB_CHARACTERS = 2**16  # of a file's patterns with signs, which every name is held against; others are looked up
KEPT_FILES = 16  # ignore files that stay compiled from walk to walk
_MAGIC = re.compile(r"[*?\[\\]")
_PLAIN_SUFFIX = re.compile(r"\*(\.[^*?\[\\./]+)")
_STAR = "[^/]*"
_ACROSS = "(?:.*/)?"
_STARS = re.compile(r"\*{2,}")
_POSIX_CLASS = re.compile(r"\[:(\w+):\]")
_POSIX_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"\x21-\x7e",
    "lower": "a-z",
    "print": r"\x20-\x7e",
    "punct": r"!-/:-@\[-`{-~",
    "space": r" \t\n\r\f\v",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of an ignore file. `anchored` patterns speak of the whole path, others of the last name in it."""

    glob: str
    negated: bool
    folders_only: bool
    anchored: bool


def parse_line(line: str) -> Pattern | None:
    """Read one line; None for a comment, an empty line, or a pattern that can match nothing."""
    line = _without_trailing_spaces(line)
    if not line or line.startswith("#"):
        return None
    negated = line.startswith("!")
    glob = line[1:] if negated else line
    folders_only = glob.endswith("/")
    glob = glob[:-1] if folders_only else glob
    anchored = "/" in glob
    glob = glob.removeprefix("/")
    return Pattern(glob, negated, folders_only, anchored) if glob else None


def _without_trailing_spaces(line: str) -> str:
    stripped = line.rstrip(" ")
    backslashes = len(stripped) - len(stripped.rstrip("\\"))
    if len(stripped) < len(line) and backslashes % 2:
        return stripped + " "  # the last space is escaped, so it belongs to the name
    return stripped


def to_regex(glob: str, anchored: bool) -> str | None:
    """Translate a glob into the source of a regular expression for `fullmatch`; None where it can match nothing.

    However many stars it has, matching takes about as many steps as the subject has characters for each of them.
    """
    tokens: list[str] = []
    position, end = 0, len(glob)
    while position < end:
        if anchored and (stars := _double_star(glob, position)):
            source, position = stars
            tokens.append(source)
            continue
        character = glob[position]
        position += 1
        if character == "*":
            while position < end and glob[position] == "*":
                position += 1
            tokens.append(_STAR)
        elif character == "?":
            tokens.append("[^/]")
        elif character == "[":
            bracket = _bracket(glob, position)
            if bracket is None:
                return None
            source, position = bracket
            tokens.append(source)
        elif character == "\\":
            if position == end:
                return None
            tokens.append(re.escape(glob[position]))
            position += 1
        else:
            tokens.append(re.escape(character))
    return _across_folders(tokens)


def _double_star(glob: str, position: int) -> tuple[str, int] | None:
    """Read two stars or more where they are a whole path segment, and so cross folders.

    What stands before the first sign is compared as plain text by git, and the rest taken for a pattern of its own: so
    the stars of `d**/a` begin one, too.
    """
    stars = _STARS.match(glob, position)
    begins = not position or glob[position - 1] == "/" or not _MAGIC.search(glob, 0, position)
    if stars is None or not begins:
        return None
    after = stars.end()
    if after == len(glob):
        return (".+" if position and glob[position - 1] == "/" else ".*"), after
    if glob[after] == "/":
        return _ACROSS, after + 1
    return None


def _across_folders(tokens: list[str]) -> str:
    """Join tokens. What stands between two `**/` is taken where it first fits: the second `**/` makes up for the rest.

    Without that a pattern of k of them would try the k-th power of the folders in a path, and a folder that somebody
    else made could hold the walk for ever.
    """
    first, *others = _parted(tokens, _ACROSS)
    joined = [_within_folders(first)]
    for number, section in enumerate(others, start=1):
        inner = _within_folders(section)
        joined.append(f"(?>(?:.*?/)??{inner})" if number < len(others) else f"{_ACROSS}{inner}")
    return "".join(joined)


def _within_folders(tokens: list[str]) -> str:
    """Join tokens without `**/`. Within a name, what stands between two stars is taken where it first fits, too."""
    names = []
    for name in _parted(tokens, "/"):
        first, *others = ("".join(part) for part in _parted(name, _STAR))
        inner = [f"(?>{_STAR}?{part})" for part in others[:-1]]
        names.append("".join([first, *inner, *(_STAR + part for part in others[-1:])]))
    return "/".join(names)


def _parted(tokens: list[str], sign: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token == sign:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _bracket(glob: str, position: int) -> tuple[str, int] | None:
    """Read a set of characters whose `[` stands just before `position`; None where it is never closed."""
    negated = position < len(glob) and glob[position] in "!^"
    position += negated
    members: list[str] = []
    first = True
    while True:
        if position >= len(glob):
            return None
        character = glob[position]
        if character == "]" and not first:
            break
        first = False
        if character == "[" and (named := _POSIX_CLASS.match(glob, position)):
            if named[1] not in _POSIX_CLASSES:
                return None
            members.append(_POSIX_CLASSES[named[1]])
            position = named.end()
            continue
        low, position = _member(glob, position)
        if glob.startswith("-", position) and position + 1 < len(glob) and glob[position + 1] != "]":
            high, position = _member(glob, position + 1)
            if high and low and low <= high:
                members.append(f"{re.escape(low)}-{re.escape(high)}")
        elif low:
            members.append(re.escape(low))
    inside = "".join(members)
    if negated:
        return f"[^/{inside}]", position + 1
    return (f"(?!/)[{inside}]" if inside else "(?!)"), position + 1


def _member(glob: str, position: int) -> tuple[str, int]:
    if glob[position] == "\\" and position + 1 < len(glob):
        return glob[position + 1], position + 2
    return glob[position], position + 1


class _Globs:
    """The globs of one kind, asked as one: most names match none of them. They are compiled when first asked."""

    def __init__(self, anchored: bool) -> None:
        self._anchored = anchored
        self._numbers: dict[str, int] = {}
        self._characters = 0
        self._any: re.Pattern[str] | None = None
        self._each: list[tuple[int, re.Pattern[str]]] = []

    def add(self, number: int, glob: str) -> bool:
        """Enter a line's glob, which takes the place of an equal one; False where it no longer fits."""
        if self._numbers.pop(glob, None) is None:
            if self._characters + len(glob) > MOST_GLOB_CHARACTERS:
                return False
            self._characters += len(glob)
        self._numbers[glob] = number
        return True

    def last_match(self, subject: str, best: int) -> int:
        """Return the number of the last line above `best` that matches, else `best`."""
        if not self._numbers:
            return best
        if self._any is None:
            self._any = re.compile("|".join(f"(?:{source})" for _, source in self._sources()) or "(?!)", re.DOTALL)
        if not self._any.fullmatch(subject):
            return best
        self._each = self._each or [(number, re.compile(source, re.DOTALL)) for number, source in self._sources()]
        for number, regex in self._each:  # newest first
            if number <= best:
                return best
            if regex.fullmatch(subject):
                return number
        return best

    def _sources(self) -> list[tuple[int, str]]:
        sources = ((number, to_regex(glob, self._anchored)) for glob, number in reversed(self._numbers.items()))
        return [(number, source) for number, source in sources if source is not None]


@dataclass(slots=True)
class _Table:
    """Patterns sorted by how they are looked up; values are line numbers, and the highest that matches decides."""

    names: dict[str, int] = field(default_factory=dict)
    suffixes: dict[str, int] = field(default_factory=dict)
    name_globs: _Globs = field(default_factory=lambda: _Globs(anchored=False))
    path_globs: _Globs = field(default_factory=lambda: _Globs(anchored=True))

    def add(self, number: int, pattern: Pattern) -> bool:
        """Enter the pattern of a line; False where there is no room for it."""
        glob = pattern.glob
        if not pattern.anchored and not _MAGIC.search(glob):
            self.names[glob] = number
        elif not pattern.anchored and (suffix := _PLAIN_SUFFIX.fullmatch(glob)):
            self.suffixes[suffix[1]] = number
        else:
            return (self.path_globs if pattern.anchored else self.name_globs).add(number, glob)
        return True

    def last_match(self, path: str, name: str) -> int:
        """Return the number of the last line that matches a path, whose last name is `name`; -1 where none does."""
        best = self.names.get(name, -1)
        if self.suffixes:
            dot = name.rfind(".")
            if dot >= 0:
                best = max(best, self.suffixes.get(name[dot:], -1))
        best = self.name_globs.last_match(name, best)
        return self.path_globs.last_match(path, best)


class IgnoreFile:
    """The patterns of one ignore file, or of a list in the settings, ready to be asked."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Compile `lines`; those that cannot match anything are passed over, as git does."""
        self._negated: list[bool] = []
        self._for_files = _Table()
        self._for_folders = _Table()
        self.unused = 0
        """How many patterns are not held against names, for there are too many before them."""
        for line in lines:
            pattern = parse_line(line)
            if pattern is None:
                continue
            number = len(self._negated)
            self._negated.append(pattern.negated)
            fits = self._for_folders.add(number, pattern)
            self.unused += not fits
            if fits and not pattern.folders_only:
                self._for_files.add(number, pattern)

    def __bool__(self) -> bool:
        """Whether there is any pattern."""
        return bool(self._negated)

    def verdict(self, path: str, name: str, is_folder: bool) -> bool | None:
        """Say whether `path`, relative to the ignore file's folder, is left out; None where no pattern speaks of it."""
        table = self._for_folders if is_folder else self._for_files
        number = table.last_match(path, name)
        return None if number < 0 else not self._negated[number]


def read_ignore_file(path: bytes) -> IgnoreFile:
    """Read an ignore file in any encoding of names; one that cannot be read, or is no file, has no patterns.

    A link is not followed, as in git: it would let a folder read what lies outside of it.
    """
    return _compiled(_content(path))


def _content(path: bytes) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)  # a pipe would hold the walk for ever
            return file.read(MAX_IGNORE_BYTES + 1) if regular else b""
    except OSError:
        return b""


def _text(content: bytes) -> str:
    return os.fsdecode(content[:MAX_IGNORE_BYTES].removeprefix(b"\xef\xbb\xbf"))


def patterns_of(path: bytes) -> tuple[str, ...]:
    """Return the patterns that an ignore file has, without comments and empty lines, as `read_ignore_file` reads it."""
    lines = (line.rstrip("\r") for line in _text(_content(path)).split("\n"))
    return tuple(line for line in lines if line.strip() and not line.startswith("#"))


@lru_cache(KEPT_FILES)
def _compiled(content: bytes) -> IgnoreFile:
    """Compile an ignore file once for all walks and all folders that have the same."""
    found = _of_text(_text(content))
    found.unused += len(content) > MAX_IGNORE_BYTES
    return found


def _of_text(text: str) -> IgnoreFile:
    return IgnoreFile(line.removesuffix("\r") for line in text.split("\n"))
