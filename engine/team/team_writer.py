"""Writes a member's folders into a team's library: a file, a removal, a batch of vectors each in one transaction.

Rights are the server's: a folder of somebody else is refused by its policies, whatever this module asks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from engine.errors import ModelError, PathError, TeamRefused
from engine.store.folding import fold
from engine.store.fulltext import made_by
from engine.store.models import StoredModel
from engine.team import document_changes, document_moves, personal_marks, shared_judgements, waiting_texts
from engine.team.server_connection import one
from engine.team.server_session import ServerSession
from engine.team.team_schema import LARGEST_DIMENSION

if TYPE_CHECKING:
    import numpy as np
    import psycopg
    from numpy.typing import NDArray

    from engine.records import Mark
    from engine.records.team import SharedSearch
    from engine.store.models import Described
    from engine.team.published import PublishedDocument

GATHERED_AFTER = frozenset(20 * 4**power for power in range(10))
"""Files that a session wrote: the server then looks how many rows each folder has. Left to itself it does so within a
minute, and until then plans as if there were none."""
VISIBILITIES = ("private", "named", "all")
_MISSING = """SELECT d.path, d.revision, count(p.id) FILTER (
    WHERE p.hash >= '\\x00000001'::bytea AND NOT EXISTS (
        SELECT FROM vector_{model} v WHERE v.folder_id = p.folder_id AND v.passage_id = p.id)), d.content_hash
