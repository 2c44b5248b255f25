"""What the system does not watch for us is known, polled, and told with what to do about it."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import engine
from engine.store import folders
from engine.store.connection import open_writer
from engine.watching import folder_watch
from engine.watching.coverage import Coverage, Shortfall, Watches, coverage
from engine.watching.folder_watch import FolderWatch
from engine.watching.hints import Hints, folded
from engine.watching.mounts import Mount, MountChanges, parse_mac_mounts, parse_mountinfo, remote_parts
from engine.watching.polling import LONGEST_SECONDS, POLL_SECONDS, Clocks, Polling
from engine.watching.watcher import Watcher

pytestmark = [pytest.mark.processes, pytest.mark.filterwarnings("ignore:Callback with id:RuntimeWarning")]

DEADLINE_SECONDS = 120.0
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux's")
MOUNTINFO = rb"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 0:50 / /home/ann/box rw,relatime shared:9 - nfs4 box:/export rw
41 27 0:51 / /home/ann/my\040share rw - cifs //box/share rw
42 27 8:1 / /home/ann/stick rw - fuseblk /dev/sda1 rw
43 27 0:52 / /home/ann/far rw - fuse.sshfs ann@far: rw
44 27 0:53 / /mnt/c rw - 9p drvfs rw
"""


# --- file systems of other machines -----------------------------------------------------------------------------------


def test_folders_on_other_machines_are_told_from_the_list_of_mounts() -> None:
    mounted = parse_mountinfo(MOUNTINFO)
    assert remote_parts(b"/home/ann", mounted) == [b"/home/ann/box", b"/home/ann/far", b"/home/ann/my share"]
    assert remote_parts(b"/home/ann/box/notes", mounted) == [b"/home/ann/box/notes"]
    assert remote_parts(b"/mnt/c/Users", mounted) == [b"/mnt/c/Users"]
    assert remote_parts(b"/home/ann/stick", mounted) == []
    assert remote_parts(b"/home/annette", mounted) == []


def test_a_carriage_return_in_the_name_of_a_mount_does_not_end_its_line() -> None:
    (mounted,) = parse_mountinfo(b"40 27 0:50 / /home/ann/b\rx rw,relatime shared:9 - nfs4 box:/export rw\n")
    assert (mounted.path, mounted.remote) == (b"/home/ann/b\rx", True)


def test_a_file_system_that_hides_another_is_the_one_that_counts() -> None:
    mounted = [*parse_mountinfo(MOUNTINFO), Mount(b"/home/ann/box", b"ext4")]
    assert remote_parts(b"/home/ann/box/notes", mounted) == []


def test_the_mounts_of_a_mac_are_read_too() -> None:
    listed = b"/dev/disk3s1 on / (apfs, local)\n//ann@box/share on /Volumes/my share (smbfs, nodev, mounted by ann)\n"
    assert remote_parts(b"/Volumes/my share/notes", parse_mac_mounts(listed)) == [b"/Volumes/my share/notes"]
    assert remote_parts(b"/Users/ann", parse_mac_mounts(listed)) == []


def test_a_disk_that_is_mounted_is_noticed() -> None:
    tables = [[Mount(b"/", b"ext4")], [Mount(b"/", b"ext4"), Mount(b"/n/usb", b"vfat")], [Mount(b"/", b"ext4")]]
    changes = MountChanges(lambda: tables.pop(0))
    assert changes.look() == [b"/n/usb"]
    assert changes.look() == [b"/n/usb"]


# --- clocks and polling -----------------------------------------------------------------------------------------------


class Hands:
    """Three clocks that a test sets."""

    def __init__(self) -> None:
        self.wall = self.awake = self.always = 1000.0

    def clocks(self) -> Clocks:
        return Clocks(lambda: self.wall, lambda: self.awake, lambda: self.always)

    def run(self, seconds: float) -> None:
        self.wall, self.awake, self.always = (each + seconds for each in (self.wall, self.awake, self.always))


def test_a_sleep_is_noticed_and_a_long_task_is_not_taken_for_one() -> None:
    hands = Hands()
    clocks = hands.clocks()
    hands.run(900.0)
    assert not clocks.jumped()
    hands.wall += 10.0
    hands.always += 10.0  # ten seconds asleep
    assert clocks.jumped()
    assert not clocks.jumped()


