"""The person's settings as the browser holds them: read once, changed one at a time, told of where they are broken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.config import Config, change, changed, load
from engine.errors import ConfigError


class SettingsFile:
    """The settings file at `path`; without one the settings last as long as the browser."""

    def __init__(self, path: Path | None = None, config: Config | None = None) -> None:
        self.path = path
        self.trouble = ""  # why the file could not be used, for the person
        self.config = config or Config()
        if path is not None:
            try:
                self.config = load(path)
            except ConfigError as error:
                self.trouble = f"{error} Until then Carrel goes by its defaults."

    def change(self, changes: Mapping[str, Any]) -> Config:
        """Keep some settings beside what stands in the file by now, and return all. Raises ConfigError."""
        self.config = (
            changed(self.config, changes) if self.path is None else change(changes, self.path, known=self.config)
        )
        return self.config

    def still(self, name: str) -> bool:
        """Return whether a switch is on here and in the file: another terminal may have turned it off. In a thread.

        Where the file cannot be used now it counts as it was read.
        """
        if self.path is None or not getattr(self.config, name):
            return bool(getattr(self.config, name))
        try:
            return bool(getattr(load(self.path), name))
        except ConfigError:
            return True
