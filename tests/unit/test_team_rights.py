"""A member with SQL of their own reads nothing that is hidden, learns no word of it, and writes nothing foreign."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from postgres_server import PostgresServer
from team_documents import DIMENSION, Team, document, emptied, entry, team_library, vector_of

from engine.records import Mark, passage_hash
from engine.retrieval.query import parse
from engine.store.allowed import EVERYTHING
from engine.store.phrase import Phrase
from engine.team.team_store import TeamStore

pytestmark = pytest.mark.processes

SECRET = "layoffs"
OF_PERSONS = ("mark", "mark_state", "query_vector", "saved_search", "calibration")
HIDDEN_TABLES = (
    *("document", "entry", "passage", "posting", "term_count", "folder_state", "folder_fill", "change", "pending"),
    *("folder", "shared_mark", *OF_PERSONS),
)
VECTOR = "ARRAY[" + ",".join(["1"] * DIMENSION) + "]::real[]"


@pytest.fixture(scope="module")
def library(postgres: PostgresServer) -> Iterator[Team]:
    with team_library(postgres) as made:
        yield made


@pytest.fixture
def team(library: Team) -> Iterator[Team]:
    """Ada has a private folder with a secret and one for all; ben one for all."""
    with emptied(library) as empty:
        hidden = empty.folder("ada", "/home/ada/secret")
        texts = [f"The {SECRET} come in March, number {number}." for number in range(8)]
        empty.writer("ada").put(
            hidden, document(f"{SECRET}.md", *texts, entries=(entry(1, SECRET),), own_words=SECRET, tags=SECRET)
        )
        empty.writer("ada").put(hidden, document("waits.md", f"{SECRET} to be embedded.", vectors=False))
        empty.writer("ada").put_marks([Mark(f"who {SECRET}", passage_hash(texts[0]), b"/home/ada/secret", 2)])
        empty.writer("ada").keep_query_vectors(1, {SECRET: vector_of(SECRET)})
        empty.writer("ada").calibrate(1, {SECRET: 1})
        empty.sql("ada", "INSERT INTO saved_search(name, query) VALUES('s', %s)", SECRET)
        empty.sql(
            "ada",
            "INSERT INTO shared_mark(folder_id, query, passage_hash, grade, at) VALUES(%s, %s, '', 2, 1)",
            hidden,
            SECRET,
        )
        for person in ("ada", "ben"):
            folder = empty.folder(person, f"/home/{person}/open", "all")
            empty.writer(person).put(folder, document("open.md", f"{person} bakes bread in March.", "Plain words."))
        yield empty


def hidden_folder(team: Team) -> int:
    """Return the number of ada's private folder."""
    ((number,),) = team.everything("SELECT id FROM folder WHERE path = '/home/ada/secret'")
    return int(number)


def refused(team: Team, statement: str, person: str = "ben") -> str:
    """Run a statement that must fail, and return what the server says."""
    import psycopg

    with pytest.raises(psycopg.Error) as caught:
        team.sql(person, statement)
    return str(caught.value)


@pytest.mark.parametrize("table", HIDDEN_TABLES)
def test_no_table_shows_a_hidden_row(team: Team, table: str):
    shown = team.sql("ben", f"SELECT * FROM {table}")
    assert not any(SECRET in repr(row) for row in shown)
    if table in OF_PERSONS:
        assert any("ada" in repr(row) for row in team.everything(f"SELECT * FROM {table}"))
    else:
        column = "id" if table == "folder" else "folder_id"
        of_hidden = f"SELECT count(*) > 0 FROM {table} WHERE {column} = {hidden_folder(team)}"
        assert (team.everything(of_hidden), team.sql("ben", of_hidden)) == ([(True,)], [(False,)])


def test_the_owner_of_a_folder_sees_it_and_people_that_it_names(team: Team):
    count = "SELECT count(*) FROM passage WHERE text LIKE '%layoffs%'"
    assert team.sql("ada", count) == [(9,)]
    assert team.sql("ben", count) == [(0,)]
    team.writer("ada").share(hidden_folder(team), "named", [team.database.role("ben")])
    assert team.sql("ben", count) == [(9,)]
    team.writer("ada").share(hidden_folder(team), "named", ["somebody else"])
    assert team.sql("ben", count) == [(0,)]


