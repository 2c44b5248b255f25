"""What binds the picker to a key of shells, editors and other programs: files of their own languages, as they stand."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "zsh": "carrel.zsh",
    "bash": "carrel.bash",
    "fish": "carrel.fish",
    "vim": "carrel.vim",
    "neovim": "carrel.lua",
    "emacs": "carrel.el",
    "helix": "helix.toml",
    "tmux": "tmux.conf",
    "yazi": "yazi.toml",
}


def integration(program: str) -> str:
    """Return the text that binds the picker in a program; its first lines say where it belongs."""
    return (Path(__file__).parent / FILES[program]).read_text(encoding="utf-8")
