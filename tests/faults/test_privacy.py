"""What is a person's stays theirs: who may read it, what is read and imported, and that nothing leaves the machine.

One whole life of a library is lived, by the installed program, in the worst of places: a watched folder, which is the
current one too, that holds code with the names of modules, settings, and links out of it; and everybody may write.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import apsw
import pytest
from notes import library_of
from terminal import Terminal

from app.tui.indexer_process import start_process, worker_command
from engine import config
from engine.errors import LibraryDamaged
from engine.maintenance import Maintenance
from engine.paths import library_path, places
from engine.records import ResolvedLink

PROGRAM = Path(sys.executable).with_name("carrel")
WORDS = "granite harbour lantern"
QUERY = "zymurgyquery"
TRAP = "import os\nos.close(os.open(os.environ['TRAP'] + __name__, os.O_CREAT | os.O_WRONLY))\n"
SPY = """
import os, sys

told = os.open(os.environ["SPY"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
who = " ".join(os.path.basename(word) for word in sys.orig_argv[1:4])

def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        os.write(told, f"{who}|open|{os.fsdecode(arguments[0])}\\n".encode("utf-8", "replace"))
    elif event in ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        os.write(told, f"{who}|{event}|{arguments[1:]!r}\\n".encode())

sys.addaudithook(hook)
"""
SPEAKING = re.compile(r".*(?:bind|connect|sendto|sendmsg|sendmmsg|listen)\(.*AF_INET.*")

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="the program carrel is not installed beside this Python")


@dataclass(frozen=True)
class World:
    """A place where a library has lived."""

    base: Path

    @property
    def notes(self) -> Path:
        return self.base / "notes"

    @property
    def home(self) -> Path:
        return self.base / "home"

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CARREL", "PYTHON"))}
        return {
            **kept,
            "CARREL_HOME": os.fspath(self.home),
            "PYTHONPATH": os.fspath(self.base / "spy"),
            "SPY": os.fspath(self.base / "told"),
            "TRAP": f"{self.base}/trapped-",
        }

    def start(self, *arguments: str, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*before, os.fspath(PROGRAM), *arguments],
            cwd=self.notes,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            umask=0,
        )

    def run(self, *arguments: str, before: tuple[str, ...] = ()) -> str:
        process = self.start(*arguments, before=before)
        said, _ = process.communicate(timeout=400)
        assert process.returncode in (0, 1), said
        return said

    def told(self, what: str) -> list[tuple[str, str]]:
        """What the spy in every process told of one kind of event: which process, and the rest."""
        lines = (line.split("|", 2) for line in (self.base / "told").read_text().splitlines())
        return [(who, rest) for who, event, rest in lines if event.startswith(what)]


def lay_traps(notes: Path) -> None:
    for name in ("json", "re", "typing", "numpy", "apsw", "click", "sitecustomize", "usercustomize", "logging"):
        (notes / f"{name}.py").write_text(TRAP)
    for name in ("engine", "app", "encodings", "lxml"):
        (notes / name).mkdir()
        (notes / name / "__init__.py").write_text(TRAP)
    for name in ("config.toml", "carrel.toml", ".carrel.toml", ".carrel/config.toml", "pyproject.toml", ".env"):
        (notes / name).parent.mkdir(exist_ok=True)
        (notes / name).write_text('fusion = "nonsense"\n[tool.carrel]\nfusion = "nonsense"\n')


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("privacy"))
    for folder in (world.notes, world.base / "outside", world.base / "spy"):
        folder.mkdir()
    (world.base / "spy/sitecustomize.py").write_text(SPY)
    (world.base / "outside/secret.md").write_text("the outsider")
    (world.notes / "note.md").write_text(f"# A note\n\n{WORDS}\n")
    (world.notes / "link.md").symlink_to("../outside/secret.md")
    (world.notes / "folder").symlink_to("../outside")
    (world.notes / ".carrelignore").write_text("!../outside/**\n!/etc/*\n!../../**\n")
    lay_traps(world.notes)
    world.run("add", ".")
    world.run("sync")
    world.run("search", "granite")
    world.run("search", QUERY)
    world.run("status", "--json")
    world.run("models")
    world.run("backup", os.fspath(world.base / "copy.carrel"))
    world.run("export", os.fspath(world.base / "notes.jsonl"))
    leave_watching(world.start("watch"))
    return world


def leave_watching(watch: subprocess.Popen[str]) -> None:
    """Wait until `carrel watch` is at it, and end it: itself, where another program traces it."""
    assert watch.stdout is not None
    pid = watch.pid
    for line in watch.stdout:
        pid = int(found[1]) if (found := re.search(r"indexer started, process (\d+)", line)) else pid
        if "watching" in line:
            break
    os.kill(pid, signal.SIGTERM)
    watch.communicate(timeout=300)


def test_everything_of_carrels_is_its_owners_alone_whatever_the_umask(world: World) -> None:
    own = [world.home, *world.home.rglob("*"), world.base / "copy.carrel", world.base / "notes.jsonl"]
    assert {path.name for path in own} >= {"library.carrel", "copy.carrel", "events"}
    open_to_others = [path for path in own if stat.S_IMODE(path.lstat().st_mode) & 0o077]
    assert open_to_others == []


def test_the_files_beside_an_open_library_are_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        library_of(tmp_path, {"a.md": "words"}, fitted=False).close()
        writer = apsw.Connection(os.fspath(tmp_path / "library.carrel"))
        try:
            writer.execute("CREATE TABLE some (value); INSERT INTO some VALUES (1)")
            beside = sorted(tmp_path.glob("library.carrel*"))
            assert {path.name for path in beside} >= {"library.carrel", "library.carrel-wal", "library.carrel-shm"}
            assert [path for path in beside if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
        finally:
            writer.close()
    finally:
        os.umask(before)


def test_settings_are_written_for_their_owner_alone_in_folders_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "one/two/config.toml"
    before = os.umask(0)
    try:
        config.save(config.Config(fusion="rrf"), path)
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent, path.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]


def test_a_log_that_others_could_read_is_taken_from_them(world: World) -> None:
    log = world.home / "state/carrel.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    log.chmod(0o666)
    crash = "from engine import library; library.Library.open = None; from app.cli import main; main(['status'])"
    environment = {**world.environment(), "PYTHONPATH": os.fspath(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-P", "-c", crash], env=environment, capture_output=True, check=False)
    assert "Traceback" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_no_module_is_imported_from_the_current_or_a_watched_folder(world: World) -> None:
    assert sorted(path.name for path in world.base.glob("trapped-*")) == []
    careless = {name: value for name, value in world.environment().items() if name != "PYTHONPATH"}
    subprocess.run([sys.executable, "-c", "import json"], cwd=world.notes, env=careless, check=False)
    assert (world.base / "trapped-json").exists(), "the traps work"
    (world.base / "trapped-json").unlink()


def test_the_indexer_of_a_browser_imports_nothing_from_where_the_browser_was_started(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in world.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(world.notes)
    events = world.base / "told-by-the-indexer"
    process = start_process(worker_command(library_path(), events), places())
    assert process.stdin is not None
    process.stdin.close()  # which tells it to leave once it stands
    assert process.wait(300) == 0
    assert sorted(path.name for path in world.base.glob("trapped-*")) == []


def test_no_settings_are_read_from_the_current_or_a_watched_folder(world: World) -> None:
    opened = [(who, os.path.join(world.notes, path)) for who, path in world.told("open")]
    inside = [(who, path) for who, path in opened if Path(path).is_relative_to(world.notes)]
    assert any(path.endswith("/note.md") for _, path in inside), "the spy sees the notes being read"
    assert not [path for _, path in inside if "/.carrel/" in path or path.endswith((".env", ".carrel.toml"))]
    assert not [path for who, path in inside if "search" in who], "a search looks into no file"


def test_nothing_is_asked_of_a_network(world: World) -> None:
    assert world.told("socket") == []
    asking = "import socket; socket.getaddrinfo('localhost', 1)"
    subprocess.run([sys.executable, "-P", "-c", asking], env=world.environment(), check=True)
    assert [event for _, event in world.told("socket")], "the spy hears of it"


def test_it_all_works_without_a_network(world: World) -> None:
    cut_off = ("unshare", "--map-root-user", "--net")
    if not shutil.which("unshare") or subprocess.run([*cut_off, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody cut a process off from the network")
    (world.notes / "later.md").write_text("# Later\n\nA cormorant dives.\n")
    world.run("sync", before=cut_off)
    assert "later.md" in world.run("search", "cormorant", before=cut_off)


def test_no_command_speaks_to_a_network(world: World) -> None:
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    trace = world.base / "trace"
    traced = ("strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=%network", "-o", os.fspath(trace))
    if subprocess.run([*traced, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody trace a process")
    (world.notes / "traced.md").write_text("# Traced\n\nA heron stands.\n")
    for call in (("sync",), ("search", "heron"), ("status",), ("doctor",), ("marks",), ("log",), ("models",)):
        world.run(*call, before=traced)
        assert SPEAKING.findall(trace.read_text()) == [], call
    world.start("retrain", "--detach", before=traced).communicate(timeout=400)  # it begins, and finds too few questions
    assert SPEAKING.findall(trace.read_text()) == [], "retrain"
    leave_watching(world.start("watch", before=traced))
    assert SPEAKING.findall(trace.read_text()) == [], "watch"
    browser = Terminal([*traced, os.fspath(PROGRAM)], {**world.environment(), "TERM": "xterm-256color"})
    try:
        assert browser.wait(lambda screen: "ctrl+q leave" in screen.text, 300), browser.screen.text
        browser.press("heron")
        assert browser.wait(lambda screen: "strong" in screen.text, 300), browser.screen.text
    finally:
        assert browser.leave("\x11", 120) is not None, "ctrl+q leaves it"
    assert SPEAKING.findall(trace.read_text()) == [], "the browser"
    asking = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))"
    subprocess.run([*traced, sys.executable, "-P", "-c", asking], check=True)
    assert SPEAKING.findall(trace.read_text()), "the trace hears of it"


def test_no_library_that_encodes_leaves_anything_in_the_persons_home(world: World) -> None:
    """The runtime of the encoder would leave an identifier and a queue of what it is to tell its maker."""
    person = world.base / "person"
    person.mkdir()
    at_home = ("env", "-u", "CI", "-u", "ORT_DISABLE_TELEMETRY", "-u", "XDG_CACHE_HOME", f"HOME={person}")
    (world.notes / "at_home.md").write_text("# At home\n\nA bittern booms.\n")
    world.run("sync", before=at_home)
    assert "at_home.md" in world.run("search", "what booms", before=at_home)
    assert [path for path in person.rglob("*") if path.is_file()] == []


def test_doctor_says_where_everything_of_carrels_lies(world: World) -> None:
    kept = json.loads(world.run("doctor", "--json"))["kept"]
    lies = [Path(each["path"]) for each in kept if each["path"]]
    beside = world.home / "data/library.carrel"
    files = [path for path in world.home.rglob("*") if path.is_file() and not path.name.startswith(beside.name)]
    assert files
    assert [path for path in files if not any(path.is_relative_to(place) for place in lies)] == []
    assert next(each for each in kept if each["name"] == "library")["bytes"] >= beside.stat().st_size
    assert all(each["forget"] for each in kept)


def test_links_lead_nowhere_outside_a_watched_folder(world: World) -> None:
    assert "outsider" not in world.run("search", "the outsider", "--plain")
    library = apsw.Connection(os.fspath(world.home / "data/library.carrel"), flags=apsw.SQLITE_OPEN_READONLY)
    paths = {str(path) for (path,) in library.execute("SELECT path_text FROM document")}
    library.close()
    assert any(path.endswith("note.md") for path in paths)
    assert not [path for path in paths if "secret" in path or ".." in path.split("/") or "/etc" in path]


def test_no_search_is_written_down_until_a_person_wants_it(world: World) -> None:
    library = apsw.Connection(os.fspath(world.home / "data/library.carrel"), flags=apsw.SQLITE_OPEN_READONLY)
    assert library.execute("SELECT count(*) FROM search_log").fetchone() == (0,)
    library.close()
    holding = [path for path in world.home.rglob("*") if path.is_file() and QUERY.encode() in path.read_bytes()]
    assert holding == []


def test_logs_and_events_hold_no_text_of_notes(world: World) -> None:
    files = [path for path in (world.home / "state").rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if b"harbour" in path.read_bytes()] == []


# --- what a note or an index may say ----------------------------------------------------------------------------------


def test_links_in_notes_lead_to_watched_documents_alone(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("not watched")
    targets = (
        "../secret.md", "../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "file:../secret.md",
        "%2e%2e/secret.md", "sub/../../secret.md", f"{tmp_path}/secret.md", "./b.md", "sub/../b.md",
    )  # fmt: skip
    written = "".join(f"- [{number}]({target})\n" for number, target in enumerate(targets))
    text = f"# A\n\n{written}\n[[../secret]] [[secret]] [[/etc/passwd]] [[b]]\n"
    library = library_of(tmp_path, {"a.md": text, "b.md": "# B\n\nhere\n"}, fitted=False)
    try:
        document = next(hit.document_id for hit in library.search("A").hits if hit.path.endswith(b"/a.md"))
        links: tuple[ResolvedLink, ...] = library.links(document)
        led = {link.target: link.path for link in links}
    finally:
        library.close()
    inside = os.fsencode(tmp_path / "notes/b.md")
    assert {target for target, path in led.items() if path == inside} == {"./b.md", "sub/../b.md", "b"}
    assert set(led.values()) == {None, inside}


def test_a_path_that_climbs_out_in_the_index_is_never_read(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("a secret beside the notes")
    library = library_of(tmp_path, {"a.md": "# A\n\nwords\n"}, fitted=False)
    library.close()
    other = apsw.Connection(os.fspath(tmp_path / "library.carrel"))
    other.execute("UPDATE document SET path = CAST('../secret.md' AS BLOB), path_text = '../secret.md', mtime_ns = 0")
    other.close()
    with pytest.raises(LibraryDamaged, match=r"document\.path"):
        library_of(tmp_path, {}, fitted=False)
    Maintenance(tmp_path / "library.carrel").check(repair=True)
    library = library_of(tmp_path, {}, fitted=False)
    try:
        found = [hit.path for hit in library.search("secret words").hits]
    finally:
        library.close()
    assert found == [os.fsencode(tmp_path / "notes/a.md")]


def test_an_ignore_file_that_is_a_pipe_or_a_link_holds_nobody(tmp_path: Path) -> None:
    (tmp_path / "patterns").write_text("*.md\n")
    (tmp_path / "notes/sub").mkdir(parents=True)
    os.mkfifo(tmp_path / "notes/.gitignore")
    (tmp_path / "notes/.carrelignore").symlink_to(tmp_path / "patterns")
    (tmp_path / "notes/sub/.gitignore").symlink_to("/dev/zero")
    library = library_of(tmp_path, {"a.md": "# A\n\nwords\n", "sub/b.md": "# B\n\nwords\n"}, fitted=False)
    try:
        assert len(library.search("words").hits) == 2
    finally:
        library.close()
