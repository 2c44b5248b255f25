"""Whatever happens in the folders, the index follows: after every storm it equals one that is made anew.

The index hears of its files from the watcher alone; every wait is for a condition, with a deadline. CARREL_SLOW runs
the checkout at its full size; CARREL_STORMS says how many storms of everything are let loose (2).
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from shelf import paragraph
from storms import (
    Weather,
    save_as_vim,
    save_as_vscode,
    save_by_rename,
    save_from_outside,
    save_in_place,
)
from watchdog.events import FileModifiedEvent, FileSystemEvent

from engine.indexing import file_reader
from engine.indexing.file_identity import Stat
from engine.watching import hints
from engine.watching.observer import Listener

pytestmark = pytest.mark.filterwarnings("ignore:Callback with id:RuntimeWarning")

STORMS = int(os.environ.get("CARREL_STORMS", "2"))
FILES_OF_A_BRANCH = 5000 if os.environ.get("CARREL_SLOW") else 200


@pytest.fixture
def weather(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Weather]:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(hints, "QUIET_SECONDS", 0.05)
    monkeypatch.setattr(hints, "LONG_QUIET_SECONDS", 0.05)
    monkeypatch.setattr(hints, "LONGEST_SECONDS", 0.4)
    weather = Weather(tmp_path)
    yield weather
    weather.close()


def note(word: str, passages: int = 3) -> str:
    return f"# About {word}\n\n" + "\n\n".join(f"## Part {n}\n\n{paragraph(word)}" for n in range(passages)) + "\n"


def append_to(path: Path) -> None:
    with path.open("a") as file:
        file.write("\n\n" + paragraph("appended"))


def some_notes(root: Path, count: int = 4) -> list[Path]:
    paths = [root / f"folder{number % 2}" / f"note{number}.md" for number in range(count)]
    for number, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(note(f"word{number}x"))
    return paths


def facts(path: Path) -> tuple[int, ...]:
    """Return what changes when anybody writes to a file, its metadata, or a folder."""
    found = path.stat()
    return found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


SAVES: dict[str, Callable[[Path, str, Path], None]] = {
    "in place": lambda path, text, outside: save_in_place(path, text),
    "by a rename": lambda path, text, outside: save_by_rename(path, text),
    "by a rename from outside": save_from_outside,
    "as Vim saves": lambda path, text, outside: save_as_vim(path, text),
    "as VS Code saves": lambda path, text, outside: save_as_vscode(path, text),
}


@pytest.mark.parametrize("way", SAVES)
def test_notes_that_are_created_edited_and_appended_to(weather: Weather, way: str) -> None:
    paths = some_notes(weather.notes)
    weather.start()
    SAVES[way](paths[0], note("edited"), weather.outside)
    weather.until_read(paths[0], "edited0")
    SAVES[way](paths[1], paths[1].read_text() + "\n\n" + paragraph("appended"), weather.outside)
    for number in range(5):  # faster than the debounce
        SAVES[way](paths[2], note(f"again{number}y"), weather.outside)
    (weather.more / "new.md").write_text(note("new"))
    weather.passes()


def test_notes_and_folders_that_are_renamed_and_moved(weather: Weather) -> None:
    paths = some_notes(weather.notes, 8)
    weather.start()
    paths[0].rename(paths[0].with_name("renamed.md"))
    paths[1].rename(weather.more / "across.md")
    paths[2].rename(weather.outside / "gone.md")
    shutil.copy(paths[3], weather.outside / "coming.md")
    (weather.outside / "coming.md").rename(weather.notes / "came.md")
    (weather.notes / "folder0").rename(weather.more / "tree")
    (weather.more / "tree" / "late.md").write_text(note("late"))
    weather.passes()
    (weather.more / "tree").rename(weather.outside / "tree")
    (weather.notes / "folder1").rename(weather.notes / "folder0")
    (weather.outside / "tree").rename(weather.notes / "back")
    (weather.notes / "back" / "later.md").write_text(note("later"))
    weather.passes()


def test_files_that_say_something_else_under_another_name(weather: Weather) -> None:
    texts = {
        "empty.md": "",
        "blank.txt": " \n\n\u2003\n",
        "program.py": "x = 1\n",
        "table.csv": "a,b\n1,2\n",
        "data.json": "{}",
    }
    for name, text in texts.items():
        (weather.notes / name).write_text(text)
    weather.start()
    weather.passes()
    for name in texts:
        (weather.notes / name).rename(weather.notes / f"other-{name}")
    weather.passes()
    (weather.notes / "other-table.csv").rename(weather.more / "table.org")
    (weather.notes / "other-program.py").rename(weather.more / "program.html")
    weather.passes()


def test_names_that_change_their_owners(weather: Weather) -> None:
    one, two, three = some_notes(weather.notes, 3)
    weather.start()
    spare = weather.outside / "spare"
    one.rename(spare)
    two.rename(one)
    spare.rename(two)  # two files have changed places
    three.rename(three.with_name("NOTE2.md"))  # only the case of its name
    weather.passes()
    os.replace(one, two)
    one.write_text(note("third"))
    weather.passes()


def test_a_branch_that_is_checked_out_and_back(weather: Weather) -> None:
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed")
    repository = weather.notes / "repository"
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}

    def run(*arguments: str) -> None:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "gc.auto=0")
        command = [git, *identity, "-C", str(repository), *arguments]
        subprocess.run(command, check=True, capture_output=True, env=environment)

    def write(branch: str) -> None:
        for number in range(FILES_OF_A_BRANCH):
            same = number % 3 == 0
            path = repository / f"part{number % 17}" / (f"{number}.md" if number % 5 else f"{branch}-{number}.md")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"# Page {number}\n\n{'the same' if same else branch} words of {number}\n")

    repository.mkdir()
    run("init", "-q", "-b", "first")
    write("first")
    run("add", "-A")
    run("commit", "-qm", "first")
    run("checkout", "-qb", "second")
    shutil.rmtree(repository / "part3")
    write("second")
    run("add", "-A")
    run("commit", "-qm", "second")
    weather.start()
    weather.passes()
    run("checkout", "-q", "first")
    run("checkout", "-q", "second")
    run("checkout", "-q", "first")
    weather.passes()


def test_files_that_change_while_they_are_read(weather: Weather, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = some_notes(weather.notes)
    weather.start()
    readings = iter(range(12))
    before = file_reader.identity

    def hash_and_change(path: bytes, root: bytes) -> tuple[Stat, bytes]:
        found = before(path, root)
        if (number := next(readings, None)) is not None:  # behind the reader's back, between its looks
            Path(os.fsdecode(path)).write_text(note(f"change{number}z"))
        return found

    monkeypatch.setattr(file_reader, "identity", hash_and_change)
    for path in paths:
        path.write_text(note("first"))
    weather.until(lambda: next(readings, None) is None, lambda: "nothing was read")
    weather.passes()


def test_files_that_appear_half_written(weather: Weather) -> None:
    weather.start()
    path, whole = weather.notes / "slow.md", note("half", 6).encode()
    with path.open("wb", buffering=0) as file:
        file.write(whole[:200])
        weather.until_read(path, "half0")
        file.write(whole[200:900])
        weather.until_read(path, "half50")
        file.write(whole[900:])
    weather.passes()


def test_a_file_that_is_written_all_the_time_is_followed(weather: Weather) -> None:
    weather.start()
    log, ended = weather.notes / "log.txt", threading.Event()

    def write() -> None:
        number = 0
        with log.open("a") as file:
            while not ended.wait(0.01):
                number += 1
                file.write(f"line{number}\n")
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        weather.until_read(log, "line5\n")
        other = weather.notes / "other.md"
        other.write_text(note("beside"))
        weather.until_read(other, "beside0")
    finally:
        ended.set()
        writer.join()
    weather.passes()


def test_times_that_go_backwards_or_stand_still(weather: Weather) -> None:
    backwards, still, earlier = (weather.notes / name for name in ("backwards.md", "still.md", "earlier.md"))
    for path in (backwards, still, earlier):
        path.write_text(note("before"))
        os.utime(path, (1_500_000_000, 1_500_000_000))
    weather.start()
    weather.passes()
    backwards.write_text(note("after and longer"))
    os.utime(backwards, (1_400_000_000, 1_400_000_000))
    # Same size, same time, same inode: only the event tells of it, and that its content is held against the record.
    still.write_text(still.read_text().replace("before", "behind"))
    os.utime(still, (1_500_000_000, 1_500_000_000))
    os.utime(earlier, (1_300_000_000, 1_300_000_000))
    weather.passes()
    assert "behind0" in weather.text(still)


def test_hard_links_follow_each_other(weather: Weather) -> None:
    one = weather.notes / "one.md"
    one.write_text(note("first"))
    two = weather.more / "two.md"
    two.hardlink_to(one)
    weather.start()
    weather.passes()
    append_to(two)
    weather.until_read(two, "appended0")
    weather.passes()
    one.unlink()
    weather.passes()


def test_a_file_that_is_changed_under_a_name_that_is_left_out(weather: Weather) -> None:
    one = weather.notes / "one.md"
    one.write_text(note("first"))
    (weather.more / ".carrelignore").write_text("draft*\n")
    left_out = weather.more / "draft.md"
    left_out.hardlink_to(one)
    weather.start()
    weather.passes()
    append_to(left_out)
    weather.until_read(one, "appended0")
    weather.passes()


def test_a_read_only_folder_is_indexed_and_left_as_it_is(weather: Weather) -> None:
    paths = some_notes(weather.notes)
    everything = [weather.notes, *weather.notes.rglob("*")]
    modes = {path: path.stat().st_mode for path in everything}
    for path in reversed(everything):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = {path: facts(path) for path in everything}
    try:
        weather.start()
        weather.passes()
        assert "word0x0" in weather.text(paths[0])
        assert {path: facts(path) for path in [weather.notes, *weather.notes.rglob("*")]} == before
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    append_to(paths[1])  # as by whoever may write there
    weather.until_read(paths[1], "appended0")
    weather.passes()


def test_a_file_that_is_changed_under_a_name_that_comes_and_goes(
    weather: Weather, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints, "QUIET_SECONDS", 0.5)
    monkeypatch.setattr(hints, "LONG_QUIET_SECONDS", 0.5)
    monkeypatch.setattr(hints, "LONGEST_SECONDS", 5.0)
    told, dispatch = threading.Event(), Listener.dispatch

    def listen(listener: Listener, event: FileSystemEvent) -> None:
        dispatch(listener, event)
        if isinstance(event, FileModifiedEvent) and event.src_path == str(passing):
            told.set()

    monkeypatch.setattr(Listener, "dispatch", listen)
    one, passing = weather.notes / "one.md", weather.more / "passing.md"
    one.write_text(note("first"))
    weather.start()
    weather.passes()
    passing.hardlink_to(one)
    append_to(passing)
    assert told.wait(120)
    passing.unlink()
    weather.until_read(one, "appended0")
    weather.passes()


def test_identical_files_come_and_go_alone(weather: Weather) -> None:
    paths = [weather.notes / "a.md", weather.notes / "b.md", weather.more / "c.md"]
    for path in paths:
        path.write_text(note("the same"))
    weather.start()
    paths[0].unlink()
    weather.passes()
    paths[1].rename(weather.more / "d.md")
    paths[2].write_text(note("another"))
    weather.passes()


def test_permission_that_is_taken_away_and_given_back(weather: Weather, monkeypatch: pytest.MonkeyPatch) -> None:
    path = weather.notes / "private.md"
    path.write_text(note("before"))
    weather.start()
    weather.passes()
    before = file_reader.identity

    def refuse(path: bytes, root: bytes) -> tuple[Stat, bytes]:  # the superuser, as tests often are, is refused nothing
        if not os.stat(path).st_mode & 0o400:
            raise PermissionError(13, "Permission denied")
        return before(path, root)

    monkeypatch.setattr(file_reader, "identity", refuse)
    path.write_text(note("after"))
    path.chmod(0o000)

    def failures() -> list[str]:
        return [row[0] for row in weather.conn.execute("SELECT failure FROM document WHERE failure IS NOT NULL")]

    weather.until(lambda: failures() == ["permission denied"], failures)
    path.chmod(0o600)
    weather.until_read(path, "after0")
    weather.passes()


def test_a_folder_that_becomes_a_file_and_a_folder_again(weather: Weather) -> None:
    some_notes(weather.notes)
    thing = weather.notes / "thing.md"
    thing.mkdir()
    (thing / "inside.md").write_text(note("inside"))
    weather.start()
    weather.passes()
    shutil.rmtree(thing)
    thing.write_text(note("file"))
    weather.passes()
    thing.unlink()
    shutil.copytree(weather.notes / "folder0", thing)
    weather.passes()
    shutil.rmtree(thing)
    thing.symlink_to(weather.notes / "folder1")
    weather.passes()


def test_what_leaves_out_and_takes_back(weather: Weather) -> None:
    some_notes(weather.notes)
    for name in ("build/made.md", "build/deep/er.md", "node_modules/module.md", "draft.md~", "later.bak"):
        path = weather.notes / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(note(f"in{path.stem}x"))
    weather.start()
    (weather.notes / "build" / "CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55")
    weather.passes()
    (weather.notes / ".carrelignore").write_text("!node_modules/\n!*.bak\n!*~\nfolder0/\n")
    weather.passes()
    (weather.notes / "node_modules" / "module.md").write_text(note("changed"))
    (weather.notes / "later.bak").write_text(note("changed"))
    (weather.notes / "build" / "CACHEDIR.TAG").unlink()
    weather.passes()
    assert "changed0" in weather.text(weather.notes / "node_modules" / "module.md")


def test_many_files_at_once_in_deep_folders(weather: Weather, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "MOST", 20)
    monkeypatch.setattr(hints, "KEPT", 60)
    weather.start()
    for number in range(250):  # more than are looked at one by one, or kept
        path = weather.notes / "deep" / f"a{number % 7}" / f"b{number % 11}" / f"{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {number}\n\nword{number}x\n")
    weather.passes()
    shutil.rmtree(weather.notes / "deep" / "a3")
    weather.passes()


@pytest.mark.parametrize("seed", range(STORMS))
def test_a_storm_of_everything_at_once(weather: Weather, seed: int) -> None:
    from turmoil import Turmoil

    some_notes(weather.notes, 12)
    some_notes(weather.more, 6)
    weather.start()
    turmoil = Turmoil((weather.notes, weather.more), weather.outside, random.Random(seed))
    for _ in range(2):
        for _ in range(60):
            turmoil.happen()
        weather.passes()
