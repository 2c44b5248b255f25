"""Members who search while others write, for a few seconds; `team_storm` runs as long as wanted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from postgres_server import PostgresServer

pytest.importorskip("psycopg")
pytestmark = pytest.mark.processes
SECONDS = 4.0
SEARCHERS = 4
NOTES = 30


def test_members_search_and_write_at_once_without_an_error_a_deadlock_or_a_lost_change(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from team_storm import WRITERS, storm

    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with ThreadPoolExecutor(SEARCHERS + WRITERS) as pool:
        came = storm(postgres, postgres, tmp_path, SECONDS, pool, searchers=SEARCHERS, notes=NOTES)
    assert (came.searches.errors, came.changes.errors, came.differences, came.deadlocks) == ([], [], (), 0)
    assert came.ok()
