"""`carrel doctor`: checks of the library, and their repair."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from app.cli.command import command as carrel_command
from app.cli.session import DONE, FAILED, Session, pass_session, print_json
from app.wording.cells import table
from app.wording.paths import short_path
from app.wording.safe_text import one_line
from engine.figures import size

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.events import Event
    from engine.maintenance import DoctorReport
    from engine.maintenance.kept_data import Kept
    from engine.records import Check


@carrel_command(
    "doctor",
    reports=True,
    examples=(
        ("carrel doctor", "Check that all parts of the library agree."),
        ("carrel doctor --repair", "Check, and mend what can be mended."),
        ("carrel doctor --json | jq '.checks[] | select(.ok | not)'", "What is wrong, for a script."),
    ),
)
@click.option("--repair", is_flag=True, help="Mend what can be mended; no indexer may run meanwhile.")
@pass_session
def command(session: Session, repair: bool) -> int:
    """Check the library: that the file is sound, that documents, words, vectors and model agree, and that the
    folders can be watched. Below that stands what is kept where, and how to forget it. Nothing is changed without
    --repair.

    Of a team library (--library ADDRESS) it checks what you may see: versions, policies, counts, words, vectors, and
    the index against an exact look; --repair brings your own folders anew.

    The exit code is 1 where a check failed, and after --repair where one still fails.
    """
    from app.cli.progress_line import progress
    from app.json_shapes import doctor_shape

    show = progress()
    try:
        examined = (
            _of_team(session, repair, show) if session.team else session.care().check(repair=repair, on_event=show)
        )
    finally:
        show.close()
    if session.json:
        print_json(doctor_shape(examined.checks, examined.done, examined.kept))
    else:
        _print(examined, repair)
    return DONE if all(check.ok for check in examined.checks) else FAILED


def _of_team(session: Session, repair: bool, on_event: Callable[[Event], None]) -> DoctorReport:
    """Check a team library as far as a member may look, and mend one's own folders in it."""
    from engine.maintenance import DoctorReport
    from engine.paths import library_path
    from engine.team.membership import this_machine
    from engine.team.team_doctor import examine, mend

    where = (session.team, library_path(session.library), this_machine())
    checks = examine(*where)
    if not repair or all(check.ok for check in checks):
        return DoctorReport(checks)
    done = mend(*where, on_event)
    return DoctorReport(examine(*where), done)


def _print(examined: DoctorReport, repair: bool) -> None:
    """Print the checks and what is kept to stdout, and on stderr what was done and what is left to do."""
    click.echo("\n".join(table([_row(check) for check in examined.checks])))
    if examined.kept:
        click.echo("\nWhat is kept, and how to forget it:")
        click.echo("\n".join(table([_kept(each) for each in examined.kept], right=(1,))))
    for line in (*examined.done, *_advice([check for check in examined.checks if not check.ok], repair)):
        click.echo(line, err=True)


def _row(check: Check) -> tuple[str, str, str]:
    noted = f" ({check.remedy})" if check.ok and check.remedy else ""
    return ("✓ ok" if check.ok else "✗ fault", check.name, one_line(check.detail) + noted)


def _kept(each: Kept) -> tuple[str, str, str, str]:
    path = short_path(os.fsencode(each.path)) if each.path else ""
    return (each.name, size(each.bytes) if each.bytes else "–", path, each.forget)


def _advice(faults: list[Check], repaired: bool) -> list[str]:
    """Return what to do now, one line for each way to mend what is wrong."""
    if not faults:
        return ["The library is sound."]
    lines = []
    mendable = ", ".join(fault.name for fault in faults if fault.repairable)
    if mendable and repaired:
        lines.append(f"{mendable}: not mended. Put a backup back with `carrel restore FILE`, or `carrel sync --full`.")
    elif mendable:
        lines.append(f"{mendable}: `carrel doctor --repair` mends this.")
    return lines + [f"{fault.name}: {one_line(fault.remedy)}" for fault in faults if fault.remedy]