@pytest.mark.parametrize("jump", [3600.0, -86400.0])
def test_a_clock_that_is_set_is_noticed_in_both_directions(jump: float) -> None:
    hands = Hands()
    clocks = hands.clocks()
    hands.wall += jump
    assert clocks.jumped()
    hands.wall += 0.5  # as a time server does
    assert not clocks.jumped()


def test_places_that_nobody_tells_of_are_looked_at_as_often_as_costs_little() -> None:
    now = [0.0]
    polling = Polling(lambda: now[0])
    assert polling.due() == ()
    polling.cover([b"/far"])
    now[0] = POLL_SECONDS
    assert polling.due() == (b"/far",)
    now[0] += 2.0  # what looking took
    polling.done(found_nothing=True)
    assert polling.seconds == 200.0
    now[0] += 199.0
    assert polling.due() == ()
    now[0] += 1.0
    assert polling.due() == (b"/far",)
    now[0] += 500.0  # it found something, and embedded it
    polling.done(found_nothing=False)
    assert polling.seconds == 200.0
    now[0] += 200.0
    polling.due()
    now[0] += 1000.0
    polling.done(found_nothing=True)
    assert polling.seconds == LONGEST_SECONDS


# --- the limit --------------------------------------------------------------------------------------------------------


def test_what_is_not_watched_is_told_with_what_to_do_about_it() -> None:
    short = Shortfall(Coverage(1260, 1204, (b"/n/a", b"/n/a/b", b"/n/c")), limit=8192)
    assert short.remark(30.0) == "the system's limit of 8,192 watches is reached; the rest is looked at every 30 s"
    assert sorted(short.places()) == [b"/n/a", b"/n/c"]
    if sys.platform.startswith("linux"):
        assert "fs.inotify.max_user_watches=524288" in short.fix()


def test_a_folder_on_another_machine_is_told_of_and_needs_no_fix() -> None:
    short = Shortfall(Coverage(12, 8), remote=(b"/n/box",))
    assert short.remark(600.0) == (
        "/n/box may be changed from elsewhere without our hearing of it; the rest is looked at every 10 minutes"
    )
    assert (short.fix(), short.places()) == ("", [b"/n/box"])


@LINUX
def test_a_refused_root_is_told_of_with_the_limit_that_refuses_it() -> None:
    short = Shortfall(Coverage(12, 0), refused=(b"/n",), refusal=OSError(errno.EMFILE, "inotify instance limit"))
    assert "fs.inotify.max_user_instances" in short.fix()
    assert "refuses to watch /n" in short.remark(30.0)


def test_nothing_is_said_where_all_is_watched() -> None:
    short = Shortfall(Coverage(12, 12), limit=8192)
    assert (short.remark(30.0), short.fix(), short.places()) == ("", "", [])


def test_folders_are_told_apart_by_inode_and_device(tmp_path: Path) -> None:
    names = [tmp_path, tmp_path / "a", tmp_path / "b"]
    for each in names[1:]:
        each.mkdir()
    stats = [each.stat() for each in names]
    every = [os.fsencode(each) for each in names]
    watches = Watches([(found.st_ino, found.st_dev) for found in stats[:2]])
    assert coverage(every, watches) == Coverage(3, 2, (os.fsencode(tmp_path / "b"),))
    elsewhere = Watches([(found.st_ino, found.st_dev + 1) for found in stats[:2]])  # as on btrfs
    assert coverage(every, elsewhere).unwatched == (os.fsencode(tmp_path / "b"),)
    assert coverage(every, Watches([(1, 1), (2, 1)])) == Coverage(3, 2, (every[0],))  # other inodes
    assert coverage(every, None) == Coverage(3, 3)


SHORT = """
import os, sys
from pathlib import Path
root, limit = Path(sys.argv[1]), sys.argv[2]
Path("/proc/sys/user/max_inotify_watches").write_text(limit)
from engine.watching.coverage import coverage, inotify_watches
from engine.watching.hints import Hints
from engine.watching.watcher import Watcher
watcher = Watcher(Hints())
watcher.watch([os.fsencode(root)])
print(watcher.check() == [os.fsencode(root)])
every = [os.fsencode(each) for each in [root, *sorted(root.rglob("*"))]]
found = coverage(every, inotify_watches())
print(found.folders, found.watched, len(found.unwatched))
Path("/proc/sys/user/max_inotify_watches").write_text("1000")
watcher.renew()
print(watcher.check() == [os.fsencode(root)], coverage(every, inotify_watches()).watched)
watcher.close()
"""


