"""reStructuredText: the file's own text, with sections, field lists, literal blocks, directives and links found in it.

A section's depth is the order in which its adornment first appears, as docutils has it; PEP headers are understood.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable

from engine.records import Block, BlockKind, Document, Link
from engine.sources.readers.frontmatter import (
    ALIAS_KEYS,
    FrontMatter,
    aliases_of,
    as_tags,
    property_name,
    read_front_matter,
)
from engine.sources.readers.markdown import written_title
from engine.sources.readers.source_file import MAX_LABEL, MAX_LINKS, Source
from engine.sources.readers.text import LineScanner

MAX_VALUE = 2000  # code points kept of a field that runs over many lines
_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*[ \t]*$")
_FIELD = re.compile(r":(?!\s)([^:\n]++)(?<!\s):(?:[ \t]++(.*+))?$")
_HEADER = re.compile(r"(?<![A-Za-z-])([A-Z][A-Za-z-]*+):(?:[ \t]++(.*+))?$")
_DIRECTIVE = re.compile(r"\.\.[ \t]+([\w:+.-]+)::")
_EXPLICIT = re.compile(r"\.\.(?:[ \t]|$)|__[ \t]")
_ITEM = re.compile(r"(?:[-*+•]|(?:\d+|#|[a-zA-Z])[.)]|\((?:\d+|#|[a-zA-Z])\))[ \t]+\S")
_GRID = re.compile(r"\+(?:[-=]+\+)+[ \t]*$")
_SIMPLE = re.compile(r"=+(?:[ \t]+=+)+[ \t]*$")
_ROLE = re.compile(r":[\w:.+-]{1,80}+(?<=:)`([^`<]++)(?:<[^`>]*+>)?`|`([^`<]++)(?:<[^`>]*+>)?`_{0,2}|``(.+?)``")
_LINK = re.compile(r"(?<!:)`([^`<>]{1,500}?)<([^`<>]{1,2000})>`__?")
_DOC_ROLE = re.compile(r":(?:doc|ref|any|pep|rfc|term):`(?:([^`<>]{1,500}?)<([^`<>]{1,500})>|([^`<>]{1,500}))`")
_TARGET = re.compile(r"^[ \t]*\.\.[ \t]+_`?([^:`\n]+)`?:[ \t]+(\S+)[ \t]*$", re.MULTILINE)
_NAMED_APART = ("title", "tags")  # fields that are more than metadata
_CODE_DIRECTIVES = frozenset(
    ("code", "code-block", "sourcecode", "literalinclude", "parsed-literal", "doctest", "testcode", "math", "raw")
)
_EMPHASIS = re.compile(r"(\*{1,2})(?=\S)(.+?)(?<=\S)\1")


def read(source: Source) -> Document:
    """Read a reStructuredText file."""
    text = source.text()
    front = _front_matter(text)
    scanner = _Scanner(text, text.count("\n", 0, front.end) + 1 if front else 0)
    blocks = (*([Block("meta", 0, front.end)] if front else []), *scanner.run())
    fields = scanner.fields
    heading = written_title(blocks)
    title = front.title or _pep_title(fields) or heading or fields.get("title", "")
    tags = [*front.tags]
    tags += [tag for name in ("tags", "keywords") for tag in as_tags(fields.get(name))] + scanner.tags
    return source.document(
        "rst",
        text,
        blocks,
        title,
        tags=tags,
        links=_links(text, blocks),
        metadata=dict(front.metadata)
        | {
            property_name(name): value
            for name, value in fields.items()
            if value and name not in (*_NAMED_APART, *ALIAS_KEYS)
        }
        | aliases_of(fields),
    )


def _front_matter(text: str) -> FrontMatter:
    """Return what stands between rules at the head; a short title between two is a section, as docutils has it."""
    front = read_front_matter(text)
    lines = text[: front.end].split("\n")
    return FrontMatter() if len(lines) == 3 and len(lines[1].strip()) <= len(lines[0].strip()) + 2 else front


def _pep_title(fields: dict[str, str]) -> str:
    number, title = fields.get("pep", ""), fields.get("title", "")
    return f"PEP {number}: {_plain(title)}" if number and title else ""


def _links(text: str, blocks: Iterable[Block]) -> tuple[Link, ...]:
    links: list[Link] = []
    for block in blocks:
        if block.kind in ("code", "meta"):
            continue
        piece = text[block.start : block.end]
        links += [Link(match[2].strip(), " ".join(match[1].split())) for match in _LINK.finditer(piece)]
        links += [Link((m[2] or m[3]).strip(), " ".join((m[1] or m[3]).split())) for m in _DOC_ROLE.finditer(piece)]
        links += [Link(match[2], match[1].strip()) for match in _TARGET.finditer(piece)]
    return tuple(links[:MAX_LINKS])


def _plain(words: str) -> str:
    words = _ROLE.sub(lambda match: (match[1] or match[2] or match[3]).rstrip().lstrip("!~"), words[:MAX_LABEL].strip())
    return " ".join(_EMPHASIS.sub(r"\2", words).split())


class _Scanner(LineScanner):
    """Collects fields and tags beside the blocks; a section is as deep as its adornment came late."""

    def __init__(self, text: str, first: int) -> None:
        super().__init__(text)
        self.at = first
        self.fields: dict[str, str] = {}
        self.tags: list[str] = []
        self._styles: list[tuple[str, bool]] = []
        self._last_borders = [
            number
            for number, line in enumerate(self.texts)
            if line[:1] == "=" and _SIMPLE.match(line) and self.lines.is_blank(number + 1)
        ]

    def run(self) -> list[Block]:
        """Return the blocks; the headers of a PEP may come first."""
        while self.at < len(self.texts) and self.lines.is_blank(self.at):
            self.at += 1
        self._fields(_HEADER)
        return super().run()

    def _block(self, line: str) -> None:
        if self._section():
            return
        if line[0] in " \t":
            self._emit(self._indented_kind(), self._after_indented())
        elif _EXPLICIT.match(line):
            self._explicit(line)
        elif _GRID.match(line):
            self._emit("table", self._after_run())
        elif _SIMPLE.match(line):
            self._emit("table", self._after_simple_table())
        elif line.startswith(":") and _FIELD.match(line) and self._only_headings_so_far() and self._fields(_FIELD):
            return
        elif line.startswith(">>> "):
            self._emit("code", self._after_run())
        elif self._is_item(self.at):
            self._emit("list", self._after_list())
        else:
            self._emit("paragraph", self._after_run(_is_explicit))

    def _only_headings_so_far(self) -> bool:
        return len(self.blocks) <= 3 and all(block.kind in ("heading", "meta") for block in self.blocks)

    def _section(self) -> bool:
        """Take a section title with its adornment, if one begins here."""
        line, texts = self.texts[self.at], self.texts
        adorned = _ADORNMENT.match(line)
        if adorned and self.at + 2 < len(texts):
            under = texts[self.at + 2].rstrip()
            words = texts[self.at + 1].strip()
            if words and under == line.rstrip() and len(under) >= max(2, len(words) - 2):
                return self._heading(3, (adorned[1], True), words)
        if self.at + 1 < len(texts) and line[0] not in " \t" and not self.lines.is_blank(self.at + 1):
            under = texts[self.at + 1].rstrip()
            below = _ADORNMENT.match(under)
            long_enough = len(under) >= 4 or len(under) >= len(line.rstrip())
            shortest = 3 if under[:1] in (":", ".") else 2  # `::` and `..` are marks of their own
            if below and not adorned and len(under) >= shortest and long_enough:
                return self._heading(2, (below[1], False), line)
        if adorned and len(line.rstrip()) >= 4 and self.lines.is_blank(self.at + 1):
            self._emit("paragraph", self.at + 1)  # a transition
            return True
        return False

    def _heading(self, height: int, style: tuple[str, bool], words: str) -> bool:
        if style not in self._styles:
            self._styles.append(style)
        self._emit("heading", self.at + height, self._styles.index(style) + 1, _plain(words))
        return True

    def _fields(self, pattern: re.Pattern[str]) -> bool:
        """Take a run of fields, or of the headers of a PEP, into the metadata."""
        number, found, name = self.at, dict[str, str](), ""
        while number < len(self.texts) and not self.lines.is_blank(number):
            line = self.texts[number]
            match = pattern.match(line)
            if match:
                name = match[1].strip().lower()
                found[name] = (match[2] or "").strip()
            elif name and line[0] in " \t":
                found[name] = f"{found[name]} {line.strip()}".strip()[:MAX_VALUE]
            else:
                return False
            number += 1
        if not found or (pattern is _HEADER and len(found) < 2):
            return False
        self.fields.update(found)
        self._emit("meta", number)
        return True

    def _explicit(self, line: str) -> None:
        directive = _DIRECTIVE.match(line)
        after = self._after_indented()
        if directive and directive[1] == "tags":
            self.tags += as_tags(line[directive.end() :])
        name = directive[1].split(":")[-1] if directive else ""
        is_table = name in ("list-table", "csv-table", "table")
        self._emit("code" if name in _CODE_DIRECTIVES else "table" if is_table else "paragraph", after)

    def _after_indented(self) -> int:
        return self._after_all(lambda line: line[0] in " \t")

    def _indented_kind(self) -> BlockKind:
        before = self.blocks[-1] if self.blocks else None
        if before and before.kind in ("paragraph", "list", "quote"):
            return "code" if self.lines.text[before.start : before.end].endswith("::") else "quote"
        return "quote"

    def _after_simple_table(self) -> int:
        """Return the line after the border with a blank line below; a table that has none ends with its paragraph."""
        below = bisect_right(self._last_borders, self.at)
        return self._last_borders[below] + 1 if below < len(self._last_borders) else self._after_run()

    def _after_list(self) -> int:
        number = after = self.at + 1
        while number < len(self.texts):
            if not self.lines.is_blank(number):
                if self.texts[number][0] not in " \t" and not self._is_item(number):
                    break
                after = number + 1
            number += 1
        return after

    def _is_item(self, number: int) -> bool:
        """Whether a line is an item: its paragraph must not run on at the margin, as "A. Smith said" and a title do."""
        if not _ITEM.match(self.texts[number]):
            return False
        if self.lines.is_blank(number + 1):
            return True
        line = self.texts[number + 1]
        return line[0] in " \t" or _ITEM.match(line) is not None


def _is_explicit(line: str) -> bool:
    """Whether a line begins explicit markup (a directive, a target, a comment), which ends a paragraph."""
    return _EXPLICIT.match(line) is not None and not line.startswith("...")