def test_postings_that_were_brought_serve_no_more_once_their_folder_is_hidden(team: Team):
    asked, query = [[Phrase(("embedded",))]], parse("embedded")  # a word of the hidden folder alone
    store = TeamStore(team.database.url("ben"), machine="box")

    def ranked() -> int:
        with store.searching(query=query) as connection:
            return len(connection.best_by_words(asked, EVERYTHING, 50))

    team.writer("ada").share(hidden_folder(team), "all")
    with store.searching(query=query) as connection:
        assert connection.has_brought(asked[0][0], EVERYTHING)
    assert ranked() == 1
    team.writer("ada").share(hidden_folder(team), "private")
    assert ranked() == 0
    store.close()


def test_a_stranger_reads_nothing_at_all(team: Team):
    for table in HIDDEN_TABLES:
        assert "permission denied" in refused(team, f"SELECT * FROM carrel.{table}", "stranger")
    assert "permission denied" in refused(team, f"SELECT * FROM carrel.nearest(1, {VECTOR}, 5)", "stranger")


def test_words_of_a_hidden_folder_count_nowhere(team: Team):
    store = TeamStore(team.database.url("ben"), machine="box")
    with store.searching() as connection:
        assert connection.document_frequencies([SECRET, "march", "^layoff"]) == {SECRET: 0, "march": 2, "^layoff": 0}
        assert connection.statistics().rows == 4
        assert connection.terms_beginning("lay", 9) == []
        assert connection.terms_holding("ayof", 1, 9) == ()
        assert not connection.vocabulary_has("layo")
        assert connection.phrase_frequency(Phrase((SECRET,))) == 0
        assert connection.phrase_frequency(Phrase(("lay",), prefix=True)) == 0
        scores = connection.postings(Phrase(("march",)))[1]
    store.close()
    team.writer("ada").remove_folder(hidden_folder(team))
    alone = TeamStore(team.database.url("ben"), machine="box")
    with alone.searching() as connection:  # bm25 is to the last bit what it is without the hidden folder
        assert connection.postings(Phrase(("march",)))[1].tolist() == scores.tolist()
    alone.close()


def test_vectors_are_given_of_what_one_sees_only(team: Team):
    found = team.sql("ben", f"SELECT passage FROM nearest(1, {VECTOR}, 100)")
    assert len(found) == 4
    everything = team.everything("SELECT array_agg(passage_id) FROM vector_1")[0][0]
    assert len(everything) == 12
    asked = f"'{{{','.join(map(str, everything))}}}'::bigint[]"
    assert len(team.sql("ben", f"SELECT passage FROM vectors_of(1, {asked})")) == 4
    assert len(team.sql("ben", f"SELECT passage FROM nearest(1, {VECTOR}, 100, {asked})")) == 4
    assert len(team.sql("ben", f"SELECT passage FROM nearest(1, {VECTOR}, 100, {asked}, true)")) == 4
    for way in (
        "SELECT embedding FROM vector_1",
        "SELECT 1 FROM vector_1 ORDER BY embedding OPERATOR(public.<#>) '[1]'",
        "TABLE vector_1",
    ):
        assert "permission denied" in refused(team, way)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM posting WHERE term = 'layoffs'",
        "SELECT * FROM posting WHERE term >= 'lay' AND term < 'laz'",
        "SELECT * FROM term_count WHERE term = 'layoffs'",
        "SELECT * FROM passage WHERE id = {passage}",
        "SELECT * FROM passage WHERE hash = {hash}",
        "SELECT * FROM posting WHERE passage_id = {passage}",
        "SELECT passage_id FROM vector_1 WHERE passage_id = {passage}",
        "SELECT * FROM document WHERE path = 'layoffs.md'",
        "SELECT * FROM pending WHERE hash = {hash}",
        "SELECT * FROM mark WHERE person = '{ada}'",
        "SELECT * FROM mark WHERE md5(query) = md5('who layoffs')",
        "SELECT * FROM folder WHERE owner = '{ada}' AND machine = 'box' AND path = '/home/ada/secret'",
        "SELECT * FROM change WHERE passage_id = {passage}",
        "SELECT * FROM saved_search WHERE person = '{ada}' AND name = 's'",
    ],
)
def test_explain_counts_no_hidden_row_by_what_it_holds(team: Team, statement: str):
    """EXPLAIN ANALYZE of a question about a hidden thing must read as of the same question about no thing."""
    ((passage,),) = team.everything(f"SELECT min(id) FROM passage WHERE folder_id = {hidden_folder(team)}")
    ((digest,),) = team.everything(f"SELECT hash FROM passage WHERE id = {passage}")
    there = statement.format(passage=passage, hash=f"'\\x{digest.hex()}'::bytea", ada=team.database.role("ada"))
    nothing = {
        "layoffs": "absent0",
        "lay": "abs",
        "laz": "abt",
        str(passage): str(passage + 10**6),
        digest.hex(): "00" * 16,
    }
    absent = there
    for word, other in {
        **nothing,
        team.database.role("ada"): "nobody0",
        "/home/ada/secret": "/home/ada/absent",
    }.items():
        absent = absent.replace(word, other)
    no_index = "SET enable_indexscan = off; SET enable_indexonlyscan = off; "
    for setting in ("", "SET enable_seqscan = off; ", no_index, no_index + "SET enable_bitmapscan = off; "):
        for _ in range(9):  # the server may renew what it counted between two plans
            told, other, again = (explained(team, setting, each) for each in (there, absent, there))
            if told == again:
                break
        assert told == other


