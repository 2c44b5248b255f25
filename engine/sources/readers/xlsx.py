"""Excel: each sheet is a heading, what stands beside its cells, and its rows as lines, column names over them.

Cells are as they were last computed and shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import SourceError
from engine.records import Document, Link
from engine.sources.readers.attached_files import add_attached
from engine.sources.readers.csv import line_of, names_row, without_empty_columns
from engine.sources.readers.embedded_objects import embedded_files
from engine.sources.readers.frontmatter import as_keywords
from engine.sources.readers.ooxml import core_properties, main_part, named_title, related_parts, relation_of
from engine.sources.readers.source_file import MAX_LINKS, Source
from engine.sources.readers.text_builder import TextBuilder
from engine.sources.readers.xlsx_cells import Cells
from engine.sources.readers.xlsx_margins import links_of, margin_texts
from engine.sources.readers.zip_container import Archive

MAX_ROWS = 20_000  # of one sheet: what follows is data to compute with, and would take an hour to embed


def read(source: Source) -> Document:
    """Read an .xlsx file; sheets that are hidden are read too, for they are found only by searching."""
    archive = Archive(source.raw, "XLSX")
    main = main_part(archive, "XLSX", "xl/workbook.xml")
    workbook = archive.xml(main)
    parts = related_parts(archive, main)
    cells = Cells(archive, parts, workbook)
    builder, cut = TextBuilder(), False
    links: list[Link] = []
    held: list[tuple[str, str]] = []
    for sheet in workbook.iter("{*}sheet"):
        what, path = parts.get(relation_of(sheet), ("", ""))
        if what in ("worksheet", "chartsheet", "dialogsheet"):
            content = archive.read(path)
            rows = list(cells.rows(content, MAX_ROWS + 1))
            cut = cut or len(rows) > MAX_ROWS
            links += links_of(archive, path, content)
            held += related_parts(archive, path).values()
            add_sheet(builder, str(sheet.get("name") or ""), rows[:MAX_ROWS], margin_texts(archive, path, content))
    properties = core_properties(archive)
    add_attached(source, builder, embedded_files(archive, held))
    text, blocks = builder.finish()
    if not any(block.kind != "heading" or block.level > 1 for block in blocks):
        raise SourceError("no text inside")
    title = named_title(properties)
    if cut:
        properties["left out"] = f"rows after the first {MAX_ROWS} of a sheet"
    tags = as_keywords(properties.pop("keywords", ""))
    return source.document("xlsx", text, blocks, title, tags=tags, links=links[:MAX_LINKS], metadata=properties)


def add_sheet(builder: TextBuilder, name: str, rows: Sequence[list[str]], beside: Sequence[str] = ()) -> None:
    """Add one sheet under its name, then the texts `beside` its cells.

    A row that names the columns is the heading of those below.
    """
    rows = without_empty_columns([row for row in rows if any(cell.strip() for cell in row)])
    if rows or any(text.strip() for text in beside):
        builder.heading(name, 1)
    for text in beside:
        builder.add("paragraph", text)
    if not rows:
        return
    names = names_row(rows)
    if names is not None:
        builder.add("table", "\n".join(map(line_of, rows[:names])))
        builder.heading(line_of(rows[names]), 2)
        rows = rows[names + 1 :]
    builder.add("table", "\n".join(map(line_of, rows)))
