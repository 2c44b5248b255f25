"""A file on its way into a reader: its bytes, its name, and the title that the name gives where there is none."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from engine.errors import SourceChanged, SourceError
from engine.figures import MEGABYTE, size
from engine.lazy_dataclass import dataclass
from engine.records import Block, Document, Link
from engine.sources.encodings import decode, storable
from engine.sources.readers.terminal_text import without_escapes
from engine.sources.safe_open import open_beneath

if TYPE_CHECKING:
    from engine.sources.readers.ocr import Recogniser

MAX_CHARACTERS = 20_000_000  # a document above it is a dump, and would take minutes to embed
MAX_FILE_BYTES = 512 * MEGABYTE  # what a reader would try to hold at all; discovery's limit is far lower
MAX_LABEL = 1000  # code points of a heading that are read; repeats are bounded too, as expressions may backtrack
MAX_LINKS = 10_000  # a document with more is a list of addresses
_SEPARATORS = re.compile(r"_+|(?<=[^\W\d_])[.+-]+(?=\w)|(?<=\w)[.+-]+(?=[^\W\d_])|\s+")
_ESCAPED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


def _unescaped(match: re.Match[str]) -> str:
    """Return the characters that a name writes as `%2F`; what are none stays as it is."""
    try:
        characters = bytes.fromhex(match[0].replace("%", "")).decode()
    except UnicodeDecodeError:
        return match[0]
    return characters if characters.isprintable() else match[0]


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes of one file, read once, and its name without folders.

    `recogniser` reads words in pictures, where the person wants that. `depth` counts the files around one that hangs on
    another, as on a message; where it is `alone`, nothing is read that hangs on it. A reader that goes through a file
    piece by piece says `go_on` between two pieces, and has as much time again. `opening` is called before a file that
    hangs on it is read.
    """

    name: bytes
    raw: bytes
    recogniser: Recogniser | None = None
    depth: int = 0
    alone: bool = False
    go_on: Callable[[], None] = lambda: None
    opening: Callable[[], None] = lambda: None

    def text(self) -> str:
        """Decode the file as text, without what was meant for a terminal; raises SourceError where it is none."""
        return without_escapes(decode(self.raw))

    @property
    def display_name(self) -> str:
        """The name as text."""
        return storable(self.name.decode("utf-8", "replace"))

    @property
    def spoken_name(self) -> str:
        """The name without its suffix, words parted by spaces: what a file is called where it has no title."""
        stem = _ESCAPED.sub(_unescaped, os.path.splitext(self.display_name)[0]).replace("___", "/")
        return _SEPARATORS.sub(" ", stem).strip() or stem or self.display_name

    def document(
        self,
        kind: str,
        text: str,
        blocks: Iterable[Block],
        title: str,
        *,
        tags: Iterable[str] = (),
        links: Iterable[Link] = (),
        metadata: Mapping[str, str] | None = None,
        line_map: Iterable[tuple[int, int]] | None = None,
    ) -> Document:
        """Return the document of this file; with "" for its title it goes by the name of the file.

        `line_map` says where derived text stands in the file, as `Document` has it.
        """
        return Document(
            text=text,
            title=title or self.spoken_name,
            title_written=bool(title),
            kind=kind,
            blocks=tuple(blocks),
            tags=tuple(dict.fromkeys(tags)),
            links=tuple(links),
            metadata=metadata or {},
            line_map=None if line_map is None else tuple(line_map),
        )


def load(path: bytes, recogniser: Recogniser | None = None, root: bytes | None = None) -> Source:
    """Read a regular file whole, as long as it was when it was opened: one may grow faster than it is read.

    No link below `root` is followed. Raises SourceError where it cannot be read, SourceChanged where it cannot
    even be opened.
    """
    try:
        descriptor = open_beneath(path, root)
    except OSError as error:
        raise SourceChanged(_reason(error)) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise SourceChanged("not a file")
    with os.fdopen(descriptor, "rb") as file:
        if status.st_size > MAX_FILE_BYTES:
            raise SourceError(f"larger than {size(MAX_FILE_BYTES)}")
        try:
            return Source(os.path.basename(path), file.read(status.st_size), recogniser)
        except OSError as error:
            raise SourceError(_reason(error)) from None


def _reason(error: OSError) -> str:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return "no longer there"
    if error.errno == errno.ELOOP:
        return "symbolic link"
    return "not a file" if error.errno in (errno.ENXIO, errno.EISDIR) else "not readable"
