"""Words of an older library, or of one made by other rules, are built anew; nothing is embedded for it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import numpy as np
import pytest
from store_samples import DIMENSION, Sample, vector_for

from engine.store import fulltext, integrity, migrations, vector_tables
from engine.store.connection import open_reader, open_writer, prepare
from engine.store.lock import IndexerLock


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A library of schema 2 with one document of two passages, as the release before wrote it."""
    path = tmp_path / "library.carrel"
    path.touch()
    conn = apsw.Connection(str(path))
    prepare(conn, 1000)
    migrations.migrate(conn, path, migrations=migrations.MIGRATIONS[:2])
    conn.execute("INSERT INTO folder(path, added_at) VALUES(CAST('/notes' AS BLOB), 1)")
    conn.execute("INSERT INTO model VALUES(1, 'sample', '{\"dimension\": 16}', 'f', 'active', 1)")
    vector_tables.create(conn, 1, DIMENSION)
    conn.execute(
        "INSERT INTO document(folder_id, path, path_text, title, title_written, kind, size, mtime_ns, inode, device,"
        " indexed_at) VALUES(1, CAST('東京.md' AS BLOB), '東京.md', 'Ёлка', 1, 'markdown', 9, 1, 1, 1, 1)"
    )
    for ordinal, (text, cjk) in enumerate(
        [("un**believ**able waters\n\n", None), ("在東京都 Straße", "在東 東京 京都 都")]
    ):
        conn.execute(
            'INSERT INTO passage(document_id, ordinal, text, cjk, start, "end", line_start, line_end, hash)'
            " VALUES(1, ?, ?, ?, ?, ?, 1, 1, ?)",
            (ordinal, text, cjk, 25 * ordinal, 25 * ordinal + len(text), bytes([ordinal]) * 16),
        )
    conn.execute(
        "INSERT INTO passage_fts(rowid, title, headings, body, path, tags, cjk)"
        " SELECT id, title, headings, body, path, tags, cjk FROM passage_text"
    )
    vector_tables.put(conn, 1, [1, 2], np.stack([vector_for(bytes([each]) * 16) for each in range(2)]))
    conn.close()
    return path


def found(conn: apsw.Connection, term: str) -> list[int]:
    rows = conn.execute("SELECT rowid FROM passage_fts WHERE passage_fts MATCH ? ORDER BY rowid", (f'"{term}"',))
    return [int(str(row[0])) for row in rows]


def test_an_older_library_is_searched_as_it_is_until_it_is_brought_up_to_date(older: Path) -> None:
    with closing(open_reader(older)) as conn:
        assert found(conn, "water") == [1]
        assert fulltext.document_frequencies(conn, ["water", "^water"]) == {"water": 1, "^water": 0}


def test_an_older_library_gets_its_words_anew_and_keeps_text_and_vectors(older: Path) -> None:
    told: list[tuple[int, int]] = []
    with closing(open_reader(older)) as conn:
        before = conn.execute("SELECT id, text, hash FROM passage").fetchall()
        vectors = vector_tables.vectors_of(conn, 1, [1, 2])[1]
    with closing(open_writer(older, told=lambda done, of: told.append((done, of)))) as conn:
        assert told == [(0, 2)]
        assert conn.execute("SELECT id, text, hash FROM passage").fetchall() == before
        assert (vector_tables.vectors_of(conn, 1, [1, 2])[1] == vectors).all()
        for term in ("unbelievable", "^water", "believ"):
            assert found(conn, term) == [1]
        assert found(conn, "京都") == found(conn, "strasse") == [2]
        assert found(conn, "елка") == found(conn, "東京") == [1, 2]
        assert [check.detail for check in integrity.checks(conn) if not check.ok] == []
        assert migrations.version(conn) == migrations.newest_version()


def test_words_that_were_made_by_other_rules_are_built_anew(tmp_path: Path) -> None:
    sample = Sample(tmp_path / "library.carrel")
    sample.put("a.md", "soil and water")
    sample.conn.execute("INSERT INTO passage_fts(passage_fts) VALUES('delete-all')")
    sample.conn.execute("UPDATE meta SET value = '0 unicode 1.0' WHERE key = 'words_made_by'")
    sample.conn.close()
    with IndexerLock(sample.path).acquire("syncing"), closing(open_writer(sample.path)) as conn:
        assert found(conn, "soil") == [], "another indexer is at work, and has built them"
    with closing(open_writer(sample.path)) as conn:
        assert found(conn, "soil") == [1]
        assert not fulltext.outdated(conn)


def test_a_new_library_has_words_by_the_rules_of_today(tmp_path: Path) -> None:
    sample = Sample(tmp_path / "library.carrel")
    assert not fulltext.outdated(sample.conn)


def test_the_rules_have_another_number_when_they_give_other_terms() -> None:
    """Terms of all rules; where they differ from these, raise `RULES` in `engine.store.tokenizer` and change this."""
    from hashlib import blake2b

    from engine.store.tokenizer import RULES, terms

    text = (
        "Łódź Straße ёлка Αθήνα ᾠδή ISPARTA ısparta ｻｰﾊﾞｰ が か\u3099 한국어 한국 हिन्दी मेज़ أَحْمَد שָׁלוֹם วันนี้ ຕະຫຼາດ ផ្សារ ဈေး "
        "3.11.2 ERR_CONNECTION_RESET bob@example.com/x-y C++ .NET #a/b MyXyloTrackerFactory getHTTPServer iPhone "
        "universities running don't co\u00adop 東京\n都 Kubernetes集群 ½ ² 1٣ un**believ**able [q b](http://x.y) f "
        "**백로그**는 caf&eacute; H<sub>2</sub>O H~2~O commit-\ntee `a[b](c)` [[p|w]] x[^1] foo\\_bar"
    )
    made = [RULES, *(terms(text, kind) for kind in ("", "text", "markdown", "org", "rst", "asciidoc"))]
    assert blake2b(repr(made).encode(), digest_size=8).hexdigest() == "40378ce4744edb3c"
