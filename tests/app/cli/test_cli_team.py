"""`carrel team` on a real server: one is set up, people join, bring and share folders, and leave."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from cli_fakes import Call
from fake_encoder import FakeEncoder
from indexed_notes import indexed
from loopback_proxy import LoopbackProxy, certificates
from team_world import TeamDatabase

from app.cli import factories
from app.cli.commands import team_commands
from engine import config
from engine.team import team_doctor

pytestmark = pytest.mark.usefixtures("no_keyring")
__all__ = ["indexed"]


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    for name in ("PGPASSFILE", "PGPASSWORD", "CARREL_LIBRARY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def team(carrel: Call, team_database: TeamDatabase) -> TeamDatabase:
    """Set a team library up that lets ada and ben in."""
    members = [each for person in ("ada", "ben") for each in ("--member", team_database.role(person))]
    assert carrel("team", "init", team_database.url(), *members).code == 0
    return team_database


@pytest.fixture
def joined(carrel: Call, team: TeamDatabase, indexed: Path) -> TeamDatabase:
    """Have ada join with this machine, whose own file holds the notes."""
    assert carrel("team", "join", team.url("ada"), "--machine", "desk").code == 0
    return team


def titles(team: TeamDatabase, person: str) -> list[str]:
    """Return the titles of the documents that a person sees, by SQL of their own."""
    with team.connect(person) as connection:
        return sorted(title for (title,) in connection.execute("select title from carrel.document").fetchall())


def test_init_prints_what_lets_a_member_in_and_may_be_called_again(carrel: Call, team_database: TeamDatabase) -> None:
    told = carrel("team", "init", team_database.url())

    assert told.code == 0
    assert f'GRANT "carrel_{team_database.name}_member" TO "ada";' in told.out
    assert f"carrel team join 'postgresql://ada@/{team_database.name}?host=" in told.out
    assert carrel("team", "init", team_database.url(), "--json").json["version"] >= 1


def test_init_makes_a_login_that_is_not_there_and_refuses_who_has_not_the_right(
    carrel: Call, team_database: TeamDatabase
) -> None:
    newcomer = f"{team_database.name}_newcomer"
    told = carrel("team", "init", team_database.url(), "--member", newcomer, "--json")
    assert (told.json["admitted"], told.json["made"]) == ([newcomer], [newcomer])
    assert carrel("team", "join", team_database.server.url(team_database.name, newcomer)).code == 0
    carrel("team", "leave", "--yes")
    refused = carrel("team", "init", team_database.url("stranger"))
    assert refused.code == 2
    assert "this login" in refused.err.lower()


def test_a_member_joins_and_a_stranger_is_told_what_lets_them_in(carrel: Call, team: TeamDatabase) -> None:
    stranger = carrel("team", "join", team.url("stranger"))
    assert stranger.code == 2
    assert f'GRANT "carrel_{team.name}_member" TO "{team.role("stranger")}"' in stranger.err

    told = carrel("team", "join", team.url("ada"), "--machine", "desk")
    assert told.code == 0
    assert carrel("team", "--json").json["members"][0]["machine"] == "desk"
    assert team.url("ada") in (Path(os.environ["CARREL_HOME"]) / "config/config.toml").read_text()


def test_a_database_without_a_team_library_says_so(carrel: Call, team_database: TeamDatabase) -> None:
    told = carrel("team", "join", team_database.url("ada"))
    assert told.code == 2
    assert "carrel team init" in told.err


def test_without_a_terminal_the_line_of_the_password_file_is_told(
    carrel: Call, team: TeamDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = carrel("team", "join", team.loopback_url("ada"))
    assert told.code == 2
    assert f"127.0.0.1:{team.server.port}:{team.name}:{team.role('ada')}:PASSWORD" in told.err

    monkeypatch.setenv("PGPASSFILE", str(team.passwords(tmp_path)))
    assert carrel("team", "join", team.loopback_url("ada")).code == 0
    home = Path(os.environ["CARREL_HOME"])
    assert [
        path for path in home.rglob("*") if path.is_file() and team.password("ada").encode() in path.read_bytes()
    ] == []


def test_what_is_shared_is_brought_by_a_sync_and_seen_by_whom_it_is_shared_with(
    carrel: Call, joined: TeamDatabase, indexed: Path
) -> None:
    assert carrel("team", "folder", "add", "notes").code == 0
    synced = carrel("sync")
    assert "team: 3 brought" in synced.out
    assert "team: 3 unchanged" in carrel("sync").out
    assert titles(joined, "ada") == ["Camping stove", "Sourdough", "Yeast"]
    assert titles(joined, "ben") == []

    assert carrel("team", "share", "notes", joined.role("ben")).code == 0
    assert titles(joined, "ben") == ["Camping stove", "Sourdough", "Yeast"]
    shown = carrel("team", "--json").json["folders"][0]
    assert (shown["documents"], shown["behind"], shown["readers"]) == (3, 0, [joined.role("ben")])

    assert carrel("team", "unshare", "notes").code == 0
    assert titles(joined, "ben") == []
    assert "you alone" in carrel("team").out


def test_a_changed_a_moved_and_a_removed_file_come_over(carrel: Call, joined: TeamDatabase, indexed: Path) -> None:
    carrel("team", "folder", "add", "notes", "--all")
    carrel("sync")
    (indexed / "kitchen/yeast.md").write_text("# Yeast\n\nIt lives on sugar.\n")
    (indexed / "gear/stove.md").rename(indexed / "stove.md")
    (indexed / "kitchen/sourdough.md").unlink()

    told = carrel("sync", "--json").json["team"]

    assert (told["moved"], told["removed"]) == (1, 1)
    assert titles(joined, "ben") == ["Camping stove", "Yeast"]
    with joined.connect("ben") as connection:
        found = connection.execute("select count(*) from carrel.passage where text like '%lives on sugar%'").fetchone()
    assert found == (1,)


def test_a_folder_leaves_the_team_and_stays_in_the_own_file(carrel: Call, joined: TeamDatabase) -> None:
    carrel("team", "folder", "add", "notes", "--all")
    carrel("sync")
    assert carrel("team", "folder", "remove", "notes").code == 0
    assert titles(joined, "ben") == []
    assert carrel("status", "--json").json["documents"] == 3
    assert carrel("team", "folder", "remove", "notes").code == 2


def test_leaving_takes_the_folders_along_unless_they_are_to_stay(carrel: Call, joined: TeamDatabase) -> None:
    carrel("team", "folder", "add", "notes", "--all")
    carrel("sync")
    assert carrel("team", "leave").code == 2  # nobody to ask
    assert carrel("team", "leave", "--yes", "--keep").code == 0
    assert len(titles(joined, "ben")) == 3
    assert "in no team library" in carrel("team").err

    carrel("team", "join", joined.url("ada"), "--machine", "desk")
    assert carrel("team", "leave", "--yes").code == 0
    assert titles(joined, "ben") == []


@pytest.mark.parametrize(
    "words", [("add", "notes"), ("backup", "x"), ("compact",), ("retrain",), ("models", "use", "x"), ("import", "x")]
)
def test_a_command_of_the_own_file_says_why_it_is_not_for_a_team(
    carrel: Call, team_database: TeamDatabase, words: tuple[str, ...]
) -> None:
    told = carrel("--library", team_database.url("ada"), *words)
    assert told.code == 2
    assert "is not for a team library" in told.err


def test_an_address_with_a_password_is_refused_before_anything_else(carrel: Call) -> None:
    for words in (
        ("--library", "postgresql://ada:s3cret@h/x", "status"),
        ("team", "join", "postgresql://ada:s3cret@h/x"),
    ):
        told = carrel(*words)
        assert told.code == 2
        assert "holds a password" in told.err
        assert "s3cret" not in told.out + told.err


def test_a_member_joins_over_tls_and_a_server_with_another_certificate_is_refused(
    carrel: Call, team: TeamDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSFILE", str(team.passwords(tmp_path)))
    certificates(tmp_path)
    with LoopbackProxy(team.server.port, tmp_path) as proxy:
        safe = team.tls_url("ada", proxy.port, tmp_path / "ca.crt")
        unchecked = carrel("team", "join", safe.replace("sslmode=verify-full", "sslmode=require"))
        assert unchecked.code == 2
        assert "sslmode=verify-full" in unchecked.err

        other = carrel("team", "join", team.tls_url("ada", proxy.port, tmp_path / "ca.crt", "other.example.test"))
        assert other.code == 2
        assert "not the one that it should be" in other.err

        assert carrel("team", "join", safe).code == 0
    away = carrel("team")
    assert away.code == 3
    assert "does not answer" in away.err


def test_a_login_or_a_database_that_is_not_there_is_no_server_that_is_away(carrel: Call, team: TeamDatabase) -> None:
    for url in (team.server.url(team.name, "nobody_here"), team.server.url("nothing_here", team.role("ada"))):
        told = carrel("team", "join", url)
        assert told.code == 2
        assert "did not let you in" in told.err


def test_the_password_is_asked_for_once_and_kept_in_the_keyring(
    carrel: Call, team: TeamDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = pytest.importorskip("keyring")
    held: dict[tuple[str, str], str] = {}
    monkeypatch.setattr(keyring, "get_keyring", lambda: SimpleNamespace(priority=5))
    monkeypatch.setattr(keyring, "get_password", lambda service, name: held.get((service, name)))
    monkeypatch.setattr(keyring, "set_password", lambda service, name, word: held.update({(service, name): word}))
    monkeypatch.setattr(keyring, "delete_password", lambda service, name: held.pop((service, name)))
    monkeypatch.setattr(team_commands, "_asked", lambda address: team.password("ada"))

    told = carrel("team", "join", team.loopback_url("ada"), "--machine", "desk")

    assert told.code == 0
    assert team.password("ada") not in told.out + told.err
    assert list(held.values()) == [team.password("ada")]
    monkeypatch.setattr(team_commands, "_asked", lambda address: pytest.fail("asked again"))
    assert carrel("team", "--json").json["person"] == team.role("ada")
    assert carrel("team", "leave", "--yes").code == 0
    assert held == {}


def test_a_right_password_that_nothing_can_keep_is_not_kept_and_the_way_out_is_told(
    carrel: Call, team: TeamDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team_commands, "_asked", lambda address: team.password("ada"))
    told = carrel("team", "join", team.loopback_url("ada"))
    assert told.code == 2
    assert "no keyring" in told.err
    assert ".pgpass" in told.err
    assert "in no team library" in carrel("team").err


def test_the_doctor_finds_a_team_library_sound_and_mends_what_is_not(carrel: Call, joined: TeamDatabase) -> None:
    carrel("team", "folder", "add", "notes", "--all")
    carrel("sync")
    checked = carrel("--library", joined.url("ada"), "doctor", "--json")
    assert (checked.code, {each["name"] for each in checked.json["checks"] if not each["ok"]}) == (0, set())
    assert {each["name"] for each in checked.json["checks"]} >= {"versions", "policies", "counts", "words", "recall"}

    with joined.connect("ada") as connection:  # one's own folder, spoiled by one's own hand
        connection.execute("delete from carrel.posting where term = 'flour'")
        connection.execute("delete from carrel.vector_1")
    faulty = carrel("--library", joined.url("ada"), "doctor", "--json")
    assert faulty.code == 1
    assert {each["name"] for each in faulty.json["checks"] if not each["ok"]} == {"words", "vectors"}

    assert carrel("--library", joined.url("ada"), "doctor", "--repair").code == 0
    with joined.connect("ben") as connection:
        assert connection.execute("select count(*) from carrel.posting where term = 'flour'").fetchone() == (1,)


def test_the_doctor_tells_of_an_index_that_is_half_empty(
    carrel: Call, joined: TeamDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrel("team", "folder", "add", "notes", "--all")
    carrel("sync")
    with joined.connect() as connection:
        connection.execute("select carrel.gather_statistics()")
    assert "REINDEX" not in carrel("--library", joined.url("ada"), "doctor").out
    monkeypatch.setattr(team_doctor, "LEAST_LOOSE", 1)
    monkeypatch.setattr(team_doctor, "LOOSE_BYTES", 1)
    told = carrel("--library", joined.url("ada"), "doctor")
    assert told.code == 0
    assert "REINDEX INDEX CONCURRENTLY carrel.posting_pkey" in told.out


def test_the_doctor_tells_where_a_policy_is_missing(carrel: Call, joined: TeamDatabase) -> None:
    with joined.connect("owner") as connection:
        connection.execute("alter table carrel.passage disable row level security")
    told = carrel("--library", joined.url("ada"), "doctor")
    assert told.code == 1
    assert "no policy in force on passage" in told.out
    carrel("team", "init", joined.url())
    assert "no policy" not in carrel("--library", joined.url("ada"), "doctor").out


def exported(carrel: Call, *library: str) -> tuple[list[dict[str, object]], np.ndarray]:
    """Return the passages of a library's export, without the number of their document, and their vectors."""
    lines = [json.loads(line) for line in carrel(*library, "export", "-").out.splitlines()]
    passages = [{**each, "document": 0} for each in lines if each.get("type") == "passage"]
    passages.sort(key=lambda each: str(each["text"]))
    vectors = [np.frombuffer(base64.b64decode(each.pop("vector")), "<f4") for each in passages]
    return passages, np.stack(vectors)


