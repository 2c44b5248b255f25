"""Arguments and options that several commands take; files and folders are completed by the shell itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click
from click.shell_completion import CompletionItem

from app.cli.session import Session
from engine.records import Fusion

F = TypeVar("F", bound=Callable[..., Any])
FUSIONS: tuple[Fusion, ...] = get_args(Fusion)


def files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell offer files."""
    return [CompletionItem(incomplete, type="file")]


def _folders(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell offer folders."""
    return [CompletionItem(incomplete, type="dir")]


def folders_argument(*, required: bool) -> Callable[[F], F]:
    """Give a command the argument `folders`: paths of folders, one at the least where they are required."""
    metavar = "PATH..." if required else "[PATH...]"
    kind: click.ParamType[Path] = click.Path(path_type=Path)
    return click.argument("folders", nargs=-1, required=required, metavar=metavar, type=kind, shell_complete=_folders)


def query_option(function: F) -> F:
    """Give a command the option `-q`: the query that the browser begins with, kept in the call's Session."""
    return click.option(
        "-q",
        "--query",
        metavar="QUERY",
        expose_value=False,
        callback=_keep_query,
        help="Begin with the rows of a query, as `carrel browse` does.",
    )(function)


def _keep_query(ctx: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Session).query = value


def place_argument(function: F) -> F:
    """Give a command the argument `path`: a document, perhaps with a line, for `app.cli.path_arguments.place`."""
    return click.argument("path", metavar="PATH[:LINE]", shell_complete=files)(function)


def format_option(function: F) -> F:
    """Give a command the option `form`: a template for `app.cli.row_format`, refused here where it cannot be read."""
    return click.option(
        "--format",
        "form",
        callback=_read_format,
        metavar="TEMPLATE",
        help="Print fields, as in '{path}\\t{line}\\t{title}'; also place (PATH:LINE), absolute, quoted (for a shell), "
        "page, heading, kind, rank, score, tier, snippet.",
    )(function)


def _read_format(_ctx: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        from app.cli.row_format import row_format  # only for who names a template

        row_format(value, nul=False)
    return value


def read_weights(_ctx: click.Context, _option: click.Parameter, value: str | None) -> tuple[float, float] | None:
    """Read `V,K`, two weights for meaning and words; only their proportion counts."""
    return None if value is None else two_weights(value)


def two_weights(value: str) -> tuple[float, float]:
    """Read `V,K`. Raises click.BadParameter."""
    try:
        vector, keyword = (float(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter("give two numbers, meaning and words, as in .8,.2") from None
    total = vector + keyword
    if not (vector >= 0 and keyword >= 0 and 0 < total < float("inf")):
        raise click.BadParameter("neither may be negative, and not both 0")
    return vector / total, keyword / total
