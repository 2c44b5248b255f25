"""What is said of files that are not read, of folders that are only counted, and who may read what a run writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from notes import library_of

from app.cli.path_arguments import left_out_file
from engine.errors import PathError

NOTES = {
    "loaf.md": "# Loaf\n\nFlour and water.\n",
    "drafts/plan.md": "# Plan\n\nA plan of a loaf.\n",
    "drafts/old/cake.md": "# Cake\n\nEggs.\n",
    "private/diary.md": "# Diary\n\nToday.\n",
    ".carrelignore": "# mine\nprivate/\n\n",
}


def test_why_finds_a_left_out_file_by_the_end_of_its_path_and_offers_no_folder_that_is_not_there(
    tmp_path: Path,
) -> None:
    with library_of(tmp_path, NOTES, fitted=False) as library:
        root = tmp_path / "notes"
        library.set_folder_rules(os.fsencode(root), ("drafts/",))
        library.sync()
        for name in ("plan.md", "drafts/plan.md"):
            path = left_out_file(library, name)
            assert path == root / "drafts/plan.md"
            report = library.why("loaf", path)
            assert "it is left out" in report.stages[0].detail
        assert left_out_file(library, "nowhere.md") is None
        (advice,) = library.why("loaf", tmp_path / "kitchen" / "nowhere.md").advice
        assert "carrel add" not in advice
        assert library.ignore_files(os.fsencode(root)) == ((b".carrelignore", ("private/",)),)
        assert [folder.walked for folder in library.folders()] == [True]


def test_the_files_of_a_folder_are_counted_before_it_is_watched(tmp_path: Path) -> None:
    with library_of(tmp_path, {"loaf.md": "# Loaf\n"}, fitted=False) as library:
        (tmp_path / "more" / "inner").mkdir(parents=True)
        for name in ("a.md", "inner/b.md", "inner/c.md", "inner/d.jpg"):
            (tmp_path / "more" / name).write_text("x")
        counted = library.count_files(tmp_path / "more", 100)
        assert (counted.files, counted.all, counted.inside) == (3, True, {b"inner": 2})
        few = library.count_files(tmp_path / "more", 2)
        assert (few.files, few.all) == (2, False)
        (tmp_path / "empty").mkdir()
        assert not library.add(tmp_path / "empty").walked
        library.sync()
        assert all(folder.walked for folder in library.folders())
        with pytest.raises(PathError):
            library.count_files(tmp_path / "missing", 1)


def test_no_filter_is_offered_for_files_that_have_no_type(tmp_path: Path) -> None:
    with library_of(tmp_path, {"loaf.md": "# Loaf\n", "scan.pdf": b"%PDF-1.4 cut short"}, fitted=False) as library:
        assert [failure.path.endswith(b"scan.pdf") for failure in library.failures()] == [True]
        assert "markdown" in library.facets().kinds
        assert "" not in library.facets().kinds


def test_what_a_run_writes_is_its_owners_alone(tmp_path: Path) -> None:
    work = "lambda run: open(run.folder / 'weights', 'w').close() or 0"
    code = f"import training.worker as worker; worker.work = {work}; worker.main([{str(tmp_path)!r}])"
    subprocess.run([sys.executable, "-c", code], check=True, umask=0o022)
    assert (tmp_path / "weights").stat().st_mode & 0o777 == 0o600
