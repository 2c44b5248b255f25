"""Org: the file's own text, with headings, keywords, drawers, blocks, lists, tables, links and tags found in it."""

from __future__ import annotations

import re
from bisect import bisect_right

from engine.records import Block, BlockKind, Document, Link
from engine.sources.readers.frontmatter import as_names, as_tags, joined_names, property_name
from engine.sources.readers.source_file import MAX_LABEL, MAX_LINKS, Source
from engine.sources.readers.text import LineScanner

MAX_VALUE = 2000  # code points kept of a keyword that is written on many lines
_HEADING = re.compile(r"(\*++)[ \t]++(.*+)$")
_TODO = re.compile(
    r"(?:TODO|DONE|NEXT|WAITING|WAIT|HOLD|STARTED|STRT|CANCELLED|CANCELED|SOMEDAY|PROJ|KILL|IDEA)(?:[ \t]+|$)"
)
_PRIORITY = re.compile(r"\[#[A-Z0-9]\][ \t]*")
_HEADING_TAGS = re.compile(r"(?<![ \t])[ \t]++:([\w@#%:]+):[ \t]*+$")
_KEYWORD = re.compile(r"#\+([A-Za-z_-]++):[ \t]*+(.*+)$")
_BEGIN = re.compile(r"[ \t]*#\+BEGIN_(\w+)", re.IGNORECASE)
_END = re.compile(r"[ \t]*#\+END_(\w+)", re.IGNORECASE)
_DRAWER_END = re.compile(r"[ \t]*:END:[ \t]*$", re.IGNORECASE)
_DRAWER = re.compile(r"[ \t]*:([\w-]+):[ \t]*$")
_DRAWER_LINE = re.compile(r"[ \t]*+:([\w-]++):[ \t]++(.*+)$")
_ROAM_NAME = re.compile(r'"([^"\n]+)"|(\S+)')  # org-roam quotes a name that holds blanks
_ITEM = re.compile(r"[ \t]*(?:[-+]|\d+[.)])(?:[ \t]|$)|[ \t]+\*[ \t]")
_LINK = re.compile(r"\[\[([^\]\[\n]+)\](?:\[([^\]\[\n]+)\])?\]")
_SCHEME = re.compile(r"[a-z][a-z+.-]*:", re.IGNORECASE)
_MARKUP = re.compile(r"(?<!\w)([*/_=~+])(?=\S)(.+?)(?<=\S)\1(?!\w)")
_STAMP = re.compile(r"[<\[]\d{4}-\d\d-\d\d[^<>\[\]]*+[>\]]")
_CODE_BLOCKS = frozenset(("src", "example", "export"))
_QUOTES = frozenset(("quote", "verse"))


def read(source: Source) -> Document:
    """Read an Org file. Without `#+TITLE`, a lone top heading at the head of the file is its title."""
    text = source.text()
    scanner = _Scanner(text)
    blocks = tuple(scanner.run())
    title = scanner.fields.pop("title", "") or scanner.properties.get("title", "") or _lone_heading(blocks)
    tags = dict.fromkeys(tag for tag in scanner.fields.pop("filetags", "").replace(":", " ").split())
    tags |= dict.fromkeys(as_tags(scanner.properties.get("tags")))
    if scanner.aliases:
        scanner.fields["aliases"] = joined_names(scanner.aliases)
    return source.document(
        "org",
        text,
        blocks,
        title,
        tags=(*tags, *scanner.tags),
        links=_links(text, blocks),
        metadata={property_name(name): value for name, value in scanner.fields.items() if value},
    )


def _lone_heading(blocks: tuple[Block, ...]) -> str:
    body = [block for block in blocks if block.kind != "meta"]
    tops = [block for block in body if block.kind == "heading" and block.level == 1]
    return tops[0].label if len(tops) == 1 and body[0] is tops[0] else ""


def _links(text: str, blocks: tuple[Block, ...]) -> tuple[Link, ...]:
    links: list[Link] = []
    for block in blocks:
        if block.kind not in ("code", "meta"):
            for match in _LINK.finditer(text, block.start, block.end):
                target = match[1].strip()
                links.append(Link(target, (match[2] or target).strip(), wiki=not _SCHEME.match(target)))
    return tuple(links[:MAX_LINKS])


def _plain(words: str) -> str:
    words = _LINK.sub(lambda match: match[2] or match[1], words[:MAX_LABEL])
    words = _STAMP.sub(" ", words)
    return " ".join(_MARKUP.sub(r"\2", words).split())


def _next(numbers: list[int], at: int) -> int | None:
    """Return the first of some sorted line numbers behind `at`."""
    place = bisect_right(numbers, at)
    return numbers[place] if place < len(numbers) else None


