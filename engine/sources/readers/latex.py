"""LaTeX: the words and formulas as they would stand on paper, each on the line of the file where it is written.

Commands, comments and the preamble are left out, but no line end is, so that a line agrees with the editor's.
"""

from __future__ import annotations

import re

from engine.records import Block, BlockKind, Document, Link
from engine.sources.encodings import storable
from engine.sources.readers.latex_symbols import ACCENTS, FUNCTIONS, HEADINGS, SIGNS, SILENT, accented
from engine.sources.readers.source_file import MAX_LINKS, Source
from engine.sources.readers.text import paragraphs

MAX_ARGUMENT = 20_000  # code points searched for the end of an argument
MAX_ARGUMENTS = 5_000_000  # code points searched in all, so that nested braces do not take for ever: 1 s
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_TOKEN = re.compile(
    r"\\([a-zA-Z@]+)\*?|\\(.|\n|$)|(%[^\n]*)|([{}])|(\$\$?)|(~)|(---?|``|'')|([^\\%{}$~&\-`'\n]+|\n|[-`'])|(&)",
    re.DOTALL,
)
_VERBATIM = frozenset(("verbatim", "lstlisting", "minted", "Verbatim", "alltt", "comment"))
_ACCENTED = re.compile(r"[ \t]*+\{?\\?([a-zA-Zıȷ])\}?")
_ENVIRONMENT = re.compile(r"\s*\{([a-zA-Z]+)\*?\}")
_OPTIONS = re.compile(r"[ \t]*\[[^\[\]\n]{0,1000}\]")
_WIDE_ARRAYS = frozenset(("tabularx", "tabulary"))
_ARRAYS = frozenset(("tabular", "array", "longtable", *_WIDE_ARRAYS))
_JOINTS = {"---": "—", "--": "–", "``": "“", "''": "”"}
_BODY = re.compile(r"\\begin\s*\{document\}")
_FIELDS = re.compile(r"\\(title|author|date|keywords)\b")
_URL = frozenset(("url", "nolinkurl", "path"))


def read(source: Source) -> Document:
    """Read a LaTeX file, whole or a part of a larger text."""
    written = source.text()
    body = _BODY.search(written)
    start = body.end() if body else 0
    end = written.find("\\end{document}", start)
    fields = {match[1]: match.end() for match in _FIELDS.finditer(written, 0, end if end >= 0 else len(written))}
    reader = _Reader(written, start, end if body and end >= 0 else len(written))
    reader.run()
    text, blocks = reader.finish()
    said = {name: words for name, at in fields.items() if (words := _said(written, at))}
    title = said.pop("title", "")
    keywords = said.pop("keywords", "")
    return source.document(
        "latex",
        text,
        blocks,
        title,
        tags=filter(None, map(str.strip, keywords.split(","))),
        links=reader.links[:MAX_LINKS],
        metadata=said,
    )


def _said(written: str, at: int) -> str:
    """Return the words of the argument that begins at a place, on one line."""
    options = _OPTIONS.match(written, at)
    argument = argument_at(written, options.end() if options else at)
    if argument is None:
        return ""
    reader = _Reader(written, *argument)
    reader.run()
    return " ".join(reader.finish()[0].split())


def argument_at(text: str, at: int) -> tuple[int, int] | None:
    """Return the span inside the braces that follow a place, white space between; None where none do."""
    while at < len(text) and text[at] in " \t\n":
        at += 1
    if at >= len(text) or text[at] != "{":
        return None
    depth = 0
    for sign in _BRACE.finditer(text, at, at + MAX_ARGUMENT):
        depth += {"{": 1, "}": -1}.get(sign[0], 0)
        if not depth:
            return at + 1, sign.start()
    return None


