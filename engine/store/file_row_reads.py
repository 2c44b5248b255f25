"""What a search asks of rows, models and vectors, answered by the single file."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, cast

import apsw

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.store.documents import HydratedRow
    from engine.store.models import StoredModel

WHOLE_TEXT = 2**28  # code points: as many as SQLite stores in one value


class FileRowReads(apsw.Connection):
    """Rows, models and vectors of a library file; what the methods give stands in `store_connection`."""

    # --- documents and passages -------------------------------------------------------------------------------------

    def rows_for(self, passage_ids: Iterable[int], most: int = WHOLE_TEXT) -> dict[int, HydratedRow]:
        """Return what is shown of these passages."""
        from engine.store.documents import rows_for

        return rows_for(self, passage_ids, most)

    def passages_of(self, document_id: int) -> list[HydratedRow]:
        """Return all passages of a document in order."""
        from engine.store.documents import passages_of

        return passages_of(self, document_id)

    def passage_texts(self, document_id: int) -> list[tuple[int, str]]:
        """Return the passages of a document in order, with their texts."""
        from engine.store.stored_values import text

        rows = self.execute(
            "SELECT id, CAST(text AS BLOB) FROM passage WHERE document_id = ? ORDER BY ordinal", (document_id,)
        )
        return [(int(str(passage)), text(written)) for passage, written in rows]

    def document_id_at(self, absolute: bytes) -> int | None:
        """Return the document at an absolute path."""
        from engine.store.documents import document_id_at

        return document_id_at(self, absolute)

    def paths_of(self, passage_ids: Sequence[int]) -> dict[int, bytes]:
        """Return the absolute path of each passage's document."""
        rows = self.execute(
            "SELECT passage.id, folder.path, document.path FROM json_each(?) AS wanted"
            " CROSS JOIN passage ON passage.id = wanted.value"
            " JOIN document ON document.id = document_id JOIN folder ON folder.id = folder_id",
            (json.dumps(list(passage_ids)),),
        )
        return {
            passage: os.path.join(folder, path)
            for passage, folder, path in cast("list[tuple[int, bytes, bytes]]", rows.fetchall())
        }

    def passage_hashes(self, passage_ids: Sequence[int]) -> dict[int, bytes]:
        """Return the hash of each passage."""
        from engine.store.browse_queries import passage_hashes

        return passage_hashes(self, passage_ids)

    def passages_with_hashes(self, hashes: Collection[bytes]) -> list[tuple[int, bytes]]:
        """Return the passages that have one of these hashes."""
        rows = self.execute(
            "SELECT passage.id, passage.hash FROM json_each(?) AS wanted"
            " CROSS JOIN passage ON passage.hash = unhex(wanted.value) ORDER BY passage.id",
            (json.dumps([digest.hex() for digest in hashes]),),
        )
        return cast("list[tuple[int, bytes]]", rows.fetchall())

    def folder_paths(self) -> tuple[tuple[int, bytes], ...]:
        """Return the folders with their absolute paths."""
        return tuple(cast("list[tuple[int, bytes]]", self.execute("SELECT id, path FROM folder").fetchall()))

    # --- models, vectors, what waits --------------------------------------------------------------------------------

    def active_model(self) -> StoredModel | None:
        """Return the model that searches use."""
        from engine.store.models import active

        return active(self)

    def figure(self, model_id: int, name: str) -> object:
        """Return one figure that was computed for a model here."""
        from engine.store.models import figure

        return figure(self, model_id, name)

    def vectors_of(self, model_id: int, passage_ids: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the vectors of passages."""
        from engine.store.vector_tables import vectors_of

        return vectors_of(self, model_id, passage_ids)

    def embedded_share(self) -> float:
        """Return the share of the texts that have a vector."""
        from engine.store import passage_counts, pending_vectors

        if not pending_vectors.any_wait(self):
            return 1.0
        needed = passage_counts.embeddable_texts(self)
        return max(0.0, 1.0 - pending_vectors.count(self) / needed) if needed > 0 else 1.0

    def awaited_texts(self, passage_ids: Sequence[int]) -> dict[bytes, str]:
        """Return the texts that the encoder is to see of those of these passages that wait."""
        from engine.store import pending_vectors

        rows = self.execute(
            "SELECT passage.hash FROM json_each(?) AS wanted CROSS JOIN passage ON passage.id = wanted.value"
            " ORDER BY wanted.key",
            (json.dumps(list(passage_ids)),),
        )
        hashes = [digest for (digest,) in rows if isinstance(digest, bytes)]
        texts = pending_vectors.texts(self, hashes)
        return {digest: texts[digest] for digest in dict.fromkeys(hashes) if digest in texts}

    def held_back(self, document_id: int) -> int:
        """Return how many passages of a document are data."""
        from engine.store.passage_counts import held_back

        return held_back(self, document_id)

    def change_latest(self) -> int:
        """Return the number of the newest change."""
        from engine.store.change_log import latest

        return latest(self)

    def change_reaches(self, sequence: int) -> bool:
        """Tell whether all that followed a change is still known."""
        from engine.store.change_log import reaches

        return reaches(self, sequence)

    def replaced(self, sequence: int) -> set[int]:
        """Return the passages that went, or hold other text, since a change."""
        from engine.store.change_log import replaced

        return replaced(self, sequence)
