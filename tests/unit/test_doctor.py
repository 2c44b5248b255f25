"""What the doctor asks of the machine around the file: the model, the watches, the disk, and the folders."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from notes import FILLER, library_of
from shelf import PlainParser

from engine.embedding import catalogue
from engine.events import Watching, to_line
from engine.maintenance import Maintenance, doctor
from engine.records import Check
from engine.retrieval import tier_calibration
from engine.sources import parser
from engine.store import vacuum
from engine.store.lock import IndexerLock
from engine.store.migrations import newest_version
from engine.watching import coverage

NOTES = dict(list(FILLER.items())[:3])


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tier_calibration, "refit", lambda *_: None)
    monkeypatch.setattr(parser, "configured_parser", PlainParser)
    with library_of(tmp_path, NOTES) as library:
        return library.path


def check(library: Path, name: str, encoder: FakeEncoder | None = None) -> Check:
    return {each.name: each for each in Maintenance(library, encoder).check().checks}[name]  # type: ignore[arg-type]


def install(**changes: object) -> None:
    """Install the fake model as if it had been fetched."""
    manifest = replace(FakeEncoder().manifest, **changes)  # type: ignore[arg-type]
    folder = catalogue.place_of(manifest.id)
    folder.mkdir(parents=True)
    (folder / manifest.file).write_bytes(b"weights")
    (folder / "tokenizer.json").write_bytes(b"{}")
    manifest.write(folder)


def test_a_model_that_is_gone_is_told_with_the_command_that_brings_it(library: Path) -> None:
    found = check(library, "model")
    assert not found.ok and not found.repairable
    assert f"carrel models use {FakeEncoder().manifest.id}" in found.remedy


def test_the_model_of_the_vectors_is_sound(library: Path) -> None:
    install()
    assert check(library, "model").ok


def test_weights_that_are_not_those_of_the_manifest_are_told(library: Path) -> None:
    install(file_sha256="0" * 64)
    found = check(library, "model")
    assert not found.ok
    assert "is not the file that the manifest names" in found.detail


def test_a_model_of_the_same_name_that_gives_other_vectors_is_told(library: Path) -> None:
    install(revision="another")
    found = check(library, "model")
    assert not found.ok
    assert "is not the one that made the library's vectors" in found.detail


def test_more_folders_than_can_be_watched_are_told_with_the_setting(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = tmp_path / "max_user_watches"
    limit.write_text("1\n")
    monkeypatch.setattr(coverage, "LIMIT", limit)
    found = check(library, "watching", FakeEncoder())
    assert (found.ok, found.count) == (False, 1)
    assert coverage.SETTING in found.remedy


@pytest.mark.parametrize(("remark", "fix", "ok"), [("", "", True), ("polled", "", True), ("full", "Raise it", False)])
def test_what_the_process_that_indexes_hears_of_is_told_as_it_told_it(
    library: Path, tmp_path: Path, remark: str, fix: str, ok: bool
) -> None:
    events = tmp_path / "events.jsonl"
    told = Watching(folders=12, covered=12 if not remark else 9, poll_seconds=30.0, remark=remark, fix=fix)
    events.write_text(to_line(told) + "\n")
    with IndexerLock(library).acquire("watching", events=events):
        found = check(library, "watching", FakeEncoder())
    assert (found.ok, found.count, found.remedy) == (ok, 0 if ok else 3, fix)
    assert found.detail.startswith(f"the process that indexes hears of {told.covered} of 12 folders")
    assert remark in found.detail


def test_a_disk_that_is_nearly_full_is_told(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(library, "space").ok
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 10**12 - 9, 9))
    assert not check(library, "space").ok


def test_files_that_changed_are_counted_and_are_no_fault(library: Path, tmp_path: Path) -> None:
    assert check(library, "up to date", FakeEncoder()).count == 0
    (tmp_path / "notes" / "new.md").write_text("# New\n")
    found = check(library, "up to date", FakeEncoder())
    assert (found.ok, found.count, found.remedy) == (True, 1, "`carrel sync`")


@pytest.mark.parametrize(("share", "remedy"), [(0.29, ""), (0.3, "`carrel compact`")])
def test_what_a_compaction_would_give_back_is_told_and_is_no_fault(
    library: Path, monkeypatch: pytest.MonkeyPatch, share: float, remedy: str
) -> None:
    monkeypatch.setattr(vacuum, "waste", lambda conn: share)
    found = check(library, "unused space", FakeEncoder())
    assert (found.ok, found.remedy) == (True, remedy)
    assert f"back {100 * share:.0f} % of" in found.detail


def test_the_versions_that_matter_are_told(library: Path) -> None:
    detail = check(library, "versions").detail
    schema = f"schema {newest_version()} of {newest_version()}"
    assert all(name in detail for name in ("Carrel ", "SQLite ", "sqlite-vec v", "apsw ", schema))
