"""JSON, YAML and TOML: the file's own text, cut by its lines, with the keys that hold others as headings over them.

JSON written by programs is set out as its keys lie in one another, and strings are without escapes (`json_text`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.records import Block, Document
from engine.sources.readers.bookmarks import bookmarks
from engine.sources.readers.file_types import kind_of
from engine.sources.readers.json_text import LONG_LINE, readable, readable_strings
from engine.sources.readers.keep import keep_note
from engine.sources.readers.source_file import Source
from engine.sources.readers.text import Lines

DEEPEST_HEADING = 3  # keys further down stand in the text alone
_JSON_KEY = re.compile(r"(\s*)\"((?:[^\"\\\n]|\\.){1,200})\"\s*:(.*)$")
_YAML_KEY = re.compile(r"( *)([\"']?)([^\s\"'#&*!|>%@`\[{\-][^\"'\n:]{0,200})\2\s*:(\s.*|)$")
_YAML_VALUE_BELOW = re.compile(r"\s*(?:[&!][\w./:-]+\s*)?(?:#.*)?")
_YAML_BLOCK = re.compile(r"\s(?:[&!]\S+\s+)?[|>][+-]?\d?[+-]?\s*(?:#.*)?$")
_TOML_TABLE = re.compile(r"\s*+\[\[?\s*+([^\[\]\n]{1,200}+)\]?\]\s*+(?:#.*+)?$")


@dataclass(frozen=True, slots=True)
class _Key:
    """A key on a line of its own; `holds` is true where what it holds lies on the lines below."""

    line: int
    indent: int
    label: str
    holds: bool


_Heading = tuple[int, int, str]  # number of the line, level from 1, label


def read(source: Source) -> Document:
    """Read a file of keys and values; its title is its name, suffix included, for that is what people call it.

    What other programs export as JSON, notes and bookmarks, is read as what it is.
    """
    kind = kind_of(source.name) or "json"
    text = source.text()
    if kind == "json" and (exported := keep_note(source, text) or bookmarks(source, text)) is not None:
        return exported
    found = readable(text) if kind == "json" else readable_strings(text)
    lines = Lines(found.text)
    outside = ["" if number in found.inside else line for number, line in enumerate(lines.texts)]
    find = {"json": _json_headings, "yaml": _yaml_headings, "toml": _toml_headings}[kind]
    blocks = tuple(_blocks(lines, list(find(outside))))
    line_map = None if found.is_own else tuple(zip(lines.starts, found.lines, strict=False))
    return Document(found.text, source.display_name, False, kind, blocks, line_map=line_map)


def _json_headings(lines: list[str]) -> Iterator[_Heading]:
    if next((line for line in lines if line.strip()), "").lstrip().startswith("{"):
        yield from _nested(list(_json_keys(lines)), 1)


def _json_keys(lines: list[str]) -> Iterator[_Key]:
    for number, line in enumerate(lines):
        if key := _JSON_KEY.match(line[:LONG_LINE]):
            held = key[3].strip()
            yield _Key(number, len(key[1]), key[2], held in ("{", "["))
            if held == "[":
                yield _Key(number, len(key[1]) + 1, "", False)  # records, each with the same keys


def _yaml_headings(lines: list[str]) -> Iterator[_Heading]:
    keys = list(_yaml_keys(lines))
    if keys and not keys[0].indent:
        yield from _nested(keys, 1)


def _yaml_keys(lines: list[str]) -> Iterator[_Key]:
    text_above = -1  # indentation of the key whose value is a block of text, which has no keys
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip(" "))
        if not line.strip() or 0 <= text_above < indent:
            continue
        text_above = indent if _YAML_BLOCK.search(line[:LONG_LINE]) else -1
        if line[indent : indent + 1] == "-":
            yield _Key(number, indent + 1, "", False)  # records, each with the same keys
        elif key := _YAML_KEY.match(line[:LONG_LINE]):
            yield _Key(number, indent, key[3], _YAML_VALUE_BELOW.fullmatch(key[4]) is not None)


def _toml_headings(lines: list[str]) -> Iterator[_Heading]:
    for number, line in enumerate(lines):
        if line.lstrip().startswith("[") and (table := _TOML_TABLE.match(line[:LONG_LINE])):
            name = table[1].rstrip().replace('"', "")
            yield number, min(name.count(".") + 1, DEEPEST_HEADING), name


def _nested(keys: list[_Key], level: int) -> Iterator[_Heading]:
    """Give the keys that may stand as headings: a value that follows one would seem to lie below it, so none does."""
    own = [at for at, key in enumerate(keys) if key.indent == keys[0].indent]
    after_values = next((place for place in range(len(own), 0, -1) if not keys[own[place - 1]].holds), 0)
    for place in range(after_values, len(own)):
        key = keys[own[place]]
        yield key.line, level, " ".join(key.label.split())
        inner = keys[own[place] + 1 : own[place + 1] if place + 1 < len(own) else None]
        if inner and level < DEEPEST_HEADING and inner[0].indent > key.indent:
            yield from _nested(inner, level + 1)


def _blocks(lines: Lines, headings: list[_Heading]) -> Iterator[Block]:
    """Cut the text at its headings; what lies between them is read by its lines."""
    first = 0
    for number, level, label in [*headings, (len(lines), 0, "")]:
        while first < number and lines.is_blank(first):
            first += 1
        if first < number:
            yield Block("table", *lines.span(first, number))
        if level:
            yield Block("heading", *lines.span(number, number + 1), level, label)
        first = number + 1
