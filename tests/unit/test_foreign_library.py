"""A library file that another program made or changed: refused where its schema is not Carrel's."""

from __future__ import annotations

import io
import resource
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from fake_encoder import FakeEncoder
from notes import FILLER, library_of
from shelf import PlainParser

from app.json_shapes import JUDGED
from app.wording.times import day
from engine.errors import CarrelError, LibraryDamaged, LibraryFull, LibraryMissing, UsageError
from engine.indexer.worker import serve
from engine.library import Library
from engine.maintenance import Maintenance
from engine.records import SearchSettings
from engine.retrieval import tier_calibration
from engine.sources import parser
from engine.store import untrusted_file
from engine.store.connection import open_reader, open_writer
from engine.store.faults import translated

NOTES = {**dict(list(FILLER.items())[:3]), "links.md": "# Links\n\nSee [[other]] and the harbour.\n"}
ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("sound")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARREL_HOME", str(base / "home"))
        patch.setattr(tier_calibration, "refit", lambda *_: None)
        patch.setattr(parser, "configured_parser", PlainParser)
        with library_of(base, NOTES) as library:
            Maintenance(library.path).back_up(base / "good.carrel")
    return base / "good.carrel"


@pytest.fixture
def foreign(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tier_calibration, "refit", lambda *_: None)
    monkeypatch.setattr(parser, "configured_parser", PlainParser)
    return Path(shutil.copy(sound, tmp_path / "foreign.carrel"))


def changed(file: Path, script: str) -> Path:
    """Change a library as another program would."""
    conn = sqlite3.connect(file, isolation_level=None)
    conn.executescript(script)
    conn.close()
    return file


REPLACED = "ALTER TABLE {0} RENAME TO former_{0}; CREATE VIEW {0} AS SELECT * FROM former_{0};"
SCHEMAS = {
    "a trigger after an insert": "CREATE TRIGGER t AFTER INSERT ON request BEGIN DELETE FROM judgement; END",
    "a trigger before an update": "CREATE TRIGGER t BEFORE UPDATE ON document BEGIN SELECT raise(IGNORE); END",
    "a trigger on a deletion": "CREATE TRIGGER t AFTER DELETE ON passage BEGIN DELETE FROM folder; END",
    "a trigger in place of a write": (
        "CREATE VIEW v AS SELECT 1 AS x; CREATE TRIGGER t INSTEAD OF INSERT ON v BEGIN SELECT 1; END"
    ),
    "a trigger of a column": "CREATE TRIGGER t AFTER UPDATE OF state ON folder BEGIN DELETE FROM document; END",
    "a view for a table": REPLACED.format("judgement"),
    "an endless view for a table": f"DROP TABLE meta; CREATE VIEW meta AS {ENDLESS} 'k' AS key, x AS value FROM n",
    "a view on itself": "DROP TABLE search_log; CREATE VIEW search_log AS SELECT * FROM search_log",
    "another view of the passages": (
        "DROP VIEW passage_text; CREATE VIEW passage_text AS SELECT id, '' AS title, headings, text AS body,"
        " '' AS path, '' AS tags FROM passage"
    ),
    "another table": "CREATE TABLE mine(x)",
    "a table with a generated column": "ALTER TABLE document ADD COLUMN evil TEXT AS (upper(title))",
    "a table with another column": "ALTER TABLE meta ADD COLUMN evil TEXT",
    "an index on an expression": "CREATE INDEX i ON document(length(title))",
    "a partial index": "CREATE INDEX i ON document(title) WHERE size > 3",
    "a virtual table": "CREATE VIRTUAL TABLE mine USING fts5(x)",
    "a word index on another view": "CREATE VIRTUAL TABLE vector_9 USING fts5(x, content='folder')",
    "a trigger in the place of an index": (
        "DROP INDEX passage_by_hash; CREATE TRIGGER passage_by_hash AFTER INSERT ON meta BEGIN SELECT 1; END"
    ),
    "a table of vectors that is none": "CREATE TABLE vector_9(rowid, embedding)",
    "a changed table of figures": "DROP TABLE calibration; CREATE TABLE calibration(model_id, name, value)",
    "a check in a table": "DROP TABLE free_slot; CREATE TABLE free_slot(id INTEGER PRIMARY KEY CHECK(id > 0)) STRICT",
    "a name that is no text": "CREATE TABLE \"\x1b[31mred\"(x)",
}  # fmt: skip


