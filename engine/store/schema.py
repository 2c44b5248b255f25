"""The shape of the library file as SQL: version 1, and what `migrations` makes of it. These texts stay as they are."""

from __future__ import annotations

# The view `passage_text` may not use table-valued functions such as json_each: FTS5 reads it with virtual tables
# switched off. That is why `headings` holds one heading a line. The word index has no `prefix` option: it would add as
# much as the text itself takes (1.05 bytes a byte, measured), and only prefixes of two
# letters gain much: the best 200 of 29,000 rows in 12 ms instead of 28.

APPLICATION_ID = 0x6361726C  # "carl" in the file header, so that other SQLite files are told apart

VERSION_1 = """
CREATE TABLE migration(version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at REAL NOT NULL) STRICT;
CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;

CREATE TABLE folder(
    id INTEGER PRIMARY KEY,
    path BLOB NOT NULL UNIQUE,
    rules TEXT NOT NULL DEFAULT '{}',
    state TEXT NOT NULL DEFAULT 'watching',
    added_at REAL NOT NULL
) STRICT;
CREATE TABLE left_out(
    folder_id INTEGER NOT NULL REFERENCES folder(id) ON DELETE CASCADE,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY(folder_id, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE document(
    id INTEGER PRIMARY KEY,
    folder_id INTEGER NOT NULL REFERENCES folder(id),
    path BLOB NOT NULL,
    path_text TEXT NOT NULL,
    title TEXT NOT NULL,
    title_written INTEGER NOT NULL,
    kind TEXT NOT NULL,
    tags TEXT NOT NULL DEFAULT '',
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    device INTEGER NOT NULL,
    content_hash BLOB,
    metadata TEXT NOT NULL DEFAULT '{}',
    links TEXT NOT NULL DEFAULT '[]',
    indexed_at REAL NOT NULL,
    failure TEXT,
    UNIQUE(folder_id, path)
) STRICT;

CREATE TABLE passage(
    id INTEGER PRIMARY KEY,
    document_id INTEGER NOT NULL REFERENCES document(id),
    ordinal INTEGER NOT NULL,
    text TEXT NOT NULL,
    headings TEXT,
    cjk TEXT,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    line_start INTEGER NOT NULL,
    line_end INTEGER NOT NULL,
    page INTEGER,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX passage_by_document ON passage(document_id, ordinal);
CREATE INDEX passage_by_hash ON passage(hash);

CREATE VIEW passage_text AS
SELECT passage.id AS id,
       document.title AS title,
       passage.headings AS headings,
       passage.text AS body,
       document.path_text AS path,
       document.tags AS tags,
       passage.cjk AS cjk
FROM passage CROSS JOIN document ON document.id = passage.document_id;

CREATE VIRTUAL TABLE passage_fts USING fts5(
    title, headings, body, path, tags, cjk,
    content = 'passage_text', content_rowid = 'id',
    tokenize = 'porter unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE passage_vocab USING fts5vocab('passage_fts', 'row');

CREATE TABLE free_slot(id INTEGER PRIMARY KEY) STRICT;

CREATE TABLE model(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    manifest TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at REAL NOT NULL
) STRICT;
CREATE UNIQUE INDEX model_active ON model(state) WHERE state = 'active';
CREATE TABLE calibration(
    model_id INTEGER NOT NULL REFERENCES model(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value ANY,
    PRIMARY KEY(model_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE change(
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    passage_id INTEGER NOT NULL,
    operation TEXT NOT NULL
) STRICT;
CREATE TABLE request(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    argument TEXT NOT NULL DEFAULT '',
    requested_at REAL NOT NULL,
    taken_at REAL,
    done_at REAL,
    outcome TEXT
) STRICT;

CREATE TABLE search_log(
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    query TEXT NOT NULL,
    verdict TEXT NOT NULL,
    fusion TEXT NOT NULL,
    milliseconds REAL NOT NULL,
    results TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE TABLE judgement(
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    query TEXT NOT NULL,
    passage_hash BLOB NOT NULL,
    path BLOB NOT NULL,
    grade INTEGER NOT NULL,
    UNIQUE(query, passage_hash)
) STRICT;
CREATE TABLE event(
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '{}'
) STRICT;
"""

# A passage's text stands behind its document's kind, by which the tokeniser knows its markup (`tokenizer.of_kind`).
VERSION_3 = """
DROP TABLE passage_vocab;
DROP TABLE passage_fts;
DROP VIEW passage_text;
ALTER TABLE passage DROP COLUMN cjk;

CREATE VIEW passage_text AS
SELECT passage.id AS id,
       document.title AS title,
       passage.headings AS headings,
       char(2) || document.kind || char(2) || passage.text AS body,
       document.path_text AS path,
       document.tags AS tags
FROM passage CROSS JOIN document ON document.id = passage.document_id;

CREATE VIRTUAL TABLE passage_fts USING fts5(
    title, headings, body, path, tags,
    content = 'passage_text', content_rowid = 'id',
    tokenize = 'words'
);
CREATE VIRTUAL TABLE passage_vocab USING fts5vocab('passage_fts', 'row');
"""

