"""Processes that are killed while a model is built beside, compared with, promoted or gone back from.

Each leaves a library that is sound, in a state from before or after; what was begun is ended by the next. CARREL_KILLS
and CARREL_KILL_SEED count as in `test_kill_promotion`.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from test_kill_promotion import KILLS, PLACES, SEED, Shelves, Tuned, finish, until

from engine.embedding import catalogue
from engine.library import Library
from engine.store import integrity, models, requests, vector_tables
from engine.store.connection import open_reader, open_writer

# A process that asks both models one question after the other, as a browser or a replay does.
COMPARING = """
import sys
from pathlib import Path
from dataclasses import replace
from engine.embedding import catalogue
from engine.library import Library
from fake_encoder import FakeEncoder

class Tuned(FakeEncoder):
    def __init__(self):
        super().__init__()
        self.manifest = replace(self.manifest, id="tuned-1", revision="tuned")

catalogue.load = lambda name="", **_: Tuned() if name == "tuned-1" else FakeEncoder()
with Library.open(Path(sys.argv[1])) as library:
    done = {each.query for each in library.shadow_searches(stream="replay")}
    for number in range(int(sys.argv[2])):
        if f"shared paragraph wide{number}" not in done:
            library.shadow_score(f"shared paragraph wide{number}", "replay")
            print(number, flush=True)
"""
QUESTIONS = 30


@pytest.fixture
def shelves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelves:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(catalogue, "load", lambda name="", **_: Tuned() if name == "tuned-1" else FakeEncoder())
    return Shelves(tmp_path)


def order(shelves: Shelves, kind: str, argument: str = "tuned-1") -> None:
    with closing(open_writer(shelves.library)) as conn:
        requests.file(conn, kind, argument)


def states(shelves: Shelves) -> dict[str, str]:
    with closing(open_reader(shelves.library)) as conn:
        return {each.name: each.state for each in models.every(conn)}


def assert_sound(shelves: Shelves) -> None:
    with closing(open_reader(shelves.library)) as conn:
        assert [check.name for check in integrity.checks(conn) if not check.ok] == []
        assert conn.execute("SELECT count(*) FROM model WHERE state = 'active'").get == 1


def killed(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def built(shelves: Shelves) -> None:
    """Let the tuned model run beside, with all its vectors."""
    order(shelves, "shadow")
    finish(shelves.start())
    assert states(shelves) == {"fake": "active", "tuned-1": "shadow"}


def test_a_model_beside_has_all_its_vectors_at_last_however_often_the_indexer_is_killed(shelves: Shelves) -> None:
    chance = random.Random(SEED)
    before, whole = shelves.search(FakeEncoder()), shelves.passages()
    order(shelves, "shadow")
    for _ in range(KILLS):
        wanted = len(shelves.embedded()) + chance.randrange(1, whole // (KILLS + 1))
        process = shelves.start()
        assert until(lambda: len(shelves.embedded()) >= wanted, process)  # noqa: B023  # waited for right here
        killed(process)
        assert states(shelves) == {"fake": "active", "tuned-1": "shadow"}
        assert shelves.search(FakeEncoder()) == before
        assert_sound(shelves)
    finish(shelves.start())
    assert shelves.vectors() == whole
    assert shelves.search(FakeEncoder()) == before
    with closing(open_reader(shelves.library)) as conn:
        beside = models.shadow(conn)
        assert beside is not None and models.coverage(conn, beside).share == 1.0
        kinds = [kind for (kind,) in conn.execute("SELECT kind FROM shadow_event ORDER BY id")]
    assert kinds == ["shadow_started", "shadow_gap_filled"]


def test_what_both_found_is_written_whole_or_not_at_all_and_a_replay_goes_on_after_a_kill(shelves: Shelves) -> None:
    built(shelves)
    chance = random.Random(SEED)
    for _ in range(KILLS):
        process = comparing(shelves)
        assert process.stdout is not None
        for _ in range(chance.randrange(1, 4)):
            process.stdout.readline()
        time.sleep(chance.random() * 0.01)  # somewhere within a question
        killed(process)
        assert_whole(shelves)
    process = comparing(shelves)
    process.communicate()
    assert process.returncode == 0
    assert_whole(shelves)
    with Library.open(shelves.library) as library:
        asked = [each.query for each in library.shadow_searches(stream="replay")]
    assert len(asked) == len(set(asked)) == QUESTIONS


def comparing(shelves: Shelves) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", COMPARING, str(shelves.library), str(QUESTIONS)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, PLACES))},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def assert_whole(shelves: Shelves) -> None:
    assert_sound(shelves)
    with Library.open(shelves.library) as library:
        for each in library.shadow_searches(pairs=True):
            assert {pair.passage_hash for pair in each.pairs} == {*each.top_a, *each.top_b}


@pytest.mark.parametrize("back", [False, True], ids=["promoted", "rolled back"])
def test_an_exchange_of_the_models_that_is_killed_is_done_or_not_and_never_half(shelves: Shelves, back: bool) -> None:
    built(shelves)
    if back:
        order(shelves, "use_model")
        finish(shelves.start())
        assert states(shelves) == {"fake": "shadow", "tuned-1": "active"}
    wanted = "fake" if back else "tuned-1"
    whole, embedded = shelves.passages(), shelves.embedded()
    both = ({"fake": "active", "tuned-1": "shadow"}, {"fake": "shadow", "tuned-1": "active"})
    order(shelves, "use_model", wanted)
    chance = random.Random(SEED)
    for _ in range(KILLS):
        process = shelves.start()
        until(lambda: shelves.active() == wanted, process) if chance.random() < 0.5 else time.sleep(chance.random())
        killed(process)
        assert states(shelves) in both
        assert_sound(shelves)
    finish(shelves.start())
    assert states(shelves) == both[not back]
    assert shelves.embedded() == embedded  # nothing had to be made
    with closing(open_reader(shelves.library)) as conn:
        for each in models.every(conn):
            assert len(vector_tables.live_ids(conn, each.id)) == whole
        beside = models.shadow(conn)
        assert beside is not None
        assert (models.figure(conn, beside.id, models.FORMER_SINCE) is None) == back
        kinds = [kind for (kind,) in conn.execute("SELECT kind FROM shadow_event ORDER BY id")]
    assert kinds[2:] == (["promoted", "rolled_back"] if back else ["promoted"])
