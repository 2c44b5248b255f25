"""`python carrel_launcher.py -m app.web.browser_process LIBRARY`: one browser, drawn for the page that started it.

Textual takes the driver that writes to a page from the environment, which the server sets.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from engine.paths import is_team_address, own_process


def browser_command(library: Path | str) -> str:
    """Return the shell's command that runs a browser of this library."""
    return shlex.join([*own_process("app.web.browser_process"), str(library)])


def main() -> int:
    """Run the browser until its page is closed, and return the exit code."""
    from app.tui.terminal_session import run_browser

    named = sys.argv[1]
    return run_browser(named if is_team_address(named) else Path(named), [])


if __name__ == "__main__":
    sys.exit(main())
