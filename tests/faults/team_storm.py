"""Eight members search and two write at once: no error, no deadlock, no lost change; and how long searches took.

    python -m tests.faults.team_storm --minutes 5

Members are processes of their own (in the suite, for seconds, threads). In the end what the team library says of each
writer's folder is held against a library into which it was brought undisturbed, and what each searcher finds, who kept
postings and vectors of all the states in between, against what one finds who has just come.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.library_search import LibrarySearch

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "unit"), str(HERE)]  # as a program, and in its processes

from fake_encoder import FakeEncoder  # noqa: E402
from postgres_server import PostgresServer, one_server  # noqa: E402
from shelf import spelt  # noqa: E402
from team_turmoil import GIVE_UP_SECONDS, Desk, is_as_made_anew, team_on  # noqa: E402
from team_world import TeamDatabase  # noqa: E402

SEARCHERS, WRITERS = 8, 2
NOTES = 200  # of each writer, before the storm begins
PAUSE_SECONDS = 0.1  # between two searches: a person who types asks once the keys rest
ASKED_AGAIN = 10  # questions in the end, of all moments of the storm


@dataclass
class Told:
    """What one member lived through: seconds of searches or of changes, and errors in words."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    found: int = 0


@dataclass(frozen=True)
class Storm:
    """What came of a storm."""

    searches: Told
    changes: Told
    deadlocks: int
    differences: tuple[str, ...]

    def ok(self) -> bool:
        """Return whether nothing went wrong."""
        told = (*self.searches.errors, *self.changes.errors, *self.differences)
        return not told and not self.deadlocks and bool(self.searches.found and self.changes.seconds)


@contextmanager
def member(address: str, machine: str) -> Iterator[LibrarySearch]:
    """Give what a member searches with who has just come."""
    from engine.library_file import LibraryFile
    from engine.library_search import LibrarySearch
    from engine.team.team_store import TeamStore

    with closing(TeamStore(address, machine=machine)) as store:
        yield LibrarySearch(store, FakeEncoder(), LibraryFile(Path("none.carrel")))  # type: ignore[arg-type]


def search(address: str, seconds: float, seed: int) -> Told:
    """Search as a member until the time is over."""
    told, asked, chance, until = Told(), [], random.Random(seed), time.monotonic() + seconds
    with member(address, f"desk of {seed}") as library:
        while time.monotonic() < until:
            word = f"note{spelt(chance.randrange(NOTES))}x{spelt(0)}{chance.randrange(30)}"
            asked.append(f"{word} shared")
            began = time.perf_counter()
            try:
                told.found += len(library.search(asked[-1]).hits)
            except Exception as error:
                told.errors.append(f"search: {type(error).__name__}: {error}")
            told.seconds.append(time.perf_counter() - began)
            time.sleep(PAUSE_SECONDS)
        told.errors += stale(library, address, chance.sample(asked, min(ASKED_AGAIN, len(asked))))
    return told


def stale(library: LibrarySearch, address: str, questions: Sequence[str]) -> list[str]:
    """Return in words where a member finds what nobody finds who has just come, once all changes are there."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while True:
        with member(address, "desk of who has just come") as fresh:
            apart = [each for each in questions if rows(library, each) != rows(fresh, each)]
        if not apart or time.monotonic() > deadline:
            return [f"search: {each!r} is not answered as to who has just come" for each in apart]
        time.sleep(PAUSE_SECONDS)


def rows(library: LibrarySearch, question: str) -> list[tuple[bytes, int, float]]:
    """Return what a member is shown: where it stands, and its score."""
    return [(each.path, each.start, round(each.score, 9)) for each in library.search(question).hits]


def write(address: str, desk: Desk, seconds: float) -> Told:
    """Change, index and bring one's folder until the time is over; a change counts until the server has it."""
    told, until = Told(), time.monotonic() + seconds
    while time.monotonic() < until:
        desk.change()
        began = time.perf_counter()
        try:
            desk.bring(address)
        except Exception as error:
            told.errors.append(f"write: {type(error).__name__}: {error}")
        told.seconds.append(time.perf_counter() - began)
    return told


def storm(
    server: PostgresServer,
    elsewhere: PostgresServer,
    base: Path,
    seconds: float,
    pool: Executor,
    *,
    searchers: int = SEARCHERS,
    notes: int = NOTES,
) -> Storm:
    """Let members loose on a fresh team library of `server` and return what came of it."""
    with team_on(server, searchers + WRITERS) as team:
        desks = [Desk(base, f"desk{number}", notes) for number in range(WRITERS)]
        for number, desk in enumerate(desks):
            desk.share(_address(team, number))
            desk.bring(_address(team, number))
        searching = [pool.submit(search, _address(team, WRITERS + each), seconds, each) for each in range(searchers)]
        writing = [pool.submit(write, _address(team, number), desk, seconds) for number, desk in enumerate(desks)]
        searches, changes = _joined(searching), _joined(writing)
        differences = []
        for number, desk in enumerate(desks):
            desk.sync()
            desk.bring(_address(team, number))
            try:
                is_as_made_anew(server, team.name, desk, elsewhere)
            except AssertionError as different:
                differences.append(f"{desk.machine}: {str(different)[:300]}")
        return Storm(searches, changes, _deadlocks(team), tuple(differences))


def _address(team: TeamDatabase, number: int) -> str:
    return team.server.url(team.name, team.role(f"m{number}"))


def _joined(members: Sequence[Future[Told]]) -> Told:
    told = [each.result() for each in members]
    return Told(
        [each for one in told for each in one.seconds],
        [each for one in told for each in one.errors],
        sum(one.found for one in told),
    )


def _deadlocks(team: TeamDatabase) -> int:
    import psycopg

    with psycopg.connect(team.server.url()) as connection:
        asked = "select deadlocks from pg_stat_database where datname = %s"
        return int(connection.execute(asked, (team.name,)).fetchone()[0])  # type: ignore[index]


def percentile(seconds: Sequence[float], share: float) -> float:
    """Return the time that so large a share took at most, in milliseconds."""
    return sorted(seconds)[min(len(seconds) - 1, int(share * len(seconds)))] * 1000


def main() -> int:
    """Run a storm as long as wanted and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--searchers", type=int, default=SEARCHERS)
    parser.add_argument("--notes", type=int, default=NOTES)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    workers = options.searchers + WRITERS
    with (
        one_server() as server,
        tempfile.TemporaryDirectory(prefix="carrel-storm-") as base,
        ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
    ):
        came = storm(
            server, server, Path(base), options.minutes * 60, pool, searchers=options.searchers, notes=options.notes
        )
    for name, told in (("searches", came.searches), ("changes of nine files brought", came.changes)):
        times = told.seconds
        print(
            f"{name}: {len(times):,}; p50 {percentile(times, 0.5):.0f} ms, p95 {percentile(times, 0.95):.0f} ms,"
            f" longest {max(times) * 1000:.0f} ms; errors {len(told.errors)}"
        )
    print(f"rows found: {came.searches.found:,}; deadlocks: {came.deadlocks}; differences: {len(came.differences)}")
    for each in (*came.searches.errors, *came.changes.errors, *came.differences)[:10]:
        print(f"  {each}")
    return 0 if came.ok() else 1


if __name__ == "__main__":
    sys.exit(main())
