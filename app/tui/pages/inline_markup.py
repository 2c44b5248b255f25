"""Markdown within a line: emphasis, code, links. Light on purpose: what is not closed on its line is shown as it is.

A line is what `pages/units.py` cuts: of a paragraph that was folded for its length, the whole.

Every pattern ends at the next delimiter, so that no line, however hostile, takes more than linear time.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from app.tui.pages.painted_line import LineMaker
from app.tui.theme import GOOD, MEANING, QUIET

LINK = MEANING
CODE = GOOD
STRONG = "bold"
EMPHASIS = "italic"
STRUCK = "strike"
PICTURE = "▣"  # before the name of a picture
OUTWARD = "↗"  # behind a link's words: it leads out of the notes
INWARD = "→"  # it leads to a note
DEEPEST = 3  # emphasis within emphasis

_SPECIAL = re.compile(r"[\\`*_\[!<~]|https?://")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_TICKS = re.compile(r"`+")
_STRONG = re.compile(r"(\*\*|__)(?=\S)((?:(?!\1).)+)(?<=\S)\1", re.DOTALL)
_EMPHASIS = re.compile(r"(?:(?<!\w)_(?=[^\s_])([^_]+)(?<=\S)_(?!\w)|(?<!\w)\*(?=[^\s*])([^*]+)(?<=\S)\*)")
_STRUCK = re.compile(r"~~(?=\S)([^~]+)(?<=\S)~~")
_WIKI = re.compile(r"!?\[\[([^\[\]|\n]+)(?:\|([^\[\]\n]*))?\]\]")
LINK_SHAPE = re.compile(
    r"!?\[([^\[\]]*)\]\(\s{0,9}(<[^<>\n]*>|[^\s()]{0,2000}(?:\([^\s()]{0,2000}\)[^\s()]{0,2000})?)(?:\s{1,9}[\"'][^\"'\n]*[\"'])?\s{0,9}\)"
)
_PICTURE_NAME = re.compile(r"\.(?:png|jpe?g|gif|webp|bmp|svg)\s*$", re.IGNORECASE)
_IN_ANGLES = re.compile(r"<(https?://[^\s<>]+|mailto:[^\s<>]+)>")
_BARE = re.compile(r"https?://[^\s<>\"'`|\]]+")
_AFTER_BARE = ".,;:!?)*_"  # belongs to the sentence, not to the address


def inline(maker: LineMaker, start: int, end: int, depth: int = 0) -> None:
    """Show a part of the maker's line with its inline markup rendered."""
    text = maker.text
    while start < end:
        special = _SPECIAL.search(text, start, end)
        if special is None:
            break
        maker.keep(start, special.start())
        start = special.start()
        after = _ways(text[start])(maker, start, end, depth)
        if after is None:
            maker.keep(start, start + 1)
            after = start + 1
        start = after
    maker.keep(start, end)


_Way = Callable[[LineMaker, int, int, int], int | None]


def _ways(sign: str) -> _Way:
    """Return what a sign may begin."""
    return _WAYS.get(sign, _bare)


def _escaped(maker: LineMaker, start: int, end: int, depth: int) -> int | None:
    match = _ESCAPE.match(maker.text, start, end)
    if match is None:
        return None
    maker.put("", start, start + 1)
    maker.keep(start + 1, start + 2)
    return match.end()


def _code(maker: LineMaker, start: int, end: int, depth: int) -> int | None:
    match = _TICKS.match(maker.text, start, end)
    assert match is not None
    ticks = match[0]
    close = maker.text.find(ticks, match.end(), end)
    while close >= 0 and maker.text[close + len(ticks) : close + len(ticks) + 1] == "`":
        close = maker.text.find(ticks, _run_end(maker.text, close), end)
    if close < 0:
        maker.keep(start, match.end())
        return match.end()
    maker.put("", start, match.end())
    maker.keep(match.end(), close, CODE)
    maker.put("", close, close + len(ticks))
    return close + len(ticks)


