"""Arguments that several commands take. For a path the shell that asks for completions lists the files itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])


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


def place_argument(function: F) -> F:
    """Give a command the argument `path`: a document, perhaps with a line, for `app.cli.path_arguments.place`."""
    return click.argument("path", metavar="PATH[:LINE]", shell_complete=files)(function)
