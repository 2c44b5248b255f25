"""How a file is opened at a line or a page: the person's editor, each in its own way, or a viewer.

Shared by the browser and the command `carrel open`; it decides only, it starts nothing.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence

from engine.errors import ConfigError, UsageError
from engine.lazy_dataclass import dataclass

# Kinds that no text editor shows as a person reads them.
VIEWED_KINDS = frozenset(
    {"pdf", "docx", "epub", "pptx", "xlsx", "xls", "odt", "ods", "odp", "odg", "rtf", "msg", "mhtml", "webarchive"}
)
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
QUICKFIX = frozenset({"vim", "nvim", "gvim", "mvim"})  # several places are a list in the editor, at the first
# Editors that take several files at once, each with its own line.
SEVERAL = GOTO | COLON | {"nano", "emacs", "emacsclient", "joe"}
# Viewers of PDF that can begin at a page, with the words that say so.
PAGE_VIEWERS: dict[str, tuple[str, ...]] = {
    "evince": ("--page-index", "{page}", "{path}"),
    "papers": ("--page-index", "{page}", "{path}"),
    "okular": ("-p", "{page}", "{path}"),
    "zathura": ("-P", "{page}", "{path}"),
    "atril": ("--page-index", "{page}", "{path}"),
    "xreader": ("--page-index", "{page}", "{path}"),
    "sioyek": ("--page", "{page}", "{path}"),
    "qpdfview": ("{path}#{page}",),
    "mupdf": ("{path}", "{page}"),
}
DEFAULTS_FILE = "mimeapps.list"  # of the desktop: which program a person opens a format with


@dataclass(frozen=True, slots=True)
class EditorCommand:
    """What to start. `in_terminal` says that it needs the terminal to itself until it ends."""

    name: str
    arguments: tuple[bytes, ...]
    in_terminal: bool


@dataclass(frozen=True, slots=True)
class Target:
    """A file to open, its line if it has one, what kind of document it is, and its page where it has pages."""

    path: bytes
    line: int | None = None
    kind: str = ""
    page: int | None = None


Which = Callable[[str], str | None]


def editor_command(
    path: bytes,
    line: int | None = None,
    *,
    kind: str = "",
    page: int | None = None,
    setting: str = "",
    environment: Mapping[str, str] | None = None,
    which: Which = shutil.which,
    platform: str = sys.platform,
) -> EditorCommand:
    """Return the command that shows `path` at `line`, or a PDF at `page` where a viewer is known that can.

    A `setting` wins over $VISUAL, which wins over $EDITOR; each is split like a shell does it, and may say with
    `{path}` and `{line}` where these belong. Raises ConfigError where that cannot be split, and UsageError where there
    is nothing to open the file with.
    """
    target = Target(path, line, kind, page)
    found = editor_commands([target], setting=setting, environment=environment, which=which, platform=platform)
    return found[0]


def editor_commands(
    targets: Sequence[Target],
    *,
    setting: str = "",
    environment: Mapping[str, str] | None = None,
    which: Which = shutil.which,
    platform: str = sys.platform,
) -> list[EditorCommand]:
    """Return the commands that show several files, those of an editor that takes several at once in one."""
    environment = os.environ if environment is None else environment
    edited = [target for target in targets if target.kind not in VIEWED_KINDS]
    commands = _editing(edited, _words(setting, environment, which)) if edited else []
    viewed = [target for target in targets if target.kind in VIEWED_KINDS]
    return [*commands, *(_viewer(target, environment, which, platform) for target in viewed)]


def _words(setting: str, environment: Mapping[str, str], which: Which) -> list[str]:
    """Return the editor as words."""
    wanted = setting or environment.get("VISUAL") or environment.get("EDITOR") or _fallback(which)
    try:
        words = shlex.split(wanted)
    except ValueError as error:
        raise ConfigError(
            f"The editor setting cannot be read: {wanted}",
            cause=f"{error}.",
            fix="Close the quote in it: the setting “editor”, $VISUAL or $EDITOR.",
        ) from error
    if not words:
        raise ConfigError("The editor setting is empty.", fix="Set $EDITOR, for example to nano.")
    return words


def _editing(targets: Sequence[Target], words: list[str]) -> list[EditorCommand]:
    """Return one command for all files where the editor takes them so, else one for each."""
    name = os.path.basename(words[0]).removesuffix(".exe")
    apart = name in WINDOWED
    if any("{path}" in word for word in words):
        return [EditorCommand(name, tuple(_filled(words, each)), not apart) for each in targets]
    program = [os.fsencode(word) for word in words]
    if name in QUICKFIX and len(targets) > 1:
        return [EditorCommand(name, (*program, *_quickfix(targets)), not apart)]
    if name in SEVERAL:
        places = [part for each in targets for part in _at_line(name, each.path, each.line)]
        return [EditorCommand(name, tuple(program + places), not apart)]
    return [EditorCommand(name, tuple(program + _at_line(name, each.path, each.line)), not apart) for each in targets]


def _quickfix(targets: Sequence[Target]) -> list[bytes]:
    """Return the arguments that give vim the files as its quickfix list, open at the first: `:cn` goes on to the next.

    The list is made by the editor itself, of strings in which no sign does anything: a path may hold any but NUL.
    """
    places = b", ".join(
        b'{"filename": "%s", "lnum": %d}' % (b"".join(map(_vim_byte, target.path)), target.line or 1)
        for target in targets
    )
    return [b"+call setqflist([%s])" % places, b"+cfirst", b"+copen", b"+wincmd p"]


def _vim_byte(byte: int) -> bytes:
    """Return a byte as it stands between double quotes in a vim script."""
    sign = bytes([byte])
    if byte < 0x20 or byte == 0x7F:
        return b"\\x%02x" % byte
    return b"\\" + sign if sign in (b"\\", b'"') else sign


def _filled(words: Sequence[str], target: Target) -> list[bytes]:
    """Return words with path, line and page in their places; the words are split already, so a path stays one."""
    line, page = str(max(1, target.line or 1)), str(max(1, target.page or 1))
    return [
        os.fsencode(word.replace("{line}", line).replace("{page}", page)).replace(b"{path}", target.path)
        for word in words
    ]


def _at_line(name: str, path: bytes, line: int | None) -> list[bytes]:
    """Return the arguments that name the file and the line, in the editor's own way; the file alone without a line."""
    if not line:
        return [path]
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


