"""Helps a team library with vectors: texts that wait for a model which is installed here are embedded, a few at a time.

Of a model that the team is about to take nothing waits at first, since the text that an encoder sees is not kept. It is
made again of each document: from the file where that is one's own, else from the text as it was brought, for kinds
whose text is that of the file. A passage's hash is that of the text that the encoder sees, so what comes out otherwise
is left to the owner. Any member may do so in folders that they see and that may be helped.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from engine.errors import ModelError, SourceError
from engine.lazy_dataclass import dataclass
from engine.sources.readers.file_types import OWN_LINES

if TYPE_CHECKING:
    from engine.indexing.file_reader import DocumentParser
    from engine.indexing.passage_encoder import PassageEncoder
    from engine.indexing.stop_signal import Signal
    from engine.team.team_writer import TeamWriter

log = logging.getLogger(__name__)

TEXTS_AT_ONCE = 16  # half a second of embedding: a change of one's own comes soon enough behind it
DOCUMENTS_AT_ONCE = 8  # read again between two looks at what has changed here
LOOKED_AGAIN_SECONDS = 300.0  # after all documents were looked through; of a new model also after each change
_MODELS = """SELECT id, fingerprint, state, (SELECT coalesce(sum(version), 0)::bigint FROM folder_state)
FROM model WHERE state IN ('active', 'building') ORDER BY state, id"""
_BARE = """SELECT d.id, d.folder_id, d.path, d.kind, f.path, f.owner = current_user AND f.machine = %s
FROM document d JOIN folder f ON f.id = d.folder_id
WHERE f.state = 'watching' AND (f.helped OR f.owner = current_user) AND d.id > %s AND d.failure IS NULL AND EXISTS (
    SELECT FROM passage p WHERE p.folder_id = d.folder_id AND p.document_id = d.id AND p.hash >= '\\x00000001'::bytea
    AND NOT EXISTS (SELECT FROM vector_{model} v WHERE v.folder_id = p.folder_id AND v.passage_id = p.id)
    AND NOT EXISTS (SELECT FROM pending t
        WHERE t.folder_id = p.folder_id AND t.model_id = {model} AND t.hash = p.hash))
ORDER BY d.id LIMIT %s"""
_PASSAGES = "SELECT hash, text FROM passage WHERE folder_id = %s AND document_id = %s ORDER BY ordinal"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A model that vectors are made of, and what the library counts as changes by now."""

    id: int
    fingerprint: str
    state: str
    version: int


