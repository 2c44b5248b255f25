"""Hands the terminal to an editor and takes it back."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from textual.app import App, SuspendNotSupported

from app.editors import EditorCommand


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
