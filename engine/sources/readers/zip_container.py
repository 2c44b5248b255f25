"""ZIP containers and the XML inside them, opened without trust: bombs, encryption, entities and lies are expected."""

from __future__ import annotations

import io
import zipfile
import zlib

from lxml import etree

from engine.errors import SourceError
from engine.figures import MEGABYTE, size

MAX_UNPACKED_BYTES = 200 * MEGABYTE  # over all members that are read: a bomb is thousands of times its file
MAX_MEMBERS = 20_000
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


class Archive:
    """A ZIP file in memory with a budget for what may be unpacked from it."""

    def __init__(self, raw: bytes, what: str) -> None:
        """Open it; `what` is the format that its name promises, for the reason where it is none."""
        if raw.startswith(_OLE):
            raise SourceError("encrypted" if _OLE_ENCRYPTED in raw else f"an old Office file, not {what}")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(raw))
        except (zipfile.BadZipFile, ValueError, OverflowError, OSError, NotImplementedError):
            damaged = f"truncated or damaged {what}" if raw.startswith(b"PK") else f"not a ZIP file, so no {what}"
            raise SourceError(damaged) from None
        self.names = frozenset(self._zip.namelist())
        self._members = {_compared(name): name for name in reversed(self._zip.namelist())}
        if len(self.names) > MAX_MEMBERS:
            raise SourceError(f"more than {MAX_MEMBERS} files inside")
        self._what = what
        self._budget = MAX_UNPACKED_BYTES

    def has(self, name: str) -> bool:
        """Whether there is a member of this name, whatever its case and its slashes."""
        return _compared(name) in self._members

    def read(self, name: str) -> bytes:
        """Unpack one member; raises SourceError where it is missing, damaged, encrypted, or too much."""
        try:
            member = self._zip.getinfo(name if name in self.names else self._members.get(_compared(name), name))
            if member.flag_bits & 1:
                raise SourceError("encrypted")
            with self._zip.open(member) as file:
                content = file.read(self._budget + 1)
        except KeyError:
            raise SourceError(f"no {self._what}: {name} is missing") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError):
            raise SourceError(f"truncated or damaged {self._what}") from None
        self._budget -= len(content)
        if self._budget < 0:
            raise SourceError(f"unpacks to more than {size(MAX_UNPACKED_BYTES)}")
        return content

    def xml(self, name: str) -> etree._Element:
        """Unpack and parse one XML member."""
        return parse_xml(self.read(name), f"damaged XML in {name.rpartition('/')[2]}")

    def xml_if_there(self, name: str) -> etree._Element | None:
        """Unpack and parse one XML member; None where there is none, or where it is damaged.

        Raises SourceError where it is too much.
        """
        if not self.has(name):
            return None
        try:
            return self.xml(name)
        except SourceError:
            if self._budget < 0:
                raise
            return None


def _compared(name: str) -> str:
    """Return a member's name as programs compare it: some write back slashes, some another case than they refer to."""
    return name.replace("\\", "/").lstrip("/").lower()


def parse_xml(content: bytes, reason: str) -> etree._Element:
    """Parse XML without entities, document types or the network; raises SourceError(`reason`)."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise SourceError(reason) from None
