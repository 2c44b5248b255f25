"""LaTeX: the words and formulas as they would stand on paper, each on the line of the file where it is written.

Where a link leads stands behind its words. Commands, comments and settings are left out, but no line end is, so that a
line agrees with the editor's.
"""

from __future__ import annotations

import re

from engine.records import Block, Document, Link
from engine.sources.encodings import storable
from engine.sources.readers import latex_symbols as symbols
from engine.sources.readers.latex_declarations import (
    DEFINING,
    MAX_ARGUMENT,
    MAX_MEANING,
    VERBATIM,
    Declarations,
    argument_at,
    declarations,
    definition_end,
    options_at,
)
from engine.sources.readers.latex_links import FoundLinks, arguments_at, filled, meant, without_addresses
from engine.sources.readers.latex_paper import PaperText
from engine.sources.readers.source_file import MAX_LABEL, MAX_LINKS, Source

MAX_ARGUMENTS = 5_000_000  # code points searched in all, so that nested braces do not take for ever: 1 s
MAX_FILLED = 2000  # the same of a link with what was given to its command
MAX_EXPANDED = 1_000_000  # code points written out in all
_TOKEN = re.compile(
    r"\\([a-zA-Z@]+)\*?|\\(.|\n|$)|(%[^\n]*)|([{}])|(\$\$?)|(~)|(---?|``|'')|([^\\%{}$~&\-`'\n]+|\n|[-`'])|(&)",
    re.DOTALL,
)
_ACCENTED = re.compile(r"[ \t]*+\{?\\?([a-zA-Zıȷ])(?:(?<=\\[ij])[ \t]*+)?\}?")  # a command ends with its blanks
_ENVIRONMENT = re.compile(r"\s*\{([a-zA-Z]+)(\*?)\}")
_LINE_END = re.compile(r"\n[ \t]*+(?=\w)")
_BLANKS = re.compile(r"[ \t]*+")
_FRACTIONS = frozenset(("frac", "tfrac", "dfrac"))
_APART = "\0"  # at the end of an argument: a blank where another follows
_EDGES = frozenset(("begin", "end"))
_URL = frozenset(("url", "nolinkurl", "path"))


def read(source: Source) -> Document:
    """Read a LaTeX file, whole or a part of a larger text. Who wrote it, and when, is kept as front matter."""
    written = source.text()
    declared = declarations(written)
    reader = _Reader(written, declared)
    for name, start, end in declared.said:
        if end < declared.start and (name != "title" or "\\href" in written[start:end]):
            reader.run(start, end, said=True)
    reader.run(declared.start, declared.end)
    text, blocks = reader.paper.finish()
    said: dict[str, str] = {}
    for name, start, end in declared.said:
        if words := _words(written, start, end):
            said[name] = f"{said[name]}, {words}" if name in said and name == "author" else words
    title = said.pop("title", "")
    return source.document(
        "latex",
        text,
        blocks,
        title,
        tags=filter(None, map(str.strip, said.get("keywords", "").split(","))),
        links=reader.found.links[:MAX_LINKS],
        metadata={name: words[:MAX_LABEL] for name, words in said.items()},
    )


def _words(written: str, start: int, end: int) -> str:
    """Return the words of a span as they stand on paper, on one line, without where links lead."""
    words, _ = _on_paper(written, start, end)
    return " ".join(without_addresses(words).split()).replace(" ,", ",")


def _on_paper(written: str, start: int, end: int) -> tuple[str, list[Link]]:
    """Return the words of a span on one line, where links lead behind theirs, and the links."""
    reader = _Reader(written[start:end], Declarations(0, end - start))
    reader.run(0, end - start)
    return " ".join(reader.paper.finish()[0].split()), reader.found.links


