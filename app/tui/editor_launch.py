"""Opens files where a person wants to change them, and addresses where they are read.

The line of a passage is found again in a file that has changed, then the terminal is handed to the editor.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from textual.app import App, SuspendNotSupported

from app.editors import EditorCommand, Target, editor_commands
from app.tui.browser import Browser, OpeningHearer, Place
from app.tui.threads import in_thread
from app.wording.paths import elsewhere
from app.wording.safe_text import one_line
from engine.errors import CarrelError, SourceError, UsageError
from engine.paths import display, owner_of
from engine.sources.encodings import decode
from engine.sources.path_rules import DEFAULT_RULES
from engine.sources.readers.file_types import OWN_LINES

LEAST_SIGNS = 4  # of a line, that it is worth looking for
FindLine = Callable[[bytes, str, int], int | None]
Edit = Callable[[EditorCommand], str]  # returns what went wrong, or ""


async def open_places(browser: Browser, places: Sequence[Place], edit: Edit, hearer: OpeningHearer) -> None:
    """Open files at their places, in one editor where it takes several; what cannot be opened is told."""
    foreign = [place for place in places if owner_of(place.path) is not None]
    if foreign:
        browser.notify(elsewhere(foreign[0].path, "This is its text"), timeout=6, markup=False)
        hearer.unshown(foreign[0])
        places = [place for place in places if place not in foreign]
    targets, gone = await in_thread(partial(targets_now, places, browser.ports.find_line))
    for path in gone:
        browser.notify(
            f"{one_line(display(path))} is no longer there. Its text as it was indexed is still in the reader.",
            severity="warning",
            markup=False,
        )
    try:
        shown, unshown = _parted(targets, browser.config.editor)
        commands = editor_commands(shown, setting=browser.config.editor)
    except CarrelError as error:
        browser.notify(str(error), severity="error", markup=False)
        return
    began, looked_at = browser.ports.clock(), False
    for command in commands:
        if trouble := edit(command):
            browser.notify(trouble, severity="error", markup=False)
        else:
            looked_at |= not command.in_terminal or browser.ports.clock() - began >= browser.ports.pace.look
    if looked_at:
        hearer.looked_at()
    for path, lack in tuple(unshown.items())[:1]:
        browser.notify(f"{lack.message} This is its text as it was indexed.", timeout=6, markup=False)
        hearer.unshown(next(place for place in places if place.path == path))


def _parted(targets: Sequence[Target], setting: str) -> tuple[list[Target], dict[bytes, UsageError]]:
    """Return the files that a program here shows, and by the paths of the others what is missing for them."""
    shown: list[Target] = []
    unshown: dict[bytes, UsageError] = {}
    for target in targets:
        try:
            editor_commands([target], setting=setting)
        except UsageError as error:
            unshown[target.path] = error
        else:
            shown.append(target)
    return shown, unshown


def targets_now(places: Sequence[Place], find_line: FindLine) -> tuple[list[Target], list[bytes]]:
    """Return where the places are in the files as they are now, and the files that are gone."""
    targets, gone = [], []
    for place in places:
        written = place.text if place.line and place.kind in OWN_LINES else ""  # derived text stands nowhere as it is
        line = find_line(place.path, written, place.line or 0)
        if line is None:
            gone.append(place.path)
        else:
            targets.append(Target(place.path, line or None, place.kind, place.page))
    return targets, gone


def current_line(path: bytes, passage: str, line: int) -> int | None:
    """Return the line at which `passage` begins in the file now, 0 where it has none; None where there is no file.

    It is `line`, where it began, if it cannot be found or there is nothing to look for. The whole passage is looked for
    first, then its lines one by one; of several places the one nearest to `line`.
    """
    if not os.path.isfile(path):
        return None
    if not passage.strip():
        return line
    try:
        with open(path, "rb") as file:
            text = decode(file.read(DEFAULT_RULES.max_bytes))
    except (OSError, SourceError):
        return line
    return line_of(text, passage, line)


def line_of(text: str, passage: str, line: int) -> int:
    """Return the line of `text` where `passage` begins, else where the first of its lines that is there stands."""
    lead = len(passage) - len(passage.lstrip("\n"))
    if found := _lines_with(text, passage.strip("\n")):
        return max(1, min(found, key=lambda each: abs(each - line - lead)) - lead)
    for place, part in enumerate(passage.split("\n")):
        if len(part.strip()) >= LEAST_SIGNS and (found := _lines_with(text, part.strip())):
            return min(found, key=lambda each: abs(each - line - place))
    return min(line, text.count("\n") + 1)


def _lines_with(text: str, part: str) -> list[int]:
    """Return the lines, counted from 1, at which `part` begins; at most a hundred."""
    lines: list[int] = []
    at, counted, number = (text.find(part) if part else -1), 0, 1
    while at >= 0 and len(lines) < 100:
        number += text.count("\n", counted, at)
        counted = at
        lines.append(number)
        at = text.find(part, at + 1)
    return lines


def edit_in_terminal(app: App[Any], command: EditorCommand) -> str:
    """Run an editor command and return what went wrong, or "".

    A terminal editor gets the whole terminal until it ends; one with its own window is only started.
    """
    try:
        if not command.in_terminal:
            _start_apart(command)
            return ""
        with app.suspend():
            code = subprocess.run(command.arguments, stderr=sys.__stderr__, env=_environment(app)).returncode
    except SuspendNotSupported:
        return "This terminal cannot be handed to an editor; ctrl+o reads the document here."
    except OSError as error:
        return f"{command.name} could not be started: {error.strerror}. Set $EDITOR to the editor that you use."
    return f"{command.name} ended with exit code {code}." if code else ""


def _start_apart(command: EditorCommand) -> None:
    """Start a program with a window of its own, which outlives the browser."""
    null = subprocess.DEVNULL
    subprocess.Popen(command.arguments, stdin=null, stdout=null, stderr=null, start_new_session=True)


def _environment(app: App[Any]) -> dict[str, str]:
    """Return the environment as the person set it: Textual takes NO_COLOR out of it."""
    return {**os.environ, "NO_COLOR": "1"} if app.no_color else dict(os.environ)


def visit(address: str) -> bool:
    """Show an address in the person's web browser; False where there is none. May take seconds: for a thread."""
    import webbrowser  # 3 ms, and most sessions follow no such link

    return webbrowser.open(address)
