"""Commands whose arguments are the words of a query, in which `-word` leaves out and `--no-verify` is a word too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from app.cli.command import CarrelCommand

LIKE_AN_OPTION = 0.8  # least share of letters in common: --expalin is meant for --explain, --no-verify for nothing


class QueryCommand(CarrelCommand):
    """Takes `-word` among the query's words for an exclusion, not for an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Sort options from words before click reads them."""
        try:
            return super().parse_args(ctx, options_first(args, self.get_params(ctx)))
        except click.NoSuchOption as error:
            message = f"{error.format_message()} To search for it: {ctx.command_path} -- {error.option_name}"
            raise click.UsageError(message, ctx) from error


def options_first(arguments: Sequence[str], params: Iterable[click.Parameter]) -> list[str]:
    """Return the arguments with options in front, then `--`, then the query's words.

    A word with one dash in front is the query's, unless it is one of the options. What begins with two dashes is an
    option, known or misspelt; but one that is like none of ours, behind a word of the query, is the query's too: `git
    commit --no-verify`. After a bare `--` everything is a word.
    """
    params = list(params)
    names = [name for param in params if isinstance(param, click.Option) for name in param.opts]
    valued = {name for param in params if isinstance(param, click.Option) and not param.is_flag for name in param.opts}
    short = {name for name in names if not name.startswith("--")} - {"-h"}
    if list(arguments[:1]) == ["-h"]:
        return ["--help"]
    options: list[str] = []
    words: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            words.extend(rest)
        elif argument in short or (argument.startswith("--") and (not words or _like_one_of(argument, names))):
            options.append(argument)
            if argument in valued:
                options.extend(value for value in [next(rest, None)] if value is not None)
        else:
            words.append(argument)
    return [*options, "--", *words]


def _like_one_of(argument: str, names: Sequence[str]) -> bool:
    """Whether an argument is one of these options, or may be meant for one."""
    import difflib  # 4 ms

    name = argument.partition("=")[0]
    return name in (*names, "--help") or bool(difflib.get_close_matches(name, names, n=1, cutoff=LIKE_AN_OPTION))