class _Reader:
    """Reads spans of a file from left to right: the words go to `paper`."""

    def __init__(self, written: str, declared: Declarations) -> None:
        self.paper = PaperText()
        self.found = FoundLinks()
        self._written = written
        self._declared = declared
        self._meanings: dict[str, str] = {}  # of the file's own commands, as far as they were used
        self._at = 0
        self._end = len(written)
        self._expanded = 0
        self._open: list[str] = []  # what each open brace writes when it is closed
        self._pending: list[tuple[str, str]] = []  # what the braces that come next write at both ends
        self._headings: list[tuple[int, int, int]] = []  # depth of braces, level, offset
        self._arrays = 0  # tables that are open
        self._searched = 0

    def run(self, start: int, end: int, said: bool = False) -> None:
        """Read a span; what the preamble `said` is front matter."""
        self._end = len(self._written)
        self._skip(start)
        self._end = end
        if said and self.paper.ends_in_word:
            self.paper.write(" ")
        begun = self.paper.length
        self._tokens()
        if said and self.paper.length > begun:
            self.paper.blocks.append(Block("meta", begun, self.paper.length))

    def _tokens(self) -> None:
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
                self.paper.write(symbols.JOINTS[joint])
            elif blank is not None:
                self.paper.write(" ")
            elif plain is not None:
                self.paper.write(plain)
            elif tab is not None:
                self.paper.write("|" if self._arrays else " ")
            elif comment is not None:
                self._join(token.start())
            elif maths is None:
                self._at += 1

    def _join(self, comment: int) -> None:
        """Go on behind a comment: one that ends a line inside a word takes the line end away."""
        below = _LINE_END.match(self._written, self._at, self._end)
        if below and comment and self._written[comment - 1].isalnum():
            self._at = below.end()
            self.paper.owe_line_end()

    def _skip(self, end: int) -> None:
        """Go on behind a place, keeping only the line ends before it."""
        self.paper.write("\n" * self._written.count("\n", self._at, end))
        self._at = end

    def _argument(self) -> tuple[int, int] | None:
        if self._searched > MAX_ARGUMENTS:
            return None
        found = argument_at(self._written, self._at)
        self._searched += found[1] - found[0] if found else MAX_ARGUMENT
        return found if found and found[1] < self._end else None

    def _command(self, name: str) -> None:
        if name in _EDGES:
            self._environment() if name == "begin" else self._end_environment()
        elif name in symbols.HEADINGS:
            self._options()
            self._heading(symbols.HEADINGS[name])
        elif name in DEFINING:
            self._skip(min(definition_end(self._written, self._at, DEFINING[name]), self._end))
        elif name in symbols.SILENT:
            self._silent(name)
        elif name in _FRACTIONS:
            above = self._argument()
            self._pending = [("(", ")/") if above and above[1] - above[0] > 1 else ("", "/"), ("", "")]
        elif name in symbols.APART:
            self._options()
            self._pending = [symbols.APART[name]]
        elif name == "verb":
            self._verb()
        elif name in _URL:
            self._address()
        elif name in symbols.ACCENTS and len(name) == 1:
            self._accent(name)
        elif name in symbols.LETTERS:
            self.paper.write(symbols.LETTERS[name])
            self._blanks()
        elif name in self._declared.macros:
            self.paper.write(self._meaning(name))
        elif name in self._declared.linking:
            self._own_link(name)
        elif name in symbols.SIGNS or name in symbols.FUNCTIONS or name in symbols.SPACES:
            self.paper.write(symbols.SPACES.get(name) or symbols.SIGNS.get(name) or f"{name} ")
        else:
            if self._written[self._at : self._at + 1] == "[":
                self._options()
            self._expect_argument()

    def _expect_argument(self) -> bool:
        """Where an argument of a command that is not known comes next, keep it apart from one behind it."""
        if comes := self._written.startswith("{", self._at, self._end):
            self._pending.insert(0, ("", _APART))
        return comes

    def _meaning(self, name: str) -> str:
        """Return what one of the file's own commands puts on paper, where that is short."""
        words = self._meanings.get(name)
        if words is None:  # where its links lead is written once
            span = argument_at(self._written, self._declared.macros[name])
            is_short = span is not None and span[1] - span[0] <= MAX_MEANING
            words, links = _on_paper(self._written, *span) if span and is_short else ("", [])
            self.found.links += links
            self._meanings[name] = without_addresses(words)
        self._expanded += len(words)
        return words if self._expanded <= MAX_EXPANDED else ""

    def _own_link(self, name: str) -> None:
        """Note the link that one of the file's own commands makes of its arguments, and write where it leads, once."""
        count = self._declared.linking[name][0] if self._searched <= MAX_ARGUMENTS else 0
        spans = arguments_at(self._written, self._at, count, self._end)
        self._searched += spans[-1][1] - self._at if spans else MAX_ARGUMENT
        given = [self._written[slice(*span)] for span in spans]
        meaning = filled(self._written, self._declared, name, given)
        self._expanded += len(meaning)
        if not meaning or len(meaning) > MAX_FILLED or self._expanded > MAX_EXPANDED:
            self._expect_argument()
            return
        _, links = _on_paper(meaning, 0, len(meaning))
        self._pending = [*[("", " ")] * (len(given) - 1), ("", self.found.take_over(links, "".join(given)))]

    def _blanks(self) -> None:
        if blanks := _BLANKS.match(self._written, self._at, self._end):
            self._at = blanks.end()

    def _heading(self, level: int) -> None:
        if self._argument() is not None:
            self._pending = [("", "")]
            self._headings.append((len(self._open), level, -1))

    def _symbol(self, symbol: str) -> None:
        if symbol in symbols.ACCENTS:
            self._accent(symbol)
        elif symbol in "%&#_${}":
            self.paper.write(symbol)
        elif symbol == "\n" or not symbol:
            self.paper.write("\n" if symbol else "")
        elif symbol == "\\":
            self._options()
            self.paper.write(" ")
        elif symbol in ",;: ":
            self.paper.write(" ")

    def _brace(self, brace: str) -> None:
        if brace == "{":
            before, after = self._pending.pop(0) if self._pending else ("", "")
            self.paper.write(before)
            self._open.append(after)
            if self._headings and self._headings[-1][2] < 0:
                depth, level, _ = self._headings[-1]
                self._headings[-1] = (depth, level, self.paper.length)
        elif self._open:
            after = self._open.pop()
            if after == _APART:
                after = " " if self._expect_argument() and self.paper.ends_in_word else ""
            self.paper.write(after)
            if self._headings and self._headings[-1][0] == len(self._open) and self._headings[-1][2] >= 0:
                self._end_heading()

    def _end_heading(self) -> None:
        _, level, start = self._headings.pop()
        if label := without_addresses(self.paper.written_since(start)):
            self.paper.add_block("heading", start, level, label)

    def _options(self) -> None:
        if options := options_at(self._written, self._at, self._end):
            self._at = options.end()

    def _silent(self, name: str) -> None:
        address = None
        for number in range(symbols.SILENT[name]):
            self._options()
            argument = self._argument()
            if argument is None:
                return
            address = self._written[slice(*argument)] if name == "href" and not number else None
            self._skip(argument[1] + 1)
        words = self._argument() if address else None
        if address and words and (shown := self.found.note(meant(address), self._written[slice(*words)])):
            self._pending = [("", shown)]

    def _address(self) -> None:
        argument = self._argument()
        if argument is not None:
            address = storable(self._written[slice(*argument)])
            self.found.links.append(Link(address, address))
            self._skip(argument[0])
            self.paper.write(address)
            self._at = argument[1] + 1

    def _verb(self) -> None:
        sign = self._written[self._at : self._at + 1]
        end = self._written.find(sign, self._at + 1, self._at + 1000) if sign and not sign.isspace() else -1
        if 0 <= end < self._end:
            self.paper.write(self._written[self._at + 1 : end])
            self._at = end + 1

    def _accent(self, accent: str) -> None:
        letter = _ACCENTED.match(self._written, self._at, self._end)
        if letter is not None:
            self.paper.write(symbols.accented(letter[1], accent))
            self._at = letter.end()
        elif self._written.startswith("{}", self._at):
            self.paper.write("" if accent.isalpha() else accent)  # `\\~{}` in an address

    def _environment(self) -> None:
        named = _ENVIRONMENT.match(self._written, self._at, self._end)
        if named is None:
            return
        self._skip(named.end())
        name = named[1]
        if name in self._declared.theorems and (called := options_at(self._written, self._at, self._end)):
            self.paper.write(f"({_words(self._written, called.start(), called.end()).strip(' []')}) ")
            self._at = called.end()
        self._options()
        if name in VERBATIM:
            self._verbatim(name)
        elif name == "frame":
            self._heading(symbols.HEADINGS["frametitle"])
        else:
            self._arrays += name in symbols.ARRAYS
            for _ in range(symbols.SETTINGS.get(name + named[2], 0)):
                self._options()
                if (argument := self._argument()) is not None:
                    self._skip(argument[1] + 1)

    def _end_environment(self) -> None:
        if named := _ENVIRONMENT.match(self._written, self._at, self._end):
            self._skip(named.end())
            self._arrays -= self._arrays > 0 and named[1] in symbols.ARRAYS

    def _verbatim(self, name: str) -> None:
        close = self._written.find(f"\\end{{{name}}}", self._at, self._end)
        close = close if close >= 0 else self._end
        if name == "minted" and (language := self._argument()) is not None:
            self._skip(language[1] + 1)
        if name == "comment":
            self._skip(close)
            return
        start = self.paper.length
        self.paper.write(self._written[self._at : close])
        self._at = close
        self.paper.add_block("code", start)