class _Pass:
    """How far all documents were looked through for a model: to which one, at which version, and when all were."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.behind = 0
        self.done_at: float | None = None

    def due(self, model: _Wanted) -> bool:
        """Whether documents are left, or it is time to begin anew."""
        if self.done_at is None:
            return True
        changed = model.state == "building" and model.version != self.version
        return changed or time.monotonic() - self.done_at >= LOOKED_AGAIN_SECONDS


@dataclass(frozen=True, slots=True)
class _Bare:
    """A document with passages that lack a vector: its place below its folder, and whether that lies here."""

    id: int
    folder_id: int
    path: bytes
    kind: str
    folder: bytes
    own: bool


class ModelFilling:
    """Embeds for a team library; `encoder_of` gives a model's encoder by its name in the catalogue."""

    def __init__(
        self,
        machine: str,
        encoder_of: Callable[[str | None], PassageEncoder],
        parser: Callable[[], DocumentParser],
        stop: Signal,
    ) -> None:
        self._machine = machine
        self._encoder_of = encoder_of
        self._new_parser = parser
        self._stop = stop
        self._parser: DocumentParser | None = None
        self._passes: dict[int, _Pass] = {}

    def help(self, writer: TeamWriter) -> bool:
        """Do a little; False where there is nothing to do. Raises ModelError where a model that is here fails."""
        rows = writer.run(_MODELS)
        names = _installed() if rows else {}
        models = [_Wanted(*row) for row in rows if row[1] in names]
        return any(self._filled(writer, each, names) for each in models)

    def encoder(self, fingerprint: str) -> PassageEncoder | None:
        """Return the encoder of a model that is installed here, None for another. Raises ModelError."""
        name = _installed().get(fingerprint)
        return None if name is None else self._loaded(fingerprint, name)

    def close(self) -> None:
        """End the process that reads documents."""
        if self._parser is not None:
            self._parser.close()
        self._parser = None

    def _loaded(self, fingerprint: str, name: str) -> PassageEncoder:
        encoder = self._encoder_of(name)
        if encoder.manifest.fingerprint != fingerprint:
            raise ModelError(f"The model {name} has changed since it was installed.", fix="Install it again.")
        return encoder

    def _filled(self, writer: TeamWriter, model: _Wanted, names: Mapping[str, str]) -> bool:
        texts = writer.waiting(model.id, TEXTS_AT_ONCE)
        if not texts:
            return self._let_wait(writer, model, names)
        vectors = self._loaded(model.fingerprint, names[model.fingerprint]).encode_passages(list(texts.values()))
        writer.vectors(model.id, dict(zip(texts, vectors, strict=True)))
        return True

    # --- texts of documents ---------------------------------------------------------------------------------------

    def _let_wait(self, writer: TeamWriter, model: _Wanted, names: Mapping[str, str]) -> bool:
        """Let the texts of some documents wait for a model; False where no document is left to look at now."""
        looked = self._passes.setdefault(model.id, _Pass(model.version))
        if not looked.due(model):
            return False
        if looked.done_at is not None:
            looked = self._passes[model.id] = _Pass(model.version)
        values = (self._machine, looked.behind, DOCUMENTS_AT_ONCE)
        found = [_Bare(*row) for row in writer.run(_BARE.format(model=int(model.id)), values)]
        for document in found:
            if self._stop.is_set():
                return False
            texts = self._texts(writer, document, self._loaded(model.fingerprint, names[model.fingerprint]))
            if texts:
                writer.let_wait(model.id, document.folder_id, texts)
            looked.behind = document.id
        if not found:
            looked.done_at = time.monotonic()
            self.close()
        return bool(found)

    def _texts(self, writer: TeamWriter, document: _Bare, encoder: PassageEncoder) -> dict[bytes, str]:
        """Return the texts of a document that its passages were made of, by hash; none where they cannot be made."""
        rows = writer.run(_PASSAGES, (document.folder_id, document.id))
        wanted = {bytes(digest) for digest, _ in rows}
        found: dict[bytes, str] = {}
        if document.own:
            found = self._read(os.path.join(document.folder, document.path), wanted, encoder)
        if not found and document.kind in OWN_LINES:
            found = self._read_again(document.path, "".join(text for _, text in rows), wanted, encoder)
        return found

    def _read_again(
        self, path: bytes, text: str, wanted: Collection[bytes], encoder: PassageEncoder
    ) -> dict[bytes, str]:
        """Read a text as if it lay in a file of this name, since a name may be a title and tells the kind."""
        name = os.path.basename(path)
        if name in (b"", b".", b".."):
            return {}
        with tempfile.TemporaryDirectory(prefix="carrel-") as folder:
            place = os.path.join(os.fsencode(folder), name)
            try:
                with open(place, "xb") as file:
                    file.write(text.encode("utf-8", "surrogatepass"))
            except (OSError, ValueError):
                return {}  # a name that this machine's file system does not take
            return self._read(place, wanted, encoder)

    def _read(self, path: bytes, wanted: Collection[bytes], encoder: PassageEncoder) -> dict[bytes, str]:
        from engine.indexing.passage_encoder import cutting, passages_of

        if self._parser is None:
            self._parser = self._new_parser()
        how = cutting(encoder)
        with suppress(SourceError):
            document = self._parser.read(path) if how is None else self._parser.read(path, None, how)
            return {each.hash: each.embedded for each in passages_of(document, encoder) if each.hash in wanted}
        return {}


def _installed() -> dict[str, str]:
    """Return the names of the models that are here, by fingerprint."""
    from engine.embedding import catalogue

    return {each.fingerprint: each.id for each in catalogue.installed()}
