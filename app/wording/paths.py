"""Paths as a person reads and types them."""

from __future__ import annotations

import os
import shlex

from app.wording.safe_text import pictured
from engine.paths import display, owner_of


def home_path(path: bytes) -> str:
    """Return an absolute path with the person's home as ~, its signs as they are: for a query, not for the screen."""
    home, text = os.path.expanduser("~"), display(path)
    inside = home != os.sep and (text == home or text.startswith(home + os.sep))
    return "~" + text[len(home) :] if inside else text


def shown_path(path: bytes) -> str:
    """Return an absolute path for the screen: with the person's home as ~, control characters as pictures."""
    return pictured(home_path(path))


def person_of(path: bytes) -> str:
    """Return the login of the member of a team whose file this is, "" for one of this machine."""
    found = owner_of(path)
    return pictured(found[0]) if found else ""


def owner_words(path: bytes) -> str:
    """Return whose a file on another machine is, and what that machine is called: `ben, at desk`; "" for others."""
    found = owner_of(path)
    return pictured(f"{found[0]}, at {found[1]}") if found else ""


def elsewhere(path: bytes, here: str) -> str:
    """Return that a file lies with another member, and what there is of it `here`, in sentences."""
    name = pictured(display(os.path.basename(path)))
    return f"{name} lies with {owner_words(path)}. {here} as it was brought to the team."


def _here() -> bytes:
    """Return the current folder with a slash at its end, b"" where it was removed meanwhile."""
    try:
        return os.path.join(os.getcwdb(), b"")
    except FileNotFoundError:
        return b""


def short_path(path: bytes) -> str:
    """Return a path as a person would type it in a shell: from the current folder if it lies inside, else with ~."""
    here = _here()
    return pictured(display(path[len(here) :])) if len(here) > 1 and path.startswith(here) else shown_path(path)


def argument_path(path: bytes) -> bytes:
    """Return a path as another program takes it: byte for byte, from the current folder if it lies inside.

    One that begins as an option, as a command of vim's or as somebody's home gets `./` in front.
    """
    here = _here()
    if not here or not path.startswith(here):
        return path
    inside = path[len(here) :]
    return b"./" + inside if inside[:1] in (b"-", b"+", b"~") else inside


def quoted(path: bytes) -> str:
    """Return a path as `short_path` does, so that a shell takes it as one word; `~` stays for the shell to read."""
    text = short_path(path)
    return "~/" + shlex.quote(text[2:]) if text.startswith("~/") else shlex.quote(text)


def located(path: bytes, line: int | None) -> str:
    """Return `PATH:LINE`, which `carrel open` and `carrel show` take as it stands; the path alone without a line."""
    return f"{short_path(path)}:{line}" if line else short_path(path)
