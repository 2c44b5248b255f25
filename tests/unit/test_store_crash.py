"""A writer that is killed at any moment leaves a library that is sound."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from store_samples import Sample

from engine.store import documents, integrity
from engine.store.connection import open_reader, open_writer
from engine.store.lock import IndexerLock

pytestmark = pytest.mark.processes

WRITE_FOREVER = """
import random, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from store_samples import Sample, cut, facts, vector_for
from engine.records import Document
from engine.store import folders, models
from engine.store.connection import open_writer
from engine.store.lock import IndexerLock
from engine.store.document_writer import Writer

library, rng = Path(sys.argv[1]), random.Random(int(sys.argv[2]))
with IndexerLock(library).acquire("sync"):
    conn = open_writer(library, lock_held=True)
    writer = Writer(conn, models.active(conn).id)
    folder = folders.at(conn, b"/notes").id
    while True:
        with writer.transaction():
            for _ in range(rng.randint(1, 5)):
                path = f"{rng.randrange(30)}.md"
                text = "\\n\\n".join(f"paragraph {rng.randrange(40)} of many" for _ in range(rng.randint(1, 20)))
                passages = cut(text)
                missing = writer.missing(passage.hash for passage in passages)
                writer.put(folder, facts(path, text), Document(text, path, False, "text"), passages,
                           {each: vector_for(each) for each in missing})
            if rng.random() < 0.2:
                writer.remove(rng.sample(folders.documents_in(conn, folder), 1))
        print("committed", flush=True)
"""


def kill_while_writing(library: Path, seed: int) -> None:
    """Let a process write, and kill it a random instant after one of its commits."""
    rng = random.Random(seed)
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE_FOREVER, str(library), str(seed), str(Path(__file__).parent)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for _ in range(rng.randint(2, 15)):
        assert process.stdout.readline() == "committed\n"
    timer = threading.Timer(rng.random() * 0.02, process.kill)
    timer.start()
    process.communicate()
    timer.join()


def test_a_writer_killed_at_any_moment_leaves_a_sound_library(tmp_path: Path) -> None:
    library = tmp_path / "library.carrel"
    Sample(library).conn.close()
    for seed in range(5):
        kill_while_writing(library, seed)
        assert [check for check in integrity.checks(open_reader(library)) if not check.ok] == []
        with IndexerLock(library).acquire("sync"):
            conn = open_writer(library, lock_held=True)
            assert documents.counts(conn).documents > 0
            assert [check for check in integrity.checks(conn) if not check.ok] == []
            conn.close()
