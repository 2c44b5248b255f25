"""Front matter: the YAML, TOML or JSON at the head of a note, read as plain strings and lists of them.

People write it by hand, so that what one line spoils costs that line only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

MAX_FRONT_MATTER = 64 * 1024  # code points; above it the rules part something else
MAX_NESTING = 2000  # collections that could lie in one another: the C parser recurses, and would end the process
MAX_VALUE = 2000  # code points kept of one value
_CLOSING = {
    "---": re.compile(r"^(?:---|\.\.\.)[ \t]*+$", re.MULTILINE),
    "+++": re.compile(r"^\+\+\+[ \t]*+$", re.MULTILINE),
    ";;;": re.compile(r"^;;;[ \t]*+$", re.MULTILINE),
}
_OPENING = re.compile(r"(---|\+\+\+|;;;)[ \t]*+(yaml|toml|json)?[ \t]*+\n")
_LANGUAGES = {"---": "yaml", "+++": "toml", ";;;": "json"}
_REST_OF_LINE = re.compile(r"[ \t]*+(?:\n|$)")
_FIELD = re.compile(r"([A-Za-z_][\w .-]*+):(?:[ \t]++(.*+))?$")
_PROPERTY = re.compile(r"(?:- |  )?([A-Za-z][\w/.-]*+)::(?:[ \t]++([^\n]*+)|[ \t]*+)(?:\n|$)")
_ITEM = re.compile(r"[ \t]*+-[ \t]++(.*+)$")
_TOML_FIELD = re.compile(r"([A-Za-z_][\w-]*+)[ \t]*+=[ \t]*+(.*+)$")
_GOES_ON = " \t-#]})"  # what begins a line that belongs to the key above it
_TAG_KEYS = ("tags", "tag", "keywords")
ALIAS_KEYS = ("aliases", "alias")
_TITLE_KEYS = ("title",)
_PROPERTY_NAMES = {"authors": "author", "creator": "author", "lang": "language", "roam_alias": "aliases"}
_BETWEEN_TAGS = re.compile(r"[,;，；、]")
_TAXONOMIES = "taxonomies"  # Zola's table of tags
_KeyMatch = Callable[[str], re.Match[str] | None]


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What the head of a note says; `end` is where its closing rule ends, 0 where there is no front matter."""

    end: int = 0
    title: str = ""
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return self.end > 0


def read_front_matter(text: str) -> FrontMatter:
    """Read the front matter of a note; text that only looks like some is left alone."""
    if text.startswith("{"):
        return _bare_json(text[:MAX_FRONT_MATTER])
    opening = _OPENING.match(text)
    if opening is None:
        return FrontMatter()
    closing = _CLOSING[opening[1]].search(text, opening.end(), MAX_FRONT_MATTER)
    if closing is None:
        return FrontMatter()
    inside = text[opening.end() : closing.start()]
    read = {"yaml": _yaml, "toml": _toml, "json": _json}[opening[2] or _LANGUAGES[opening[1]]]
    fields = read(inside)
    return FrontMatter() if fields is None else from_fields(fields, closing.end())


def read_properties(text: str) -> FrontMatter:
    """Read the properties that open a page of Logseq: lines of `name:: value`."""
    fields: dict[str, object] = {}
    at = 0
    while property_ := _PROPERTY.match(text, at):
        fields.setdefault(property_[1], property_[2].strip())
        at = property_.end()
    if not fields:
        return FrontMatter()
    parted = {name: str(value).split(",") for name, value in fields.items() if name.lower() in _TAG_KEYS}
    return from_fields({**fields, **parted}, at - (text[at - 1 : at] == "\n"))


def from_fields(fields: Mapping[str, object], end: int = 0) -> FrontMatter:
    """Sort parsed fields into title, tags and metadata; nested values are left out."""
    lowered = {str(name).strip().lower(): value for name, value in fields.items()}
    if isinstance(below := lowered.pop(_TAXONOMIES, None), dict):
        lowered = {**{str(name).lower(): value for name, value in below.items()}, **lowered}
    title = next((words for key in _TITLE_KEYS if (words := _scalar(lowered.get(key)))), "")
    tags = tuple(dict.fromkeys(tag for key in _TAG_KEYS for tag in as_tags(lowered.get(key))))
    metadata: dict[str, str] = {}
    aliases = aliases_of(lowered)
    for name, value in lowered.items():
        words = ", ".join(filter(None, map(_scalar, value))) if isinstance(value, list) else _scalar(value)
        if words and name not in ("tags", "tag", *_TITLE_KEYS, *ALIAS_KEYS):
            metadata.setdefault(property_name(name), words[:MAX_VALUE])
    metadata.update(aliases)
    return FrontMatter(end, title, tags, metadata)


def property_name(name: str) -> str:
    """Return the one name under which a property is kept, however a format or a person calls it."""
    return _PROPERTY_NAMES.get(name, name)


