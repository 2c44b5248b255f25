"""JSON, and strings of YAML and TOML, as a person reads them: without escapes, data that is no text left out.

JSON that lies on few and long lines is set out, with values on lines of their own.

It is gone through sign by sign and never parsed, so that numbers stay as they are written, and a damaged or endless
file is read as far as it goes.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass

from engine.errors import SourceError
from engine.sources.encodings import storable
from engine.sources.readers.source_file import MAX_CHARACTERS

LONG_LINE = 2000  # code points: a line that no person wrote
MAX_NESTING = 200  # collections in one another that are set out
LONGEST_WORD = 500  # signs of base64 in a row: more are a picture or a key
MOSTLY = 0.1  # share of damage in what is bytes of UTF-8 otherwise
JSON_IN_JSON = 3  # times that a string may be JSON again
_STRING = r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"?'
_TOKEN = re.compile(rf"{_STRING}|[{{}}\[\],:]|\s++|[^\s{{}}\[\],:\"]++")
_WRITTEN = re.compile(f"(?P<string>{_STRING})")
_VALUE = re.compile(  # in YAML and TOML, where a quote may also stand in words that are quoted by nothing
    r'(?:^[ \t]*|[:=,\[{-][ \t]*)(?P<string>"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+")(?=[ \t]*(?:$|[,\]}#:=]))', re.MULTILINE
)
_BRACKET = re.compile(r"[\[{\]}]")
_ESCAPE = re.compile(r"""\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8})|(["'\\/bfnrt]))""")
_DATA = re.compile(rf"(data:[\w/+.;=-]{{0,200}},)?([A-Za-z0-9+/=_-]{{{LONGEST_WORD},}}+)")
_SIMPLE = {"b": " ", "f": " ", "n": "\n", "r": "\n", "t": "\t"}


@dataclass(frozen=True, slots=True)
class JsonText:
    """Readable text; for each of its lines the line of the file, from 1, and which lines begin inside a string."""

    text: str
    lines: list[int]
    inside: frozenset[int]
    is_own: bool  # its lines are those of the file


def readable_strings(text: str) -> JsonText:
    """Return YAML or TOML with its double-quoted strings as they are meant."""
    return _without_escapes(text, list(range(1, text.count("\n") + 2)), True, _VALUE)


def readable(text: str) -> JsonText:
    """Return JSON, or what is like it, as a person reads it. Raises SourceError where that would grow too long."""
    is_own = True
    text = _mended(text)
    lines = list(range(1, text.count("\n") + 2))
    if _is_set_in_one(text) and (laid_out := _set_out(text)) is not None:
        text, lines = laid_out
        is_own = False
    return _without_escapes(text, lines, is_own, _WRITTEN)


_HIGH = re.compile(r"(?<!\\)(?:\\u00[89a-fA-F][0-9a-fA-F])++|(?<!\\)\\u(?!00)[0-9a-fA-F]{4}")


def _mended(text: str) -> str:
    """Return JSON in which bytes of UTF-8 were written as if each were a character, as Facebook does, with the letters.

    Most that is no ASCII has to be such bytes: what only looks like them, as a capital before a blank may, stays.
    """
    if "\\u00" not in text:
        return text
    found = {written: _from_bytes(written) for written in {match[0] for match in _HIGH.finditer(text)}}
    sound = [written for written, letters in found.items() if letters]
    if not sound or len(found) - len(sound) > MOSTLY * len(sound):
        return text
    return _HIGH.sub(lambda match: found[match[0]] or match[0], text)


def _from_bytes(written: str) -> str:
    """Return the letters whose bytes are written as escapes one by one, "" where they are none."""
    try:
        return bytes(int(each, 16) for each in written.split("\\u")[1:]).decode()
    except ValueError:
        return ""


def _is_set_in_one(text: str) -> bool:
    """Whether the text is few and long lines, as programs write it."""
    return len(text) > LONG_LINE * (text.count("\n") + 1) // 2 and max(map(len, text.split("\n"))) > LONG_LINE


def _set_out(text: str) -> tuple[str, list[int]] | None:
    """Lay JSON out with a line for each value; None where it is none, or lies too deep."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    deepest = depth = 0
    for bracket in _BRACKET.findall(_WRITTEN.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    if deepest > MAX_NESTING:
        return None
    layout = _Layout()
    for token in _TOKEN.findall(text):
        layout.take(token)
    return layout.finish()


class _Layout:
    """Lays out the signs of JSON, each collection and each value on a line of its own, one blank deeper inside."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._lines = [1]
        self._line = 1
        self._depth = 0
        self._opened = False  # the last sign opened a collection, of which it is not known yet whether it is empty

    def take(self, token: str) -> None:
        """Add one sign, or the blanks between two."""
        if token.isspace():
            self._line += token.count("\n")
            return
        if token in ("}", "]"):
            self._depth = max(0, self._depth - 1)
            if not self._opened:
                self._end_line()
            self._opened = False
            self._pieces.append(token)
            return
        if self._opened:
            self._end_line()
        elif not self._depth and self._pieces and token in ("{", "["):
            self._end_line()  # the next record
        self._opened = token in ("{", "[")
        self._depth += self._opened
        self._pieces.append(": " if token == ":" else token)
        if token == ",":
            self._end_line()

    def _end_line(self) -> None:
        self._pieces.append("\n" + " " * self._depth)
        self._lines.append(self._line)

    def finish(self) -> tuple[str, list[int]]:
        """Return the text, and where each of its lines stood."""
        return "".join(self._pieces), self._lines


def _without_escapes(text: str, lines: list[int], is_own: bool, strings: re.Pattern[str]) -> JsonText:
    """Put what strings say in the place of how they are written; a line end in one begins a line of the same number."""
    pieces: list[str] = []
    numbers: list[int] = [lines[0]]
    inside: set[int] = set()
    at = length = place = 0
    for match in strings.finditer(text):
        written = match["string"]
        said = _said(written)
        if said is written:
            continue
        between = text[at : match.start("string")]
        for _ in range(between.count("\n")):
            place += 1
            numbers.append(lines[place])
        first = len(numbers)
        numbers += [lines[place]] * said.count("\n")
        inside.update(range(first, len(numbers)))
        pieces += (between, said)
        at = match.end("string")
        length += len(between) + len(said)
        if length > MAX_CHARACTERS:
            raise SourceError(f"too much text (over {MAX_CHARACTERS // 10**6} million characters)")
    pieces.append(text[at:])
    numbers += lines[place + 1 :]
    return JsonText(storable("".join(pieces)), numbers, frozenset(inside), is_own and not inside)


def _said(written: str, depth: int = 0) -> str:
    """Return a string, with its quotes, as it is meant; the very same where it is written so."""
    if "\\" not in written and len(written) < LONGEST_WORD:
        return written
    said = written
    if "\\" in written:
        said = _ESCAPE.sub(_unescaped, _joined_pairs(written))
        inner = said[1:-1].lstrip()[:1] in ("{", "[")
        if inner and "\\" in said and depth < JSON_IN_JSON:  # as some logs hold it
            said = '"' + _WRITTEN.sub(lambda match: _said(match[0], depth + 1), said[1:-1]) + '"'
    if len(said) >= LONGEST_WORD:
        said = _DATA.sub(lambda match: f"{match[1] or ''}… ({len(match[2]):,} signs of data)", said)
    return said.replace("\r\n", "\n").replace("\r", "\n")


_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")


def _joined_pairs(written: str) -> str:
    """Join the halves of characters that were written in two."""
    return _PAIR.sub(lambda match: str(json.loads(f'"{match[0]}"')), written) if "\\u" in written else written


def _unescaped(match: re.Match[str]) -> str:
    if match[4]:
        return _SIMPLE.get(match[4], match[4])
    number = int(match[1] or match[2] or match[3], 16)
    return storable(chr(number)) if number <= sys.maxunicode else "\ufffd"
