"""Power cuts: wherever the write-ahead log ends, the library opens in a state that was committed, whole and sound."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from shelf import contents
from store_samples import Sample

from engine.store import integrity
from engine.store.connection import open_reader, open_writer

HEADER_BYTES = 32  # of the log, and of each of its frames below; https://sqlite.org/fileformat2.html#walformat
FRAME_HEADER_BYTES = 24
ODD = (1, FRAME_HEADER_BYTES - 1, FRAME_HEADER_BYTES, 4_096, -1)  # places in a frame at which the power may go


class Written:
    """A library whose log holds several commits, and what it held after each of them."""

    def __init__(self, folder: Path) -> None:
        sample = Sample(folder / "written.carrel")
        sample.put("first.md", "soil and water\n\nseeds", title="Garden")
        sample.conn.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        sample.conn.pragma("wal_autocheckpoint", 0)
        self.states = [contents(sample.conn)]
        for commit in self._commits(sample):
            assert commit
            self.states.append(contents(sample.conn))
        self.main = sample.path.read_bytes()
        self.log = sample.path.with_name(sample.path.name + "-wal").read_bytes()
        self.page = int.from_bytes(self.main[16:18], "big")
        sample.conn.close()

    def _commits(self, sample: Sample) -> Iterator[str]:
        sample.put("second.md", "\n\n".join(f"paragraph {number} of many" for number in range(12)))
        yield "a new document"
        sample.put("first.md", "soil and rain\n\nseeds", title="Garden")
        yield "an edited one"
        with sample.writer.transaction():
            sample.writer.remove([sample.document("second.md")])
        yield "a removed one"
        sample.put("third.md", "places that were free are taken\n\nagain")
        yield "one in the places of another"

    def frames(self) -> list[int]:
        """Where each frame of the log begins, and where the last one ends."""
        step = FRAME_HEADER_BYTES + self.page
        return list(range(HEADER_BYTES, len(self.log) + 1, step))

    def after(self, folder: Path, log: bytes, main: bytes | None = None) -> Path:
        """Lay down what the disk holds after a power cut."""
        path = folder / "library.carrel"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        path.write_bytes(self.main if main is None else main)
        if log:
            path.with_name(path.name + "-wal").write_bytes(log)
        return path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return Written(tmp_path_factory.mktemp("written"))


def found_state(path: Path, written: Written) -> int:
    """Open a library as a reader does, check it, and return which committed state it shows."""
    reader = open_reader(path)
    try:
        found = contents(reader)
        assert [check for check in integrity.checks(reader) if not check.ok] == []
    finally:
        reader.close()
    return written.states.index(found)


def test_a_log_cut_at_any_page_shows_a_committed_state(written: Written, tmp_path: Path) -> None:
    seen = [found_state(written.after(tmp_path / "cut", written.log[:place]), written) for place in written.frames()]
    assert seen == sorted(seen), "a longer log never shows an older state"
    assert set(seen) == set(range(len(written.states))), "each commit is found as soon as its last page is there"


def test_a_log_cut_inside_a_page_shows_a_committed_state(written: Written, tmp_path: Path) -> None:
    frames = written.frames()
    places = [frame + ODD[number % len(ODD)] for number, frame in enumerate(frames[1:])]
    places += [0, 1, HEADER_BYTES - 1]
    seen = {found_state(written.after(tmp_path / "cut", written.log[:place]), written) for place in places}
    assert seen <= set(range(len(written.states)))


def test_a_page_that_was_half_written_ends_the_log_before_its_commit(written: Written, tmp_path: Path) -> None:
    frames = written.frames()
    for number in range(len(frames) - 1):
        torn = bytearray(written.log)
        middle = (frames[number] + frames[number + 1]) // 2
        torn[middle : frames[number + 1]] = bytes(frames[number + 1] - middle)
        if torn == written.log:
            continue  # that half held zeros
        whole = found_state(written.after(tmp_path / "whole", written.log[: frames[number]]), written)
        assert found_state(written.after(tmp_path / "torn", bytes(torn)), written) == whole


def test_a_cut_while_the_log_is_folded_in_loses_nothing(written: Written, tmp_path: Path) -> None:
    """A checkpoint writes pages into the file after the log is on the disk; any of them may be missing."""
    folded = written.after(tmp_path / "folded", written.log)
    writer = open_writer(folded)
    writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    writer.close()
    after, page = folded.read_bytes(), written.page
    pages = len(after) // page
    for number in range(0, pages, 3):
        main = bytearray(written.main.ljust(number * page, b"\0"))
        main[: number * page] = after[: number * page]
        path = written.after(tmp_path / "cut", written.log, bytes(main))
        assert found_state(path, written) == len(written.states) - 1


def test_writing_goes_on_after_a_power_cut(written: Written, tmp_path: Path) -> None:
    for place in written.frames()[1::9]:
        path = written.after(tmp_path / "cut", written.log[: place + 7])
        Sample.again(path).put("later.md", "after the lights came back")
        reader = open_reader(path)
        assert [check for check in integrity.checks(reader) if not check.ok] == []
        assert reader.execute("SELECT count(*) FROM passage_fts WHERE passage_fts MATCH 'lights'").get == 1
        reader.close()