def test_a_file_goes_into_a_team_library_and_back_without_embedding_anything(
    carrel: Call, joined: TeamDatabase, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeEncoder, "encode_passages", lambda *_: pytest.fail("something was embedded"))
    into = carrel("export", joined.url("ada"))
    assert "team: 3 brought" in into.out
    assert titles(joined, "ben") == []

    out = carrel("--library", joined.url("ada"), "export", "back.jsonl")
    assert "3 documents" in out.out
    back = carrel("--library", "other.carrel", "import", "back.jsonl", "--json")

    assert (back.json["documents"], back.json["embedded"], back.json["pending"]) == (3, 0, 0)
    passages, vectors = exported(carrel)
    returned, brought_back = exported(carrel, "--library", "other.carrel")
    assert len(passages) == 3
    assert returned == passages
    assert np.allclose(brought_back, vectors, atol=1e-6)


def test_a_keeper_has_the_team_take_another_model(carrel: Call, joined: TeamDatabase) -> None:
    carrel("team", "folder", "add", "notes", "--all")
    carrel("sync")
    refused = carrel("team", "model", "all-MiniLM-L6-v2")
    assert refused.code == 2
    assert "keeper" in refused.err

    with joined.connect() as connection:
        connection.execute(f'grant "carrel_{joined.name}_keeper" to "{joined.role("ada")}"')
    waiting = carrel("team", "model", "all-MiniLM-L6-v2")
    assert "3 passages lack a vector of it" in waiting.err
    assert carrel("team", "--json").json["model"] == "fake"
    assert carrel("team", "model", "all-MiniLM-L6-v2", "--now").code == 0
    assert carrel("team", "--json").json["model"] == "all-MiniLM-L6-v2"


