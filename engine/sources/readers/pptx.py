"""PowerPoint: each slide is a page under its title, its text and tables in the order of the slide, then its notes."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.errors import SourceError
from engine.records import Document, Link
from engine.sources.readers.frontmatter import as_tags
from engine.sources.readers.ooxml import (
    core_properties,
    external_targets,
    local_name,
    named_title,
    related_parts,
    relation_of,
)
from engine.sources.readers.source_file import MAX_LINKS, Source
from engine.sources.readers.text_builder import TextBuilder
from engine.sources.readers.zip_container import Archive

_PRESENTATION = "ppt/presentation.xml"
_TITLES = frozenset(("title", "ctrTitle"))
_FURNITURE = frozenset(("sldNum", "dt", "ftr", "hdr", "sldImg"))  # the same on every slide
_BREAKS = {"br": "\n", "tab": "\t"}


def read(source: Source) -> Document:
    """Read a .pptx file."""
    archive = Archive(source.raw, "PPTX")
    if _PRESENTATION not in archive.names:
        raise SourceError("a ZIP file, but no PPTX")
    builder, links = TextBuilder(), list[Link]()
    slides = list(_slides(archive))
    first_title = ""
    for number, path in enumerate(slides, 1):
        title = _add_slide(archive, path, number, builder, links)
        first_title = first_title or title
    text, blocks = builder.finish()
    if not any(block.kind != "heading" or block.label != f"Slide {block.page}" for block in blocks):
        raise SourceError("no text inside")
    properties = core_properties(archive)
    title = named_title(properties) or first_title
    return source.document(
        "pptx",
        text,
        blocks,
        title,
        tags=as_tags(properties.pop("keywords", "")),
        links=links[:MAX_LINKS],
        metadata={**properties, "pages": str(len(slides))},
    )


def _slides(archive: Archive) -> Iterator[str]:
    """Give the slides' paths in the order in which they are shown."""
    parts = related_parts(archive, _PRESENTATION)
    for element in archive.xml(_PRESENTATION).iter("{*}sldId"):
        what, path = parts.get(relation_of(element), ("", ""))
        if what == "slide":
            yield path


def _add_slide(archive: Archive, path: str, number: int, builder: TextBuilder, links: list[Link]) -> str:
    """Add one slide; returns its title. A damaged slide is passed over, as PowerPoint itself does."""
    root = archive.xml_if_there(path)
    if root is None:
        return ""
    title = next(filter(None, (_one_line(shape) for shape in root.iter("{*}sp") if _place(shape) in _TITLES)), "")
    builder.heading(title or f"Slide {number}", 1, page=number)
    _add_shapes(root, number, builder, skipped=_TITLES | _FURNITURE)
    parts = related_parts(archive, path)
    for what, part in parts.values():
        if what == "diagramData" and (diagram := archive.xml_if_there(part)) is not None:
            builder.add("list", "\n".join(f"- {words}" for words in _paragraphs(diagram)), page=number)
    for what, part in parts.values():
        if what == "notesSlide" and (notes := archive.xml_if_there(part)) is not None:
            _add_notes(notes, number, builder)
    targets = external_targets(archive, path)
    for run in root.iter("{*}r"):
        found = (targets.get(relation_of(click)) for click in run.iter("{*}hlinkClick"))
        links += [Link(target, " ".join(_words(run).split())) for target in found if target]
    return title


def _add_notes(root: etree._Element, number: int, builder: TextBuilder) -> None:
    if any(_place(shape) not in _FURNITURE and _one_line(shape) for shape in root.iter("{*}sp")):
        builder.heading("Notes", 2, page=number)
        _add_shapes(root, number, builder, skipped=_FURNITURE)


def _add_shapes(root: etree._Element, number: int, builder: TextBuilder, skipped: frozenset[str]) -> None:
    for element in root.iter("{*}sp", "{*}tbl"):
        if any(local_name(above) == "Fallback" for above in element.iterancestors()):
            continue
        if local_name(element) == "tbl":
            builder.add("table", "\n".join(_rows(element)), page=number)
        elif _place(element) not in skipped:
            paragraphs = list(_paragraphs(element))
            if len(paragraphs) > 1:
                builder.add("list", "\n".join(f"- {words}" for words in paragraphs), page=number)
            else:
                builder.add("paragraph", "\n".join(paragraphs), page=number)


def _place(shape: etree._Element) -> str:
    """Return what a shape stands for on its slide, as `title` or `body`; "" for a free one."""
    for placeholder in shape.iter("{*}ph"):
        return str(placeholder.get("type") or "body")
    return ""


def _paragraphs(root: etree._Element) -> Iterator[str]:
    for paragraph in root.iter("{*}p"):
        if words := _words(paragraph).strip():
            yield words


def _words(root: etree._Element) -> str:
    pieces = []
    for element in root.iter():
        name = local_name(element)
        pieces.append((element.text or "") if name == "t" else _BREAKS.get(name, ""))
    return "".join(pieces)


def _one_line(shape: etree._Element) -> str:
    return " ".join(" ".join(_paragraphs(shape)).split())


def _rows(table: etree._Element) -> Iterator[str]:
    for row in table.iter("{*}tr"):
        cells = [_one_line(cell) for cell in row.iter("{*}tc")]
        if any(cells):
            yield " | ".join(cells)
