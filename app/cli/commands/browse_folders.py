"""What `carrel` and `carrel PATH...` do: open the browser; without a terminal, index and say how to search."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli import factories
from app.cli.arguments import folders_argument, query_option
from app.cli.command import command as carrel_command
from app.cli.session import DONE, INTERRUPTED, Session, pass_session, print_json
from app.wording.safe_text import one_line
from engine.errors import UsageError

HOW_TO_SEARCH = "To search: carrel search WORDS   (in a terminal, `carrel` opens the browser)"


@carrel_command("carrel", reports=True, hidden=True)
@folders_argument(required=False)
@query_option
@pass_session
@click.pass_context
def command(ctx: click.Context, session: Session, folders: tuple[Path, ...]) -> int:
    """Open the browser, on a query where one is given; folders are watched and indexed first."""
    from app.cli.path_arguments import folder_given

    wanted = [folder_given(folder) for folder in folders]
    if factories.interactive() and not session.json:
        return factories.open_browser(session.place, wanted, session.query)
    if session.query:
        raise without_screen(session.query)
    if not wanted and not _library_exists(session):
        click.echo(ctx.find_root().get_help())
        return DONE
    return without_terminal(session, wanted)


def without_screen(query: str) -> UsageError:
    """Return what is said where the browser cannot be opened on a query."""
    cause = "stdin, stdout or stderr is none that can draw."
    return UsageError("There is no terminal for the browser.", cause=cause, fix=f"Try: carrel search {one_line(query)}")


def _library_exists(session: Session) -> bool:
    from engine.paths import library_path

    return library_path(session.library).exists()


def without_terminal(session: Session, folders: list[Path], how_to_search: str = HOW_TO_SEARCH) -> int:
    """Index the folders given, with progress on stderr, and print the status."""
    from app.cli.commands.status import lines
    from app.cli.interruption import stop_on_signal
    from app.cli.path_arguments import is_within
    from app.cli.progress_line import progress
    from app.cli.sync_report import bring_up_to_date
    from app.json_shapes import status_shape

    with stop_on_signal() as stop, session.open(create=bool(folders)) as library:
        for folder in folders:
            if not is_within(folder, library.folders()):
                library.add(folder)
        if folders:
            show = progress()
            try:
                bring_up_to_date(library, folders, full=False, on_event=show, stop=stop)
            finally:
                show.close()
        status = library.status(stale=not stop.is_set())
    if session.json:
        print_json(status_shape(status))
    else:
        click.echo("\n".join(lines(status)))
        click.echo(f"\n{one_line(how_to_search)}")
    return INTERRUPTED if stop.is_set() else DONE
