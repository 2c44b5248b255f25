"""Finds the characters that carry no meaning of their own: link targets, markers of headings, lists and emphasis.

The patterns run in linear time on any text: every repetition is bounded or stops at a character it cannot contain.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from engine.records import Block

Spans = Sequence[tuple[int, int]]

_FENCE = r"^[ \t]*(?:`{3,}|~{3,})"
_RULE_LINE = r"^[ \t|:=+\-*_~#^\"'`.]{3,}$"  # thematic break, underline of a heading, delimiter row of a table
_LIST_MARK = r"^[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?"
_EMPHASIS = (
    r"(?<!\w)(?:[*_]{1,3}|~~)(?=\w)|(?<=\w)(?:\*{1,3}|_{1,3}|~~)(?!\w)|(?<=[^\w\s])\*{1,3}|\*{1,3}(?=[^\w\s])|`+"
)

_MARKDOWN = (
    _RULE_LINE,
    _FENCE,
    r"^[ \t]*>[> \t]*",
    r"^[ \t]{0,3}\#{1,6}[ \t]+",
    _LIST_MARK,
    r"\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*){0,3}(?:[ \t]+\"[^\"\n]{0,300}\")?\)",  # target of a link
    r"\]:[ \t]*<?https?://\S+",
    r"\]\[[^\[\]\n]{0,200}\]",
    r"\[\[[^\[\]|\n]{1,200}\|",  # page of a wiki link that has words of its own
    r"(?<!\w)!?\[+|\]+",
    _EMPHASIS,
)
_ORG = (
    _RULE_LINE,
    r"^\*+[ \t]+",
    _LIST_MARK,
    r"^[ \t]*\#\+\w+:?",
    r"\[\[[^\[\]\n]{1,500}\]\[",
    r"\[\[|\]\]",
    r"(?<![\w=~])[=~](?=\w)|(?<=\w)[=~](?![\w=~])",
)
_RST = (
    _RULE_LINE,
    _LIST_MARK,
    r"[ \t\n]<https?://[^<>\s]{1,500}>`_{1,2}",
    r"(?<=`)_{1,2}(?!\w)",
    _EMPHASIS,
)
_ASCIIDOC = (
    _RULE_LINE,
    r"^={1,6}[ \t]+",
    r"^[ \t]*(?:[*.]{1,6}|-|\d{1,3}\.)[ \t]+",
    r"^\|={3,}|^`{3}[\w-]*",
    r"(?:link:|xref:)[^\s\[\]<>]{1,500}\[|<<[^\s\[\]<>,]{1,500},|<<|>>|(?<=\S)\]",
    r"(?<=\w)\[(?=\w)",
    _EMPHASIS,
)
_LATEX = (r" \((?:https?|ftp|mailto):[^\s()]{1,2000}\)",)  # where a link leads, behind its words
_KEYED = (r"[{}\[\]\"]+", r",[ \t]*$", r"^[ \t]*- ", r"(?<=[\s:])'|'(?=[\s,]|$)")

_OF_KIND = {
    "markdown": _MARKDOWN,
    "notebook": _MARKDOWN,
    "org": _ORG,
    "rst": _RST,
    "asciidoc": _ASCIIDOC,
    "latex": _LATEX,
    **dict.fromkeys(("json", "yaml", "toml"), _KEYED),
}
_PROSE = {kind: re.compile("|".join(patterns), re.MULTILINE) for kind, patterns in _OF_KIND.items()}
_TABLE = {kind: re.compile("|".join((*patterns, r"\|")), re.MULTILINE) for kind, patterns in _OF_KIND.items()}
_CODE = re.compile(_FENCE, re.MULTILINE)
_JOINING = frozenset("*_~`")  # markers that may stand inside a word; anything else that is dropped parts two words


def markers(text: str, blocks: Iterable[Block], kind: str) -> list[tuple[int, int]]:
    """Give the spans of markup in a document's blocks, ascending and disjoint; kinds without markup have none."""
    return [span for block in blocks for span in _in_block(text, block, kind)] if kind in _OF_KIND else []


def without(text: str, start: int, end: int, dropped: Spans) -> str:
    """Give the words of a span with the dropped spans (ascending, disjoint) left out and white space collapsed."""
    parts: list[str] = []
    position = start
    parted = False
    for index in range(max(bisect_left(dropped, (start, start)) - 1, 0), len(dropped)):
        left, right = dropped[index]
        if left >= end:
            break
        if right <= position:
            continue
        if left > position:
            _append(parts, text[position:left], parted)
            parted = False
        parted = parted or not _JOINING.issuperset(text[left:right])
        position = min(right, end)
    _append(parts, text[position:end], parted)
    return " ".join("".join(parts).split())


def _append(parts: list[str], text: str, parted: bool) -> None:
    """Add kept text, with a space where what was dropped before it had parted two words."""
    if parted and parts and parts[-1][-1:].isalnum() and text[:1].isalnum():
        parts.append(" ")
    parts.append(text)


def _in_block(text: str, block: Block, kind: str) -> Iterator[tuple[int, int]]:
    if block.kind == "meta":
        return
    pattern = {"code": _CODE, "table": _TABLE[kind]}.get(block.kind, _PROSE[kind])
    for match in pattern.finditer(text, block.start, block.end):
        if match.end() > match.start():
            yield match.span()