def _run_end(text: str, at: int) -> int:
    match = _TICKS.match(text, at)
    return match.end() if match else at + 1


def _starred(maker: LineMaker, start: int, end: int, depth: int) -> int | None:
    """Strong, or emphasis."""
    if depth >= DEEPEST:
        return None
    if strong := _STRONG.match(maker.text, start, end):
        return _within(maker, strong, 2, STRONG, depth)
    if emphasis := _EMPHASIS.match(maker.text, start, end):
        return _within(maker, emphasis, 1 if emphasis[1] is not None else 2, EMPHASIS, depth)
    return None


def _struck(maker: LineMaker, start: int, end: int, depth: int) -> int | None:
    match = _STRUCK.match(maker.text, start, end) if depth < DEEPEST else None
    return _within(maker, match, 1, STRUCK, depth) if match else None


def _within(maker: LineMaker, match: re.Match[str], group: int, style: str, depth: int) -> int:
    """Show what stands between two delimiters, without them."""
    before = maker.length
    maker.put("", match.start(), match.start(group))
    inline(maker, match.start(group), match.end(group), depth + 1)
    maker.put("", match.end(group), match.end())
    maker.style(before, style)
    return match.end()


def _bracketed(maker: LineMaker, start: int, end: int, depth: int) -> int | None:
    """A wiki link, a link, or a picture, which is shown by its words."""
    if wiki := _WIKI.match(maker.text, start, end):
        group = 2 if wiki[2] else 1
        if wiki[0].startswith("!") and _PICTURE_NAME.search(wiki[1]):
            return _named_picture(maker, wiki, wiki[1].strip(), group)
        maker.link(start, wiki.end(), wiki[1].strip(), wiki=True)
        return _linked(maker, wiki, group, INWARD)
    if link := LINK_SHAPE.match(maker.text, start, end):
        target = link[2].strip("<>")
        if not target:
            return None
        if link[0].startswith("!"):
            return _named_picture(maker, link, target, 1 if link[1].strip() else 2)
        maker.link(start, link.end(), target)
        return _linked(maker, link, 1 if link[1].strip() else 2, OUTWARD if leads_out(target) else INWARD)
    return None


def _named_picture(maker: LineMaker, match: re.Match[str], target: str, group: int) -> int:
    """Show a picture by its name; where it stands alone in its line, its cells may stand below that."""
    maker.link(match.start(), match.end(), target, wiki=match.re is _WIKI, picture=True)
    return _linked(maker, match, group, "", f"{PICTURE} ")


def _linked(maker: LineMaker, match: re.Match[str], group: int, sign: str, lead: str = "") -> int:
    before = maker.length
    maker.put(lead, match.start(), match.start(group), QUIET)
    maker.keep(match.start(group), match.end(group))
    maker.style(before, LINK)
    maker.put(sign, match.end(group), match.end(), QUIET)
    return match.end()


def _in_angles(maker: LineMaker, start: int, end: int, depth: int) -> int | None:
    match = _IN_ANGLES.match(maker.text, start, end)
    if match is None:
        return None
    maker.link(start, match.end(), match[1])
    return _linked(maker, match, 1, OUTWARD)


def _bare(maker: LineMaker, start: int, end: int, depth: int) -> int | None:
    match = _BARE.match(maker.text, start, end)
    if match is None:
        return None
    address = match[0].rstrip(_AFTER_BARE)
    maker.link(start, start + len(address), address)
    maker.keep(start, start + len(address), LINK)
    return start + len(address)


def leads_out(target: str) -> bool:
    """Whether a target is an address rather than a path or a heading."""
    return "://" in target or target.startswith("mailto:")


_WAYS: dict[str, _Way] = {
    "\\": _escaped,
    "`": _code,
    "*": _starred,
    "_": _starred,
    "~": _struck,
    "[": _bracketed,
    "!": _bracketed,
    "<": _in_angles,
}