def _fallback(which: Which) -> str:
    """Return the first common editor that is installed."""
    for name in FALLBACKS:
        if which(name):
            return name
    raise UsageError("There is no editor to open this file with.", fix="Set $EDITOR to the editor that you use.")


def _viewer(target: Target, environment: Mapping[str, str], which: Which, platform: str) -> EditorCommand:
    """Return the way to open a document in the program that is made for it, a PDF at its page where one can."""
    if target.kind == "pdf" and (target.page or 1) > 1 and platform != "darwin":
        known = [name for name in (_preferred(environment), *PAGE_VIEWERS) if name in PAGE_VIEWERS and which(name)]
        if known:
            name = known[0]
            return EditorCommand(name, (os.fsencode(name), *_filled(PAGE_VIEWERS[name], target)), False)
    name = "open" if platform == "darwin" else "xdg-open"
    if not which(name):
        raise UsageError(
            f"There is no program to show {os.path.basename(target.path).decode('utf-8', 'replace')}.",
            cause=f"{name} is not installed.",
            fix="Install xdg-utils, or open the file yourself.",
        )
    return EditorCommand(name, (os.fsencode(name), target.path), False)


def _preferred(environment: Mapping[str, str]) -> str:
    """Return which known viewer the desktop opens a PDF with, "" where it is none of them."""
    home = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME", ""), ".config")
    try:
        with open(os.path.join(home, DEFAULTS_FILE), encoding="utf-8", errors="replace") as file:
            chosen = [line.casefold() for line in file if line.startswith("application/pdf=")]
    except OSError:
        return ""
    return next((name for name in PAGE_VIEWERS for line in chosen[:1] if name in line.partition(";")[0]), "")
