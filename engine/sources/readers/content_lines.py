"""The content lines that calendars and cards are written in (RFC 5545, RFC 6350, vCard 2.1): unfolded and decoded."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.sources.encodings import storable
from engine.sources.readers.mail_headers import decoded_bytes

LONGEST_VALUE = 200_000  # code points: a longer one is a picture or a sound
_NAME = re.compile(
    r"(?:[\w-]{1,100}\.)?([\w-]{1,100})((?:;[^:\"\n]{0,2000}(?:\"[^\"\n]{0,2000}\"[^:\"\n]{0,2000}){0,9})?):"
)
_PARAMETER = re.compile(r";([\w-]{1,100})(?:=(\"[^\"]{0,2000}\"|[^;\"]{0,2000}))?")
_ESCAPE = re.compile(r"\\([\\;,:nN])")
_BETWEEN_PARTS = re.compile(r"(?<!\\)[;,]")
_BLOB = re.compile(r"[A-Za-z0-9+/=]{200}")


@dataclass(frozen=True, slots=True)
class Property:
    """A property: its name in capitals, its parameters, its value as written, and its line in the file, from 1."""

    name: str
    parameters: Mapping[str, str]
    value: str
    line: int

    @property
    def is_data(self) -> bool:
        """Whether the value is no text: a picture, a sound, a key."""
        coded = self.parameters.get("ENCODING", "").upper() in ("B", "BASE64") or "BASE64" in self.parameters
        return coded or self.value.startswith("data:") or _BLOB.match(self.value) is not None

    @property
    def text(self) -> str:
        """The value with its escapes resolved."""
        return _ESCAPE.sub(lambda match: "\n" if match[1] in "nN" else match[1], self.value)

    @property
    def parts(self) -> list[str]:
        """The parts of a value of several, such as a name or an address; those that are empty are left out."""
        parts = _BETWEEN_PARTS.split(self.value)
        return [words for part in parts if (words := " ".join(_ESCAPE.sub(r"\1", part.replace("\\n", " ")).split()))]


def properties(text: str) -> Iterator[Property]:
    """Give the properties of a file in order; a line that is none is passed over."""
    for line, written in _unfolded(text):
        match = _NAME.match(written)
        if match is None or len(written) > LONGEST_VALUE:
            continue
        given = {name.upper(): value.strip('"') for name, value in _PARAMETER.findall(match[2])}
        value = written[match.end() :]
        if "QUOTED-PRINTABLE" in (given.get("ENCODING", "").upper(), *given):
            raw = quopri.decodestring(value.encode("utf-8", "replace"))
            value = decoded_bytes(raw, given.get("CHARSET", "")).replace("\n", "\\n")
        yield Property(match[1].upper(), given, storable(value), line)


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Give the lines as they were before they were folded, each with the number of its first one."""
    pieces: list[str] = []
    first = 1
    soft = False  # the last line ended in a soft line break of quoted-printable
    for number, line in enumerate(text.split("\n"), 1):
        if pieces and (soft or line[:1] in (" ", "\t")):
            pieces.append(line if soft else line[1:])
        else:
            if pieces:
                yield first, "".join(pieces)
            pieces, first = [line], number
        soft = line.endswith("=") and "QUOTED-PRINTABLE" in pieces[0][:500].upper()
        if soft:
            pieces[-1] = pieces[-1][:-1]
    if pieces:
        yield first, "".join(pieces)
