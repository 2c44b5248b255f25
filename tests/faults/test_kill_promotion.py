"""An indexer that is killed while it embeds the library anew with a promoted model: the old one serves until the swap.

CARREL_KILLS says how many indexers are killed (2 where it is not set, 10 in a slow run), CARREL_KILL_SEED when.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import fake_encoder
import pytest
from equality import brought_up_to_date
from fake_encoder import FakeEncoder
from shelf import paragraph, spelt

import engine
from app.tui.training_runs import TrainingRuns
from engine.indexing.model_build import AT_ONCE
from engine.library import Library
from engine.sources.parser import Parser
from engine.store import folders, models, vector_tables
from engine.store.connection import open_reader, open_writer
from training import runs
from training.run_plan import Plan

SEED = int(os.environ.get("CARREL_KILL_SEED", "7"))
KILLS = int(os.environ.get("CARREL_KILLS", "10" if os.environ.get("CARREL_SLOW") else "2"))
NOTES = 40 * KILLS  # so that a kill falls behind some commits
DEADLINE_SECONDS = 300.0  # an indexer gives way to all others, and the suite keeps every core at work
PLACES = (Path(engine.__file__).parents[1], Path(fake_encoder.__file__).parent)  # of what the process imports
QUESTION = f"wide{spelt(7)}x{spelt(0)} shared"

# The indexer's process: fake models, of which the tuned one takes its time, and writes down what it was asked to embed.
INDEXER = """
import re, sys, time
from dataclasses import replace
from engine.indexer import worker
from fake_encoder import FakeEncoder
from rough_tiers import fit_roughly

NOTE = re.compile(r"wide[a-z]+x")  # not one of the shipped texts that fit the tiers

class Tuned(FakeEncoder):
    def __init__(self):
        super().__init__()
        self.manifest = replace(self.manifest, id="tuned-1", revision="tuned")
    def encode_passages(self, texts):
        time.sleep(0.001 * len(texts))
        return -super().encode_passages(texts)

class Logged:
    def __init__(self, model):
        self.model, self.manifest, self.token_starts = model, model.manifest, model.token_starts
        self.encode_query, self.encode_queries, self.close = model.encode_query, model.encode_queries, model.close
        self.reads = model.reads
    def encode_passages(self, texts):
        with open(sys.argv[1], "a") as stream:
            stream.write("".join(f"{self.manifest.id} {hash(text)}\\n" for text in texts if NOTE.search(text)))
        return self.model.encode_passages(texts)

encoder_of = lambda name: Logged(Tuned() if name == "tuned-1" else FakeEncoder())
fit_roughly()
worker.NICENESS = 0  # the suite keeps every core at work, and waits for this process
sys.exit(worker.main(sys.argv[2:], encoder_of))
"""


class Tuned(FakeEncoder):
    """The promoted model, as the indexer's process has it."""

    def __init__(self) -> None:
        super().__init__()
        self.manifest = replace(self.manifest, id="tuned-1", revision="tuned")


class Shelves:
    """A library of notes, its indexer's process, and what that was asked to embed."""

    def __init__(self, base: Path) -> None:
        self.library, self.events, self.log = base / "home" / "library.carrel", base / "events", base / "embedded"
        notes = base / "notes"
        notes.mkdir(parents=True)
        for number in range(NOTES):
            parts = [paragraph(f"wide{spelt(number)}x{spelt(part)}") for part in range(8)]
            (notes / f"note{number}.md").write_text(
                f"# Note {number}\n\n" + "\n\n".join([*parts, "A shared paragraph."])
            )
        with closing(open_writer(self.library, create=True)) as conn:
            folders.add(conn, os.fsencode(notes))
            brought_up_to_date(conn, self.library, FakeEncoder, Parser)

    def start(self) -> subprocess.Popen[bytes]:
        options = ["--library", str(self.library), "--events", str(self.events)]
        return subprocess.Popen(
            [sys.executable, "-P", "-c", INDEXER, str(self.log), *options],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, PLACES)), "PYTHONHASHSEED": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def embedded(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def vectors(self) -> int:
        """Return how many vectors the promoted model has by now."""
        with closing(open_reader(self.library)) as conn:
            found = [model for model in models.every(conn) if model.name == "tuned-1"]
            return len(vector_tables.live_ids(conn, found[0].id)) if found else 0

    def active(self) -> str:
        with closing(open_reader(self.library)) as conn:
            model = models.active(conn)
            return model.name if model is not None else ""

    def passages(self) -> int:
        with closing(open_reader(self.library)) as conn:
            return int(str(conn.execute("SELECT count(*) FROM passage").get))

    def search(self, encoder: FakeEncoder) -> list[tuple[int, float]]:
        with Library.open(self.library, encoder=encoder) as library:  # type: ignore[arg-type]
            return [(hit.passage_id, round(hit.score, 6)) for hit in library.search(QUESTION, limit=10).hits]


def until(true: Callable[[], bool], process: subprocess.Popen[bytes]) -> bool:
    """Wait for a condition; returns False where the process ended before."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while process.poll() is None and not true():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)
    return process.poll() is None


def finish(process: subprocess.Popen[bytes]) -> None:
    """Wait for the indexer's own end; closing its pipe would tell it to stop."""
    assert process.wait(timeout=DEADLINE_SECONDS) == 0
    process.communicate()


@pytest.fixture
def shelves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelves:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    return Shelves(tmp_path)


def test_a_promoted_model_is_swapped_in_at_last_however_often_the_indexer_is_killed(shelves: Shelves) -> None:
    chance = random.Random(SEED)
    port = TrainingRuns(shelves.library)
    runs.create(Plan("tuned-1", str(shelves.library))).update(state="promotable", verdict="gain", model="tuned-1")
    before, whole = shelves.search(FakeEncoder()), shelves.passages()
    port.promote("tuned-1")
    for _ in range(KILLS):
        wanted = len(shelves.embedded()) + chance.randrange(1, whole // (KILLS + 1))
        process = shelves.start()
        in_the_midst = until(lambda: len(shelves.embedded()) >= wanted, process)  # noqa: B023  # waited for right here
        assert shelves.active() == "fake"
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert in_the_midst
        assert shelves.active() == "fake"
        assert [run.use for run in port.runs()] == ["building"]
        assert shelves.search(FakeEncoder()) == before
    last = shelves.start()
    finish(last)
    assert shelves.active() == "tuned-1"
    assert shelves.vectors() == whole
    assert [run.use for run in port.runs()] == ["in use"]
    assert len(shelves.search(Tuned())) == len(before)
    again = len(shelves.embedded()) - len(set(shelves.embedded()))
    assert again <= KILLS * AT_ONCE  # what the kills cost

    embedded = shelves.embedded()
    assert port.rollback() == "fake"
    back = shelves.start()
    finish(back)
    assert shelves.active() == "fake"
    assert shelves.embedded() == embedded  # nothing: its vectors were kept
    assert shelves.search(FakeEncoder()) == before