def as_tags(value: object) -> list[str]:
    """Read tags from a list, or from words parted by commas or semicolons, or by spaces where there are neither."""
    if not isinstance(value, list) and not _BETWEEN_TAGS.search(written := _scalar(value)):
        value = written.split()
    return as_keywords(value)


def as_keywords(value: object) -> list[str]:
    """Read tags from a list, or from words parted by commas or semicolons alone, so that one may hold spaces."""
    words = [_scalar(item) for item in value] if isinstance(value, list) else _BETWEEN_TAGS.split(_scalar(value))
    return [tag for word in words if (tag := _bare(word).lstrip("#"))]


def as_names(value: object) -> list[str]:
    """Read names from a list, or from words parted by commas; a name may hold spaces."""
    words = [_scalar(item) for item in value] if isinstance(value, list) else _scalar(value).split(",")
    return [name for word in words if (name := _bare(word))]


def aliases_of(fields: Mapping[str, object]) -> dict[str, str]:
    """Return the other names of a document among its fields, in small letters, as metadata; {} where it has none."""
    names = [alias for key in ALIAS_KEYS for alias in as_names(fields.get(key))]
    return {"aliases": joined_names(names)} if names else {}


def joined_names(names: Iterable[str]) -> str:
    """Return the other names of a document as its metadata keeps them: one a line, each once."""
    return "\n".join(dict.fromkeys(names))[:MAX_VALUE]


def _bare(word: str) -> str:
    """Return a tag or a name without what it is wrapped in: quotes, the brackets of a wiki link."""
    return word.strip().strip("\"'").removeprefix("[[").removesuffix("]]").strip()


def _scalar(value: object) -> str:
    if value is None or isinstance(value, (list, dict)):
        return ""
    return " ".join(str(value)[: 2 * MAX_VALUE].split())


def _yaml(inside: str) -> dict[str, object] | None:
    if not inside.strip():
        return {}
    try:
        value = _strict_yaml(inside)
    except ValueError:
        return _loose(inside)
    if not isinstance(value, dict):
        return None
    if any(key in value and not value[key] for key in _TAG_KEYS):  # `tags: #a #b` is a comment to YAML
        value = {**(_loose(inside) or {}), **{key: held for key, held in value.items() if held}}
    return value


def _strict_yaml(inside: str) -> object:
    """Return what a piece of YAML holds, every scalar as the string that was written. Raises ValueError."""
    import yaml  # 15 ms, and many notes have no front matter

    if sum(inside.count(mark) for mark in ("[", "{", "- ")) > MAX_NESTING:
        raise ValueError("nested too deep")
    try:
        return yaml.load(inside, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError("no YAML") from error


def _loose(inside: str) -> dict[str, object] | None:
    """Read broken YAML key by key, so that an unquoted colon in a title costs no tags."""
    return _by_key(inside, _FIELD.match, _strict_yaml)


def _by_key(inside: str, key: _KeyMatch, parse: Callable[[str], object]) -> dict[str, object] | None:
    """Parse each key with the lines below it alone; None where more lines belong to no key than there are keys."""
    chunks: list[list[str]] = []
    foreign = 0
    for line in inside.split("\n"):
        if key(line):
            chunks.append([line])
        elif line.strip() and line[0] not in _GOES_ON:
            foreign += 1
        elif chunks:
            chunks[-1].append(line)
    found: dict[str, object] = {}
    for chunk in chunks:
        found.update(_one_key(chunk, key, parse))
    return found if len(found) >= max(foreign, 1) else None


def _one_key(chunk: list[str], key: _KeyMatch, parse: Callable[[str], object]) -> dict[str, object]:
    try:
        value = parse("\n".join(chunk))
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and all(value.values()):
        return value
    match = key(chunk[0])
    assert match is not None
    written = (match[2] or "").strip()
    if written.startswith("["):
        return {match[1]: written.strip("[]").split(",")}
    return {match[1]: _bare(written) or [item[1] for line in chunk[1:] if (item := _ITEM.match(line))]}


def _toml(inside: str) -> dict[str, object] | None:
    import tomllib

    try:
        return tomllib.loads(inside)
    except (ValueError, RecursionError):  # a number of too many digits is no TOMLDecodeError
        return _by_key(inside.partition("\n[")[0], _TOML_FIELD.match, tomllib.loads)


def _json(inside: str) -> dict[str, object] | None:
    for written in (inside, f"{{{inside}}}"):  # Hexo leaves the braces out
        try:
            value = json.loads(written)
        except (ValueError, RecursionError):
            continue
        return value if isinstance(value, dict) else None
    return None


def _bare_json(head: str) -> FrontMatter:
    """Read JSON that opens a note without a rule around it, as Hugo has it."""
    try:
        value, end = json.JSONDecoder().raw_decode(head)
    except (ValueError, RecursionError):
        return FrontMatter()
    if not isinstance(value, dict) or not _REST_OF_LINE.match(head, end) or not head[end:].strip():
        return FrontMatter()
    return from_fields(value, end)
