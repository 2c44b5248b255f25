"""Tells the options of `carrel search` from the words of the query, where `-word` is a word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

HELP = "-h"


def options_first(arguments: Sequence[str], params: Iterable[click.Parameter]) -> list[str]:
    """Return the arguments with options in front, then `--`, then the query's words.

    A word with one dash in front is an exclusion. What begins with two dashes is an option, known or misspelt;
    after a bare `--` everything is a word.
    """
    valued = {name for param in params if isinstance(param, click.Option) and not param.is_flag for name in param.opts}
    if list(arguments[:1]) == [HELP]:
        return ["--help"]
    options: list[str] = []
    words: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            words.extend(rest)
        elif argument.startswith("--"):
            options.append(argument)
            if argument in valued:
                options.extend(value for value in [next(rest, None)] if value is not None)
        else:
            words.append(argument)
    return [*options, "--", *words]
