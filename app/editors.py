"""How a file is opened at a line: the person's editor, each in its own way, or the platform's viewer.

Shared by the browser and the command `carrel open`; it decides only, it starts nothing.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.errors import ConfigError, UsageError

# Kinds that no text editor shows as a person reads them.
VIEWED_KINDS = frozenset({"pdf", "docx", "epub"})
# Tried in this order where neither VISUAL nor EDITOR is set.
FALLBACKS = ("nano", "vim", "vi", "less")
GOTO = frozenset(("code", "code-insiders", "codium", "vscodium", "cursor", "windsurf"))  # --goto FILE:LINE
COLON = frozenset(("subl", "sublime_text", "hx", "helix", "zed", "zeditor"))  # FILE:LINE
JETBRAINS = frozenset(("idea", "pycharm", "webstorm", "goland", "clion", "rubymine", "phpstorm", "rider"))
DASH_LINE = JETBRAINS | {"mate", "kate"}  # --line N FILE
PLAIN = frozenset(["gnome-text-editor", "ed", "open", "xdg-open", "notepad"])  # no way to name a line
# Editors with a window of their own: the terminal need not be handed over.
WINDOWED = GOTO | COLON - {"hx", "helix"} | DASH_LINE | {"gvim", "mvim", "gedit", "gnome-text-editor"}
LESS = frozenset({"less", "most"})  # +Ng is their command for a line


@dataclass(frozen=True, slots=True)
class EditorCommand:
    """What to start. `in_terminal` says that it needs the terminal to itself until it ends."""

    name: str
    arguments: tuple[bytes, ...]
    in_terminal: bool


def editor_command(
    path: bytes,
    line: int = 1,
    *,
    kind: str = "",
    setting: str = "",
    environment: Mapping[str, str] | None = None,
    which: Callable[[str], str | None] = shutil.which,
    platform: str = sys.platform,
) -> EditorCommand:
    """Return the command that shows `path` at `line`.

    A `setting` wins over $VISUAL, which wins over $EDITOR; each is split like a shell does it. Raises ConfigError where
    that cannot be split, and UsageError where there is nothing to open the file with.
    """
    if kind in VIEWED_KINDS:
        return _viewer(path, which, platform)
    environment = os.environ if environment is None else environment
    wanted = setting or environment.get("VISUAL") or environment.get("EDITOR") or _fallback(which)
    try:
        words = shlex.split(wanted)
    except ValueError as error:
        raise ConfigError(
            f"The editor setting cannot be read: {wanted}",
            cause=f"{error}.",
            fix="Close the quote in $VISUAL or $EDITOR.",
        ) from error
    if not words:
        raise ConfigError("The editor setting is empty.", fix="Set $EDITOR, for example to nano.")
    name = os.path.basename(words[0]).removesuffix(".exe")
    arguments = [os.fsencode(word) for word in words] + _at_line(name, path, max(1, line))
    return EditorCommand(name, tuple(arguments), name not in WINDOWED)


def _at_line(name: str, path: bytes, line: int) -> list[bytes]:
    """Return the arguments that name the file and the line, in the editor's own way."""
    number = b"%d" % line
    if name in GOTO:
        return [b"--goto", path + b":" + number]
    if name in COLON:
        return [path + b":" + number]
    if name in DASH_LINE:
        return [b"--line", number, path]
    if name in PLAIN:
        return [path]
    if name in LESS:
        return [b"+" + number + b"g", path]
    return [b"+" + number, path]  # vi and its kin, nano, emacs, emacsclient, micro, kak, joe, gedit


def _fallback(which: Callable[[str], str | None]) -> str:
    """Return the first common editor that is installed."""
    for name in FALLBACKS:
        if which(name):
            return name
    raise UsageError("There is no editor to open this file with.", fix="Set $EDITOR to the editor that you use.")


def _viewer(path: bytes, which: Callable[[str], str | None], platform: str) -> EditorCommand:
    """Return the platform's way to open a document in the program that is made for it."""
    name = "open" if platform == "darwin" else "xdg-open"
    if not which(name):
        raise UsageError(
            f"There is no program to show {os.path.basename(path).decode('utf-8', 'replace')}.",
            cause=f"{name} is not installed.",
            fix="Install xdg-utils, or open the file yourself.",
        )
    return EditorCommand(name, (os.fsencode(name), path), False)