@pytest.mark.parametrize("script", SCHEMAS.values(), ids=SCHEMAS.keys())
def test_a_file_with_another_schema_is_neither_restored_nor_opened(foreign: Path, tmp_path: Path, script: str) -> None:
    changed(foreign, script)
    library = tmp_path / "library.carrel"
    with pytest.raises(LibraryDamaged) as error:
        Maintenance(library).restore(foreign)
    assert "is not Carrel's" in error.value.cause
    assert "The library was not touched" in error.value.fix
    assert not library.exists()
    for way in (open_reader, open_writer):
        with pytest.raises(LibraryDamaged):
            way(foreign)
    (file,) = [check for check in Maintenance(foreign).check().checks if check.name == "file"]
    assert not file.ok
    assert file.remedy


def test_a_library_that_was_refused_is_rebuilt_from_what_is_carrels_in_it(foreign: Path) -> None:
    changed(foreign, SCHEMAS["an endless view for a table"])
    rebuilt = Maintenance(foreign, FakeEncoder()).rebuild()  # type: ignore[arg-type]
    assert (rebuilt.saved["folders"], rebuilt.saved["settings"]) == (1, 0)
    with Library.open(foreign, encoder=FakeEncoder()) as library:  # type: ignore[arg-type]
        assert library.search("harbour").hits
    assert untrusted_file.foreign(open_reader(foreign)) == []


def test_a_restored_backup_is_the_library(foreign: Path, tmp_path: Path) -> None:
    library = tmp_path / "library.carrel"
    assert Maintenance(library).restore(foreign).copied.documents == len(NOTES)
    conn = open_writer(library)
    assert (untrusted_file.foreign(conn), untrusted_file.missing(conn)) == ([], [])
    conn.close()


def test_statistics_that_sqlite_keeps_are_no_stranger(foreign: Path) -> None:
    changed(foreign, "ANALYZE")
    open_writer(foreign).close()


