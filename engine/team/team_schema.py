"""The tables of a team library as SQL: version 1, and what `team_migrations` makes of it. These texts stay as they are.

What a search may tell of rows that a person may not see decides the shape:

- Every table that holds something of a folder has its number, and every index begins with it. A policy is then a
  condition of the index, and EXPLAIN ANALYZE counts no hidden row as "removed by filter".
- Words are counted for each folder (`term_count`, `folder_state`). A person's idf and mean length are sums over the
  folders that they see, so they tell nothing of the words of others, and equal those of a single file of these folders.
- Numbers of documents and passages hold that of their folder and count within it. So no row can be put under another
  folder's passage, and no gap in a global sequence tells how much others write. A new folder gets a number by chance.
- Names of people have the collation of `current_user`, "C": in another one a policy would be no condition of the index.
- No statistics of columns are gathered, since the planner's estimates tell them to who may read no row. Of the folders'
  numbers they are, one value a table: how many folders there are, and which share of the rows the largest has.
- The nearest vectors stand in one index for all. Members cannot read it: one function looks into it for them.

What remains to be seen by who has a login: how many rows and bytes the tables have in all (`pg_class`), of how many
folders, that something was written (the channel's empty notice), and how long a search takes. Who owns the tables or
the server can read everything; encryption at rest and the choice of that person are matters outside of Carrel.

Nothing stands in the way of hash partitions or of Citus: no sequence is shared, and of the large tables (`passage`,
`posting`, `vector_<model>`) every key holds the passage's number or the folder's.
"""

from __future__ import annotations

DOCUMENT_BITS, PASSAGE_BITS = 24, 32
"""Below a folder's number in those of its documents and passages: 16 million and 4 billion in a folder's life.

With 16 bits for the folder a document has 40, as many as a search keeps apart from the numbers of entries, and a
passage 48, which a float64 holds exactly.
"""
MOST_FOLDERS = 2**16 - 1
LARGEST_DIMENSION = 4_000  # components that an HNSW index over halfvec takes