@LINUX
def test_a_limit_that_is_reached_is_noticed_and_one_that_is_raised_is_used(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("unshare is not installed")
    for number in range(59):
        (tmp_path / f"folder{number}").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(Path(engine.__file__).parent.parent)}
    command = [unshare, "-Ur", sys.executable, "-c", SHORT, str(tmp_path), "40"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    if "unshare failed" in ended.stderr or "max_inotify_watches" in ended.stderr:
        pytest.skip("this system lets nobody lower the limit")
    assert ended.stdout.splitlines() == ["True", "60 40 20", "True 60"], ended.stderr


class Shelf:
    """A library with one folder, and what follows it."""

    def __init__(self, base: Path) -> None:
        self.notes = base / "notes"
        (self.notes / "deep").mkdir(parents=True)
        library = base / "home" / "library.carrel"
        self.conn = open_writer(library, create=True)
        folders.add(self.conn, os.fsencode(self.notes))
        self.told: list[folder_watch.Watching] = []
        self.now = [time.monotonic()]
        self.following = FolderWatch(self.conn, library, self.told.append, lambda: self.now[0])  # type: ignore[arg-type]

    def later(self, seconds: float = 2.0) -> list[bytes]:
        self.now[0] += seconds
        return self.following.missed()


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    shelf = Shelf(tmp_path)
    yield shelf
    shelf.following.close()
    shelf.conn.close()


def test_what_the_kernel_does_not_watch_is_polled(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = os.fsencode(shelf.notes / "deep")
    root = os.stat(shelf.notes)
    only_root = Watches([(root.st_ino, root.st_dev)])
    monkeypatch.setattr(folder_watch, "inotify_watches", lambda: only_root)
    limits = [100, 100, 4000, 4000, 4000]
    monkeypatch.setattr(folder_watch, "watch_limit", lambda: limits.pop(0))
    shelf.following.start()
    shelf.following.watch_all()
    assert (shelf.told[-1].covered, shelf.told[-1].folders) == (1, 2)
    assert "limit of 100 watches" in shelf.told[-1].remark
    assert shelf.following.due_for_a_look() == ()
    shelf.later(POLL_SECONDS)
    assert shelf.following.due_for_a_look() == (deep,)
    shelf.following.looked(found_nothing=True)
    monkeypatch.setattr(folder_watch, "inotify_watches", lambda: None)
    assert shelf.later() == [os.fsencode(shelf.notes)]  # the person has raised the limit
    assert shelf.told[-1].covered == 2
    shelf.later(POLL_SECONDS)
    assert shelf.following.due_for_a_look() == ()


def test_a_folder_on_another_machine_is_polled(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Mount(os.path.realpath(os.fsencode(shelf.notes / "deep")), b"nfs4")
    monkeypatch.setattr(folder_watch, "MountChanges", lambda: MountChanges(lambda: [place]))
    shelf.following.start()
    shelf.following.watch_all()
    shelf.later(POLL_SECONDS)
    assert shelf.following.due_for_a_look() == (os.fsencode(shelf.notes / "deep"),)
    assert (shelf.told[-1].covered, shelf.told[-1].folders, shelf.told[-1].fix) == (1, 2, "")


@pytest.mark.parametrize("state", ["paused", "forgotten"])
def test_a_folder_that_is_followed_no_more_is_polled_no_more(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    place = Mount(os.path.realpath(os.fsencode(shelf.notes)), b"nfs4")
    monkeypatch.setattr(folder_watch, "MountChanges", lambda: MountChanges(lambda: [place]))
    shelf.following.start()
    shelf.following.watch_all()
    shelf.later(POLL_SECONDS)
    assert shelf.following.due_for_a_look() == (os.fsencode(shelf.notes),)
    (folder,) = folders.every(shelf.conn)
    if state == "paused":
        folders.set_state(shelf.conn, folder.id, "paused")
    else:
        folders.remove(shelf.conn, folder.id)
    shelf.following.look(again=True)
    assert shelf.following.due_for_a_look() == ()


# --- the watcher ------------------------------------------------------------------------------------------------------


class Ear:
    """A watcher and what it hears."""

    def __init__(self) -> None:
        self.hints = Hints()
        self.watcher = Watcher(self.hints)
        self.heard: set[bytes] = set()

    def watch(self, *roots: Path) -> list[bytes]:
        self.watcher.watch([os.fsencode(root) for root in roots])
        return self.watcher.check()

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.heard
            self.heard.update(self.hints.take())
            time.sleep(0.02)

    def hears_of(self, path: Path) -> None:
        self.until(lambda: os.fsencode(path) in self.heard)


@pytest.fixture
def ear() -> Iterator[Ear]:
    ear = Ear()
    yield ear
    ear.watcher.close()


def test_roots_in_each_other_and_behind_links_are_all_heard_of(ear: Ear, tmp_path: Path) -> None:
    outer, inner, link = tmp_path / "outer", tmp_path / "outer" / "inner", tmp_path / "link"
    inner.mkdir(parents=True)
    link.symlink_to(inner)
    assert len(ear.watch(outer, inner, link)) == 3
    (inner / "a.md").write_text("x")
    for root in (outer / "inner", inner, link):
        ear.hears_of(root / "a.md")
    link.unlink()
    (tmp_path / "other").mkdir()
    link.symlink_to(tmp_path / "other")
    assert os.fsencode(link) in ear.watcher.check()
    (tmp_path / "other" / "b.md").write_text("x")
    ear.hears_of(link / "b.md")


@LINUX
def test_a_folder_that_left_and_ends_elsewhere_does_not_end_the_watching(ear: Ear, tmp_path: Path) -> None:
    root, away = tmp_path / "root", tmp_path / "away"
    (root / "build").mkdir(parents=True)
    ear.watch(root)
    (root / "build").rename(away)
    (root / "build").mkdir()
    ear.hears_of(root / "build")
    (root / "build").rmdir()
    away.rmdir()  # watchdog takes it for the other
    (root / "a.md").write_text("x")
    ear.hears_of(root / "a.md")
    assert ear.watcher.check() == []


@LINUX
def test_a_reader_that_dies_is_replaced(ear: Ear, tmp_path: Path) -> None:
    ear.watch(tmp_path)
    observer = ear.watcher._observer
    assert observer is not None
    observer._inotify_fd.stop()  # type: ignore[attr-defined]
    observer._inotify_fd.join()  # type: ignore[attr-defined]
    assert observer.is_alive()
    assert ear.watcher.check() == [os.fsencode(tmp_path)]
    (tmp_path / "a.md").write_text("x")
    ear.hears_of(tmp_path / "a.md")


def test_a_root_that_leaves_and_returns_is_heard_of_again(ear: Ear, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    ear.watch(root)
    root.rename(tmp_path / "away")
    assert ear.watcher.check() == [os.fsencode(root)]
    (tmp_path / "away").rename(root)
    assert ear.watcher.check() == [os.fsencode(root)]
    (root / "a.md").write_text("x")
    ear.hears_of(root / "a.md")
    shutil.rmtree(root)
    root.mkdir()  # often with the same inode
    ear.until(lambda: os.fsencode(root) in ear.watcher.check())
    (root / "b.md").write_text("x")
    ear.hears_of(root / "b.md")


def test_events_that_were_lost_make_everything_watched_anew(ear: Ear, tmp_path: Path) -> None:
    import logging

    ear.watch(tmp_path)
    logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed; filesystem events were lost")
    assert ear.watcher.check() == [os.fsencode(tmp_path)]
    assert ear.watcher.check() == []


def test_a_root_that_is_refused_is_not_asked_for_again_and_again(tmp_path: Path) -> None:
    now, asked = [0.0], []

    def refuse():
        asked.append(now[0])
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    watcher = Watcher(Hints(), observer=refuse, clock=lambda: now[0])
    watcher.watch([os.fsencode(tmp_path)])
    for _ in range(90):
        assert watcher.check() == []
        now[0] += 1.0
    assert len(asked) == 2
    assert watcher.refusal is not None and watcher.refusal.errno == errno.EMFILE
    assert watcher.uncovered == {os.fsencode(tmp_path)}
    watcher.close()


def test_any_number_of_hints_is_folded_into_few_folders() -> None:
    paths = [b"/r/a%d/b%d/%d.md" % (number % 5, number % 40, number) for number in range(50_000)]
    kept = folded(paths, 100, {b"/r"})
    assert kept == sorted(kept) and len(kept) == 40
    assert all(any(path.startswith(folder + b"/") for folder in kept) for path in paths)
    assert folded(paths, 3, {b"/r"}) == [b"/r"]
    hints = Hints()
    for path in paths:
        hints.add([path])
    assert len(hints.take()) < 11_000