def test_a_file_of_another_member_is_picked_and_shown_and_said_to_lie_elsewhere(
    carrel: Call, joined: TeamDatabase
) -> None:
    carrel("team", "folder", "add", "notes", "--all")
    carrel("sync")
    carrel("team", "leave", "--yes", "--keep")
    carrel("team", "join", joined.url("ben"), "--machine", "lap")
    here = ("--library", joined.url("ben"))

    place = carrel(*here, "pick", "--filter", "stove").out.splitlines()[0]
    assert place.startswith(f"{joined.role('ada')}@desk:/") and "stove.md" in place
    assert "Camping stove" in carrel(*here, "show", place).out
    told = carrel(*here, "open", place)
    assert told.code == 2
    assert f"lies with {joined.role('ada')}, at desk." in told.err
    assert f"It is one of {joined.role('ada')}, at desk" in carrel("show", place).err


def test_the_browser_of_a_team_library_is_served_and_the_picker_opens_it(
    carrel: Call, team: TeamDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("textual_serve")
    opened: list[object] = []
    monkeypatch.setattr(factories, "serve_page", lambda library, port, told: opened.append(library))
    monkeypatch.setattr(factories, "open_picker", lambda library, request, deliver: opened.append(library) or 0)
    here = ("--library", team.url("ada"))
    assert carrel(*here, "serve").code == 0
    assert carrel(*here, "pick").code == 0
    assert opened == [team.url("ada")] * 2


def test_marks_and_searches_are_shared_by_command(carrel: Call, joined: TeamDatabase) -> None:
    assert "your own" in carrel("team", "marks").out
    assert "are shared" in carrel("team", "marks", "--share").out
    assert carrel("team", "marks", "--json").json["shared"] is True
    assert carrel("team", "marks", "--own", "--json").json["shared"] is False

    unknown = carrel("team", "searches", "--share", "feeding")
    assert unknown.code == 2 and "No search is kept as feeding" in unknown.err
    config.change({"saved": {"feeding": "flour and water"}})
    assert "flour and water" in carrel("team", "searches", "--share", "feeding").out
    shared = carrel("team", "searches", "--json").json["searches"]
    assert [(each["name"], each["person"], each["own"]) for each in shared] == [("feeding", joined.role("ada"), True)]
    assert carrel("team", "searches", "--own", "feeding").code == 0
    assert carrel("team", "searches", "--own", "feeding").code == 2
