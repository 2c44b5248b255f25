"""An indexer that is killed at any moment leaves a library that the next sync brings to the same state.

CARREL_KILLS says how many indexers are killed (4 where it is not set), CARREL_KILL_SEED at which moments.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import fake_encoder
import pytest
from equality import brought_up_to_date
from fake_encoder import FakeEncoder
from fake_indexer import command
from shelf import contents, paragraph, spelt, words_are_sound

import engine
from engine.sources.parser import Parser
from engine.store import documents, folders, pending_vectors
from engine.store.connection import open_writer
from engine.store.lock import holder

KILLS = int(os.environ.get("CARREL_KILLS", "4"))
SEED = int(os.environ.get("CARREL_KILL_SEED", "7"))
NOTES = 250 if KILLS > 4 else 120
DEADLINE_SECONDS = 300.0  # an indexer gives way to all others, and the suite keeps every core at work
PLACES = (Path(engine.__file__).parents[1], Path(fake_encoder.__file__).parent)  # of what the process imports
STEP = 150  # texts that the encoder below does in the time of a step: what a kill may cost

# The indexer's process with an encoder that takes its time, and writes down which texts of notes it was given.
EMBEDDING = """
import sys, time
from engine.indexer import worker
from fake_encoder import FakeEncoder
from rough_tiers import fit_roughly

class Slow(FakeEncoder):
    def encode_passages(self, texts):
        with open(sys.argv[1], "a") as stream:
            stream.write("".join(f"{hash(text)}\\n" for text in texts if "wide" in text or "shared" in text))
        time.sleep(0.002 * len(texts))
        return super().encode_passages(texts)

fit_roughly()
worker.NICENESS = 0  # the suite keeps every core at work, and waits for this process
sys.exit(worker.main(sys.argv[2:], lambda name: Slow()))
"""


def write_notes(root: Path, chance: random.Random) -> None:
    for number in range(NOTES):
        path = root / f"folder{number % 7}" / f"note{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        words = [f"wide{spelt(number)}x{spelt(part)}" for part in range(chance.choice((1, 1, 2, 5, 20)))]
        path.write_text(f"# Note {number}\n\n" + "\n\n".join(paragraph(word) for word in [*words, "shared"]))


def change_notes(root: Path, chance: random.Random) -> None:
    """Edit, rename, remove and add some notes, as a person does between two runs."""
    notes = sorted(root.rglob("*.md"))
    chosen = chance.sample(notes, 9)
    edited, renamed, removed = chosen[:3], chosen[3:6], chosen[6:]
    for path in edited:
        path.write_text(path.read_text() + "\n\n" + paragraph(f"edit{spelt(chance.random())}"))
    for path in renamed:
        path.rename(path.with_name(f"renamed-{chance.getrandbits(32)}.md"))
    for path in removed:
        path.unlink()
    (root / f"new-{chance.getrandbits(32)}.md").write_text(paragraph(f"new{spelt(chance.random())}"))


def start(library: Path, events: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command(library, events),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill_in_the_midst(library: Path, events: Path, chance: random.Random) -> None:
    """Start an indexer and kill it after it has told of a random number of events."""
    already = events.stat().st_size if events.exists() else 0
    until = already + chance.randrange(1, 4000)  # bytes of events: from its first line to far into the sync
    process = start(library, events)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if events.exists() and events.stat().st_size >= until:
            break
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_killed_sync_is_continued_and_ends_like_a_fresh_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    chance = random.Random(SEED)
    notes, library, events = tmp_path / "notes", tmp_path / "home" / "library.carrel", tmp_path / "events"
    write_notes(notes, chance)
    conn = open_writer(library, create=True)
    folders.add(conn, os.fsencode(notes))
    for _ in range(KILLS):
        kill_in_the_midst(library, events, chance)
        assert holder(library) is None
        assert words_are_sound(conn)
        change_notes(notes, chance)

    def bring_up_to_date(path: Path) -> dict[tuple[object, ...], bytes]:
        writer = open_writer(path, create=True)
        folders.add(writer, os.fsencode(notes))
        report = brought_up_to_date(writer, path, FakeEncoder, Parser)
        assert report.failed == ()
        assert words_are_sound(writer)
        found = contents(writer)
        assert documents.counts(writer).documents == len(list(notes.rglob("*.md")))
        writer.close()
        return found

    continued = bring_up_to_date(library)
    fresh = bring_up_to_date(tmp_path / "home" / "fresh.carrel")
    assert continued.keys() == fresh.keys()
    assert continued == fresh
    conn.close()


def test_killed_while_it_embeds_all_is_found_by_words_and_no_vector_is_made_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    chance = random.Random(SEED)
    notes, library, given = tmp_path / "notes", tmp_path / "home" / "library.carrel", tmp_path / "given"
    write_notes(notes, chance)
    conn = open_writer(library, create=True)
    folders.add(conn, os.fsencode(notes))
    command_line = [sys.executable, "-P", "-c", EMBEDDING, str(given), "--library", str(library)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, PLACES)), "PYTHONHASHSEED": "0"}
    waiting = 0
    for number in range(KILLS + 1):
        process = subprocess.Popen(
            [*command_line, "--events", str(tmp_path / "events")],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if number == KILLS:
            assert process.wait(DEADLINE_SECONDS) == 0
            process.communicate()
            break
        deadline = time.monotonic() + DEADLINE_SECONDS
        before = given.stat().st_size if given.exists() else 0
        while not given.exists() or given.stat().st_size <= before:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert documents.counts(conn).documents == NOTES
        assert words_are_sound(conn)
        found = conn.execute(
            "SELECT count(DISTINCT document_id) FROM passage WHERE id IN (SELECT rowid FROM passage_fts "
            "WHERE passage_fts MATCH 'shared0')"
        ).get
        assert found == NOTES
        left = pending_vectors.count(conn)
        assert 0 < left <= (waiting or left)
        waiting = left
    assert pending_vectors.count(conn) == 0
    told = given.read_text().splitlines()
    assert len(told) - len(set(told)) <= KILLS * STEP
    fresh = open_writer(tmp_path / "home" / "fresh.carrel", create=True)
    folders.add(fresh, os.fsencode(notes))
    brought_up_to_date(fresh, tmp_path / "home" / "fresh.carrel", FakeEncoder, Parser)
    assert contents(conn) == contents(fresh)
    fresh.close()
    conn.close()
