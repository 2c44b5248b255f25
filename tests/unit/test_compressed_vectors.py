"""A library whose vectors are compressed in memory answers as one whose vectors are not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from notes import FILLER, library_of, write

from engine.library import Library
from engine.retrieval.vector_index import Resident
from engine.store import models, vector_tables
from engine.store.connection import open_reader

TOPICS = ("bread", "stove", "harbour", "comet", "violin", "glacier", "pepper", "ledger", "orchid", "canal")
NOTES = {
    f"{topic}/{number}.md": f"# {topic} {number}\n\nThe {topic} of day {number} and what it was in week {number % 7}.\n"
    for topic in TOPICS
    for number in range(30)
} | FILLER


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compressed")
    library_of(folder, NOTES).close()
    return folder


@pytest.fixture
def path(home, template):
    return Path(shutil.copy(template / "library.carrel", home / "library.carrel"))


def refreshed(path, resident):
    connection = open_reader(path)
    model = models.active(connection)
    return connection, resident.refresh(connection, model.id)


def kept(home):
    return sorted(each.name for each in (home / "home" / "cache" / "vectors").rglob("*.npy"))


def test_the_nearest_are_those_of_the_exact_comparison(path):
    connection, exact = refreshed(path, Resident())
    _, compressed = refreshed(path, Resident(exact_bytes=0))
    for text in ("bread of day 3", "a comet in week 2", "ledger"):
        query = FakeEncoder().encode_query(text)
        true = exact.nearest(query, 50, None)
        found = compressed.nearest(query, 50, None).settled(connection)
        assert exact.ids[true.rows[:10]].tolist() == compressed.ids[found.rows[:10]].tolist()
        assert np.allclose(true.best, found.best, atol=1e-6)
        assert found.more and true.more


def test_only_what_the_filter_allows_is_found(path):
    connection, compressed = refreshed(path, Resident(exact_bytes=0))
    within = np.array([row[0] for row in connection.execute("SELECT id FROM passage ORDER BY id LIMIT 7")])
    leg = compressed.nearest(FakeEncoder().encode_query("bread"), 50, within).settled(connection)
    assert set(compressed.ids[leg.rows]) == set(within.tolist())
    assert not leg.more


def test_what_was_compressed_is_kept_and_followed(path, home, template):
    _, first = refreshed(path, Resident(exact_bytes=0))
    wait_for_threads()
    assert kept(home) == ["bits.npy", "codes.npy", "factors.npy", "ids.npy"]
    with Library.open(path, encoder=FakeEncoder()) as library:
        folder = template / "notes"
        write(folder, {"new.md": "# Cartography\n\nA chart of the southern straits.\n"})
        (folder / "bread" / "3.md").unlink()
        library.sync()
    connection, again = refreshed(path, Resident(exact_bytes=0))
    live = set(vector_tables.live_ids(connection, models.active(connection).id).tolist())
    query = FakeEncoder().encode_query("chart of the southern straits")
    leg = again.nearest(query, len(live) + 5, None).settled(connection)
    assert set(again.ids[leg.rows].tolist()) == live
    assert len(first.ids) == len(live)  # one came, one went


def test_what_is_kept_of_another_state_is_not_believed(path, home):
    _, before = refreshed(path, Resident(exact_bytes=0))
    wait_for_threads()
    codes = next((home / "home" / "cache" / "vectors").rglob("codes.npy"))
    np.save(codes, -np.load(codes))
    _, after = refreshed(path, Resident(exact_bytes=0))
    assert np.array_equal(before.codes[np.argsort(before.ids)], after.codes[np.argsort(after.ids)])


def test_a_cache_that_is_cut_short_is_made_anew(path, home):
    refreshed(path, Resident(exact_bytes=0))
    wait_for_threads()
    bits = next((home / "home" / "cache" / "vectors").rglob("bits.npy"))
    bits.write_bytes(bits.read_bytes()[:200])
    connection, after = refreshed(path, Resident(exact_bytes=0))
    assert len(after.ids) == int(connection.execute("SELECT count(*) FROM passage").get)


def test_the_cache_is_its_owners_alone(path, home):
    refreshed(path, Resident(exact_bytes=0))
    wait_for_threads()
    folder = home / "home" / "cache" / "vectors"
    assert all(each.stat().st_mode & 0o077 == 0 for each in [*folder.rglob("*.npy"), next(folder.iterdir())])


def wait_for_threads():
    import threading

    for thread in threading.enumerate():
        if thread.name == "carrel-keep-vectors":
            thread.join()
