r"""Where the links of a LaTeX file lead: addresses as they are meant, and `\href` in commands of the file's own."""

from __future__ import annotations

import re

from engine.records import Link
from engine.sources.encodings import storable
from engine.sources.readers.latex_declarations import Declarations, argument_at

ADDRESS = re.compile(r"(?:https?|ftp|mailto):[^\s()\\]{1,2000}")
_SHOWN = re.compile(r" \((?:https?|ftp|mailto):[^\s()]{1,2000}\)")  # behind the words of a link
_ESCAPE = re.compile(r"\\([%#_&~])")
_PARAMETER = re.compile(r"#([1-9])")


def meant(address: str) -> str:
    """Return an address without the signs that keep LaTeX from reading it."""
    return storable(_ESCAPE.sub(r"\1", address))


def without_addresses(words: str) -> str:
    """Return words without the addresses that were written behind those of links."""
    return _SHOWN.sub("", words)


def arguments_at(written: str, at: int, count: int, end: int) -> list[tuple[int, int]]:
    """Return the spans of so many arguments that follow a place before an end, fewer where they are not there."""
    spans: list[tuple[int, int]] = []
    while len(spans) < count and (span := argument_at(written, at)) and span[1] < end:
        spans.append(span)
        at = span[1] + 1
    return spans


def filled(written: str, declared: Declarations, name: str, given: list[str]) -> str:
    """Return the meaning of one of the file's own commands with what is given to it; "" where that is not known."""
    count, at = declared.linking[name]
    meaning = argument_at(written, at)
    if meaning is None or len(given) < count:
        return ""
    return _PARAMETER.sub(lambda number: "".join(given[int(number[1]) - 1 : int(number[1])]), written[slice(*meaning)])


class FoundLinks:
    """The links of a file, and what is written of where they lead: behind the words of a link, unless they say it."""

    def __init__(self) -> None:
        self.links: list[Link] = []
        self._told: set[str] = set()  # where own commands lead, as far as that was written

    def note(self, address: str, words: str) -> str:
        """Keep a link, and return what is to stand behind its words."""
        self.links.append(Link(address, " ".join(words.split())))
        return f" ({address})" if ADDRESS.fullmatch(address) and address not in words else ""

    def take_over(self, links: list[Link], given: str) -> str:
        """Keep the links of one of the file's own commands, and return what is to stand behind what it was `given`."""
        self.links += links
        new = [link.target for link in links if ADDRESS.fullmatch(link.target) and link.target not in self._told]
        self._told.update(new)
        return "".join(f" ({address})" for address in new if address not in given)
