"""Writes the vectors of one model for the passages of a file: those that are known, those that have to wait, and none.

The model in use and every model that follows it are written by the same steps: `due` says, before the file's passages
change, what is known and what is not; `write` acts on it once they have their ids.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import apsw
import numpy as np

from engine.records import Passage, is_held_back
from engine.store import pending_vectors, vector_tables
from engine.store.passage_matching import Matching
from engine.store.row_mapping import storable
from engine.store.vector_tables import Vector


@dataclass(frozen=True, slots=True)
class Due:
    """What a model is due of one file: passages that stay but lost their vector, texts to embed, and known vectors.

    `texts` are by passage hash, as the encoder is to see them; "" where the text is not known here.
    """

    unvectored: Mapping[int, Passage]
    texts: Mapping[bytes, str]
    ready: Mapping[bytes, Vector]

    @property
    def bare(self) -> dict[bytes, str]:
        """The texts without a vector, by hash, of passages that are words."""
        return {each: text for each, text in self.texts.items() if each not in self.ready and not is_held_back(each)}


class VectorWriter:
    """The vectors of one model, for the holder of the indexer lock."""

    def __init__(self, conn: apsw.Connection, model_id: int) -> None:
        self.conn = conn
        self.model_id = model_id

    def missing(self, hashes: Iterable[bytes]) -> set[bytes]:
        """Return which passage hashes have no vector in the library, waiting for one or not."""
        wanted = {each for each in hashes if not is_held_back(each)}
        return wanted - self._places(wanted).keys()

    def known(self, hashes: Iterable[bytes]) -> dict[bytes, Vector]:
        """Return the vectors that the library holds for these passage hashes."""
        places = self._places(hashes)
        ids, matrix = vector_tables.vectors_of(self.conn, self.model_id, sorted(places.values()))
        rows = dict(zip(ids.tolist(), matrix, strict=True))
        return {each: rows[passage_id] for each, passage_id in places.items()}

    def due(self, matching: Matching[Passage], new_vectors: Mapping[bytes, Vector]) -> Due:
        """Return what this model is due of a file; `new_vectors` gives some. Raises ModelError for unfit ones."""
        unvectored = self._unvectored(matching)
        texts = {each.hash: each.embedded for each in (*matching.fresh, *unvectored.values())}
        return Due(unvectored, texts, self._gather(texts.keys(), new_vectors))

    def write(self, due: Due, fresh: Mapping[int, Passage], changed: float) -> tuple[list[int], int]:
        """Write the vectors of a file's passages and let the others wait, inside a transaction.

        `fresh` are its new passages by their ids, under which another text's row may stand: it stays where a vector is
        to come. Returns the passages whose rows changed, and how many texts did not wait before.
        """
        passages = {**due.unvectored, **fresh}
        embedded = [each for each in sorted(passages) if passages[each].hash in due.ready]
        if embedded:
            rows = np.stack([due.ready[passages[each].hash] for each in embedded])
            vector_tables.put(self.conn, self.model_id, embedded, rows)
        never = [each for each in sorted(passages) if not _will_have_one(passages[each], due.ready)]
        if never:
            vector_tables.forget(self.conn, self.model_id, never)
        return [*embedded, *never], self._let_wait(due.bare, changed)

    def _let_wait(self, bare: Mapping[bytes, str], changed: float) -> int:
        known = pending_vectors.among(self.conn, bare, self.model_id)
        texts = {each: storable(text) for each, text in bare.items() if text}
        pending_vectors.add(self.conn, self.model_id, texts, changed)
        return len(texts.keys() - known)

    def _unvectored(self, matching: Matching[Passage]) -> dict[int, Passage]:
        """Return the passages that stay but have lost their vector, as after a repair."""
        present = vector_tables.with_vectors(self.conn, self.model_id, [each for each, _ in matching.kept])
        return {
            each: passage for each, passage in matching.kept if each not in present and not is_held_back(passage.hash)
        }

    def _gather(self, hashes: Collection[bytes], new_vectors: Mapping[bytes, Vector]) -> dict[bytes, Vector]:
        """Return a vector for each hash that has one, handed in or known."""
        ready = {each: new_vectors[each] for each in hashes if each in new_vectors and not is_held_back(each)}
        size = vector_tables.dimension(self.conn, self.model_id) if ready else 0
        for vector in ready.values():
            vector_tables.check(vector[None, :], size)
        others = {each for each in hashes if each not in ready and not is_held_back(each)}
        return ready | self.known(others) if others else ready

    def _places(self, hashes: Iterable[bytes]) -> dict[bytes, int]:
        """Return for each hash that has a vector the id of a passage that has it."""
        wanted = set(hashes)
        wanted -= pending_vectors.among(self.conn, wanted, self.model_id)
        listed = json.dumps([each.hex() for each in wanted])
        found = self.conn.execute(
            f"""SELECT hash, min(passage.id) FROM passage
            JOIN {vector_tables.table(self.model_id)}_rowids AS vector ON vector.rowid = passage.id
            WHERE hash IN (SELECT unhex(value) FROM json_each(?)) GROUP BY hash""",
            (listed,),
        )
        return dict(found)


def _will_have_one(passage: Passage, ready: Mapping[bytes, Vector]) -> bool:
    """Whether a passage has a vector, or its text is known to make one from."""
    return not is_held_back(passage.hash) and (passage.hash in ready or bool(passage.embedded))
