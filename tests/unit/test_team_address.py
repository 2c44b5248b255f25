"""Addresses of team libraries: no password in them, no way off this machine that is not encrypted and checked."""

from __future__ import annotations

import pytest
from loopback_proxy import LoopbackProxy, certificates
from team_world import TeamDatabase

from engine import installation
from engine.config import Config, from_mapping
from engine.errors import ConfigError, UsageError
from engine.paths import library_path, places
from engine.team import address, login

psycopg = pytest.importorskip("psycopg")


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the machine says of PostgreSQL out, and its keyring."""
    for name in ("PGHOST", "PGHOSTADDR", "PGSSLMODE", "PGUSER", "PGPASSWORD", "PGPASSFILE", "PGSERVICE", "PGDATABASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.mark.parametrize(
    "near",
    [
        "postgresql:///notes",
        "postgresql://ada@localhost/notes",
        "postgresql://ada@127.0.0.1:5433/notes",
        "postgresql://ada@[::1]/notes",
        "postgres://%2Fvar%2Frun%2Fpostgresql/notes",
        "postgresql:///notes?host=/tmp&port=5433",
    ],
)
def test_the_way_over_a_socket_or_the_loopback_needs_no_tls(near):
    assert address.checked(near) == near


@pytest.mark.parametrize(
    "far",
    [
        "postgresql://ada@team.example/notes",
        "postgresql://ada@team.example/notes?sslmode=require",
        "postgresql://ada@team.example/notes?sslmode=verify-ca",
        "postgresql://ada@192.0.2.7/notes?sslmode=prefer",
        "postgresql://ada@localhost,team.example/notes",
        "postgresql://ada@localhost/notes?hostaddr=192.0.2.7",
        "postgresql://ada@team.example/notes?hostaddr=127.0.0.1",
        "postgresql://ada@localhost/notes?host=team.example",
        "postgresql:///notes?hostaddr=192.0.2.7",
    ],
)
def test_any_other_way_demands_a_certificate_that_is_checked(far):
    with pytest.raises(UsageError, match="sslmode=verify-full") as told:
        address.checked(far)
    assert "certificate" in told.value.message
    joined = far + ("&" if "?" in far else "?") + "sslmode=verify-full"
    assert address.checked(joined) == joined


def test_the_environment_cannot_lead_an_address_elsewhere(monkeypatch):
    monkeypatch.setenv("PGHOST", "team.example")
    with pytest.raises(UsageError, match=r"team\.example"):
        address.checked("postgresql:///notes")
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert "sslmode=verify-full" in login.connection_string(address.checked("postgresql:///notes"))


@pytest.mark.parametrize(
    "written",
    [
        "postgresql://ada:s3cret@team.example/notes",
        "postgresql://ada:s3cr@et@team.example/notes",
        "postgresql://ada:s3cr/et?x@team.example/notes",
        "postgresql://ada:s3cret@[::1/notes",
        "postgresql:///notes?user=ada&password=s3cret",
        "postgresql:///notes?sslpassword=s3cret&user=ada",
        "postgresql:///notes?user=ada&PASSWORD=s3cret",
    ],
)
def test_an_address_with_a_password_is_refused_and_not_repeated(written):
    with pytest.raises(UsageError, match="holds a password") as told:
        address.checked(written)
    assert "s3c" not in str(told.value)
    assert "s3c" not in address.without_password(written)


@pytest.mark.parametrize(
    "broken", ["postgresql://[::1/notes", "postgresql://localhost/%zz", "postgresql:///x?nonsense=1"]
)
def test_an_address_that_libpq_cannot_read_is_refused_in_our_words(broken):
    with pytest.raises(UsageError, match="cannot be read"):
        address.checked(broken)


def test_a_service_of_the_machine_is_not_taken():
    with pytest.raises(UsageError, match="service"):
        address.checked("postgresql:///notes?service=theirs")


def test_without_the_extra_the_command_that_installs_it_here_is_told(monkeypatch):
    monkeypatch.setattr(address.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(installation, "this_installation", lambda: installation.Installation(places().data, "py", True))
    with pytest.raises(UsageError, match=r"py -m pip install 'carrel\[team\]'"):
        address.checked("postgresql:///notes")


def test_the_own_file_is_the_default_one_where_the_variable_names_a_team(monkeypatch):
    monkeypatch.setenv("CARREL_LIBRARY", "postgresql:///notes")
    assert library_path() == places().library


def test_a_setting_holds_an_address_and_nothing_else():
    assert from_mapping({"team": "postgresql:///notes", "machine": "desk"}, "here") == Config(
        team="postgresql:///notes", machine="desk"
    )
    with pytest.raises(ConfigError, match="address"):
        from_mapping({"team": "notes"}, "here")


class MemoryKeyring:
    """A keyring that keeps secrets for as long as the test runs."""

    priority = 5

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, name: str) -> str | None:
        return self.held.get((service, name))

    def set_password(self, service: str, name: str, password: str) -> None:
        self.held[service, name] = password

    def delete_password(self, service: str, name: str) -> None:
        del self.held[service, name]


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    kept = MemoryKeyring()
    library = pytest.importorskip("keyring")
    monkeypatch.setattr(library, "get_keyring", lambda: kept)
    for name in ("get_password", "set_password", "delete_password"):
        monkeypatch.setattr(library, name, getattr(kept, name))
    return kept


def test_the_keyring_gives_the_password_that_it_was_given(keyring, team_database: TeamDatabase):
    url = team_database.loopback_url("ada")
    assert login.stored_password(url) is None
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(login.connection_string(url))
    assert login.keep_password(url, team_database.password("ada"))
    psycopg.connect(login.connection_string(url)).close()
    assert login.forget_password(url)
    assert keyring.held == {}


def test_a_machine_without_a_keyring_keeps_nothing():
    assert not login.keep_password("postgresql:///notes", "s3cret")
    assert login.stored_password("postgresql:///notes") is None


def test_the_password_file_lets_in_over_tls_under_the_name_of_the_certificate(
    team_database: TeamDatabase, tmp_path, monkeypatch
):
    monkeypatch.setenv("PGPASSFILE", str(team_database.passwords(tmp_path)))
    certificates(tmp_path)
    with LoopbackProxy(team_database.server.port, tmp_path) as proxy:
        url = team_database.tls_url("ada", proxy.port, tmp_path / "ca.crt")
        with psycopg.connect(login.connection_string(url)) as connection:
            assert connection.pgconn.ssl_in_use
        with pytest.raises(psycopg.OperationalError, match="certificate"):
            other = team_database.tls_url("ada", proxy.port, tmp_path / "ca.crt", "other.example.test")
            psycopg.connect(login.connection_string(other))


def test_the_line_of_a_password_file_is_the_one_that_libpq_reads(team_database: TeamDatabase, tmp_path, monkeypatch):
    url = team_database.loopback_url("ada")
    escaped = team_database.password("ada").replace("\\", "\\\\").replace(":", "\\:")
    (tmp_path / "pgpass").write_text(login.password_line(url).replace("PASSWORD", escaped) + "\n")
    (tmp_path / "pgpass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    psycopg.connect(login.connection_string(url)).close()