def explained(team: Team, setting: str, statement: str) -> list[str]:
    """Return how the server runs a statement for ben, without its times and the values that were asked for."""
    with team.database.connect("ben") as conn:
        conn.execute("SET search_path = carrel")
        if setting:
            conn.execute(setting)
        plan = conn.execute(f"EXPLAIN (ANALYZE, TIMING off, BUFFERS off, SUMMARY off) {statement}").fetchall()
    return [re.sub(r"'[^']*'|\d{9,}|\d+kB|absent0|layoffs", "?", line) for (line,) in plan]


def test_the_planner_has_no_statistics_to_tell(team: Team):
    team.everything("SELECT 1")
    team.run_as_superuser("ANALYZE posting; ANALYZE passage; ANALYZE folder; ANALYZE mark")
    told = "SELECT count(*) FROM pg_stats WHERE schemaname = 'carrel' AND attname <> 'folder_id'"
    assert team.everything(f"{told} AND tablename NOT IN ('library', 'migration')") == [(0,)]
    common = team.sql("ben", "EXPLAIN SELECT * FROM posting WHERE term = 'layoffs'")
    absent = team.sql("ben", "EXPLAIN SELECT * FROM posting WHERE term = 'absents'")
    assert [line.replace("layoffs", "absents") for (line,) in common] == [line for (line,) in absent]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM passage WHERE text::integer > 0",
        "SELECT * FROM passage WHERE 1 / position('layoffs' in text) > 0",
        "SELECT * FROM posting WHERE (term::text)::integer > 0",
        "SELECT * FROM document WHERE metadata::jsonb ->> 'x' = '1' AND title::integer = 1",
        "SELECT * FROM mark WHERE query::integer > 0",
    ],
)
def test_errors_and_casts_say_nothing_of_hidden_rows(team: Team, statement: str):
    import psycopg

    try:
        team.sql("ben", statement)
    except psycopg.Error as error:
        assert SECRET not in str(error)


