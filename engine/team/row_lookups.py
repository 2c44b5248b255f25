"""Parts of SQL that look a passage, its document and its entry up by number, each row by itself.

OFFSET keeps the planner from joining whole tables: no statistics of columns tell it how few rows are asked for
(`row_policies` says why), and it read all 20,000 passages and their documents to show 19.
"""

from __future__ import annotations


def passage_at(number: str) -> str:
    """Return what joins passage `p`, the number of which is that expression."""
    return f"""CROSS JOIN LATERAL (
        SELECT * FROM passage WHERE folder_id = ({number} >> 32)::integer AND id = {number} OFFSET 0) AS p"""


BY_ID = f"unnest(%s::bigint[]) AS w(id) {passage_at('w.id')}"
DOCUMENT = """CROSS JOIN LATERAL (
    SELECT * FROM document WHERE folder_id = p.folder_id AND id = p.document_id OFFSET 0) AS d"""
ENTRY = """LEFT JOIN LATERAL (
    SELECT * FROM entry WHERE folder_id = p.folder_id AND document_id = p.document_id AND number = p.page OFFSET 0
) AS e ON true"""
FOLDER = "JOIN folder f ON f.id = p.folder_id"
