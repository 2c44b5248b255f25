"""The settings that a process goes by while its work goes on: the last that could be read, whatever the file says now.

A command that is asked for one thing refuses broken settings (`engine.config.load`). An indexer that runs for days goes
on as before, and tells of them.
"""

from __future__ import annotations

import threading
from pathlib import Path

from engine.config import Config, load
from engine.errors import ConfigError
from engine.paths import places

_lock = threading.Lock()
_last_good: dict[Path, Config] = {}  # by the settings file, for this process


def effective() -> Config:
    """Return the settings of the file, else the last ones of this process that could be used, else the defaults."""
    return _read()[0]


def fault() -> ConfigError | None:
    """Return what is wrong with the settings file now, None where it can be used."""
    return _read()[1]


def _read() -> tuple[Config, ConfigError | None]:
    path = places().settings
    try:
        config = load(path)
    except ConfigError as error:
        with _lock:
            return _last_good.get(path, Config()), error
    with _lock:
        _last_good[path] = config
    return config, None
