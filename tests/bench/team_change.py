"""How soon a note that one member of a team saves is a row in another member's search, with real processes.

    python tests/bench/team_change.py [--notes 10] [--files 200] [--json]

A real server is started beside, on the loopback. One member's indexer runs as the browser starts it, with the real
encoder, and brings its folder to the team's library. The other one waits for the server's notices, as an open browser
does, and searches when told, until the note's new word finds it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from indexer import WORDS, start, stop, wait
from machine import heading, machine
from own_home import library_of
from spread import against, limit_lines, spread

from engine.library import Library

sys.path.insert(0, str(Path(__file__).parents[1]))  # the server of the tests

LIMIT_SECONDS = 2.0  # others see a change within it
FIRST_SECONDS = 600.0  # for the folder as it is
PEOPLE = ("ada", "ben")
NOTE = "The line {} of this note speaks of harbours, violins and the granite of old piers, in {} words of its own.\n\n"
PARAGRAPHS = 20  # of a note: each is a passage or less


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notes", type=int, default=10)
    parser.add_argument("--files", type=int, default=200, help="that the folder holds before")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        report = measured(Path(base), options.notes, options.files)
    print(json.dumps(report, indent=1) if options.json else table(report))


@contextmanager
def two_members() -> Iterator[dict[str, str]]:
    """Give the addresses of two members of a team's library, on a server of its own."""
    import psycopg
    import psycopg.sql
    from postgres_server import one_server

    from engine.team.team_migrations import grants, initialise

    with one_server() as server:
        with psycopg.connect(server.url(), autocommit=True) as conn:
            conn.execute("CREATE DATABASE bench")
            for person in PEOPLE:
                conn.execute(psycopg.sql.SQL("CREATE ROLE {} LOGIN").format(psycopg.sql.Identifier(person)))
        with psycopg.connect(server.url("bench"), autocommit=True) as conn:
            names = initialise(conn)
            for person in PEOPLE:
                for grant in grants(names, person):
                    conn.execute(psycopg.sql.SQL(grant))
        yield {person: server.url("bench", person) for person in PEOPLE}


def measured(base: Path, notes: int, files: int) -> dict[str, Any]:
    """Have one member save notes, and the other one find them."""
    folder = base / "notes"
    folder.mkdir()
    for number in range(files):
        text = "".join(NOTE.format(at, number) for at in range(PARAGRAPHS))
        (folder / f"note{number}.md").write_text(f"# Note {number}\n\n{text}")
    with two_members() as urls:
        worker = start(base, lambda _, events: shared(base / "home", urls["ada"], folder, events))
        try:
            own = base / "ben.carrel"
            Library.open(own, create=True).close()
            with Library.open(urls["ben"], own=own) as library:
                feed = library.following()
                assert feed is not None
                with closing(feed):
                    wait(lambda: library.status().documents >= files, "the folder", FIRST_SECONDS)
                    wait(lambda: not feed.wait(LIMIT_SECONDS), "an end of changes", FIRST_SECONDS)
                    taken = [saved(library, feed, folder, number) for number in range(notes)]
                    passages = library.status().passages
        finally:
            stop(worker)
    return {
        "machine": machine(),
        "passages": passages,
        "seconds": spread(taken),
        "limits": against({"found, worst": max(taken)}, {"found, worst": LIMIT_SECONDS}),
    }


def shared(home: Path, url: str, folder: Path, events: Path) -> list[str]:
    """Have a home of its own watch a folder and share it with all, and return what starts its indexer."""
    from app.tui.indexer_process import worker_command
    from engine import config
    from engine.team.membership import bring, join, writing

    os.environ["CARREL_HOME"] = str(home)
    path = library_of(home)
    with Library.open(path, create=True) as library:
        library.add(folder)
    join(url, "desk", lambda: "")
    with writing(config.load().team) as writer:
        bring(writer, os.fsencode(folder), "desk", "all", ())
    return worker_command(path, events)


def saved(library: Library, feed: Any, folder: Path, number: int) -> float:
    """Save a note and return the seconds until the other member finds it by words."""
    word = f"quokka{number}x{time.time_ns()}"
    (folder / f"saved-{number}.md").write_text(f"# Saved\n\nA line with {word} in it.\n")
    began = time.monotonic()
    while not library.search(word, settings=WORDS).hits:
        feed.wait(LIMIT_SECONDS)
    taken = time.monotonic() - began
    time.sleep(0.37 * (number % 5))  # so that notes come at different moments of a look
    return taken


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    taken = report["seconds"]
    lines = [
        heading(report["machine"]),
        f"{report['passages']:,} passages; of {taken['n']} notes saved by one member the other found"
        f" half after {taken['p50']:.2f} s, the last after {taken['max']:.2f}",
    ]
    return "\n".join([*lines, *limit_lines(report["limits"], "s")])


if __name__ == "__main__":
    main()
