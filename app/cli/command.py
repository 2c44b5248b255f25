"""How every command is made: its help with examples, and the global options that it accepts as well as `carrel`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from app.cli.session import Session
from engine.paths import is_team_address

Example = tuple[str, str]  # a command line, and what it does


class LibraryPlace(click.Path):
    """A file, or the address of a team library, which stays the text that it is."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a Path, or an address as str."""
        return value if isinstance(value, str) and is_team_address(value) else super().convert(value, param, ctx)


class CarrelCommand(click.Command):
    """A command that takes the global options and shows examples in its help.

    `reports` commands take `--json`; `examples` stand at the end of the help.
    """

    def __init__(self, *args: Any, examples: Sequence[Example] = (), reports: bool = False, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.examples = examples
        self.params = [*self.params, *global_options(json=reports)]

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command, unless it makes no sense for the team library that the call names."""
        session = ctx.ensure_object(Session)
        if session.library is None and not session.team and is_team_address(os.environ.get("CARREL_LIBRARY", "")):
            session.team = os.environ["CARREL_LIBRARY"]
        if session.team:
            from app.cli.team_library import refuse_on_team

            refuse_on_team(ctx, session)
        return super().invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples below the options."""
        write_examples(formatter, self.examples)


class CommandGroup(click.Group):
    """A command with commands of its own, in the order in which a person meets them, and examples in its help."""

    def __init__(self, *args: Any, examples: Sequence[Example] = (), **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.examples = examples

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they were given."""
        return list(self.commands)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples below the commands."""
        write_examples(formatter, self.examples)


def write_examples(formatter: click.HelpFormatter, examples: Sequence[Example]) -> None:
    """Write examples, each command line above what it does."""
    if not examples:
        return
    formatter.write_paragraph()
    formatter.write_text("Examples:")
    for line, meaning in examples:
        formatter.write(f"  $ {line}\n")
        formatter.write(f"      {meaning}\n")


def command(
    name: str, *, examples: Sequence[Example] = (), reports: bool = False, **settings: Any
) -> Callable[[Callable[..., Any]], CarrelCommand]:
    """Make a command of a function, whose docstring is the help."""
    return click.command(name, cls=CarrelCommand, examples=examples, reports=reports, **settings)


def global_options(*, json: bool) -> list[click.Option]:
    """Return fresh global options; each writes into the call's Session and none reaches the command's function."""
    options = [
        click.Option(
            ["--library"],
            type=LibraryPlace(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="The library file, or a team library's address (or set CARREL_LIBRARY).",
            expose_value=False,
            callback=_set_library,
        ),
        click.Option(
            ["--no-color"],
            is_flag=True,
            help="Print without colour or bold (or set NO_COLOR).",
            expose_value=False,
            callback=_set_color,
        ),
    ]
    if json:
        options.insert(
            0,
            click.Option(
                ["--json"], is_flag=True, help="Print the result as JSON.", expose_value=False, callback=_set_json
            ),
        )
    return options


def _set_library(ctx: click.Context, _option: click.Parameter, value: Path | str | None) -> None:
    session = ctx.ensure_object(Session)
    if isinstance(value, str):
        session.team = value
    elif value is not None:
        session.library, session.team = value, ""


def _set_json(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Session).json = True


def _set_color(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    if value or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        ctx.color = False
