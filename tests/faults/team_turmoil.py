"""A member's own file beside a team library, what disturbs the way between them, and what the library says in the end.

python tests/faults/team_turmoil.py ADDRESS FILE MACHINE    brings the file's folders, again and again, until killed
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # as the process that is killed
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "unit"), str(Path(__file__).parent)]

from equality import brought_up_to_date
from fake_encoder import FakeEncoder
from postgres_server import PostgresServer
from shelf import PlainParser, paragraph, spelt
from team_world import TeamDatabase, fresh_database

from engine.errors import TeamError
from engine.indexing.stop_signal import Never
from engine.store import folders
from engine.store.connection import open_writer
from engine.team.membership import bring as make_room
from engine.team.membership import set_up, writing
from engine.team.publisher import Published, Publisher

GIVE_UP_SECONDS = 300.0  # the suite keeps every core at work
SETTLED_NS = 10 * 10**9  # ago: a file that was written as it was read is looked at once more
PAUSE_SECONDS = 0.05  # before a member tries again to reach a server
SEED = int(os.environ.get("CARREL_KILL_SEED", "7"))


class Desk:
    """A member's machine: a folder of notes and the own file that indexes it, without a process of its own."""

    def __init__(self, base: Path, machine: str, notes: int, seed: int = SEED) -> None:
        self.machine = machine
        self.root = base / f"notes-{machine}"
        self.library = base / f"{machine}.carrel"
        self._chance = random.Random(f"{seed}{machine}")
        self.root.mkdir(parents=True)
        for number in range(notes):
            self._write(self.root / f"folder{number % 5}" / f"note{number}.md", f"note{spelt(number)}")
        with closing(open_writer(self.library, create=True)) as connection:
            folders.add(connection, os.fsencode(self.root))
        self.sync()

    def _write(self, path: Path, word: str) -> None:
        path.parent.mkdir(exist_ok=True)
        paragraphs = [f"{word}x{spelt(part)}" for part in range(self._chance.choice((1, 1, 2, 5)))]
        path.write_text(f"# {word}\n\n" + "\n\n".join(paragraph(each, 30) for each in [*paragraphs, "shared"]))
        moment = time.time_ns() - SETTLED_NS
        os.utime(path, ns=(moment, moment))

    def change(self) -> None:
        """Edit, move, remove and add some notes, and index what came of it."""
        notes = sorted(self.root.rglob("*.md"))
        edited, moved, removed = (self._chance.sample(notes, 9)[part : part + 3] for part in (0, 3, 6))
        for path in edited:
            self._write(path, f"edit{spelt(self._chance.random())}")
        for path in set(moved) - set(edited):
            path.rename(path.with_name(f"moved{self._chance.getrandbits(32)}.md"))
        for path in set(removed) - set(edited) - set(moved):
            path.unlink()
        self._write(self.root / f"new{self._chance.getrandbits(32)}.md", f"new{spelt(self._chance.random())}")
        self.sync()

    def sync(self) -> None:
        """Bring the own file up to date, words and vectors."""
        with closing(open_writer(self.library, lock_held=True)) as connection:
            brought_up_to_date(connection, self.library, FakeEncoder, PlainParser)  # type: ignore[arg-type]

    def share(self, address: str, visible: str = "all") -> None:
        """Make room for the folder in a team library."""
        with writing(address) as writer:
            make_room(writer, os.fsencode(self.root), self.machine, visible, ())

    def bring(self, address: str) -> Published:
        """Bring the folder over, once."""
        with writing(address) as writer:
            return Publisher(self.library, self.machine).publish(writer, Never())

    def bring_at_last(self, address: str) -> Published:
        """Bring the folder over, trying again for as long as the server is away."""
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                return self.bring(address)
            except TeamError:
                assert time.monotonic() < deadline
                time.sleep(PAUSE_SECONDS)


@contextmanager
def team_on(server: PostgresServer, further: int = 0) -> Iterator[TeamDatabase]:
    """Give a team library of its own on a server, in which ada and ben are members, and m0, m1 … where wanted."""
    people = [f"m{number}" for number in range(further)]
    with fresh_database(server, people) as database:
        set_up(database.url(), [database.role(each) for each in ("ada", "ben", *people)], lambda: "")
        yield database


def contents(server: PostgresServer, database: str, folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return all that a team library says of a folder, without numbers and moments; read as the superuser."""
    import psycopg

    with psycopg.connect(server.url(database), options="-c search_path=carrel,public") as connection:
        asked = "select id from folder where path = %s and state = 'watching'"
        found = connection.execute(asked, (os.fsencode(folder),)).fetchone()
        assert found is not None, "the folder is not there"
        number = found[0]
        return {
            name: sorted(map(_plain, connection.execute(sql, {"f": number}).fetchall())) for name, sql in _SAYS.items()
        }


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(tuple(each) if isinstance(each, list) else each if each is not None else "" for each in row)


_PLACE = "join passage p on p.folder_id = w.folder_id and p.id = w.passage_id"
_FILE = "join document d on d.folder_id = p.folder_id and d.id = p.document_id"
_SAYS = {
    "documents": """select path, title, kind, tags, aliases, own_words, size, mtime_ns, coalesce(failure, ''), revision
        from document where folder_id = %(f)s""",
    "passages": """select path, ordinal, text, coalesce(headings, ''), start, "end", line_start, line_end, hash, length
        from passage p join document d on d.folder_id = p.folder_id and d.id = document_id where p.folder_id = %(f)s""",
    "words": f"""select path, ordinal, term, frequency, w.length, place, further from posting w {_PLACE} {_FILE}
        where w.folder_id = %(f)s""",
    "counts of words": "select term, passages from term_count where folder_id = %(f)s and passages <> 0",
    "vectors": f"select path, ordinal, embedding::text from vector_1 w {_PLACE} {_FILE} where w.folder_id = %(f)s",
    "totals": "select documents, passages, tokens from folder_state where folder_id = %(f)s",
    "strays": """select 'posting', count(*) from posting w where folder_id = %(f)s and not exists
            (select from passage p where p.folder_id = w.folder_id and p.id = w.passage_id)
        union all select 'vector', count(*) from vector_1 w where folder_id = %(f)s and not exists
            (select from passage p where p.folder_id = w.folder_id and p.id = w.passage_id)""",
}


def is_as_made_anew(server: PostgresServer, database: str, desk: Desk, elsewhere: PostgresServer) -> None:
    """Hold what a team library says of a desk's folder against one into which it was brought undisturbed."""
    lived = contents(server, database, desk.root)
    with team_on(elsewhere) as fresh:
        desk.share(fresh.url("ada"))
        desk.bring(fresh.url("ada"))
        anew = contents(elsewhere, fresh.name, desk.root)
    for name, rows in anew.items():
        assert lived[name] == rows, f"not the same {name}"
    assert lived["documents"], "nothing was brought"


def main() -> None:
    """Bring a file's folders until killed; say so after each round."""
    address, library, machine = sys.argv[1:]
    while True:
        with writing(address) as writer:
            publisher = Publisher(Path(library), machine)
            while True:
                print(publisher.publish(writer, Never()), flush=True)
                time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
