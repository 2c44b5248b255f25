"""The functions inside the server that do for a member what they may not do alone: look into vectors, change models.

They run with the rights of who owns the tables (SECURITY DEFINER), so each is short, has its search path pinned, names
every object in full, puts nothing but numbers into the SQL that it makes, and asks who called (`person()`) before it
looks. No other way leads to a vector: who may order by distance may ask EXPLAIN ANALYZE how many hidden rows lie near.
"""

from __future__ import annotations

from engine.team.row_policies import of_vectors
from engine.team.team_schema import LARGEST_DIMENSION

EXACT_BELOW = 10_000  # passages that one sees: so many are compared one by one in 25 ms, as long as the index takes
FETCHED = 400  # of the index: the best of each leg are 200, and half precision reorders near ties
SEARCHED = 400  # candidates that the index holds while it looks: .993 of the nearest ten; 1,000 took 40 times as long
MOST_SCANNED = 200_000  # vectors that the index visits at most where most of them are hidden or filtered out
_DIMENSION = "(SELECT dimension FROM $schema.model WHERE id = asked)"
_VISIBLE = """ARRAY(SELECT id FROM $schema.folder WHERE state = 'watching' AND (visibility = 'all'
        OR owner = $schema.person() OR visibility = 'named' AND $schema.person() = ANY(readers)))"""
_HEAD = "LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off"


def functions() -> str:
    """Return the SQL of all of them; what they were before is replaced."""
    return _NEAREST + _VECTORS_OF + _STATISTICS + _adding() + _CHANGING


# The index answers in half precision; `exactly` compares all that may be seen. `within` are the passages to choose
# from, NULL for all. `folder_id + 0` keeps the planner from sorting what a folder's own index gives.
_NEAREST = f"""
CREATE OR REPLACE FUNCTION $schema.nearest(
    asked integer, query real[], most integer, within bigint[] DEFAULT NULL, exactly boolean DEFAULT false
) RETURNS TABLE(passage bigint, vector bytea) {_HEAD}
    SET hnsw.iterative_scan = strict_order SET hnsw.ef_search = {SEARCHED} SET hnsw.max_scan_tuples = {MOST_SCANNED}
    SET hnsw.scan_mem_multiplier = 4 SET enable_sort = on AS $body$
DECLARE
    visible integer[] := {_VISIBLE};
    there bigint := (SELECT coalesce(sum(passages), 0) FROM $schema.folder_state WHERE folder_id = ANY(visible));
    size integer := {_DIMENSION};
    found bigint[];
BEGIN
    IF size IS NULL OR cardinality(query) <> size THEN
        RAISE EXCEPTION 'no such model, or a vector of another size' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT exactly AND least(there, cardinality(within)) > {EXACT_BELOW} THEN
        PERFORM set_config('enable_sort', 'off', true);
        EXECUTE format(
            'SELECT array_agg(near.passage_id) FROM (SELECT v.passage_id FROM $schema.vector_%s v
            WHERE v.folder_id + 0 = ANY($1) AND ($2 IS NULL OR v.passage_id + 0 = ANY($2))
            ORDER BY (v.embedding::$vector.halfvec(%s)) OPERATOR($vector.<#>) $3::$vector.halfvec(%s)
            LIMIT $4) AS near', asked, size, size) USING visible, within, query, most INTO found;
        IF cardinality(found) >= most THEN
            within := found;
        END IF;
    END IF;
    PERFORM set_config('enable_sort', 'on', true);
    IF within IS NULL THEN
        RETURN QUERY EXECUTE format(
            'SELECT v.passage_id, $vector.vector_send(v.embedding) FROM $schema.vector_%s v
            WHERE v.folder_id = ANY($1)
            ORDER BY v.embedding OPERATOR($vector.<#>) $2::$vector.vector, v.passage_id LIMIT $3',
            asked) USING visible, query, most;
    ELSE
        RETURN QUERY EXECUTE format(
            'SELECT v.passage_id, $vector.vector_send(v.embedding)
            FROM (SELECT DISTINCT unnest($4) AS id) AS w
            JOIN $schema.vector_%s v ON v.folder_id = (w.id >> 32)::integer AND v.passage_id = w.id
            WHERE v.folder_id = ANY($1)
            ORDER BY v.embedding OPERATOR($vector.<#>) $2::$vector.vector, v.passage_id LIMIT $3',
            asked) USING visible, query, most, within;
    END IF;
END $body$;
"""