# $schema, $member, $keeper and $vector are names that were checked: the library's schema, its two roles, pgvector's.
VERSION_1 = """
CREATE TABLE $schema.migration(version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz DEFAULT now());
CREATE TABLE $schema.library(name text PRIMARY KEY, value text NOT NULL);
INSERT INTO $schema.library VALUES('id', gen_random_uuid()::text);
CREATE TABLE $schema.member(
    person text COLLATE "C" NOT NULL DEFAULT current_user,
    machine text NOT NULL,
    joined_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY(person, machine)
);

CREATE FUNCTION $schema.person() RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE current_setting('role') WHEN 'none' THEN session_user::text ELSE current_setting('role') END
$$;

CREATE TABLE $schema.folder(
    id integer PRIMARY KEY CHECK (id BETWEEN 1 AND 65535),
    owner text COLLATE "C" NOT NULL DEFAULT current_user,
    machine text NOT NULL,
    path bytea NOT NULL,
    prefix_folded text NOT NULL,
    visibility text NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'named', 'all')),
    readers text[] NOT NULL DEFAULT '{}',
    helped boolean NOT NULL DEFAULT true,
    state text NOT NULL DEFAULT 'watching' CHECK (state IN ('watching', 'removed')),
    added_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX folder_place ON $schema.folder(md5(owner || chr(10) || machine || chr(10) || encode(path, 'hex')))
    WHERE state = 'watching';
CREATE FUNCTION $schema.free_folder_number() RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE number integer;
BEGIN
    FOR attempt IN 1..1000 LOOP
        number := 1 + floor(random() * 65535)::integer;
        IF NOT EXISTS (SELECT FROM $schema.folder WHERE id = number) THEN
            RETURN number;
        END IF;
    END LOOP;
    RAISE EXCEPTION 'no number is left for a folder';
END $$;
ALTER TABLE $schema.folder ALTER COLUMN id SET DEFAULT $schema.free_folder_number();

CREATE TABLE $schema.folder_state(
    folder_id integer PRIMARY KEY REFERENCES $schema.folder(id),
    version bigint NOT NULL DEFAULT 0,
    forgotten bigint NOT NULL DEFAULT 0,
    documents bigint NOT NULL DEFAULT 0,
    passages bigint NOT NULL DEFAULT 0,
    tokens bigint NOT NULL DEFAULT 0,
    next_document bigint NOT NULL DEFAULT 1,
    next_passage bigint NOT NULL DEFAULT 1,
    words_made_by text NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
CREATE TABLE $schema.folder_fill(
    folder_id integer PRIMARY KEY REFERENCES $schema.folder(id),
    version bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE $schema.document(
    id bigint NOT NULL,
    folder_id integer NOT NULL REFERENCES $schema.folder(id),
    path bytea NOT NULL,
    path_text text NOT NULL,
    title text NOT NULL,
    title_written boolean NOT NULL,
    kind text NOT NULL,
    tags text NOT NULL,
    aliases text NOT NULL,
    own_words text NOT NULL,
    own_date double precision,
    size bigint NOT NULL,
    mtime_ns bigint NOT NULL,
    content_hash bytea,
    metadata text NOT NULL,
    links text NOT NULL,
    indexed_at double precision NOT NULL,
    failure text,
    revision bytea NOT NULL,
    place_folded text NOT NULL,
    path_lower text NOT NULL,
    names_folded text NOT NULL,
    tags_folded text NOT NULL,
    said_folded jsonb NOT NULL,
    entries integer NOT NULL DEFAULT 0,
    PRIMARY KEY(folder_id, id),
    CHECK (id >> 24 = folder_id)
);
CREATE UNIQUE INDEX document_place ON $schema.document(folder_id, path);

CREATE TABLE $schema.entry(
    folder_id integer NOT NULL,
    document_id bigint NOT NULL,
    number bigint NOT NULL,
    title text NOT NULL,
    tags text NOT NULL,
    own_words text NOT NULL,
    own_date double precision,
    metadata text NOT NULL,
    names_folded text NOT NULL,
    tags_folded text NOT NULL,
    said_folded jsonb NOT NULL,
    PRIMARY KEY(folder_id, document_id, number),
    FOREIGN KEY(folder_id, document_id) REFERENCES $schema.document(folder_id, id) ON DELETE CASCADE
);

CREATE TABLE $schema.passage(
    id bigint NOT NULL,
    folder_id integer NOT NULL,
    document_id bigint NOT NULL,
    ordinal integer NOT NULL,
    text text NOT NULL,
    headings text,
    start bigint NOT NULL,
    "end" bigint NOT NULL,
    line_start bigint NOT NULL,
    line_end bigint NOT NULL,
    page bigint,
    hash bytea NOT NULL,
    length integer NOT NULL,
    PRIMARY KEY(folder_id, id),
    FOREIGN KEY(folder_id, document_id) REFERENCES $schema.document(folder_id, id),
    CHECK (id >> 32 = folder_id)
);
CREATE INDEX passage_by_document ON $schema.passage(folder_id, document_id, ordinal);
CREATE INDEX passage_by_hash ON $schema.passage(folder_id, hash);

CREATE TABLE $schema.posting(
    folder_id integer NOT NULL,
    passage_id bigint NOT NULL,
    term text COLLATE "C" NOT NULL,
    frequency real NOT NULL,
    length integer NOT NULL,
    place integer NOT NULL,
    further integer[],
    PRIMARY KEY(folder_id, term, passage_id) INCLUDE (frequency, length),
    CHECK (passage_id >> 32 = folder_id)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);
CREATE INDEX posting_by_passage ON $schema.posting(folder_id, passage_id);
CREATE TABLE $schema.term_count(
    folder_id integer NOT NULL,
    term text COLLATE "C" NOT NULL,
    passages integer NOT NULL,
    PRIMARY KEY(folder_id, term)
) WITH (fillfactor = 70);

CREATE TABLE $schema.model(
    id integer PRIMARY KEY,
    name text NOT NULL,
    manifest text NOT NULL,
    fingerprint text NOT NULL UNIQUE,
    dimension integer NOT NULL,
    state text NOT NULL CHECK (state IN ('active', 'building', 'kept')),
    turn integer NOT NULL DEFAULT 0,
    added_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX model_active ON $schema.model(state) WHERE state = 'active';
CREATE TABLE $schema.calibration(
    person text COLLATE "C" NOT NULL DEFAULT current_user,
    model_id integer NOT NULL REFERENCES $schema.model(id) ON DELETE CASCADE,
    name text NOT NULL,
    value jsonb,
    PRIMARY KEY(person, model_id, name)
);
CREATE TABLE $schema.pending(
    folder_id integer NOT NULL,
    model_id integer NOT NULL REFERENCES $schema.model(id) ON DELETE CASCADE,
    hash bytea NOT NULL,
    text text NOT NULL,
    priority double precision NOT NULL,
    PRIMARY KEY(folder_id, model_id, hash)
);

CREATE TABLE $schema.change(
    folder_id integer NOT NULL REFERENCES $schema.folder(id),
    version bigint NOT NULL,
    passage_id bigint NOT NULL,
    PRIMARY KEY(folder_id, version, passage_id),
    CHECK (passage_id >> 32 = folder_id)
);

CREATE TABLE $schema.mark(
    person text COLLATE "C" NOT NULL DEFAULT current_user,
    query text NOT NULL,
    passage_hash bytea NOT NULL,
    path bytea NOT NULL,
    grade smallint NOT NULL,
    at double precision NOT NULL,
    sketch bytea NOT NULL DEFAULT '',
    shared boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX mark_place ON $schema.mark(person, md5(query), passage_hash);
CREATE TABLE $schema.mark_state(
    person text COLLATE "C" PRIMARY KEY DEFAULT current_user,
    version bigint NOT NULL DEFAULT 0
);
CREATE TABLE $schema.shared_mark(
    folder_id integer NOT NULL REFERENCES $schema.folder(id),
    person text COLLATE "C" NOT NULL DEFAULT current_user,
    query text NOT NULL,
    passage_hash bytea NOT NULL,
    grade smallint NOT NULL,
    at double precision NOT NULL
);
CREATE UNIQUE INDEX shared_mark_place ON $schema.shared_mark(folder_id, person, md5(query), passage_hash);
CREATE TABLE $schema.query_vector(
    person text COLLATE "C" NOT NULL DEFAULT current_user,
    model_id integer NOT NULL REFERENCES $schema.model(id) ON DELETE CASCADE,
    query text NOT NULL,
    vector bytea NOT NULL
);
CREATE UNIQUE INDEX query_vector_place ON $schema.query_vector(person, model_id, md5(query));
CREATE TABLE $schema.saved_search(
    person text COLLATE "C" NOT NULL DEFAULT current_user,
    name text NOT NULL,
    query text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY(person, name)
);
CREATE TABLE $schema.shared_search(
    person text COLLATE "C" NOT NULL DEFAULT current_user,
    name text NOT NULL,
    query text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY(person, name)
);
"""

VERSION_2 = """
ALTER TABLE $schema.mark_state ADD COLUMN shares boolean NOT NULL DEFAULT false;
ALTER TABLE $schema.mark DROP COLUMN shared;
"""
"""Whether a person shares their marks is said once for all of them."""

VERSION_3 = """
ALTER TABLE $schema.shared_mark
    ADD COLUMN path bytea NOT NULL DEFAULT '' CHECK (length(path) <= 4096),
    ADD COLUMN sketch bytea NOT NULL DEFAULT '' CHECK (length(sketch) <= 256);
"""
"""A shared mark knows its document, by its path in the folder, and its text again once that was edited."""

# Of a folder's tables, those that its owner alone writes to and its readers read.
OF_FOLDERS = (
    "folder_state",
    "document",
    "entry",
    "passage",
    "posting",
    "term_count",
    "change",
)
OF_PERSONS = ("mark", "mark_state", "query_vector", "saved_search")  # read and written by one person alone
