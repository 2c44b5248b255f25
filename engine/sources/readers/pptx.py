"""PowerPoint: each slide is a page under its title, its text and tables in the order of the slide, then its notes.

Comments follow the notes of their slide. What every slide shows, such as a footer, stands once at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from engine.errors import SourceError
from engine.records import Document, Link
from engine.sources.readers.attached_files import add_attached
from engine.sources.readers.drawingml import drawn_lists, paragraphs_of, picture_words, run_words
from engine.sources.readers.embedded_objects import embedded_files
from engine.sources.readers.frontmatter import as_keywords
from engine.sources.readers.link_targets import addresses
from engine.sources.readers.ooxml import (
    core_properties,
    external_targets,
    local_name,
    main_part,
    named_title,
    related_parts,
    relation_of,
    unescaped,
)
from engine.sources.readers.page_furniture import distinct, is_page_number
from engine.sources.readers.source_file import MAX_LINKS, Source
from engine.sources.readers.text_builder import TextBuilder
from engine.sources.readers.zip_container import Archive

_TITLES = frozenset(("title", "ctrTitle"))
_REPEATED = frozenset(("ftr", "hdr", "dt"))  # the same on every slide
_FURNITURE = _REPEATED | {"sldNum", "sldImg"}


@dataclass(slots=True)
class _Slides:
    """What is put together from the slides; `repeated` is what several of them show, `models` their layouts.

    `parts` are what they refer to, each as what it is and its path.
    """

    archive: Archive
    builder: TextBuilder = field(default_factory=TextBuilder)
    links: list[Link] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    models: dict[str, None] = field(default_factory=dict)
    parts: list[tuple[str, str]] = field(default_factory=list)


def read(source: Source) -> Document:
    """Read a .pptx file."""
    archive = Archive(source.raw, "PPTX")
    main = main_part(archive, "PPTX", "ppt/presentation.xml")
    slides = _Slides(archive)
    paths = list(_paths(archive, main))
    first_title = ""
    for number, path in enumerate(paths, 1):
        title = _add_slide(slides, path, number)
        first_title = first_title or title
    _add_repeated(slides)
    properties = core_properties(archive)
    add_attached(source, slides.builder, embedded_files(archive, slides.parts))
    text, blocks = slides.builder.finish()
    said = [block for block in blocks if block.kind != "meta"]
    if not any(block.kind != "heading" or block.label != f"Slide {block.page}" for block in said):
        raise SourceError("no text inside")
    title = named_title(properties) or first_title
    return source.document(
        "pptx",
        text,
        blocks,
        title,
        tags=as_keywords(properties.pop("keywords", "")),
        links=slides.links[:MAX_LINKS],
        metadata={**properties, "pages": str(len(paths))},
    )


def _paths(archive: Archive, main: str) -> Iterator[str]:
    """Give the slides' paths in the order in which they are shown."""
    parts = related_parts(archive, main)
    for element in archive.xml(main).iter("{*}sldId"):
        what, path = parts.get(relation_of(element), ("", ""))
        if what == "slide":
            yield path


def _add_slide(slides: _Slides, path: str, number: int) -> str:
    """Add one slide; returns its title. A damaged slide is passed over, as PowerPoint itself does."""
    root = slides.archive.xml_if_there(path)
    if root is None:
        return ""
    builder = slides.builder
    titles = [shape for shape in root.iter("{*}sp") if _place(shape) in _TITLES and _one_line(shape)]
    title = _one_line(titles[0]) if titles else ""
    builder.heading(title or f"Slide {number}", 1, page=number)
    _add_shapes(slides, root, number, titles[:1])
    parts = related_parts(slides.archive, path)
    slides.parts += parts.values()
    for drawn in drawn_lists(slides.archive, parts, root):
        builder.add("list", "\n".join(f"- {words}" for words in drawn), page=number)
    for words in picture_words(root):
        builder.add("paragraph", words, page=number)
    for what, part in parts.values():
        if what == "notesSlide" and (notes := slides.archive.xml_if_there(part)) is not None:
            _add_notes(slides, notes, number)
    for what, part in parts.values():
        if what == "comments" and (comments := slides.archive.xml_if_there(part)) is not None:
            for words in _comments(comments):
                builder.add("paragraph", words, page=number)
    slides.models.update((part, None) for what, part in parts.values() if what == "slideLayout")
    _add_links(slides, path, root, number)
    return title


