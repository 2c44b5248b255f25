"""The settings file as text: changed line by line, so that what a person wrote beside the settings stays.

Apart from engine.config because reading settings, which every command does, needs none of it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from engine.errors import ConfigError

_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?$")
_ENTRY = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)\s*=""")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def merged(text: str, settings: Mapping[str, Any], same: Callable[[Mapping[str, Any]], bool]) -> str:
    """Return `text` with exactly these settings in it, its comments kept where it is written one setting a line.

    `same` tells whether what a text is read as is what was meant; a text that cannot be changed so is written anew.
    """
    for candidate in (_edited(text, settings), _fresh(settings)):
        with suppress(tomllib.TOMLDecodeError, ConfigError):
            if same(tomllib.loads(candidate)):
                return candidate
    raise ConfigError("These settings cannot be written as a settings file.")


def _edited(text: str, settings: Mapping[str, Any]) -> str:
    """Change the lines of settings that changed, drop those that are gone, add those that are new."""
    before = tomllib.loads(text)
    top = {name: value for name, value in settings.items() if not isinstance(value, Mapping)}
    tables = {name: dict(value) for name, value in settings.items() if isinstance(value, Mapping)}
    sections = _sections(text)
    lines = _section_lines(sections.pop("", []), before, top)
    for name, (header, *body) in sections.items():
        table = tables.pop(name, {})
        lines += [header, *_section_lines(body, before.get(name, {}), table)]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *_section_lines([], {}, table)]
    return "\n".join(lines).strip("\n") + "\n"


def _sections(text: str) -> dict[str, list[str]]:
    """Return the lines of each table, its header first; those before any header under ""."""
    sections: dict[str, list[str]] = {"": []}
    name = ""
    for line in text.split("\n"):  # a line separator of Unicode may stand in a value
        header = _HEADER.match(line)
        if header:
            name = header[1].strip("\"'")
        sections.setdefault(name, []).append(line)
    return sections


def _section_lines(lines: list[str], before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the lines of one table with its settings as they are now."""
    kept, waiting = [], dict(now)
    for line in lines:
        entry = _ENTRY.match(line)
        name = next(iter(tomllib.loads(f"{entry[1]} = 0"))) if entry else None
        if name is None or name not in before:
            kept.append(line)
        elif name in waiting:
            value = waiting.pop(name)
            kept.append(line if before[name] == value else f"{_key(name)} = {_value(value)}{_comment(line)}")
    end = len(kept)
    while end and not kept[end - 1].strip():
        end -= 1
    return [*kept[:end], *(f"{_key(name)} = {_value(value)}" for name, value in waiting.items()), *kept[end:]]


def _comment(line: str) -> str:
    """Return the comment behind a setting, where no quote makes it doubtful what is one."""
    before, sign, comment = line.rpartition("#")
    return f"  # {comment.strip()}" if sign and not set(comment) & set("\"'") and before.count('"') % 2 == 0 else ""


def _fresh(settings: Mapping[str, Any]) -> str:
    top = {name: value for name, value in settings.items() if not isinstance(value, Mapping)}
    lines = _section_lines([], {}, top)
    for name, table in settings.items():
        if isinstance(table, Mapping):
            lines += ["", f"[{name}]", *_section_lines([], {}, table)]
    return "\n".join(lines).strip("\n") + "\n"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(_value(each) for each in value)}]"
    return _quoted(str(value))


def _quoted(text: str) -> str:
    """Return a TOML basic string; half surrogates, which no file can hold, become a question mark."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return '"' + "".join(_ESCAPES.get(sign) or _escaped(sign) for sign in text) + '"'


def _escaped(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) < 32 or ord(sign) == 127 else sign
