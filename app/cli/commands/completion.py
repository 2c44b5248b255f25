"""`carrel completion`: the script that lets a shell complete commands, options and folders."""

from __future__ import annotations

import click

from app.cli.command import command as carrel_command

SHELLS = ("bash", "zsh", "fish")


@carrel_command(
    "completion",
    examples=(
        ("carrel completion bash > ~/.local/share/bash-completion/completions/carrel", "For bash."),
        ("carrel completion zsh > ~/.zfunc/_carrel", "For zsh, with ~/.zfunc in fpath."),
        ("carrel completion fish > ~/.config/fish/completions/carrel.fish", "For fish."),
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the script that completes carrel's commands in a shell; put it where the shell looks for them."""
    from click.shell_completion import ShellComplete, get_completion_class

    from app.cli.entry import COMPLETION_VARIABLE, PROGRAM
    from app.cli.root import root

    kind = get_completion_class(shell)
    assert kind is not None
    # The base class's way: bash's own starts a bash to ask for its version, and prints when there is none.
    click.echo(ShellComplete.source(kind(root, {}, PROGRAM, COMPLETION_VARIABLE)))
