"""How to install what is not: the command for the very environment that Carrel runs in."""

from __future__ import annotations

import importlib.util
import shlex
import sys


def install_command(requirement: str) -> str:
    """Return the command that installs a package beside this Carrel; environments that uv made have no pip."""
    python, package = shlex.quote(sys.executable), shlex.quote(requirement)
    if importlib.util.find_spec("pip") is None:
        return f"uv pip install --python {python} {package}"
    return f"{python} -m pip install {package}"