FROM document d LEFT JOIN passage p ON p.folder_id = d.folder_id AND p.document_id = d.id
WHERE d.folder_id = %s GROUP BY d.folder_id, d.id"""
_PLAIN = "SELECT path, revision, 0, content_hash FROM document WHERE folder_id = %s"
_Done = TypeVar("_Done")


class TeamWriter:
    """One session of a member. It keeps the locks of the folders that it claimed until it is closed."""

    def __init__(self, url: str, schema: str) -> None:
        self._session = ServerSession(url, schema)
        self._helping = waiting_texts.Claims(url, schema)
        self._written = 0
        self.model_id: int | None = None
        """The model that made the vectors which come with documents; None: the active one."""

    def close(self) -> None:
        """End the session; locks and claimed texts are free again."""
        self._helping.close()
        self._session.close()

    def _write(self, work: Callable[[psycopg.Connection], _Done]) -> _Done:
        return self._session.transaction(work)

    # --- folders ------------------------------------------------------------------------------------------------

    def folder(self, path: bytes, machine: str, visible: str = "private", readers: Sequence[str] = ()) -> int:
        """Return the number of one's own folder at an absolute path of a machine, which is made if it is missing.

        A folder that is there keeps who may see it.
        """
        if visible not in VISIBILITIES:
            raise PathError(f"A folder cannot be visible to {visible!r}.", fix=f"Say {', '.join(VISIBILITIES)}.")

        def made(conn: psycopg.Connection) -> int:
            """Return the folder's number; one that is new is written down with its counts and its fill, both empty."""
            known = one(conn, _OWN_FOLDER, (machine, path))
            if known is not None:
                return int(known)
            number = one(
                conn,
                "INSERT INTO folder(machine, path, prefix_folded, visibility, readers) VALUES(%s, %s, %s, %s, %s)"
                " RETURNING id",
                (machine, path, fold(f"{one(conn, 'SELECT current_user')}@{machine}:"), visible, list(readers)),
            )
            conn.execute("INSERT INTO folder_state(folder_id, words_made_by) VALUES(%s, %s)", (number, made_by()))
            conn.execute("INSERT INTO folder_fill(folder_id) VALUES(%s)", (number,))
            return int(number)

        return self._write(made)

    def own_folders(self, machine: str) -> list[tuple[int, bytes, str, tuple[str, ...]]]:
        """Return one's own folders of a machine: number, path, who sees it, and the people it names."""
        sql = """SELECT id, path, visibility, readers FROM folder
        WHERE owner = current_user AND machine = %s AND state = 'watching' ORDER BY id"""
        return [(each, path, visible, tuple(readers)) for each, path, visible, readers in self.run(sql, (machine,))]

    def share(self, folder_id: int, visible: str, readers: Sequence[str] = (), *, helped: bool = True) -> None:
        """Say who sees one's own folder: nobody else, the people named, or all; and whether others may embed for it."""
        if visible not in VISIBILITIES:
            raise PathError(f"A folder cannot be visible to {visible!r}.", fix=f"Say {', '.join(VISIBILITIES)}.")
        changed = "UPDATE folder SET visibility = %s, readers = %s, helped = %s WHERE id = %s AND owner = current_user"
        self._own(changed, (visible, list(readers), helped, folder_id))

    def claim(self, folder_id: int) -> bool:
        """Take a folder for this session; False where another session brings it already.

        Words that other rules made are made anew at once, so that all of a folder's words are of one kind.
        """
        if not self._session.claim(folder_id):
            return False
        self._write(lambda conn: document_moves.renew_words(conn, folder_id))
        return True

    def release(self, folder_id: int) -> None:
        """Give a folder back to other sessions."""
        self._session.release(folder_id)

    def remove_folder(self, folder_id: int) -> None:
        """Forget a folder of one's own with all that is in it. Its number is not used again."""
        while paths := self._write(lambda conn: _some_paths(conn, folder_id)):
            self.remove(folder_id, paths)
        self._own(
            "UPDATE folder SET state = 'removed', visibility = 'private', readers = '{}', path = '', prefix_folded = ''"
            " WHERE id = %s AND owner = current_user",
            (folder_id,),
        )
        self.release(folder_id)

    def _own(self, sql: str, values: Sequence[object]) -> None:
        """Change the row of a folder of one's own, and tell those who listen."""

        def changed(conn: psycopg.Connection) -> int:
            count = conn.execute(sql, values).rowcount
            conn.execute("SELECT pg_notify(current_schema() || '_change', '')")
            return count

        if not self._write(changed):
            raise TeamRefused("There is no such folder of yours in the team's library.", fix="See `carrel team`.")

    # --- documents ----------------------------------------------------------------------------------------------

    def known(self, folder_id: int) -> dict[bytes, tuple[bytes, int, bytes | None]]:
        """Return the documents of a folder by path: revision, passages without the model's vector, content hash."""

        def read(conn: psycopg.Connection) -> dict[bytes, tuple[bytes, int, bytes | None]]:
            model = self._model(conn)
            if model is None:
                rows = conn.execute(_PLAIN, (folder_id,))
            else:
                rows = conn.execute(_MISSING.format(model=model), (folder_id,))
            return {path: (revision, lacking, digest) for path, revision, lacking, digest in rows}

        return self._write(read)

    def put(self, folder_id: int, document: PublishedDocument) -> None:
        """Write a document with all that is found by and in it, in the place of the one at its path."""
        self._write(lambda conn: document_changes.put(conn, folder_id, document, self._model(conn)))
        self._written += 1
        if self._written in GATHERED_AFTER:
            self.run("SELECT gather_statistics()")

    def move(self, folder_id: int, moved: Mapping[bytes, bytes]) -> None:
        """Give documents new paths, by the old ones; their passages and vectors stay."""
        self._write(lambda conn: document_moves.move(conn, folder_id, moved))

    def remove(self, folder_id: int, paths: Sequence[bytes]) -> None:
        """Forget the documents at these paths."""
        self._write(lambda conn: document_changes.remove(conn, folder_id, paths))

    def _model(self, conn: psycopg.Connection) -> int | None:
        if self.model_id is not None:
            return self.model_id
        return one(conn, "SELECT id FROM model WHERE state = 'active'")  # type: ignore[no-any-return]

    # --- vectors and models -------------------------------------------------------------------------------------

    def waiting(self, model_id: int, most: int) -> dict[bytes, str]:
        """Return texts that wait for a vector of a model, by hash, which no other session gets until they are written.

        They are held until `vectors` is called, or this writer is closed.
        """
        return self._helping.take(model_id, most)

    def vectors(self, model_id: int, vectors: Mapping[bytes, NDArray[np.float32]]) -> int:
        """Give all passages of these hashes that lack one their vector; return how many got it.

        Of other people's folders those that may be helped are among them. Frees what `waiting` held. Raises ModelError
        for a vector that cannot be compared.
        """
        import numpy as np

        for each in vectors.values():
            length = float(np.linalg.norm(each))
            if not (np.isfinite(length) and length > 0):
                raise ModelError("The model gave a vector that cannot be compared.", fix="Install the model again.")
        return self._helping.settle(self._session, model_id, vectors)

    def model(self, manifest: Described, *, name: str = "") -> int:
        """Return the number of a model, which is written down if it is new; the first of all becomes active.

        Only a keeper adds another. Raises ModelError where its vectors are too long for the index.
        """
        if manifest.dimension > LARGEST_DIMENSION:
            raise ModelError(
                f"{manifest.id} makes vectors of {manifest.dimension} components.",
                cause=f"A team's library keeps at most {LARGEST_DIMENSION}.",
            )
        values = (name or manifest.id, manifest.to_json(), manifest.fingerprint, manifest.dimension)

        def known(conn: psycopg.Connection) -> int:
            there = one(conn, "SELECT id FROM model WHERE fingerprint = %s", (manifest.fingerprint,))
            return int(there or one(conn, "SELECT add_model(%s, %s, %s, %s)", values))

        return self._write(known)

    def models(self) -> list[StoredModel]:
        """Return all models, oldest first."""
        return [StoredModel(*row) for row in self.run(MODELS)]

    def activate(self, model_id: int) -> None:
        """Have all searches use a model from now on; a keeper's right. The one before stays to go back to."""

        def changed(conn: psycopg.Connection) -> None:
            conn.execute("SELECT activate_model(%s)", (model_id,))
            conn.execute("SELECT pg_notify(current_schema() || '_change', '')")

        self._write(changed)

    def let_wait(self, model_id: int, folder_id: int, texts: Mapping[bytes, str]) -> None:
        """Have texts of one's own folder, by hash, wait for a vector of a model, for whichever member comes first."""
        self._write(lambda conn: waiting_texts.add(conn, model_id, folder_id, texts))

    def ask(self, hashes: Collection[bytes]) -> None:
        """Have texts that wait embedded before all others."""
        self._write(lambda conn: waiting_texts.ask(conn, hashes))

    def calibrate(self, model_id: int, figures: Mapping[str, object], *, for_all: bool = False) -> None:
        """Keep figures computed for a model, for oneself or, as a keeper, for all who have none of their own."""
        rows = [(model_id, name, json.dumps(value)) for name, value in figures.items()]
        person = "''" if for_all else "current_user"

        def kept(conn: psycopg.Connection) -> None:
            conn.cursor().executemany(
                f"""INSERT INTO calibration(person, model_id, name, value) VALUES({person}, %s, %s, %s)
                ON CONFLICT(person, model_id, name) DO UPDATE SET value = excluded.value""",
                rows,
            )

        self._write(kept)

    # --- the person ---------------------------------------------------------------------------------------------

    def seen(self, machine: str) -> None:
        """Tell the others that one is there."""
        self._write(
            lambda conn: conn.execute(
                """INSERT INTO member(machine) VALUES(%s)
                ON CONFLICT(person, machine) DO UPDATE SET seen_at = clock_timestamp()""",
                (machine,),
            ).close()
        )

    def leave(self, machine: str) -> None:
        """Let the others no longer count one's machine among them; folders stay until they are removed."""
        gone = "DELETE FROM member WHERE person = current_user AND machine = %s"
        self._write(lambda conn: conn.execute(gone, (machine,)).close())

    def put_marks(self, marks: Iterable[Mark]) -> None:
        """Write one's marks; a new one takes the place of an older one, opening never that of a mark."""
        listed = list(marks)
        self._write(lambda conn: personal_marks.put(conn, listed))

    def remove_mark(self, query: str, passage_hash: bytes) -> bool:
        """Take a mark back; False where there was none."""
        return self._write(lambda conn: personal_marks.remove(conn, query, passage_hash))

    def empty_marks(self, query: str | None = None) -> int:
        """Forget the marks of one query, or all of one's own; return how many there were."""
        return self._write(lambda conn: personal_marks.empty(conn, query))

    def follow_marks(self, moved: Mapping[bytes, bytes]) -> None:
        """Give marks of moved documents their new paths, by the old ones."""
        self._write(lambda conn: personal_marks.follow(conn, moved))

    def share_marks(self, on: bool) -> None:
        """Share one's marks from now on and have those of others count, or keep them to oneself again."""
        self._write(lambda conn: shared_judgements.switch(conn, on))

    def shared_searches(self) -> tuple[SharedSearch, ...]:
        """Return the searches that members share."""
        return self._write(shared_judgements.searches)

    def share_search(self, name: str, query: str) -> None:
        """Let all members have a search under a name."""
        self._write(lambda conn: shared_judgements.share_search(conn, name, query))

    def take_back_search(self, name: str) -> bool:
        """Share a search no longer; False where it was not shared."""
        return self._write(lambda conn: shared_judgements.take_back_search(conn, name))

    def keep_query_vectors(self, model_id: int, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep the vectors that a model gave to one's queries."""
        self._write(lambda conn: personal_marks.keep_vectors(conn, model_id, vectors))

    def run(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement in this session, again where the connection broke; rows come back."""

        def ran() -> list[tuple[Any, ...]]:
            found = self._session.connection.execute(sql, values or None)
            return found.fetchall() if found.description else []

        return self._session.retried(ran)


MODELS = "SELECT id, name, manifest, fingerprint, state, extract(epoch FROM created_at)::float8 FROM model ORDER BY id"
_OWN_FOLDER = (
    """SELECT id FROM folder WHERE owner = current_user AND machine = %s AND path = %s AND state = 'watching'"""
)


def _some_paths(conn: psycopg.Connection, folder_id: int) -> list[bytes]:
    rows = conn.execute("SELECT path FROM document WHERE folder_id = %s LIMIT 100", (folder_id,))
    return [bytes(path) for (path,) in rows]
