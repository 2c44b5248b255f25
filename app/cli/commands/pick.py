"""`carrel pick`: choose results on the terminal for another program, which reads them from stdout or from a file."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from app.cli import factories
from app.cli.arguments import format_option
from app.cli.output import OutputError, write_bytes
from app.cli.query_command import QueryCommand
from app.cli.session import DONE, FAILED, INTERRUPTED, USAGE, Session, json_text, pass_session
from app.matches import matching_rows
from engine.errors import UsageError

if TYPE_CHECKING:
    from app.tui.row_picker import Picked
    from engine.records import Hit, SearchResult

MOST_MATCHES = 100  # as many rows as the screen asks for at once
_HEIGHT = re.compile(r"[1-9][0-9]{0,3}|(?:[1-9][0-9]?|100)%")


def _read_height(_ctx: click.Context, _option: click.Parameter, value: str | None) -> str:
    if value is not None and not _HEIGHT.fullmatch(value):
        raise click.BadParameter("give lines, as in 15, or a share of the terminal, as in 40%.")
    return value or ""


@click.command(
    "pick",
    cls=QueryCommand,
    reports=True,
    examples=(
        ('carrel open "$(carrel pick)"', "Pick a passage and open it in your editor, at its line."),
        ("carrel pick --multi --print0 --format '{path}' | xargs -0 -o vim", "Mark several with tab; edit them all."),
        ("carrel pick --multi starter > list", "Begin on a query; write PATH:LINE of each marked row."),
        (
            "carrel pick --filter --format '{path}\\t{line}\\t{title}' starter",
            "The same without a screen, for a script.",
        ),
        ("carrel init zsh", "Print what binds a key of your shell to it; also editors, tmux and yazi."),
    ),
)
@click.argument("query", nargs=-1, metavar="[QUERY]...")
@click.option("--multi", is_flag=True, help="Let tab mark rows, so that several are picked.")
@click.option("--filter", "unseen", is_flag=True, help="Pick all that match, without a screen.")
@click.option("--select-1", "single", is_flag=True, help="Pick at once where one row alone matches QUERY.")
@click.option("--exit-0", "absent", is_flag=True, help="Leave at once, with 1, where nothing matches QUERY.")
@click.option("--height", callback=_read_height, metavar="N[%]", help="Draw below the prompt, so many lines high.")
@format_option
@click.option("--print0", is_flag=True, help="End each record with NUL, so that it may hold every name.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to FILE in place of stdout, for hosts that need stdout; emptied where nothing is picked.",
)
@pass_session
def command(
    session: Session,
    /,
    query: tuple[str, ...],
    unseen: bool,
    single: bool,
    absent: bool,
    form: str | None,
    print0: bool,
    output: Path | None,
    **screen: Any,
) -> int:
    """Choose results on the terminal, and print them for another program.

    The search is drawn on the terminal itself (/dev/tty), whatever stdin, stdout and stderr are. Enter picks the row,
    or all that are marked; esc and ctrl+c cancel. Printed is PATH:LINE, of a PDF PATH:PAGE, as `carrel open` takes it:
    the path byte for byte, from the current folder where it lies below. One that holds a line end, or what stands
    between the fields of a format, is left out and told of; --print0 and --json write it.

    A row matches where it is strong or likely; weak ones do where there is none better, unless nothing is relevant.

    The exit code is 0 where something was picked, 1 where nothing matched, 2 where something went wrong, and 130 where
    you cancelled; then nothing was printed.
    """
    words = " ".join(query)
    if unseen and not words.strip():
        raise click.UsageError("--filter needs a QUERY.")
    with _opened(output) if output else nullcontext() as file:
        write = _writer(session, file, form, print0)
        if words.strip() and (unseen or single or absent):
            result, found = _matches(session, words)
            if unseen or (single and len(found) == 1):
                return write(found, result)
            if absent and not found:
                return FAILED
        return _picked_on_screen(session, words, write, **screen)


def _opened(output: Path) -> IO[bytes]:
    """Open a file for what is picked, before the person picks in vain. Raises UsageError."""
    try:
        return output.open("wb", buffering=0)
    except OSError as error:
        raise UsageError(f"{output} cannot be written.", cause=f"{error.strerror or error}.") from error


Write = Callable[["Sequence[Hit]", "SearchResult | None"], int]


def _writer(session: Session, file: IO[bytes] | None, form: str | None, print0: bool) -> Write:
    """Return what writes rows to a file, or to stdout where it is None, and returns the exit code."""
    from app.cli.row_format import PLACE, records_of, row_format

    wanted = row_format(form or PLACE, nul=print0)

    def write(hits: Sequence[Hit], result: SearchResult | None) -> int:
        if session.json:
            from app.json_shapes import picked_shape

            written = json_text(picked_shape(hits, result), ascii_only=True).encode() + b"\n"
        else:
            written = b"".join(records_of(hits, wanted))
        _put(written, file)
        return DONE if hits and written else USAGE if hits else FAILED

    return write


def _put(written: bytes, file: IO[bytes] | None) -> None:
    """Write to a file, or to stdout where it is None. Raises UsageError, and BrokenPipeError where nobody reads."""
    try:
        if file is None:
            write_bytes(written)
            sys.stdout.flush()
        else:
            file.write(written)
    except BrokenPipeError:
        raise
    except (OutputError, OSError) as error:
        raise UsageError(f"The output could not be written: {getattr(error, 'strerror', error)}.") from error


def _matches(session: Session, words: str) -> tuple[SearchResult, Sequence[Hit]]:
    """Search without a screen, and return the result with the rows that match."""
    from engine.config import load
    from engine.library_search import EMBED_SECONDS

    with session.open() as library:
        settings = load().search_settings()
        result = library.search(words, limit=MOST_MATCHES, settings=settings, embed_seconds=EMBED_SECONDS)
    return result, matching_rows(result)


def _picked_on_screen(session: Session, words: str, write: Write, *, multi: bool, height: str) -> int:
    from app.tui.row_picker import PickRequest

    def deliver(picked: Picked | None) -> int:
        return INTERRUPTED if picked is None else write(picked.hits, picked.result)

    return factories.open_picker(session.place, PickRequest(words, multi, height), deliver)
