"""A team library on the test's own database, and documents to bring into it, with vectors made of their texts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from postgres_server import PostgresServer
from team_world import TeamDatabase, fresh_database

from engine.records import passage_hash
from engine.team.published import PublishedDocument, PublishedEntry, PublishedPassage, revision_of
from engine.team.team_migrations import grants, initialise
from engine.team.team_writer import TeamWriter

DIMENSION = 8


@dataclass(frozen=True)
class SmallModel:
    """A manifest, as far as the store reads one."""

    id: str = "small"
    dimension: int = DIMENSION
    fingerprint: str = "small-1"

    def to_json(self) -> str:
        return json.dumps({"id": self.id})


def vector_of(text: str, dimension: int = DIMENSION) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return a unit vector that is this text's own."""
    seed = int.from_bytes(passage_hash(text)[:8], "big")
    vector = np.random.default_rng(seed).normal(size=dimension).astype(np.float32)
    return vector / np.linalg.norm(vector)


def passages(*texts: str, vectors: bool = True, headings: str | None = None) -> tuple[PublishedPassage, ...]:
    """Return passages that tile a document of these texts; without `vectors` they wait."""
    found, start = [], 0
    for ordinal, text in enumerate(texts):
        vector = vector_of(text) if vectors else None
        waiting = None if vectors else text
        end = start + len(text)
        found.append(
            PublishedPassage(
                ordinal, text, headings, start, end, ordinal + 1, ordinal + 1, None, passage_hash(text), vector, waiting
            )
        )
        start = end
    return tuple(found)


def document(path: str, *texts: str, vectors: bool = True, **values: Any) -> PublishedDocument:
    """Return a note at a path; `values` replace any of its own."""
    plain = PublishedDocument(
        path=os.fsencode(path),
        path_text=path,
        title=path.rpartition("/")[2].removesuffix(".md"),
        title_written=True,
        kind="markdown",
        tags="",
        aliases="",
        own_words="",
        own_date=None,
        size=sum(map(len, texts)),
        mtime_ns=1_700_000_000 * 10**9,
        content_hash=passage_hash("".join(texts)),
        metadata="{}",
        links="[]",
        indexed_at=1_700_000_000.0,
        failure=None,
        entries=(),
        passages=passages(*texts, vectors=vectors),
    )
    made = replace(plain, **values)
    return replace(made, revision=revision_of(made))


def entry(number: int, title: str, **values: Any) -> PublishedEntry:
    """Return a writing of a file that holds several."""
    plain = PublishedEntry(number=number, title=title, tags="", own_words="", own_date=None, metadata="{}")
    return replace(plain, **values)


@dataclass
class Team:
    """A library that was set up, its members, and their writers."""

    database: TeamDatabase
    writers: dict[str, TeamWriter]

    def writer(self, person: str = "ada") -> TeamWriter:
        """Return the writer of a member, one each."""
        if person not in self.writers:
            self.writers[person] = TeamWriter(self.database.url(person), "carrel")
        return self.writers[person]

    def folder(self, person: str = "ada", path: str = "/home/ada/notes", visible: str = "private", **said: Any) -> int:
        """Make a folder of a member and claim it."""
        number = self.writer(person).folder(path.encode(), "box", visible, **said)
        assert self.writer(person).claim(number)
        return number

    def sql(self, person: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run SQL of a member's own."""
        with self.database.connect(person) as conn:
            conn.execute("SET search_path = carrel")
            found = conn.execute(statement, values or None)
            return found.fetchall() if found.description else []

    def everything(self, statement: str) -> list[tuple[Any, ...]]:
        """Run SQL that no policy holds back."""
        import psycopg

        with psycopg.connect(self.database.server.url(self.database.name), autocommit=True) as conn:
            conn.execute("SET search_path = carrel")
            return conn.execute(statement).fetchall()

    def close(self) -> None:
        for each in self.writers.values():
            each.close()
        self.writers.clear()

    def clear(self) -> None:
        """Take everything out of the library again but what setting it up made: that takes seconds under load."""
        self.close()
        for (table,) in self.everything("SELECT tablename FROM pg_tables WHERE tablename ~ '^vector_'"):
            self.run_as_superuser(f"DROP TABLE {table}")
        told = "folder, model, member, mark, mark_state, query_vector, saved_search, shared_search, posting, term_count"
        self.run_as_superuser(f"TRUNCATE {told} CASCADE")

    def run_as_superuser(self, statement: str) -> None:
        """Run SQL that gives no rows."""
        import psycopg

        with psycopg.connect(self.database.server.url(self.database.name), autocommit=True) as conn:
            conn.execute(f"SET search_path = carrel; {statement}")


@contextmanager
def team_library(server: PostgresServer) -> Iterator[Team]:
    """Give a library that was set up, with two members, ada being a keeper: for all tests of a module."""
    with fresh_database(server) as database:
        with database.connect("owner") as conn:
            names = initialise(conn)
            for person in ("ada", "ben"):
                for grant in grants(names, database.role(person), keeper=person == "ada"):
                    conn.execute(grant)
        team = Team(database, {})
        yield team
        team.close()


@contextmanager
def emptied(team: Team) -> Iterator[Team]:
    """Give a library with the small model and nothing else, to one test of a module."""
    team.writer("ada").model(SmallModel())
    yield team
    team.clear()
