"""Which documents programs may see, and how a place that one names is looked up: in the library, never on the disk.

A path that a program gives is compared with the paths of documents, sign by sign. No file is asked for, no link and no
`..` is followed, so that not even the existence of a file can be learnt here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from app.document_lines import has_own_lines, line_of_text
from app.wording.paths import shown_path
from engine.errors import PathError
from engine.lazy_dataclass import dataclass
from engine.paths import is_of_another
from engine.records import Scope, StoredDocument, StoredPassage

if TYPE_CHECKING:
    from engine.library import Library

MAIL = ("email", "mbox", "msg")  # kinds
_SECRETS = ("secrets", "credentials", "password", "passwd", "api_key", "api-key", "apikey")
KEYS = (  # names of files that hold passwords and keys; those that begin with a dot are not indexed anyway
    *("*.env", ".env*", "*.pem", "*.key", "*.ppk", "*.p12", "*.pfx", "*.jks", "*.kdbx", "*.gpg", "*.asc", "*.ovpn"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*.tfstate", "*kubeconfig*", *_SECRETS),
    *(f"*{word}*.[^dhmopr]*" for word in _SECRETS),  # passwords.txt and secrets.yaml, but not "Passwords.md" or a PDF
)
MOST_NAMED = 5  # places that a message lists
_NUMBERED = re.compile(r"(?P<path>.+?)(?P<sign>:|#L)(?P<number>[0-9]{1,9})", re.DOTALL)


def scope_of(folders: Sequence[bytes], named: Sequence[str]) -> Scope:
    """Return what programs may see: in these folders, where there are any, without mail and keys unless named."""
    return Scope(tuple(folders), () if "mail" in named else MAIL, () if "keys" in named else KEYS)


@dataclass(frozen=True, slots=True)
class Spot:
    """A document, its passages, and the line of its text that a place names: 1 for the document as a whole."""

    document: StoredDocument
    passages: tuple[StoredPassage, ...]
    line: int
    number: int | None  # as `PATH:NUMBER` has it

    def suffix(self, line: int) -> str:
        """Return what makes a place of the path and a line of the text."""
        return f"{':' if has_own_lines(self.document, self.passages) else '#L'}{line}"


class VisibleDocuments:
    """Finds documents of one library by the places that programs name."""

    def __init__(self, library: Library, scope: Scope) -> None:
        self._library = library
        self._scope = scope
        self._odd: dict[str, bytes] = {}  # paths by what was shown of them, where that does not lead back

    def shown(self, path: bytes) -> str:
        """Return a path as programs see it; given back, it is found again."""
        text = shown_path(path)
        if next(self._whole(os.fsencode(text))) != path:
            self._odd[text] = path
        return text

    def spot(self, place: str) -> Spot:
        """Return what a place names. Raises PathError."""
        document = self.find(place)
        if document is not None:
            return Spot(document, self._library.passages_of(document.id), 1, None)
        numbered = _NUMBERED.fullmatch(place)
        document = self.find(numbered["path"]) if numbered else None
        if numbered is None or document is None:
            raise PathError(f"There is no document {place} here.", fix="search with path:NAME finds one by its name.")
        passages, number = self._library.passages_of(document.id), int(numbered["number"])
        if numbered["sign"] == "#L":
            return Spot(document, passages, number, None)
        return Spot(document, passages, line_of_text(document, passages, number), number)

    def find(self, path: str) -> StoredDocument | None:
        """Return the document of a path, or of an end of one that no other document has. Raises PathError for more."""
        given = self._odd.get(path) or _encoded(path)
        for each in self._whole(given):
            document = self._library.document(each)
            if document is not None and self._library.may_see(document.id, self._scope):
                return document
        ending = given.strip(b"/")
        found = [found for each in self._library.paths_ending(ending) if (found := self._seen(each))] if ending else []
        if len(found) > 1:
            named = ", ".join(shown_path(each.path) for each in found[:MOST_NAMED])
            raise PathError(f"{path} may be {named}.", fix="Give more of the path.")
        return found[0] if found else None

    def _seen(self, path: bytes) -> StoredDocument | None:
        document = self._library.document(path)
        return document if document and self._library.may_see(document.id, self._scope) else None

    def _whole(self, given: bytes) -> Iterator[bytes]:
        """Yield the absolute paths that a text may stand for."""
        if given.startswith(b"~/"):
            yield os.fsencode(os.path.expanduser("~")) + given[1:]
        elif given.startswith(b"/"):
            yield given
        else:
            if is_of_another(os.fsdecode(given)):
                yield given
            yield from (os.path.join(folder.path, given) for folder in self._library.folders())


def _encoded(path: str) -> bytes:
    try:
        return os.fsencode(path)
    except UnicodeEncodeError:
        raise PathError("This is no path: it holds half of a sign.") from None