class _Scanner(LineScanner):
    """Collects keywords and tags beside the blocks."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.fields: dict[str, str] = {}
        self.tags: dict[str, None] = {}
        self.properties: dict[str, str] = {}  # of the page, as Logseq writes them above all else
        self.aliases: list[str] = []
        self._block_ends: dict[str, list[int]] = {}  # lines, by the name of the block that they close
        self._drawer_bounds: list[int] = []  # lines that close a drawer, and headings, over which none reaches
        for number, line in enumerate(self.texts):
            if end := _END.match(line):
                self._block_ends.setdefault(end[1].lower(), []).append(number)
            elif _DRAWER_END.match(line) or _HEADING.match(line):
                self._drawer_bounds.append(number)

    def _block(self, line: str) -> None:
        if line[0] == "*" and (heading := _HEADING.match(line)):
            self._emit("heading", self.at + 1, len(heading[1]), self._label(heading[2]))
        elif begin := _BEGIN.match(line):
            name = begin[1].lower()
            kind: BlockKind = "code" if name in _CODE_BLOCKS else "quote" if name in _QUOTES else "paragraph"
            end = _next(self._block_ends.get(name, []), self.at)
            self._emit(kind, self._after_paragraph() if end is None else end + 1)
        elif line.startswith("#+") and _KEYWORD.match(line):
            self._keywords()
        elif _DRAWER.match(line) and (end := self._drawer_end()):
            self._properties(end)
            self._emit("meta", end + 1)
        elif line.lstrip().startswith("|"):
            self._emit("table", self._after_while("|"))
        elif line.lstrip().startswith(": "):
            self._emit("code", self._after_while(":"))
        elif _ITEM.match(line):
            self._emit("list", self._after_list())
        else:
            self._emit("paragraph", self._after_paragraph())

    def _label(self, words: str) -> str:
        tags = _HEADING_TAGS.search(" " + words)
        if tags:
            self.tags.update(dict.fromkeys(filter(None, tags[1].split(":"))))
            words = words[: tags.start()] if tags.start() else ""
        words = _PRIORITY.sub("", _TODO.sub("", words, count=1), count=1)
        return _plain(words) or " ".join(words.split())

    def _keywords(self) -> None:
        number = self.at
        while number < len(self.texts) and (keyword := _KEYWORD.match(self.texts[number])):
            name, value = keyword[1].lower(), keyword[2].strip()
            if name in ("roam_alias", "alias", "aliases"):
                self.aliases += as_names(value)
            elif value and len(self.blocks) < 50:  # further down they belong to a table or a figure
                self.fields[name] = f"{self.fields.get(name, '')} {value}".strip()[:MAX_VALUE]
            number += 1
        self._emit("meta", number)

    def _properties(self, end: int) -> None:
        """Take the names that a drawer gives to its node, and the properties of the page where it opens the file."""
        opens = not self.blocks
        for line in self.texts[self.at + 1 : end]:
            if not (written := _DRAWER_LINE.match(line)):
                continue
            name, value = written[1].lower(), written[2].strip()[:MAX_VALUE]
            if name == "roam_aliases":
                self.aliases += [quoted or bare for quoted, bare in _ROAM_NAME.findall(value)]
            elif opens and name in ("alias", "aliases"):
                self.aliases += as_names(value)
            elif opens:
                self.properties[name] = value

    def _drawer_end(self) -> int | None:
        bound = _next(self._drawer_bounds, self.at)
        return None if bound is None or _HEADING.match(self.texts[bound]) else bound

    def _after_while(self, mark: str) -> int:
        number = self.at + 1
        while number < len(self.texts) and self.texts[number].lstrip().startswith(mark):
            number += 1
        return number

    def _starts_block(self, line: str) -> bool:
        return (line[0] == "*" and _HEADING.match(line) is not None) or line.lstrip().startswith(("#+", "|"))

    def _after_list(self) -> int:
        number, after, blanks = self.at + 1, self.at + 1, 0
        while number < len(self.texts) and blanks < 2:  # two blank lines end a list
            line = self.texts[number]
            if not line or line.isspace():
                blanks += 1
            elif line[0] == "*" and _HEADING.match(line):
                break
            elif _ITEM.match(line) or line[0] in " \t" or not (blanks or self._starts_block(line)):
                after, blanks = number + 1, 0
            else:
                break
            number += 1
        return after

    def _after_paragraph(self) -> int:
        return self._after_run(lambda line: bool(self._starts_block(line) or _ITEM.match(line) or _DRAWER.match(line)))
