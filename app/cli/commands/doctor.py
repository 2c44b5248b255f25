"""`carrel doctor`: checks of the library, and their repair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.command import command as carrel_command
from app.cli.exit_codes import DONE, FAILED
from app.cli.session import Session, pass_session
from app.cli.text import one_line, table

if TYPE_CHECKING:
    from engine.records import Check


@carrel_command(
    "doctor",
    reports=True,
    examples=(
        ("carrel doctor", "Check that all parts of the library agree."),
        ("carrel doctor --repair", "Check, and mend what can be mended."),
    ),
)
@click.option("--repair", is_flag=True, help="Mend what can be mended; no indexer may run meanwhile.")
@pass_session
def command(session: Session, repair: bool) -> int:
    """Check the library: that the file is sound, and that documents, words and vectors agree.

    The exit code is 1 where a check failed, and after --repair where one still fails.
    """
    from app.cli.shapes import doctor_shape, print_json

    with session.open() as library:
        checks = library.check(repair=repair)
    faults = [check for check in checks if not check.ok]
    if session.json:
        print_json(doctor_shape(checks))
    else:
        click.echo("\n".join(table([_row(check) for check in checks])))
        click.echo(_advice(faults, repair), err=True)
    return FAILED if faults else DONE


def _row(check: Check) -> tuple[str, str, str]:
    return ("✓ ok" if check.ok else "✗ fault", check.name, one_line(check.detail))


def _advice(faults: list[Check], repaired: bool) -> str:
    """Return the sentence below the checks: what to do now."""
    if not faults:
        return "The library is sound."
    if not repaired and any(check.repairable for check in faults):
        return "`carrel doctor --repair` mends this."
    return "This cannot be mended in place: index the folders anew into another file (`--library FILE`)."
