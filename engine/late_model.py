"""Late interaction of one library: which model it has, how far its vectors are, what they would take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.library_file import LibraryFile
from engine.records import LateStatus

if TYPE_CHECKING:
    from engine.embedding.encoder import Encoder


class LateInteraction:
    """Looks at the late model, from any thread; it is switched by orders to the indexer."""

    def __init__(self, file: LibraryFile, encoder: Encoder | None) -> None:
        self._file = file
        self._encoder = encoder

    def late_status(self) -> LateStatus | None:
        """Return the library's late model and how many passages have their vectors; None where it has none."""
        from engine.store import late_vectors

        with self._file.reading() as connection:
            late = late_vectors.stored(connection)
            if late is None:
                return None
            have, of, octets = late_vectors.counts(connection, late)
        return LateStatus(late.name, late.factor, late.method, late.state, have, of, octets)

    def late_estimate(self, name: str, factor: int) -> tuple[int, int]:
        """Return how many passages there are, and the bytes that a late model's vectors of them would take.

        Raises ModelError where the model is not installed, or gives no token vectors.
        """
        from engine.embedding import catalogue
        from engine.indexing.late_build import estimated_bytes

        given = self._encoder if self._encoder is not None and self._encoder.manifest.id == name else None
        with self._file.reading() as connection:
            return estimated_bytes(connection, given or catalogue.load(name), factor)