def test_what_takes_endless_work_is_broken_off(foreign: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untrusted_file, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(untrusted_file, "BYTES_A_SECOND", 2**40)
    conn = open_reader(foreign)
    with pytest.raises(LibraryDamaged, match="to its end"), untrusted_file.ending(conn, foreign):
        conn.execute(f"{ENDLESS} count(*) FROM n").fetchall()
    assert conn.execute("SELECT count(*) FROM document").get == len(NOTES)
    conn.close()


TEXT = "CAST(x'ff' AS TEXT)"
DEEP = "'" + "[" * 100_000 + "'"
WRONG = {"bytes": "x'00ff'", "a text": "'many'", "an infinity": "9e999", "a deep nest": DEEP, "a list": "'[1]'"}
COLUMNS = {
    "folder.rules": ("'{'", "'[]'", """'{"extra_patterns": 5}'""", """'{"max_bytes": 1e999}'""", DEEP, TEXT),
    "folder.state": ("'gone'", TEXT),
    "folder.path": ("CAST('../../../etc' AS BLOB)", "CAST('/a/../b' AS BLOB)", "x'2f6100'", "x''"),
    "document.path": ("CAST('../etc' AS BLOB)", "CAST('/etc/passwd' AS BLOB)", "x'6100'"),
    "document.links": ("'{'", "'5'", "'[5]'", """'[{"target": 1, "text": ""}]'""", DEEP, TEXT),
    "document.metadata": ("'['", "'[]'", """'{"a": 1}'""", DEEP, TEXT),
    "document.tags": (TEXT,),
    "document.title": (TEXT,),
    "document.kind": (TEXT,),
    "document.indexed_at": ("9e999", "-9e999", "1e300"),
    "passage.headings": (TEXT,),
    "passage.text": (TEXT,),
    "model.manifest": ("'{'", "'[]'", "'{}'", DEEP, TEXT),
    "model.fingerprint": (TEXT,),
    "calibration.value": tuple(WRONG.values()),
    "judgement.path": ("x'2f6100'", "x'00ff'"),
    "judgement.query": (TEXT,),
    "judgement.grade": ("7",),
    "judgement.at": ("9e999",),
    "search_log.results": ("'{'", "'[5]'", "'{}'", """'[{"path": 1}]'""", DEEP, TEXT),
    "search_log.at": ("9e999",),
    "meta.value": tuple(WRONG.values()),
}
DAMAGES = {
    f"{place} {number}": "UPDATE OR REPLACE {} SET {} = {}".format(*place.split("."), value)
    for place, values in COLUMNS.items()
    for number, value in enumerate(values)
}


@pytest.fixture(scope="module")
def used(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with a mark, a logged search, a fit of its tiers, and what is held and sketched."""
    base = tmp_path_factory.mktemp("used")
    file = Path(shutil.copy(sound, base / "used.carrel"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARREL_HOME", str(base / "home"))
        Maintenance(file, FakeEncoder()).check()  # type: ignore[arg-type]
        with Library.open(file, encoder=FakeEncoder()) as library:  # type: ignore[arg-type]
            found = library.search("harbour")
            library.mark("harbour", found.hits[0].passage_id)
            library.log_search(found)
    script = """INSERT OR REPLACE INTO calibration SELECT id, 'tiers', '{}' FROM model;
    INSERT OR REPLACE INTO calibration SELECT id, 'fitted_at_change', 1 FROM model;
    INSERT OR REPLACE INTO meta VALUES('held:1', 2)"""
    return changed(file, script)


@pytest.fixture
def damaged(used: Path, foreign: Path) -> Path:
    return Path(shutil.copy(used, foreign))


def asked(file: Path) -> dict[str, CarrelError]:
    """Ask a library all that a browser asks, and return what was refused; anything but a CarrelError is raised."""
    refused: dict[str, CarrelError] = {}
    try:
        library = Library.open(file, encoder=FakeEncoder())  # type: ignore[arg-type]
    except CarrelError as error:
        return {"open": error}
    with library:
        number = next((row[0] for row in sqlite3.connect(file).execute("SELECT id FROM document")), 0)
        place = file.parent / "notes" / "links.md"
        questions: dict[str, Callable[[], object]] = {
            "search": lambda: library.search("harbour"),
            "words": lambda: library.search("harbour", settings=SearchSettings(fusion="keyword")),
            "list": lambda: library.search(""),
            "why": lambda: library.why("harbour", place),
            "status": lambda: library.status(stale=True),
            "marks": lambda: [JUDGED[mark.grade] + day(mark.at) for mark in library.marks()],
            "places": lambda: library.places_of_marks(library.marks()),
            "log": lambda: [day(each.at) for each in library.search_log()],
            "changes": lambda: [day(each.at) for each in library.changed_since(0.0)],
            "document": lambda: library.document_by_id(number),
            "links": lambda: library.links(number),
            "passages": lambda: library.passages_of(number),
            "rules": lambda: [library.folder_rules(each.path) for each in library.folders()],
            "facets": library.facets,
        }
        for name, question in questions.items():
            try:
                question()
            except CarrelError as error:
                refused[name] = error
    return refused


@pytest.mark.parametrize("script", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_value_that_does_not_parse_is_passed_over_or_told_with_the_remedy(damaged: Path, script: str) -> None:
    changed(damaged, script)
    for error in asked(damaged).values():
        assert "carrel doctor --repair" in error.fix, error


@pytest.mark.parametrize("value", WRONG.values(), ids=WRONG.keys())
def test_what_is_kept_only_to_save_work_is_taken_for_absent(damaged: Path, value: str) -> None:
    changed(damaged, f"UPDATE meta SET value = {value}; UPDATE calibration SET value = {value}")
    assert asked(damaged) == {}
    with Library.open(damaged, encoder=FakeEncoder()) as library:  # type: ignore[arg-type]
        (hit,) = [hit for hit in library.search("harbour").hits if hit.judged]
        assert library.unmark("harbour", hit.passage_id)
        assert not [hit for hit in library.search("harbour").hits if hit.judged]


@pytest.mark.parametrize("place", COLUMNS)
def test_the_doctor_tells_what_does_not_parse_and_mends_it(damaged: Path, place: str) -> None:
    table, column = place.split(".")
    for number, value in enumerate(COLUMNS[place]):
        file = Path(shutil.copy(damaged, damaged.with_name(f"damaged-{number}.carrel")))
        changed(file, f"UPDATE OR REPLACE {table} SET {column} = {value}")
        care = Maintenance(file, FakeEncoder())  # type: ignore[arg-type]
        values = {check.name: check for check in care.check().checks}["values"]
        assert not values.ok and table in values.detail and column in values.detail
        mended = care.check(repair=True)
        assert any(table in said and "could not be read" in said for said in mended.done)
        assert [check for check in mended.checks if not check.ok and check.name != "model"] == []
        assert asked(file) == {}


@pytest.mark.parametrize("way", ["repair", "sync"])
def test_a_library_that_has_lost_its_model_has_all_its_vectors_again(damaged: Path, way: str) -> None:
    conn = open_writer(damaged)
    conn.execute("DELETE FROM calibration; DELETE FROM model; DROP TABLE vector_1")
    conn.close()
    care = Maintenance(damaged, FakeEncoder())  # type: ignore[arg-type]
    vectors = {check.name: check for check in care.check().checks}["vectors"]
    assert (vectors.ok, vectors.repairable) == (False, True)
    with Library.open(damaged, encoder=FakeEncoder()) as library:  # type: ignore[arg-type]
        if way == "sync":
            library.sync()
    assert all(check.ok for check in care.check(repair=way == "repair").checks)
    with Library.open(damaged, encoder=FakeEncoder()) as library:  # type: ignore[arg-type]
        status = library.status()
        assert (status.model, status.passages > 0, status.pending) == ("fake", True, 0)
        assert not any(hit.pending for hit in library.search("harbour").hits)


@pytest.mark.parametrize("place", ["document.links", "document.metadata", "document.title", "passage.text"])
def test_documents_with_damaged_values_are_read_again_by_the_repair(damaged: Path, place: str) -> None:
    table, column = place.split(".")
    told = f"SELECT group_concat({column}, '|') FROM (SELECT * FROM {table} ORDER BY {column})"
    before = sqlite3.connect(damaged).execute(told).fetchall()
    changed(damaged, f"UPDATE {table} SET {column} = {TEXT}")
    Maintenance(damaged, FakeEncoder()).check(repair=True)  # type: ignore[arg-type]
    assert sqlite3.connect(damaged).execute(told).fetchall() == before


@pytest.mark.parametrize("path", COLUMNS["folder.path"])
def test_a_folder_that_is_no_absolute_path_is_refused_and_dropped_by_the_repair(
    damaged: Path, tmp_path: Path, path: str
) -> None:
    changed(damaged, f"UPDATE folder SET path = {path}")
    with pytest.raises(LibraryDamaged) as error:
        Maintenance(tmp_path / "library.carrel").restore(damaged)
    assert "must be an absolute path" in error.value.cause and "not touched" in error.value.fix
    assert not (tmp_path / "library.carrel").exists()
    with pytest.raises(LibraryDamaged, match=r"folder\.path"):
        Library.open(damaged)
    done = Maintenance(damaged, FakeEncoder()).check(repair=True).done  # type: ignore[arg-type]
    assert "Folders no longer watched: 1 (folder.path could not be read)." in done
    with Library.open(damaged) as library:
        assert (library.folders(), library.status().documents) == ((), 0)


TEXTS = {  # one row among others, whose text is no UTF-8
    "judgement": ("query",),
    "search_log": ("query", "verdict", "fusion", "results"),
    "document": ("path_text", "title", "aliases", "own_words", "kind", "tags", "metadata", "links", "failure"),
    "passage": ("text", "headings"),
    "folder": ("state",),
}


@pytest.mark.parametrize(("table", "column"), [(table, column) for table in TEXTS for column in TEXTS[table]])
def test_one_row_that_cannot_be_read_spoils_none_of_the_others(damaged: Path, table: str, column: str) -> None:
    with Library.open(damaged, encoder=FakeEncoder()) as library:  # type: ignore[arg-type]
        found = library.search("harbour")
        library.mark("pier", found.hits[0].passage_id)
        library.log_search(found)
        before = {hit.passage_id for hit in found.hits}
    changed(damaged, f"UPDATE {table} SET {column} = {TEXT} WHERE id = (SELECT min(id) FROM {table})")
    assert asked(damaged) == {}
    with Library.open(damaged, encoder=FakeEncoder()) as library:  # type: ignore[arg-type]
        assert {hit.passage_id for hit in library.search("harbour").hits} >= before - {1}
        assert len(library.marks()) == (1 if table == "judgement" else 2)
        assert len(library.search_log()) == (1 if table == "search_log" else 2)
        library.mark("quay", found.hits[-1].passage_id)
    checks = {each.name: each for each in Maintenance(damaged, FakeEncoder()).check().checks}  # type: ignore[arg-type]
    assert table in checks["values"].detail and column in checks["values"].detail
    mended = Maintenance(damaged, FakeEncoder()).check(repair=True)  # type: ignore[arg-type]
    assert [check for check in mended.checks if not check.ok and check.name != "model"] == []


def test_values_that_cannot_be_read_cost_a_rebuild_none_of_the_others(damaged: Path) -> None:
    with Library.open(damaged, encoder=FakeEncoder()) as library:  # type: ignore[arg-type]
        found = library.search("harbour")
        library.mark("pier", found.hits[0].passage_id)
        library.log_search(found)
    for place in ("judgement.query", "search_log.query", "folder.rules"):
        table, column = place.split(".")
        changed(damaged, f"UPDATE {table} SET {column} = {TEXT} WHERE id = (SELECT min(id) FROM {table})")
    rebuilt = Maintenance(damaged, FakeEncoder()).rebuild()  # type: ignore[arg-type]
    assert (rebuilt.saved["folders"], rebuilt.saved["judgements"], rebuilt.saved["logged searches"]) == (1, 2, 2)
    with Library.open(damaged, encoder=FakeEncoder()) as library:  # type: ignore[arg-type]
        assert "pier" in [mark.query for mark in library.marks()]
        assert "harbour" in [search.query for search in library.search_log()]
        assert library.search("harbour").hits
    assert asked(damaged) == {}


def test_an_export_of_damaged_values_says_what_mends_them(damaged: Path) -> None:
    changed(damaged, f"UPDATE document SET title = {TEXT}")
    with pytest.raises(LibraryDamaged, match="cannot be read") as error:
        Maintenance(damaged).export(io.StringIO().write)
    assert "carrel doctor --repair" in error.value.fix
    changed(damaged, "UPDATE document SET title = 'mended', indexed_at = 9e999")
    with pytest.raises(LibraryDamaged):
        Maintenance(damaged).export(io.StringIO().write)


ESCAPING = {"upward": "../secret.md", "upward within": "sub/../../secret.md", "absolute": "/etc/passwd", "up": ".."}


@pytest.mark.parametrize("path", ESCAPING.values(), ids=ESCAPING.keys())
def test_a_document_outside_its_folder_is_refused_by_every_door_and_dropped_by_the_repair(
    damaged: Path, tmp_path: Path, path: str
) -> None:
    secret = "the secret of a neighbour"
    for place in (damaged.parent, damaged.parent / "notes"):
        place.mkdir(exist_ok=True)
        (place / "secret.md").write_text(secret)
    changed(damaged, f"UPDATE document SET path = CAST('{path}' AS BLOB) WHERE id = 1")
    with pytest.raises(LibraryDamaged) as error:
        Maintenance(tmp_path / "library.carrel").restore(damaged)
    assert "must lie in its folder" in error.value.cause and "not touched" in error.value.fix
    assert not (tmp_path / "library.carrel").exists()
    with pytest.raises(LibraryDamaged, match=r"document\.path"):
        Library.open(damaged)
    with pytest.raises(LibraryDamaged, match=r"document\.path"):
        serve(damaged, lambda _: None, threading.Event(), watch=False, encoder_of=lambda _: FakeEncoder())  # type: ignore[arg-type,return-value]
    assert secret.encode() not in damaged.read_bytes()
    exported: list[str] = []
    Maintenance(damaged).export(exported.append)
    with pytest.raises(UsageError, match="leads out of its folder"):
        Maintenance(tmp_path / "imported.carrel").import_from(io.BytesIO("".join(exported).encode()), "it")
    done = Maintenance(damaged, FakeEncoder()).check(repair=True).done  # type: ignore[arg-type]
    assert "Documents removed: 1 (document.path could not be read)." in done
    with Library.open(damaged) as library:
        assert not [each for each in library.documents_named("") if b"secret" in each.path]


def test_names_with_dots_are_no_way_out(foreign: Path) -> None:
    changed(foreign, "UPDATE document SET path = CAST('a..b/..c/d...md' AS BLOB) WHERE id = 1")
    Library.open(foreign).close()


@pytest.mark.parametrize("script", ["DROP TABLE search_log", "DROP INDEX passage_by_hash", "DROP TABLE meta"])
def test_the_doctor_names_what_is_gone_from_the_schema(damaged: Path, script: str) -> None:
    changed(damaged, script)
    checks = {check.name: check for check in Maintenance(damaged, FakeEncoder()).check().checks}  # type: ignore[arg-type]
    assert not checks["schema"].ok and script.split()[-1] in checks["schema"].detail
    assert checks["schema"].remedy


def test_a_backup_says_that_its_own_disk_is_full(damaged: Path, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, hard))
    try:
        with pytest.raises(LibraryFull, match="copy") as error:
            Maintenance(damaged).back_up(tmp_path / "backup.carrel")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(tmp_path) in error.value.cause and "library was not touched" in error.value.fix
    assert not (tmp_path / "backup.carrel").exists()


def test_a_library_that_is_deleted_under_a_writer_is_told_as_deleted(damaged: Path) -> None:
    conn = open_writer(damaged)
    with pytest.raises(LibraryMissing, match="was deleted"), translated(damaged):
        damaged.unlink()
        raise apsw.ReadOnlyError("attempt to write a readonly database")
    conn.close()
