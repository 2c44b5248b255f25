"""`carrel` itself: finds the command, or takes what is no command for folders to open."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

import click

from app.cli.arguments import query_option
from app.cli.command import global_options, write_examples
from app.cli.commands import COMMANDS, MODULES, SECTIONS
from app.cli.session import Session
from engine.version import version

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

FOLDERS = "browse_folders"  # not in the table: it is what `carrel` and `carrel PATH...` do

EXAMPLES = (
    ("carrel ~/notes", "Watch a folder, index it, and open the browser."),
    ("carrel search how do I keep a starter alive", "Search without opening the browser."),
    ("carrel -q starter", "Open the browser on a query."),
    ("carrel status", "See what is indexed and whether it is up to date."),
)


class CarrelGroup(click.Group):
    """The commands of the table, each imported only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command, or None where there is none of that name."""
        if cmd_name not in COMMANDS and cmd_name != FOLDERS:
            return None
        module = MODULES.get(cmd_name, cmd_name)
        command: click.Command = importlib.import_module(f"app.cli.commands.{module}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` name; a command's name wins over a folder's."""
        first = args[0]
        if first in COMMANDS:
            return first, self.get_command(ctx, first), args[1:]
        if os.path.isdir(os.path.expanduser(first)):
            return FOLDERS, self.get_command(ctx, FOLDERS), args
        raise click.UsageError(_not_understood(first), ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by section, without importing any."""
        for section, commands in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl(list(commands.items()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples and where more help is."""
        write_examples(formatter, EXAMPLES)
        formatter.write_paragraph()
        formatter.write_text("`carrel COMMAND --help` explains a command, with examples.")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command's name, an option, or else a folder."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        named = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return named or [CompletionItem(incomplete, type="dir")]


def _not_understood(word: str) -> str:
    """Say what is wrong with a first word that is neither a command nor a folder, and what may be meant."""
    if os.path.exists(os.path.expanduser(word)):
        return f"{word} is a file; Carrel watches folders. `carrel open {word}` opens it in your editor."
    if os.sep in word:
        return f"There is no folder {word}."
    import difflib

    close = difflib.get_close_matches(word, COMMANDS, n=1)
    guess = f"Did you mean `carrel {close[0]}`?" if close else f"To search for it: `carrel search {word}`."
    return f"There is no command or folder named {word}. {guess}"


def _print_version(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    click.echo(f"carrel {version()}")
    ctx.exit()


@click.command(
    "carrel",
    cls=CarrelGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["--help", "-h"]},
    subcommand_metavar="[PATH... | COMMAND [ARGS]...]",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
@query_option
@click.pass_context
def root(ctx: click.Context, /) -> Any:
    """Search what you have written and saved, by meaning and by words, and see why each result stands where it does.

    Carrel watches folders and keeps one index of them on this machine; no file is changed, and nothing is sent
    anywhere but what you share (`carrel team`). Without a command it opens the browser; given folders, it adds them
    first.
    """
    if ctx.ensure_object(Session).query and ctx.invoked_subcommand not in (None, FOLDERS):
        raise click.UsageError("-q is for the browser alone.", ctx)
    if ctx.invoked_subcommand is None:
        folders = root.get_command(ctx, FOLDERS)
        assert folders is not None
        with folders.make_context(FOLDERS, [], parent=ctx) as inner:
            return folders.invoke(inner)
    return None


root.params.extend(global_options(json=True))
