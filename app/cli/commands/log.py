"""`carrel log`: the log of searches, which is off until the person switches it on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.command import command as carrel_command
from app.cli.session import Session, pass_session, print_json
from app.wording.cells import table
from app.wording.safe_text import one_line
from app.wording.times import day
from engine.figures import counted

if TYPE_CHECKING:
    from engine.records import LoggedSearch


@carrel_command(
    "log",
    reports=True,
    examples=(
        ("carrel log --on", "Write finished searches down from now on."),
        ("carrel log --limit 20", "Show the last twenty."),
        ("carrel log --off --empty", "Stop, and forget what was written."),
    ),
)
@click.option("--on/--off", "wanted", default=None, help="Write finished searches down, or stop doing so [off].")
@click.option("--empty", is_flag=True, help="Forget what was written.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Show the newest N.")
@pass_session
def command(session: Session, wanted: bool | None, empty: bool, limit: int | None) -> None:
    """Show the log of searches: what was asked, what was found at which rank, what was opened.

    It is off until you switch it on, lies in the library file, and leaves this machine never. `carrel retrain` can
    learn from it.
    """
    from engine.config import change, load

    if limit is not None and (empty or wanted is not None):
        raise click.UsageError("--limit is for the list, which --on, --off and --empty do not show.")
    before = load()
    config = before if wanted is None else change({"search_log": wanted})
    forgotten: int | None = None
    searches: tuple[LoggedSearch, ...] = ()
    if empty or wanted is None:
        with session.open() as library:
            forgotten = library.empty_search_log() if empty else None
            searches = () if empty else library.search_log(limit)
    _tell(session, config.search_log, forgotten, searches)
    if before.shadow and not config.shadow:
        click.echo(
            "Comparing finished searches is off with it; `carrel shadow --empty` forgets those of before.", err=True
        )


def _tell(session: Session, on: bool, forgotten: int | None, searches: tuple[LoggedSearch, ...]) -> None:
    if session.json:
        print_json({"on": on, "forgotten": forgotten, "searches": [_shape(search) for search in searches]})
        return
    if searches:
        rows = [(day(each.at), each.verdict, _shown(each), _asked(each)) for each in searches]
        click.echo("\n".join(table(rows, right=(2,))))
    if forgotten is not None:
        click.echo(f"Forgotten: {counted(forgotten, 'search', 'searches')}")
    click.echo(f"The log is {'on' if on else 'off'}.", err=True)


def _asked(search: LoggedSearch) -> str:
    """Return what was asked, and by which program where it was not the person."""
    return one_line(f"{search.source}: {search.query}" if search.source else search.query)


def _shown(search: LoggedSearch) -> str:
    opened = sum(row.opened is not None for row in search.rows)
    return f"{len(search.rows)} shown, {opened} opened"


def _shape(search: LoggedSearch) -> dict[str, object]:
    from app.json_shapes import moment

    return {
        "at": moment(search.at),
        "query": search.query,
        "source": search.source,
        "verdict": search.verdict,
        "fusion": search.fusion,
        "milliseconds": round(search.milliseconds, 3),
        "results": [
            {
                "rank": row.rank,
                "path": row.path,
                "passage_hash": row.passage_hash.hex(),
                "opened": moment(row.opened) if row.opened else None,
            }
            for row in search.rows
        ],
    }
