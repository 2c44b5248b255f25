"""`carrel init`: prints what binds the picker to a key of a shell, an editor, tmux or a file manager."""

from __future__ import annotations

import click

from app.cli.command import command as carrel_command
from app.cli.output import write_raw
from app.integrations import FILES, integration


@carrel_command(
    "init",
    examples=(
        ('eval "$(carrel init zsh)"', "In ~/.zshrc, and the same for bash: ctrl+alt+k picks into the command line."),
        ("carrel init fish | source", "In ~/.config/fish/config.fish."),
        ("carrel init vim > ~/.vim/plugin/carrel.vim", "`:Carrel` in vim, and `vim PATH:LINE`."),
        ("carrel init neovim > ~/.config/nvim/plugin/carrel.lua", "The same in neovim."),
        ("carrel init tmux >> ~/.tmux.conf", "prefix ctrl+k: a popup whose paths are pasted."),
    ),
)
@click.argument("program", type=click.Choice(list(FILES)))
def command(program: str) -> None:
    """Print what binds `carrel pick` to a key of a program; its first lines say where it goes and what can be set."""
    write_raw(integration(program))