VERSION_4 = """
ALTER TABLE document ADD COLUMN aliases TEXT NOT NULL DEFAULT '';
ALTER TABLE document ADD COLUMN own_words TEXT NOT NULL DEFAULT '';
ALTER TABLE document ADD COLUMN own_date REAL;
DROP VIEW passage_text;
CREATE VIEW passage_text AS
SELECT passage.id AS id,
       iif(document.aliases = '', document.title, document.title || char(10) || document.aliases) AS title,
       passage.headings AS headings,
       char(2) || document.kind || char(2) || passage.text AS body,
       document.path_text AS path,
       iif(document.own_words = '', document.tags, document.tags || char(10) || document.own_words) AS tags
FROM passage CROSS JOIN document ON document.id = passage.document_id;
CREATE TABLE content_check(
    document_id INTEGER PRIMARY KEY REFERENCES document(id) ON DELETE CASCADE,
    at REAL NOT NULL
) STRICT;
"""

# An entry is a writing of several in a file, as a message of a mailbox: its passages are those on its page.
VERSION_5 = """
CREATE TABLE entry(
    document_id INTEGER NOT NULL REFERENCES document(id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    title TEXT NOT NULL,
    tags TEXT NOT NULL,
    own_words TEXT NOT NULL,
    own_date REAL,
    metadata TEXT NOT NULL,
    PRIMARY KEY(document_id, number)
) STRICT, WITHOUT ROWID;
DROP VIEW passage_text;
CREATE VIEW passage_text AS
SELECT passage.id AS id,
       iif(ifnull(entry.title, '') <> '', entry.title,
           iif(document.aliases = '', document.title, document.title || char(10) || document.aliases)) AS title,
       passage.headings AS headings,
       char(2) || document.kind || char(2) || passage.text AS body,
       document.path_text AS path,
       iif(ifnull(entry.own_words, document.own_words) = '', ifnull(entry.tags, document.tags),
           ifnull(entry.tags, document.tags) || char(10) || ifnull(entry.own_words, document.own_words)) AS tags
FROM passage CROSS JOIN document ON document.id = passage.document_id
LEFT JOIN entry ON entry.document_id = passage.document_id AND entry.number = passage.page;
"""

# A text waits here for its vector. `priority`: the greater comes first (`pending_vectors`).
VERSION_6 = """
CREATE TABLE pending(hash BLOB PRIMARY KEY, text TEXT NOT NULL, priority REAL NOT NULL) STRICT;
CREATE INDEX pending_by_priority ON pending(priority);
"""

# Who asked: "" for the person, else the name of the program.
VERSION_7 = "ALTER TABLE search_log ADD COLUMN source TEXT NOT NULL DEFAULT ''"

# A text waits for its vector of each model that follows the library; `pending` are those of the model in use. What is
# found beside it by a candidate (b) is held against what the model in use (a) found; hashes are those of passages.
VERSION_8 = """
CREATE UNIQUE INDEX model_shadow ON model(state) WHERE state = 'shadow';

CREATE TABLE embedding_queue(
    hash BLOB NOT NULL,
    model_id INTEGER NOT NULL REFERENCES model(id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    priority REAL NOT NULL,
    PRIMARY KEY(hash, model_id)
) STRICT;
INSERT INTO embedding_queue(hash, model_id, text, priority)
SELECT hash, model.id, text, priority FROM pending JOIN model ON model.state = 'active';
DROP TABLE pending;
CREATE INDEX embedding_queue_by_priority ON embedding_queue(model_id, priority);
CREATE VIEW pending AS
SELECT hash, text, priority FROM embedding_queue WHERE model_id = (SELECT id FROM model WHERE state = 'active');

CREATE TABLE shadow_search(
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    model_a INTEGER NOT NULL,
    model_b INTEGER NOT NULL,
    stream TEXT NOT NULL,
    query TEXT NOT NULL,
    words INTEGER NOT NULL,
    identifier INTEGER NOT NULL,
    folder TEXT NOT NULL,
    verdict_a TEXT NOT NULL,
    verdict_b TEXT NOT NULL,
    ms_a REAL NOT NULL,
    ms_b REAL NOT NULL,
    top_a TEXT NOT NULL,
    top_b TEXT NOT NULL
) STRICT;
CREATE INDEX shadow_search_by_models ON shadow_search(model_a, model_b);
CREATE TABLE shadow_pair(
    search_id INTEGER NOT NULL REFERENCES shadow_search(id) ON DELETE CASCADE,
    hash BLOB NOT NULL,
    rank_a INTEGER,
    rank_b INTEGER,
    cosine_a REAL NOT NULL,
    cosine_b REAL NOT NULL,
    tier_a TEXT NOT NULL,
    tier_b TEXT NOT NULL,
    coverage REAL NOT NULL,
    PRIMARY KEY(search_id, hash)
) STRICT, WITHOUT ROWID;
CREATE TABLE shadow_review(
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    search_id INTEGER NOT NULL REFERENCES shadow_search(id) ON DELETE CASCADE,
    left_is_b INTEGER NOT NULL,
    choice TEXT NOT NULL,
    seconds REAL NOT NULL,
    control INTEGER NOT NULL
) STRICT;
CREATE TABLE shadow_event(
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    model TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '{}'
) STRICT;
"""