def test_a_function_of_ones_own_sees_no_hidden_row(team: Team):
    with team.database.connect("ben") as conn:
        conn.execute("SET search_path = carrel")
        conn.execute(
            """CREATE FUNCTION pg_temp.leak(held text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
            $$BEGIN RAISE NOTICE '%', held; RETURN true; END$$"""
        )
        heard: list[str] = []
        conn.add_notice_handler(lambda told: heard.append(told.message_primary or ""))
        conn.execute("SELECT * FROM passage WHERE pg_temp.leak(text)")
        conn.execute("SELECT * FROM posting WHERE pg_temp.leak(term)")
        conn.execute("SELECT * FROM folder WHERE pg_temp.leak(encode(path, 'escape'))")
    assert heard
    assert not any(SECRET in each or "secret" in each for each in heard)
    assert "permission denied" in refused(
        team, "CREATE FUNCTION carrel.leak() RETURNS integer LANGUAGE sql AS 'SELECT 1'"
    )
    assert "only superuser" in refused(
        team, "CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE sql LEAKPROOF AS 'SELECT true'"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE {ada}",
        "SET ROLE {owner}",
        "SET SESSION AUTHORIZATION {ada}",
        "SET ROLE postgres",
        "ALTER TABLE passage DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE passage NO FORCE ROW LEVEL SECURITY",
        "CREATE POLICY mine ON passage USING (true)",
        "DROP POLICY seen ON passage",
        "CREATE TABLE carrel.mine(id integer REFERENCES folder(id))",
        "CREATE TEMP TABLE mine(f integer, d bigint, FOREIGN KEY(f, d) REFERENCES carrel.document(folder_id, id))",
        "CREATE TRIGGER mine BEFORE INSERT ON passage FOR EACH ROW EXECUTE FUNCTION person()",
        "TRUNCATE passage",
        "COPY passage TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
        "DELETE FROM folder",
        "UPDATE folder SET owner = current_user",
        "UPDATE folder SET id = 1",
        "INSERT INTO folder(id, machine, path, prefix_folded) VALUES(5, 'm', 'p', '')",
        "INSERT INTO folder(owner, machine, path, prefix_folded) VALUES('{ada}', 'm', 'p', '')",
        "INSERT INTO model VALUES(9, 'x', '{{}}', 'y', 8, 'active')",
        "UPDATE library SET value = 'x'",
        "SELECT activate_model(1)",
        "SELECT remove_model(1)",
        "SELECT add_model('x', '{{}}', 'z', 8)",
    ],
)
def test_what_would_lift_the_rules_is_refused(team: Team, statement: str):
    role = team.database.role
    said = refused(team, statement.format(ada=role("ada"), owner=role("owner")))
    assert re.search(
        "permission denied|must be owner|only a keeper|row-level security|only superuser|cannot|may reference only",
        said,
    ), said


def test_row_security_cannot_be_switched_off(team: Team):
    assert "row-level security" in refused(team, "SET row_security = off; SELECT * FROM passage")


FOREIGN_WRITES = [
    "UPDATE passage SET text = 'x' WHERE folder_id = {folder}",
    "DELETE FROM posting WHERE folder_id = {folder}",
    "DELETE FROM vector_1 WHERE folder_id = {folder}",
    "UPDATE folder_state SET passages = 0 WHERE folder_id = {folder}",
    "UPDATE folder SET visibility = 'all' WHERE id = {folder}",
    "DELETE FROM mark WHERE person = '{ada}'",
    "DELETE FROM saved_search",
    "DELETE FROM pending WHERE folder_id = {folder}",
]
FOREIGN_INSERTS = [
    "INSERT INTO posting VALUES({folder}, {passage}, 'evil', 1, 1, 0)",
    "INSERT INTO term_count VALUES({folder}, 'evil', 1)",
    "INSERT INTO change VALUES({folder}, 99, {passage})",
    "INSERT INTO entry SELECT {folder}, {document}, 7, 'x', '', '', 1, '{{}}', '', '', '{{}}'",
    "INSERT INTO mark(person, query, passage_hash, path, grade, at) VALUES('{ada}', 'q', '', '', 2, 1)",
    "INSERT INTO shared_mark(folder_id, query, passage_hash, grade, at) VALUES({folder}, 'q', '', 2, 1)",
    "INSERT INTO member(person, machine) VALUES('{ada}', 'box')",
    "INSERT INTO calibration VALUES('', 1, 'tiers', '1')",
    "INSERT INTO posting VALUES({mine}, {passage}, 'evil', 1, 1, 0)",
    "INSERT INTO vector_1 VALUES({mine}, {passage}, '[1,0,0,0,0,0,0,0]')",
    "INSERT INTO vector_1 VALUES({mine}, ({mine}::bigint << 32) + 999, '[9,0,0,0,0,0,0,0]')",
    "INSERT INTO entry SELECT {mine}, {document}, 7, 'x', '', '', 1, '{{}}', '', '', '{{}}'",
    "INSERT INTO pending VALUES({folder}, 1, 'h', 'evil', 1)",
]


