"""Opens files where a person wants to change them: finds the line again, then hands the terminal to the editor."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from textual.app import App, SuspendNotSupported

from app.editors import VIEWED_KINDS, EditorCommand, Target, editor_commands
from app.tui.browser import Browser, Place
from app.tui.threads import in_thread
from app.wording.safe_text import one_line
from engine.errors import CarrelError
from engine.paths import display

FindLine = Callable[[bytes, str, int], int | None]
Edit = Callable[[EditorCommand], str]  # returns what went wrong, or ""


async def open_places(browser: Browser, places: Sequence[Place], edit: Edit) -> None:
    """Open files at their places, in one editor where it takes several; what cannot be opened is told."""
    targets, gone = await in_thread(partial(targets_now, places, browser.ports.find_line))
    for path in gone:
        browser.notify(
            f"{one_line(display(path))} is no longer there. Its text as it was indexed is still in the reader.",
            severity="warning",
            markup=False,
        )
    if not targets:
        return
    try:
        commands = editor_commands(targets, setting=browser.config.editor)
    except CarrelError as error:
        browser.notify(str(error), severity="error", markup=False)
        return
    for command in commands:
        if trouble := edit(command):
            browser.notify(trouble, severity="error", markup=False)


def targets_now(places: Sequence[Place], find_line: FindLine) -> tuple[list[Target], list[bytes]]:
    """Return where the places are in the files as they are now, and the files that are gone."""
    targets, gone = [], []
    for place in places:
        line = find_line(place.path, place.text if place.kind not in VIEWED_KINDS else "", place.line)
        if line is None:
            gone.append(place.path)
        else:
            targets.append(Target(place.path, line, place.kind, place.page))
    return targets, gone


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
        return "This terminal cannot be handed to an editor."
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
