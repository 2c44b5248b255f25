"""Front matter: the YAML or TOML between two rules at the head of a note, read as plain strings and lists of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_FRONT_MATTER = 64 * 1024  # code points; above it the rules part something else
MAX_NESTING = 2000  # collections that could lie in one another: the C parser recurses, and would end the process
MAX_VALUE = 2000  # code points kept of one value
_CLOSING = {
    "---": re.compile(r"^(?:---|\.\.\.)[ \t]*+$", re.MULTILINE),
    "+++": re.compile(r"^\+\+\+[ \t]*+$", re.MULTILINE),
}
_OPENING = re.compile(r"(---|\+\+\+)[ \t]*\n")
_FIELD = re.compile(r"^([A-Za-z_][\w .-]*):(?:[ \t]+(.*))?$", re.MULTILINE)
_TAG_KEYS = ("tags", "tag", "keywords")
_TITLE_KEYS = ("title",)


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What the head of a note says; `end` is where its closing rule ends, 0 where there is no front matter."""

    end: int = 0
    title: str = ""
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


def read_front_matter(text: str) -> FrontMatter:
    """Read the front matter of a note; text that only looks like some is left alone."""
    opening = _OPENING.match(text)
    if opening is None:
        return FrontMatter()
    closing = _CLOSING[opening[1]].search(text, opening.end(), MAX_FRONT_MATTER)
    if closing is None:
        return FrontMatter()
    inside = text[opening.end() : closing.start()]
    fields = _toml(inside) if opening[1] == "+++" else _yaml(inside)
    return FrontMatter() if fields is None else from_fields(fields, closing.end())


def from_fields(fields: Mapping[str, object], end: int = 0) -> FrontMatter:
    """Sort parsed fields into title, tags and metadata; nested values are left out."""
    lowered = {str(name).strip().lower(): value for name, value in fields.items()}
    title = next((words for key in _TITLE_KEYS if (words := _scalar(lowered.get(key)))), "")
    tags = tuple(dict.fromkeys(tag for key in _TAG_KEYS for tag in as_tags(lowered.get(key))))
    metadata = {}
    for name, value in lowered.items():
        words = ", ".join(filter(None, map(_scalar, value))) if isinstance(value, list) else _scalar(value)
        if words and name not in _TAG_KEYS + _TITLE_KEYS:
            metadata[name] = words[:MAX_VALUE]
    return FrontMatter(end, title, tags, metadata)


def as_tags(value: object) -> list[str]:
    """Read tags from a list, or from words parted by commas (or by spaces, where there is no comma)."""
    if isinstance(value, list):
        words = [_scalar(item) for item in value]
    else:
        written = _scalar(value)
        words = written.split(",") if "," in written else written.split()
    return [tag for word in words if (tag := word.strip().lstrip("#").strip("\"'"))]


def _scalar(value: object) -> str:
    if value is None or isinstance(value, (list, dict)):
        return ""
    return " ".join(str(value)[: 2 * MAX_VALUE].split())


def _yaml(inside: str) -> dict[str, object] | None:
    import yaml  # 15 ms, and many notes have no front matter

    if not inside.strip():
        return {}
    if sum(inside.count(mark) for mark in ("[", "{", "- ")) > MAX_NESTING:
        return _loose(inside)
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every scalar stays the string that was written
    try:
        value = yaml.load(inside, Loader=loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return _loose(inside)
    return value if isinstance(value, dict) else None


def _loose(inside: str) -> dict[str, object] | None:
    """Read `name: value` lines where the YAML is broken, as with an unquoted colon in a title."""
    found = {name: (value or "").strip().strip("\"'") for name, value in _FIELD.findall(inside)}
    written = [line for line in inside.split("\n") if line.strip() and line[0] not in " \t-#"]
    return dict(found) if found and 2 * len(found) >= len(written) else None


def _toml(inside: str) -> dict[str, object] | None:
    import tomllib

    try:
        return tomllib.loads(inside)
    except (ValueError, RecursionError):  # a number of too many digits is no TOMLDecodeError
        return None