@pytest.mark.parametrize("visibility", ["private", "all"])
@pytest.mark.parametrize("statement", [*FOREIGN_WRITES, *FOREIGN_INSERTS])
def test_nothing_foreign_is_written(team: Team, statement: str, visibility: str):
    """Neither what is hidden nor what is open to all; where it is open, only what waits for vectors takes help."""
    import psycopg

    folder = hidden_folder(team)
    team.writer("ada").share(folder, visibility)
    ((passage, held),) = team.everything(f"SELECT min(id), min(document_id) FROM passage WHERE folder_id = {folder}")
    ((mine,),) = team.everything(f"SELECT id FROM folder WHERE owner = '{team.database.role('ben')}'")
    tables = (
        "passage",
        "posting",
        "term_count",
        "folder_state",
        "folder",
        "mark",
        "entry",
        "change",
        "vector_1",
        "member",
    )
    before = [team.everything(f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {each} t") for each in tables]
    told = statement.format(folder=folder, passage=passage, document=held, mine=mine, ada=team.database.role("ada"))
    try:
        team.sql("ben", told)
        assert (
            statement in FOREIGN_WRITES
            or (visibility == "all" and "pending" in statement)
            or "shared_mark" in statement
        )
    except psycopg.Error as error:
        assert SECRET not in str(error)
    after = [team.everything(f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {each} t") for each in tables]
    assert after == before


def test_whether_a_hidden_thing_exists_is_answered_alike(team: Team):
    """A foreign key, a unique index or a number that is taken must not say that something is there."""
    folder = hidden_folder(team)
    free = next(number for number in range(1, 65536) if number != folder)
    ((mine,),) = team.everything(f"SELECT id FROM folder WHERE owner = '{team.database.role('ben')}'")
    ((held,),) = team.everything(f"SELECT min(id) FROM document WHERE folder_id = {folder}")
    insert = """INSERT INTO passage(
        folder_id, document_id, id, ordinal, text, start, "end", line_start, line_end, hash, length
    ) VALUES({0}, {1}, ({0}::bigint << 32) + 77, 0, 'x', 0, 1, 1, 1, '', 1)"""
    for asked in ((folder, held), (free, 1), (mine, held), (mine, held + 10**5)):
        said = refused(team, insert.format(*asked))
        kind = "foreign key" if asked[0] == mine else "row-level security"
        assert kind in said
        assert "layoffs" not in said
    numbers = [team.sql("ben", "SELECT free_folder_number()")[0][0] for _ in range(20)]
    assert len(set(numbers)) > 15  # drawn by chance: a gap in their order tells nothing
    assert team.sql("ben", "SELECT count(*) FROM pg_sequences WHERE schemaname = 'carrel'") == [(0,)]


def test_a_notice_tells_that_something_changed_and_nothing_else(team: Team):
    with team.database.connect("stranger") as conn:
        conn.execute("LISTEN carrel_change")
        team.writer("ada").put(hidden_folder(team), document("more.md", f"More {SECRET}."))
        heard = [*conn.notifies(timeout=120, stop_after=1)]
    assert [each.payload for each in heard] == [""]


def test_a_function_that_runs_as_the_owner_has_its_path_pinned_and_is_no_publics(team: Team):
    rows = team.everything(
        """SELECT p.oid::regprocedure::text, p.proconfig, has_function_privilege('public', p.oid, 'EXECUTE')
        FROM pg_proc p WHERE pronamespace = 'carrel'::regnamespace AND prosecdef"""
    )
    assert len(rows) == 7
    for name, config, public in rows:
        assert any(each.startswith("search_path=pg_catalog, pg_temp") for each in config), name
        assert not public, name


def test_every_table_is_under_row_security_or_says_nothing(team: Team):
    rows = team.everything(
        """SELECT relname FROM pg_class WHERE relnamespace = 'carrel'::regnamespace AND relkind = 'r'
        AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY 1"""
    )
    assert rows == [("library",), ("migration",)]
