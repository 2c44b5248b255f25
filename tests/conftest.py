"""What holds for every test: examples that never change, long tests only when asked for, signals as at a terminal."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import properties
import pytest

if TYPE_CHECKING:
    from postgres_server import PostgresServer
    from team_world import TeamDatabase

LONG_TESTS = "CARREL_SLOW"
PROCESSES_A_CORE = 2  # tests of the screen and of processes wait more than they work
SCREEN = "test_tui_"  # how the names of modules that test the screen begin
SERVERS = frozenset({"postgres", "own_postgres"})  # fixtures that start one
MOST_PROCESSES = 8  # of 300 to 900 MB each
GARBAGE = (20_000, 10, 10)  # Python's own 700 objects cost tests of the screen a fifth of their time


def pytest_configure() -> None:
    """Keep away from the home of whoever runs the tests, and heed the signals that background jobs ignore."""
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # all cores are at work
        os.environ.setdefault(variable, "1")
    os.environ["CARREL_HOME"] = tempfile.mkdtemp(prefix="carrel-tests-")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes read what the first has compiled
    sys.dont_write_bytecode = False
    properties.load_profile()
    gc.set_threshold(*GARBAGE)


def pytest_unconfigure() -> None:
    """Take away the home that tests without one of their own had."""
    shutil.rmtree(os.environ["CARREL_HOME"], ignore_errors=True)


def pytest_collection_finish() -> None:
    """Look for garbage no more in what was imported and collected, a million objects."""
    gc.collect()
    gc.freeze()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name no test after bytes: an archive made a second later is another one, and each process makes its own."""
    return argname if isinstance(val, bytes) else None


def pytest_xdist_auto_num_workers() -> int:
    """Return over how many processes the tests are spread where nobody says."""
    return min(PROCESSES_A_CORE * (os.cpu_count() or 1), MOST_PROCESSES)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that compare pictures and those of a server, and skip those marked `slow` unless asked for.

    Those that train come first: so one process of a run has them all, and the others never import torch, which takes
    seconds. Those that take what is made once a run are next: one process has them, and hardly another waits.
    Modules of the screen stand evenly among the others: their tests wait, while those of the others work.
    """
    turn = turns(Counter(item.path for item in items))
    items.sort(key=lambda item: ("training" not in item.keywords, not _made_once(item), turn[item.path]))
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "snap_compare" in fixtures:
            item.add_marker(pytest.mark.picture)
        if not SERVERS.isdisjoint(fixtures):
            item.add_marker(pytest.mark.processes)
        if "slow" in item.keywords and not os.environ.get(LONG_TESTS):
            item.add_marker(pytest.mark.skip(reason=f"takes minutes; set {LONG_TESTS}=1 to run it"))


def _made_once(item: pytest.Item) -> bool:
    return hasattr(getattr(item, "module", None), "made_once")


def turns(modules: Mapping[Path, int]) -> dict[Path, tuple[float, Path]]:
    """Return where in a run each module comes, of each of which is given how many tests it has."""
    turn: dict[Path, tuple[float, Path]] = {}
    for waits in (True, False):
        those = {path: count for path, count in sorted(modules.items()) if path.name.startswith(SCREEN) is waits}
        before = 0
        for path, count in those.items():
            turn[path] = before / sum(those.values()), path
            before += count
    return turn


def pytest_sessionfinish() -> None:
    """Look for garbage a last time: pytest does so five times more, among all objects that are not frozen."""
    pytest_collection_finish()


@pytest.fixture(scope="module")
def unfitted() -> Iterator[None]:
    """Leave the tiers of libraries as they begin: to fit them takes a second each, and here no tier is asked for."""
    from engine.retrieval import tier_calibration

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tier_calibration, "refit", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def roughly_fitted() -> Iterator[None]:
    """Fit the tiers of libraries to each twelfth foreign query, which here is near enough."""
    import rough_tiers

    from engine.retrieval import tier_calibration
    from training import candidate_evaluation

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tier_calibration, "calibrate", rough_tiers.calibrate)
        patch.setattr(candidate_evaluation, "calibrate", rough_tiers.calibrate)
        yield


@pytest.fixture(scope="module")
def roughly_linked() -> Iterator[None]:
    """Fit from where words count as linked to each twelfth foreign query, for models that give token vectors."""
    from rough_tiers import EACH

    from engine.retrieval import word_link_calibration

    queries, vectors = word_link_calibration.foreign_queries, word_link_calibration.foreign_vectors
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_link_calibration, "foreign_queries", lambda: queries()[::EACH])
        patch.setattr(word_link_calibration, "foreign_vectors", lambda encoder: vectors(encoder)[::EACH])
        yield


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Give the one PostgreSQL server of this run, which all its processes share; no test may kill or stop it."""
    import postgres_server

    if reason := postgres_server.unavailable():
        pytest.skip(reason)
    folder = tmp_path_factory.getbasetemp()
    server = postgres_server.shared(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)
    yield server
    server.leave()


@pytest.fixture
def team_database(postgres: PostgresServer) -> Iterator[TeamDatabase]:
    """Give an empty database with pgvector, and the logins of an owner, two members and a stranger."""
    from team_world import fresh_database

    with fresh_database(postgres) as database:
        yield database


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """Give a server of the test's own, which may be killed, stopped and started again."""
    import postgres_server

    if reason := postgres_server.unavailable():
        pytest.skip(reason)
    with postgres_server.one_server() as server:
        yield server