class _Reader:
    """Reads one span of a file from left to right into `pieces`; `blocks` are what is no plain paragraph."""

    def __init__(self, written: str, start: int, end: int) -> None:
        self.links: list[Link] = []
        self._written = written
        self._at = start
        self._end = end
        self._pieces: list[str] = ["\n" * written.count("\n", 0, start)]
        self._length = len(self._pieces[0])
        self._blocks: list[Block] = []
        self._open: list[str] = []  # what each open brace writes when it is closed
        self._pending: list[tuple[str, str]] = []  # what the braces that come next write at both ends
        self._headings: list[tuple[int, int, int]] = []  # depth of braces, level, offset
        self._arrays = 0  # tables that are open
        self._searched = 0

    def run(self) -> None:
        """Read to the end of the span."""
        while self._at < self._end and (token := _TOKEN.match(self._written, self._at, self._end)):
            self._at = token.end()
            command, symbol, comment, brace, maths, blank, joint, plain, tab = token.groups()
            if command is not None:
                self._command(command)
            elif symbol is not None:
                self._symbol(symbol)
            elif brace is not None:
                self._brace(brace)
            elif joint is not None:
                self._write(_JOINTS[joint])
            elif blank is not None:
                self._write(" ")
            elif plain is not None:
                self._write(plain)
            elif tab is not None:
                self._write("|" if self._arrays else " ")
            elif maths is None and comment is None:
                self._at += 1

    def finish(self) -> tuple[str, tuple[Block, ...]]:
        """Return the text, and its blocks with the paragraphs between the others."""
        text = storable("".join(self._pieces))
        blocks: list[Block] = []
        position = 0
        for block in [*self._blocks, Block("meta", len(text), len(text))]:
            for start, end in paragraphs(text[position : block.start]):
                first = text[position + start : position + end].lstrip()[:2]
                kind: BlockKind = "list" if first == "- " else "paragraph"
                blocks.append(Block(kind, position + start, position + end))
            if text[block.start : block.end].strip():
                blocks.append(block)
            position = block.end
        return text, tuple(blocks)

    def _write(self, words: str) -> None:
        self._pieces.append(words)
        self._length += len(words)

    def _skip(self, end: int) -> None:
        """Go on behind a place, keeping only the line ends before it."""
        self._write("\n" * self._written.count("\n", self._at, end))
        self._at = end

    def _argument(self) -> tuple[int, int] | None:
        if self._searched > MAX_ARGUMENTS:
            return None
        found = argument_at(self._written, self._at)
        self._searched += found[1] - found[0] if found else MAX_ARGUMENT
        return found if found and found[1] < self._end else None

    def _command(self, name: str) -> None:
        if name == "begin":
            self._environment()
        elif name == "end":
            self._end_environment()
        elif name in HEADINGS:
            self._options()
            if self._argument() is not None:
                self._pending = [("", "")]
                self._headings.append((len(self._open), HEADINGS[name], -1))
        elif name in SILENT:
            self._silent(name)
        elif name in ("frac", "tfrac", "dfrac"):
            above = self._argument()
            self._pending = [("(", ")/") if above and above[1] - above[0] > 1 else ("", "/"), ("", "")]
        elif name == "verb":
            self._verb()
        elif name in _URL:
            self._address()
        elif name in FUNCTIONS:
            self._write(f"{name} ")
        elif name in ACCENTS and len(name) == 1:
            self._accent(name)
        elif name in SIGNS:
            self._write(SIGNS[name])
            if name == "item":
                self._write(" ")
        elif name in ("par", "newline", "linebreak"):
            self._write(" ")
        elif self._written[self._at : self._at + 1] == "[":
            self._options()

    def _symbol(self, symbol: str) -> None:
        if symbol in ACCENTS:
            self._accent(symbol)
        elif symbol in "%&#_${}":
            self._write(symbol)
        elif symbol == "\n" or not symbol:
            self._write("\n" if symbol else "")
        elif symbol == "\\":
            self._options()
            self._write(" ")
        elif symbol in ",;: /":
            self._write(" ")

    def _brace(self, brace: str) -> None:
        if brace == "{":
            before, after = self._pending.pop(0) if self._pending else ("", "")
            self._write(before)
            self._open.append(after)
            if self._headings and self._headings[-1][2] < 0:
                depth, level, _ = self._headings[-1]
                self._headings[-1] = (depth, level, self._length)
        elif self._open:
            self._write(self._open.pop())
            if self._headings and self._headings[-1][0] == len(self._open) and self._headings[-1][2] >= 0:
                self._end_heading()

    def _end_heading(self) -> None:
        _, level, start = self._headings.pop()
        label = self._tail(start)
        if label and (not self._blocks or self._blocks[-1].end <= start):
            self._blocks.append(Block("heading", start, self._length, level, label))

    def _tail(self, start: int) -> str:
        """Return what was written since an offset, on one line."""
        tail: list[str] = []
        left = self._length - start
        for piece in reversed(self._pieces):
            if left <= 0:
                break
            tail.append(piece)
            left -= len(piece)
        return " ".join("".join(reversed(tail)).split())

    def _options(self) -> None:
        if options := _OPTIONS.match(self._written, self._at, self._end):
            self._at = options.end()

    def _silent(self, name: str) -> None:
        address = None
        for number in range(SILENT[name]):
            self._options()
            argument = self._argument()
            if argument is None:
                return
            address = self._written[slice(*argument)] if name == "href" and not number else None
            self._skip(argument[1] + 1)
        if name in ("newcommand", "renewcommand", "providecommand"):
            self._options()
        if name == "href" and address and (words := self._argument()) is not None:
            self.links.append(Link(storable(address), " ".join(self._written[slice(*words)].split())))

    def _address(self) -> None:
        argument = self._argument()
        if argument is not None:
            address = storable(self._written[slice(*argument)])
            self.links.append(Link(address, address))
            self._skip(argument[0])
            self._write(address)
            self._at = argument[1] + 1

    def _verb(self) -> None:
        sign = self._written[self._at : self._at + 1]
        end = self._written.find(sign, self._at + 1, self._at + 1000) if sign and not sign.isspace() else -1
        if 0 <= end < self._end:
            self._write(self._written[self._at + 1 : end])
            self._at = end + 1

    def _accent(self, accent: str) -> None:
        letter = _ACCENTED.match(self._written, self._at, self._end)
        if letter is not None:
            self._write(accented(letter[1], accent))
            self._at = letter.end()

    def _environment(self) -> None:
        named = _ENVIRONMENT.match(self._written, self._at, self._end)
        if named is None:
            return
        self._skip(named.end())
        name = named[1]
        self._options()
        if name in _VERBATIM:
            self._verbatim(name)
        elif name in _ARRAYS:
            self._arrays += 1
            for _ in range(2 if name in _WIDE_ARRAYS else 1):
                if (argument := self._argument()) is not None:
                    self._skip(argument[1] + 1)  # how its columns are set

    def _end_environment(self) -> None:
        if named := _ENVIRONMENT.match(self._written, self._at, self._end):
            self._skip(named.end())
            self._arrays -= self._arrays > 0 and named[1] in _ARRAYS

    def _verbatim(self, name: str) -> None:
        close = self._written.find(f"\\end{{{name}}}", self._at, self._end)
        close = close if close >= 0 else self._end
        if name == "minted" and (language := self._argument()) is not None:
            self._skip(language[1] + 1)
        if name == "comment":
            self._skip(close)
            return
        start = self._length
        self._write(self._written[self._at : close])
        self._at = close
        if not self._blocks or self._blocks[-1].end <= start:
            self._blocks.append(Block("code", start, self._length))
