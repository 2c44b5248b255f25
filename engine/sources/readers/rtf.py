"""Rich Text Format: control words are followed in one pass without recursion, however deep the groups lie.

What hangs on a paragraph (a note, a comment, a text box) follows it; what stands above and below the pages comes last.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field, replace

from engine.errors import SourceError
from engine.records import Document, Link
from engine.sources.readers.attached_files import add_attached
from engine.sources.readers.embedded_objects import rtf_files
from engine.sources.readers.frontmatter import as_keywords
from engine.sources.readers.note_marks import follows_word
from engine.sources.readers.page_furniture import distinct, is_page_number
from engine.sources.readers.rtf_vocabulary import (
    ASIDES,
    CHARACTERS,
    CHARSETS,
    FURNITURE,
    HEADING_NAME,
    INFO,
    PAGES,
    READ_THOUGH_STARRED,
    SHELLS,
    SILENT,
    SKIPPED,
    SYMBOLS,
)
from engine.sources.readers.source_file import MAX_LINKS, Source
from engine.sources.readers.text_builder import TextBuilder

MAX_DEPTH = 5000  # groups in one another; programs make a few dozen
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}\r\n]+)|[\r\n]+", re.DOTALL
)
_HYPERLINK = re.compile(
    rb"HYPERLINK[ \t]+(?:\"([^\"\\{}\r\n]{1,2000})\"|([A-Za-z][A-Za-z0-9+.-]{1,30}:[^\s\"\\{}]{1,2000}))"
)


@dataclass(slots=True)
class _State:
    """What is in force inside one group.

    `target` is where its text goes: the body, a table of names, nowhere, or, in a shell, nowhere but for the groups in
    it that hold text.
    """

    target: str = "body"
    encoding: str = "cp1252"
    skip: int = 1  # characters after a \u that are its stand-in
    hidden: bool = False
    raised: bool = False


@dataclass(slots=True)
class _Paragraph:
    """The paragraph being read."""

    pieces: list[str] = field(default_factory=list)
    level: int = 0
    in_table: bool = False


@dataclass(slots=True)
class _Aside:
    """A text that is read while a paragraph waits for its end; `depth` is that of the group that holds it."""

    depth: int
    waiting: _Paragraph
    is_furniture: bool = False


def read(source: Source) -> Document:
    """Read an RTF file."""
    if not source.raw.lstrip().startswith(b"{\\rtf"):
        raise SourceError("not RTF")
    reader = Reader()
    reader.run(source.raw)
    add_attached(source, reader.builder, rtf_files(source.raw))
    text, blocks = reader.builder.finish()
    if not text:
        raise SourceError("no text inside")
    fields = {name: words for name, value in reader.fields.items() if (words := " ".join(value.split()))}
    title = fields.pop("title", "")
    links = [Link((match[1] or match[2]).decode("cp1252", "replace"), "") for match in _HYPERLINK.finditer(source.raw)]
    tags = as_keywords(fields.pop("keywords", ""))
    return source.document("rtf", text, blocks, title, tags=tags, links=links[:MAX_LINKS], metadata=fields)


class Reader:
    """Reads one RTF text into `builder`, and what it says about itself into `fields`."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self.builder = TextBuilder()
        self.fields: dict[str, str] = {}
        self._state = _State()
        self._stack: list[_State] = []
        self._opening = False  # whether a group was opened just now, so that the next word names its purpose
        self._starred = False
        self._bytes = bytearray()
        self._stand_ins = 0
        self._paragraph = _Paragraph()
        self._rows: list[str] = []
        self._open: list[_Aside] = []
        self._asides: list[str] = []
        self._furniture: list[str] = []
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._style_levels: dict[int, int] = {}
        self._style, self._style_name = 0, ""
        self._page_encoding = "cp1252"

    def run(self, raw: bytes) -> None:
        """Read all of it; what is left open at its end is closed."""
        position, end = raw.find(b"{"), len(raw)
        while 0 <= position < end:
            token = _TOKEN.match(raw, position)
            if token is None:
                position += 1
                continue
            position = token.end()
            word, number, code, symbol, brace, plain = token.groups()
            if word is not None:
                name, value = word.decode("ascii"), int(number) if number else None
                if name == "bin":
                    position += max(0, min(value or 0, end - position))
                else:
                    self._word(name, value)
            elif code is not None:
                self._byte(int(code, 16))
            elif symbol is not None:
                self._symbol(symbol)
            elif brace is not None:
                self._brace(brace)
            elif plain is not None:
                self._opening = False
                self._plain(plain)
        while self._open:
            self._end_aside()
        self._end_paragraph()
        self._end_table()
        self._add_asides()
        for words in distinct(self._furniture):
            if not is_page_number(words):
                self.builder.add("paragraph", words)

    def _brace(self, brace: bytes) -> None:
        self._flush()
        self._stand_ins = 0
        if brace == b"{":
            if len(self._stack) >= MAX_DEPTH:
                raise SourceError("nested too deeply")
            self._stack.append(self._state)
            self._state = replace(self._state)
            self._opening, self._starred = True, False
        elif self._stack:
            if self._state.target == "stylesheet" and (level := HEADING_NAME.match(self._style_name.strip())):
                self._style_levels[self._style] = int(level[1])
            if self._open and self._open[-1].depth == len(self._stack):
                self._end_aside()
            self._state = self._stack.pop()
            self._opening, self._style_name = False, ""

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*" and self._opening:
            self._starred = True
            return
        self._opening = False
        if symbol in (b"\n", b"\r"):
            self._word("par", None)
        elif symbol in SYMBOLS:
            self._text(SYMBOLS[symbol])

    def _word(self, name: str, value: int | None) -> None:
        self._flush()
        opening, self._opening = self._opening, False
        if opening and self._purpose(name):
            return
        state = self._state
        if name == "u" and value is not None:
            self._text(chr(value % 65_536))
            self._stand_ins = state.skip
        elif name == "uc":
            state.skip = max(0, min(value or 0, 10))
        elif name == "ansicpg":
            self._page_encoding = state.encoding = _codec(f"cp{value}")
        elif name in PAGES:
            self._page_encoding = state.encoding = PAGES[name]
        elif name == "f":
            self._font = value or 0
            state.encoding = self._fonts.get(self._font, self._page_encoding)
        elif name == "fcharset" and state.target == "fonttbl" and value in CHARSETS:
            self._fonts[self._font] = self._page_encoding if value == 0 else CHARSETS[value]
        elif name in ("super", "nosupersub", "plain", "sub"):
            state.raised = name == "super" and value != 0
        elif name in ("v", "deleted", "htmlrtf"):
            state.hidden = value != 0
        elif state.target == "stylesheet":
            self._style = (value or 0) if name == "s" else self._style
        elif state.target == "body":
            self._layout(name, value)
        elif name in CHARACTERS:
            self._text(CHARACTERS[name])

    def _purpose(self, name: str) -> bool:
        """Turn to the purpose that the first word of a group names; whether there is no more to do for it."""
        state = self._state
        if state.target == "nowhere":
            return True
        if name in ("fonttbl", "stylesheet"):
            state.target = name
        elif name == "info":
            state.target = "info"
        elif state.target == "info":
            state.target = INFO.get(name, "nowhere")
        elif name in ASIDES or name in FURNITURE:
            self._open.append(_Aside(len(self._stack), self._paragraph, name in FURNITURE))
            self._paragraph = _Paragraph()
            state.target = "body"
        elif name in SHELLS:
            state.target = "shell"
        elif name == "result" and state.target == "shell":
            state.target = "body"
        elif name in SKIPPED or (self._starred and name not in READ_THOUGH_STARRED):
            state.target = state.target if self._starred and state.target == "stylesheet" else "nowhere"
        else:
            return False
        return True

    def _layout(self, name: str, value: int | None) -> None:
        paragraph = self._paragraph
        if name in ("par", "sect", "page", "column"):
            self._end_paragraph()
        elif name == "pard":
            paragraph.level, paragraph.in_table = 0, False
        elif name == "s":
            paragraph.level = self._style_levels.get(value or 0, 0)
        elif name == "outlinelevel" and value is not None:
            paragraph.level = value + 1 if 0 <= value < 9 else 0
        elif name == "intbl":
            paragraph.in_table = True
        elif name in ("cell", "nestcell"):
            paragraph.in_table = True
            self._text("\x1f")
        elif name in ("row", "nestrow"):
            self._end_row()
        elif name in CHARACTERS:
            self._text(CHARACTERS[name])

    def _plain(self, plain: bytes) -> None:
        if self._stand_ins:
            skipped = min(self._stand_ins, len(plain))
            self._stand_ins -= skipped
            plain = plain[skipped:]
        if self._state.target not in ("nowhere", "shell") and not self._state.hidden:
            self._bytes += plain

    def _byte(self, code: int) -> None:
        self._opening = False
        if self._stand_ins:
            self._stand_ins -= 1
        elif self._state.target not in ("nowhere", "shell") and not self._state.hidden:
            self._bytes.append(code)

    def _flush(self) -> None:
        if self._bytes:
            written = self._bytes.decode(self._state.encoding, "replace")
            self._bytes.clear()
            self._text(written)

    def _text(self, words: str) -> None:
        self._flush()
        state = self._state
        if state.hidden or state.target in SILENT:
            return
        if state.target == "body":
            pieces = self._paragraph.pieces
            if state.raised and follows_word(words, pieces):
                pieces.append(" ")
            pieces.append(words)
        elif state.target == "stylesheet":
            self._style_name += words
        else:
            self.fields[state.target] = self.fields.get(state.target, "") + words

    def _taken(self) -> str:
        """Return the words of the paragraph, with the halves of characters beyond 16 bits joined."""
        self._flush()
        words = "".join(self._paragraph.pieces)
        self._paragraph.pieces.clear()
        return words.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _end_aside(self) -> None:
        """Keep what an aside says, and go on with the paragraph that waited for it."""
        lines = ([" ".join(cell.split()) for cell in line.split("\x1f")] for line in self._taken().split("\x1e"))
        words = "\n".join(" | ".join(filter(None, cells)) for cells in lines)
        aside = self._open.pop()
        (self._furniture if aside.is_furniture else self._asides).append(words.strip())
        self._paragraph = aside.waiting

    def _add_asides(self) -> None:
        for words in self._asides:
            self.builder.add("paragraph", words)
        self._asides.clear()

    def _end_paragraph(self) -> None:
        if self._open:
            self._text("\x1e")
            return
        if self._paragraph.in_table:
            self._text(" ")  # a cell may have several paragraphs; only the row's end ends it
            return
        if words := self._taken().replace("\x1f", " ").strip():
            self._end_table()
            if self._paragraph.level:
                self.builder.heading(words, self._paragraph.level)
            else:
                self.builder.add("paragraph", words)
            self._add_asides()

    def _end_row(self) -> None:
        if self._open:
            self._text("\x1e")
            return
        cells = [" ".join(cell.split()) for cell in self._taken().split("\x1f")]
        if any(cells):
            self._rows.append(" | ".join(cells[:-1] if len(cells) > 1 and not cells[-1] else cells))
        self._paragraph.in_table = False

    def _end_table(self) -> None:
        if self._paragraph.in_table:
            self._end_row()
        if self._rows:
            self.builder.add("table", "\n".join(self._rows))
            self._rows.clear()


def _codec(name: str) -> str:
    name = {"cp65001": "utf-8", "cp10000": "mac_roman", "cp936": "gbk"}.get(name, name)
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"