_VECTORS_OF = f"""
CREATE OR REPLACE FUNCTION $schema.vectors_of(asked integer, passages bigint[])
    RETURNS TABLE(passage bigint, vector bytea) {_HEAD} AS $body$
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT v.passage_id, $vector.vector_send(v.embedding) FROM (SELECT DISTINCT unnest($2) AS id) AS w
        JOIN $schema.vector_%s v ON v.folder_id = (w.id >> 32)::integer AND v.passage_id = w.id
        WHERE v.folder_id = ANY($1) ORDER BY v.passage_id', asked) USING {_VISIBLE}, passages;
END $body$;
"""


_STATISTICS = """
CREATE OR REPLACE FUNCTION $schema.gather_statistics() RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $body$
DECLARE named text;
BEGIN
    FOR named IN SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = '$literal'::regnamespace AND c.relkind = 'r' AND a.attname = 'folder_id' LOOP
        BEGIN
            EXECUTE format('ANALYZE $schema.%I (folder_id)', named);
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN NULL;
        END;
    END LOOP;
END $body$;
"""


def _table_of_a_model() -> str:
    """Return the SQL that makes the table of a model's vectors: `@` stands for its number, `#` for its dimension."""
    return f"""CREATE TABLE $schema.vector_@(
        folder_id integer NOT NULL,
        passage_id bigint NOT NULL,
        embedding $vector.vector(#) NOT NULL,
        PRIMARY KEY(folder_id, passage_id),
        CHECK (passage_id >> 32 = folder_id),
        CHECK ($vector.vector_norm(embedding) BETWEEN 0.99 AND 1.01)
    ) WITH (toast_tuple_target = 8160);
    CREATE INDEX vector_@_nearest ON $schema.vector_@
        USING hnsw ((embedding::$vector.halfvec(#)) $vector.halfvec_ip_ops) WITH (m = 32, ef_construction = 200);
    {of_vectors("vector_@")}"""


def _adding() -> str:
    """Return the function that adds a model: beside others only for a keeper; the first may be any member's."""
    return f"""
CREATE OR REPLACE FUNCTION $schema.add_model(model_name text, its_manifest text, its_fingerprint text, size integer)
    RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE number integer;
BEGIN
    LOCK TABLE $schema.model IN SHARE ROW EXCLUSIVE MODE;
    SELECT id INTO number FROM $schema.model WHERE fingerprint = its_fingerprint;
    IF number IS NOT NULL THEN
        RETURN number;
    END IF;
    IF EXISTS (SELECT FROM $schema.model) AND NOT pg_has_role($schema.person(), '$keeper', 'MEMBER') THEN
        RAISE EXCEPTION 'only a keeper adds a model' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF size NOT BETWEEN 1 AND {LARGEST_DIMENSION} THEN
        RAISE EXCEPTION 'vectors of % components cannot be kept', size USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT coalesce(max(id), 0) + 1 INTO number FROM $schema.model;
    INSERT INTO $schema.model(id, name, manifest, fingerprint, dimension, state, added_by)
        VALUES(number, model_name, its_manifest, its_fingerprint, size,
            CASE WHEN EXISTS (SELECT FROM $schema.model) THEN 'building' ELSE 'active' END, $schema.person());
    EXECUTE replace(replace($made${_table_of_a_model()}$made$, '@', number::text), '(#)', '(' || size || ')');
    RETURN number;
END $body$;
"""


# Only a keeper makes a model active, or removes one.
_CHANGING = """CREATE OR REPLACE FUNCTION $schema.activate_model(number integer)
    RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF NOT pg_has_role($schema.person(), '$keeper', 'MEMBER') THEN
        RAISE EXCEPTION 'only a keeper makes a model active' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NOT EXISTS (SELECT FROM $schema.model WHERE id = number) THEN
        RAISE EXCEPTION 'no such model' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE $schema.model SET state = 'kept' WHERE state = 'active' AND id <> number;
    UPDATE $schema.model SET state = 'active', turn = (SELECT max(turn) + 1 FROM $schema.model) WHERE id = number;
END $body$;
CREATE OR REPLACE FUNCTION $schema.remove_model(number integer)
    RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF NOT pg_has_role($schema.person(), '$keeper', 'MEMBER') THEN
        RAISE EXCEPTION 'only a keeper removes a model' USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM $schema.model WHERE id = number AND state <> 'active';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such model, or the active one' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXECUTE format('DROP TABLE $schema.vector_%s', number);
END $body$;
"""
