"""Who may read and write which row of a team library: PostgreSQL's own row-level security, forced on every table.

A person is the role that asks, `current_user`. Folders are theirs, open to all, or open to the people that they name.
What is read through a folder's number is compared with the numbers of the folders that they see, which a function
gives; the comparison is a condition of the index (`team_schema` says why that matters). A list made by the policy
itself would be made for the first row that has what a statement asks for, a hidden one too, and EXPLAIN ANALYZE of a
scan of the table would tell whether it was: "never executed" where no folder holds a word.

Who helps to fill a new model may put vectors to passages that they can read, where the folder's owner lets them (it is
so unless `folder.helped` is taken back): a wrong vector moves a row in a ranking and tells nothing. Only the owner
changes or removes one.
"""

from __future__ import annotations

from engine.team.team_schema import OF_FOLDERS, OF_PERSONS

_FOLDER_SEEN = """owner = current_user OR state = 'watching'
    AND (visibility = 'all' OR visibility = 'named' AND current_user::text = ANY(readers))"""
_FOLDERS = {  # each with which of the folders that the policy of `folder` leaves
    "folders_seen": "true",
    "folders_owned": "owner = current_user",
    "folders_helped": "helped OR owner = current_user",
}
_SEEN, _OWN, _HELPED = (f"folder_id = ANY($schema.{name}())" for name in _FOLDERS)
_KEEPER = "pg_has_role(current_user, '$keeper', 'MEMBER')"
_MINE = "person = current_user"


def policies() -> str:
    """Return the SQL that turns row-level security on and says who may do what; it replaces what was said before."""
    said = [_folders(name, which) for name, which in _FOLDERS.items()]
    said += [_secured(table, _SEEN, _OWN) for table in OF_FOLDERS]
    said += [_secured(table, _MINE, _MINE) for table in OF_PERSONS]
    said += [
        _folder(),
        _secured("member", "true", _MINE),
        _secured("folder_fill", _SEEN, _HELPED),
        _secured("pending", _SEEN, _HELPED),
        _secured("shared_mark", _SEEN, f"{_MINE} AND {_SEEN}"),
        _secured("shared_search", "true", _MINE),
        _secured("model", "true", _KEEPER),
        _secured("calibration", f"{_MINE} OR person = ''", f"{_MINE} OR person = '' AND {_KEEPER}"),
    ]
    return "\n".join(said)


def of_vectors(table: str) -> str:
    """Return the policies of a model's table of vectors, `table` being its name without the schema."""
    return f"""{_forced(table)}
CREATE POLICY seen ON $schema.{table} FOR SELECT USING ({_SEEN});
CREATE POLICY put ON $schema.{table} FOR INSERT WITH CHECK ({_HELPED});
CREATE POLICY changed ON $schema.{table} FOR UPDATE USING ({_OWN}) WITH CHECK ({_OWN});
CREATE POLICY removed ON $schema.{table} FOR DELETE USING ({_OWN});
CREATE POLICY looked_into ON $schema.{table} FOR SELECT TO $owner USING (true);
GRANT SELECT (folder_id, passage_id), INSERT, UPDATE (embedding), DELETE ON $schema.{table} TO $member;"""


def _folders(name: str, which: str) -> str:
    """Return the SQL of a function that gives numbers of folders to who asks; no operator of theirs takes part."""
    return f"""CREATE OR REPLACE FUNCTION $schema.{name}() RETURNS integer[] LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    RETURN ARRAY(SELECT id FROM $schema.folder WHERE {which});
END $body$;"""


def _secured(table: str, read: str, write: str) -> str:
    return f"""{_forced(table)}
CREATE POLICY seen ON $schema.{table} FOR SELECT USING ({read});
CREATE POLICY written ON $schema.{table} FOR INSERT WITH CHECK ({write});
CREATE POLICY changed ON $schema.{table} FOR UPDATE USING ({write}) WITH CHECK ({write});
CREATE POLICY removed ON $schema.{table} FOR DELETE USING ({write});
GRANT SELECT, INSERT, UPDATE, DELETE ON $schema.{table} TO $member;"""


def _folder() -> str:
    """Folders keep their number and their owner, and never go: what is gone of one is told by its state."""
    own = "owner = current_user"
    return f"""{_forced("folder")}
CREATE POLICY seen ON $schema.folder FOR SELECT USING ({_FOLDER_SEEN});
CREATE POLICY put ON $schema.folder FOR INSERT WITH CHECK ({own});
CREATE POLICY changed ON $schema.folder FOR UPDATE USING ({own}) WITH CHECK ({own});
CREATE POLICY numbered ON $schema.folder FOR SELECT TO $owner USING (true);
CREATE POLICY counted ON $schema.folder_state FOR SELECT TO $owner USING (true);
CREATE POLICY modelled ON $schema.model TO $owner USING (true) WITH CHECK (true);
GRANT SELECT, INSERT (machine, path, prefix_folded, visibility, readers, helped),
    UPDATE (machine, path, prefix_folded, visibility, readers, helped, state) ON $schema.folder TO $member;"""


def _forced(table: str) -> str:
    """Turn row-level security on, for the owner of the table as well, and keep statistics of its columns from all.

    Only of the folder's number they are gathered, one value: without it the planner takes each policy for a condition
    that leaves nothing, and reads a whole folder for each row (2,100 ms where it takes 1.5, for 60 of 3,000 passages).
    """
    return f"""ALTER TABLE $schema.{table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DO $do$ DECLARE held record; BEGIN
    FOR held IN SELECT polname FROM pg_policy WHERE polrelid = '$schema.{table}'::regclass LOOP
        EXECUTE format('DROP POLICY %I ON $schema.{table}', held.polname);
    END LOOP;
    EXECUTE (SELECT 'ALTER TABLE $schema.{table} ' || string_agg(
        format('ALTER %I SET STATISTICS %s', attname, (attname = 'folder_id')::integer), ', ')
        FROM pg_attribute WHERE attrelid = '$schema.{table}'::regclass AND attnum > 0 AND NOT attisdropped);
    FOR held IN SELECT indexrelid::regclass AS name, at FROM pg_index, generate_series(1, indnkeyatts) AS at
        WHERE indrelid = '$schema.{table}'::regclass AND indkey[at - 1] = 0 LOOP
        EXECUTE format('ALTER INDEX %s ALTER %s SET STATISTICS 0', held.name, held.at);
    END LOOP;
END $do$;"""