def _add_links(slides: _Slides, path: str, root: etree._Element, number: int) -> None:
    """Note the links of a slide and of its notes, and add where they lead."""
    found = list(_links(slides.archive, path, root))
    for what, part in related_parts(slides.archive, path).values():
        if what == "notesSlide" and (notes := slides.archive.xml_if_there(part)) is not None:
            found += _links(slides.archive, part, notes)
    slides.links += found
    words = "\n".join(link.text for link in found)
    slides.builder.add("meta", "\n".join(addresses(found, words)), page=number)


def _links(archive: Archive, path: str, root: etree._Element) -> Iterator[Link]:
    """Give the links of a part: those of words, and those of shapes and pictures, which have no words of their own."""
    targets = external_targets(archive, path)
    for click in root.iter("{*}hlinkClick"):
        target = targets.get(relation_of(click))
        if target and not any(local_name(above) == "Fallback" for above in click.iterancestors()):
            run = next(click.iterancestors("{*}r"), None)
            yield Link(target, " ".join(run_words(run).split()) if run is not None else "")


def _add_notes(slides: _Slides, root: etree._Element, number: int) -> None:
    if any(_place(shape) not in _FURNITURE and _one_line(shape) for shape in root.iter("{*}sp")):
        slides.builder.heading("Notes", 2, page=number)
    _add_shapes(slides, root, number)


def _add_shapes(
    slides: _Slides, root: etree._Element, number: int, without: list[etree._Element] | None = None
) -> None:
    for element in root.iter("{*}sp", "{*}tbl"):
        if element in (without or ()) or any(local_name(above) == "Fallback" for above in element.iterancestors()):
            continue
        if local_name(element) == "tbl":
            slides.builder.add("table", "\n".join(_rows(element)), page=number)
        elif (place := _place(element)) in _FURNITURE:
            slides.repeated += [_one_line(element)] if place in _REPEATED else []
        else:
            paragraphs = list(paragraphs_of(element))
            if len(paragraphs) > 1:
                slides.builder.add("list", "\n".join(f"- {words}" for words in paragraphs), page=number)
            else:
                slides.builder.add("paragraph", "\n".join(paragraphs), page=number)


def _add_repeated(slides: _Slides) -> None:
    """Add what all slides show, once: footers, and what stands on their layouts and masters beside the placeholders."""
    for layout in list(slides.models):
        parts = related_parts(slides.archive, layout)
        slides.models.update((part, None) for what, part in parts.values() if what == "slideMaster")
    for model in slides.models:
        root = slides.archive.xml_if_there(model)
        shapes = root.iter("{*}sp") if root is not None else ()
        slides.repeated += [_one_line(shape) for shape in shapes if not _place(shape)]
    for words in distinct(slides.repeated):
        if not is_page_number(words):
            slides.builder.add("paragraph", words)


def _comments(root: etree._Element) -> Iterator[str]:
    """Give the comments of a slide, in the older form a text each, in the newer one paragraphs."""
    for comment in root.iter("{*}cm", "{*}reply"):
        own = [child for child in comment if local_name(child) in ("text", "txBody")]
        for child in own:
            if local_name(child) == "text":
                yield unescaped(child.text or "")
            else:
                yield "\n".join(paragraphs_of(child))


def _place(shape: etree._Element) -> str:
    """Return what a shape stands for on its slide, as `title` or `body`; "" for a free one."""
    for placeholder in shape.iter("{*}ph"):
        return str(placeholder.get("type") or "body")
    return ""


def _one_line(shape: etree._Element) -> str:
    return " ".join(" ".join(paragraphs_of(shape)).split())


def _rows(table: etree._Element) -> Iterator[str]:
    for row in table.iter("{*}tr"):
        cells = [_one_line(cell) for cell in row.iter("{*}tc")]
        if any(cells):
            yield " | ".join(cells)
