"""The encoder of a sync: made when the first file needs it, and held against the library's model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import apsw

from engine.errors import ModelError

if TYPE_CHECKING:
    from engine.indexing.passage_encoder import PassageEncoder
    from engine.records import Document, Passage


class LazyEncoder:
    """Makes an encoder when it is first asked for; safe to ask from two threads."""

    def __init__(self, make: Callable[[], PassageEncoder], check: Callable[[PassageEncoder], None]) -> None:
        self._make = make
        self._check = check
        self._lock = threading.Lock()
        self._encoder: PassageEncoder | None = None

    def get(self) -> PassageEncoder:
        """Return the encoder. Raises ModelError where it is not the library's."""
        with self._lock:
            if self._encoder is None:
                encoder = self._make()
                self._check(encoder)
                self._encoder = encoder
            return self._encoder

    def ready(self) -> None:
        """Load what `cut` needs."""
        self.get().token_starts("")

    def cut(self, document: Document, check: Callable[[], None] = lambda: None) -> list[Passage]:
        """Cut a document by the rules of this model; `check` is called again and again, and may raise to end it."""
        from engine.chunking import PassageRules, cut

        encoder = self.get()
        rules = PassageRules.from_dict(encoder.manifest.passage_rules)

        def token_starts(text: str) -> Sequence[int]:
            check()
            return encoder.token_starts(text)

        return cut(document, token_starts, rules, encoder.manifest.passage_prefix)


def ensure_model(conn: apsw.Connection, make: Callable[[], PassageEncoder]) -> tuple[int, str]:
    """Return the id and the fingerprint of the active model; in a new library the encoder's model becomes it."""
    from engine.store import models

    found = models.active(conn)
    if found is not None:
        return found.id, found.fingerprint
    manifest = make().manifest
    return models.write_down(conn, manifest, state="active"), manifest.fingerprint


def refuse_other(fingerprint: str) -> Callable[[PassageEncoder], None]:
    """Return a check that an encoder is the one that made the library's vectors."""

    def check(encoder: PassageEncoder) -> None:
        if encoder.manifest.fingerprint != fingerprint:
            raise ModelError(
                f"The model {encoder.manifest.id} is not the one that made the library's vectors.",
                cause="Vectors of two models cannot be compared.",
                fix="Build the library for this model with `carrel models use`.",
            )

    return check
