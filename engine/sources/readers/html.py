"""HTML: what a person sees of a page, in blocks, with title, links and keywords; e-books and e-mail use it too."""

from __future__ import annotations

import re

from lxml import etree

from engine.errors import SourceError
from engine.records import BlockKind, Document, Link
from engine.sources.encodings import storable
from engine.sources.readers.bookmarks import bookmarks
from engine.sources.readers.frontmatter import FrontMatter, as_keywords, read_front_matter
from engine.sources.readers.html_elements import (
    BLOCKS,
    HEADINGS,
    LISTS,
    MAX_LINK_WORDS,
    PREFORMATTED,
    addition,
    instead,
    is_footnote_mark,
    is_hidden,
    parts_words,
    shows_nothing,
    tag_of,
    words_of,
)
from engine.sources.readers.html_lines import GatheredLines
from engine.sources.readers.html_parser import html_text, parse_html
from engine.sources.readers.markdown import written_title
from engine.sources.readers.source_file import MAX_LINKS, Source
from engine.sources.readers.text_builder import TextBuilder, line_by_line

_TAGLIKE = re.compile(r"<\s*[!/a-zA-Z]")
NO_FRONT = FrontMatter()
_METADATA = ("description", "author", "date", "article:published_time", "og:site_name")
_STAND_INS = {"date": "article:published_time", "description": "og:description"}
_LAYING_OUT = frozenset(("table", "pre", "form", "section", "article", "nav", *HEADINGS))
FEW_PARAGRAPHS = 2  # more of them in one item or cell are a text of their own
LAST_LINE = 65534  # the parser counts lines no further
DEEPEST_PAGE = 2  # pages inside pages


def read(source: Source) -> Document:
    """Read an HTML file; one without any tag is not HTML."""
    written = html_text(source.raw)
    if written.strip() and not _TAGLIKE.search(written):
        raise SourceError("not HTML")
    front = read_front_matter(written)  # of pages that a site is made of
    return bookmarks(source, written) or page_document(source, "html", written, front=front)


def page_document(
    source: Source, kind: str, written: str, *, title: str = "", with_lines: bool = True, front: FrontMatter = NO_FRONT
) -> Document:
    """Return the document that one page is; `with_lines`: it is the file, so that its lines are known.

    What stands before the page as `front` matter is found by its words; its title and tags count first.
    """
    builder = TextBuilder()
    head = written[: front.end]
    builder.add("meta", head, places=line_by_line(head, range(1, head.count("\n") + 2)) if with_lines else ())
    page = Page(parse_html("\n" * head.count("\n") + written[front.end :]), builder, with_lines=with_lines)
    text, blocks = page.builder.finish()
    named = {name: value for name in _METADATA if (value := page.meta(name))}
    for name, other in _STAND_INS.items():
        if said := page.meta(name) or page.meta(other):
            named[name] = said
    if page.language:
        named["language"] = page.language
    return source.document(
        kind,
        text,
        blocks,
        front.title or page.title or title or page.meta("og:title") or written_title(blocks),
        tags=(*front.tags, *as_keywords(page.meta("keywords"))),
        links=page.links,
        metadata={**named, **front.metadata},
        line_map=page.builder.line_map,
    )


class Page:
    """One parsed page, walked once into `builder`; several pages may share one."""

    def __init__(
        self, root: etree._Element | None, builder: TextBuilder | None = None, *, with_lines: bool = False
    ) -> None:
        """Walk the page below `root`; where all of it waits to be shown, what waits is read."""
        self.builder = builder or TextBuilder()
        self.title = ""
        self.language = ""
        self.links: list[Link] = []
        self._metas: dict[str, str] = {}
        if root is None:
            return
        self._head(root)
        before = len(self.builder.blocks)
        for show_hidden in (False, True):
            walk = _Walk(self.builder, self.links, with_lines, show_hidden)
            walk.run(root)
            if any(block.kind != "meta" for block in self.builder.blocks[before:]):
                break

    def meta(self, name: str) -> str:
        """Return the content of a `<meta name=...>`, or ""."""
        return self._metas.get(name, "")

    def _head(self, root: etree._Element) -> None:
        self.language = str(root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or "")[:35]
        for element in root.iter("{*}title", "{*}meta"):
            if tag_of(element) == "title":
                parent = element.getparent()
                if not self.title and (parent is None or tag_of(parent) in ("head", "html", "body")):
                    self.title = words_of(element)
            else:
                name = str(element.get("name") or element.get("property") or "").lower()
                self._metas.setdefault(name, " ".join(storable(str(element.get("content") or "")).split()))


class _Walk:
    """One pass over a page: words are gathered until a block ends, then given to the builder.

    A heading, a list, a table or a text that is set out by its author is one block, gathered line by line; `_whole` is
    the element that such a block is made of. What a `nav` says is found by words, and is no part of what a page means.
    """

    def __init__(self, builder: TextBuilder, links: list[Link], with_lines: bool, show_hidden: bool) -> None:
        self._builder = builder
        self._links = links
        self._with_lines = with_lines
        self._show_hidden = show_hidden
        self._gathered = GatheredLines()
        self._whole: etree._Element | None = None
        self._laid_out: frozenset[etree._Element] = frozenset()
        self._lists = 0  # around the element that is read, within the list that is gathered
        self._quotes = 0
        self._navs = 0  # around the element that is read
        self._line = 1 if with_lines else 0
        self._inside = 0  # pages around this one

    def run(self, root: etree._Element) -> None:
        """Visit every element without recursion: pages may be nested thousands of levels deep."""
        self._laid_out = _laid_out(root)
        stack: list[tuple[etree._Element, bool]] = [(root, False)]
        while stack:
            element, leaving = stack.pop()
            if leaving:
                self._leave(element)
            elif self._enter(element):
                stack.append((element, True))
                stack.extend((child, False) for child in reversed(element))
                continue
            if element.tail and element is not root:
                self._say(element.tail)
        self._flush()

    def _enter(self, element: etree._Element) -> bool:
        """Begin an element; False where it was dropped, or taken whole."""
        tag = tag_of(element)
        if not tag or shows_nothing(element, tag) or (not self._show_hidden and is_hidden(element, tag)):
            return False
        if tag == "nav" and self._show_hidden:  # read before
            return False
        self._count_from(element)
        if tag == "br":
            self._gathered.begin(self._indent())
            return False
        if tag in ("iframe", "noframes"):
            self._page_inside(element)
            return False
        if is_footnote_mark(element, tag, self._gathered.last):
            self._gathered.say(" ", self._line)
        said = instead(element, tag)
        if said is not None:
            apart = " " if parts_words(element, tag) else ""
            self._say(f"{apart}{storable(said)}{apart}")
            return False
        if tag == "a":
            self._note_link(element)
        self._border(element, tag, entering=True)
        if element.text:
            self._say(element.text)
        return True

    def _leave(self, element: etree._Element) -> None:
        tag = tag_of(element)
        if added := addition(element, tag):
            self._say(added)
        self._border(element, tag, entering=False)

    def _border(self, element: etree._Element, tag: str, *, entering: bool) -> None:
        """Part the words before an element, or after it, from its own as its kind asks for."""
        if self._whole is not None:
            self._border_within(element, tag, entering)
        elif tag in BLOCKS:
            self._flush()
            step = 1 if entering else -1
            self._quotes += step if tag == "blockquote" else 0
            self._navs += step if tag == "nav" else 0
            if entering and self._is_one_block(element, tag):
                self._whole = element
                self._lists = 0
                self._gathered.raw = tag in PREFORMATTED
        elif parts_words(element, tag):
            self._say(" ")

    def _border_within(self, element: etree._Element, tag: str, entering: bool) -> None:
        whole = self._whole
        if element is whole and not entering:
            self._end_whole(element, tag)
            return
        kind = tag_of(whole) if whole is not None else ""
        if kind == "table" and tag in ("tr", "caption"):
            self._gathered.begin()
        elif kind == "table" and tag in ("td", "th") and entering:
            self._gathered.next_cell()
        elif kind in LISTS and tag in LISTS:
            self._lists += 1 if entering else -1
            self._gathered.begin(self._indent())
        elif kind in LISTS and tag == "li":
            self._gathered.begin("  " * self._lists + "- " if entering else self._indent())
        elif kind in PREFORMATTED:
            if tag in BLOCKS:
                self._gathered.begin()
        elif parts_words(element, tag):
            self._say(" ")

    def _is_one_block(self, element: etree._Element, tag: str) -> bool:
        if tag in HEADINGS or tag in PREFORMATTED:
            return True
        if element in self._laid_out:
            return False
        return tag in LISTS or (tag == "table" and _has_columns(element))

    def _end_whole(self, element: etree._Element, tag: str) -> None:
        self._whole = None
        kind: BlockKind = (
            "heading" if tag in HEADINGS else "code" if tag in PREFORMATTED else "list" if tag in LISTS else "table"
        )
        self._flush(kind, HEADINGS.get(tag, 0))

    def _indent(self) -> str:
        """What a line begins with that goes on with the item of a list."""
        return "  " * (self._lists + 1) if self._whole is not None and tag_of(self._whole) in LISTS else ""

    def _say(self, text: str) -> None:
        """Take a piece of text, and count its line ends."""
        self._gathered.say(text, self._line)
        if self._line:
            self._line += text.count("\n")

    def _count_from(self, element: etree._Element) -> None:
        """Go on counting from the line that the parser gives for an element."""
        if self._with_lines and not self._inside and isinstance(at := element.sourceline, int):
            self._line = at if at <= LAST_LINE else 0

    def _flush(self, kind: BlockKind = "paragraph", level: int = 0) -> None:
        text, places = self._gathered.take()
        if self._navs:
            self._builder.add("meta", text, places=places)
        elif kind == "heading":
            self._builder.heading(text, level, line=places[0][1] if places else 0)
        else:
            quoted = kind == "paragraph" and self._quotes > 0
            self._builder.add("quote" if quoted else kind, text, places=places)

    def _page_inside(self, element: etree._Element) -> None:
        """Walk the page that a frame holds in itself."""
        written = str(element.get("srcdoc") or "") if tag_of(element) == "iframe" else str(element.text or "")
        if self._inside >= DEEPEST_PAGE or self._whole is not None or not written.strip():
            return
        root = parse_html(written)
        if root is not None:
            self._flush()
            inner = _Walk(self._builder, self._links, self._with_lines, self._show_hidden)
            inner._inside, inner._line = self._inside + 1, self._line
            inner.run(root)

    def _note_link(self, element: etree._Element) -> None:
        target = storable(str(element.get("href") or "")).strip()
        if self._navs:
            return
        if target and not target.lower().startswith(("javascript:", "#", "data:")) and len(self._links) < MAX_LINKS:
            self._links.append(Link(target[:2000], words_of(element, MAX_LINK_WORDS)[:500]))


def _laid_out(root: etree._Element) -> frozenset[etree._Element]:
    """Return the elements that hold more than words, so that a list or table among them is walked like the rest.

    Such hold another table, a heading, a section, or items and cells of several paragraphs.
    """
    found: set[etree._Element] = set()
    paragraphs: dict[etree._Element, int] = {}

    def mark(element: etree._Element | None) -> None:
        while element is not None and element not in found:
            found.add(element)
            element = element.getparent()

    for element in root.iter("{*}p", *(f"{{*}}{tag}" for tag in _LAYING_OUT)):
        parent = element.getparent()
        if parent is None:
            continue
        if tag_of(element) != "p":
            mark(parent)
        else:
            paragraphs[parent] = paragraphs.get(parent, 0) + 1
            if paragraphs[parent] > FEW_PARAGRAPHS:
                mark(parent)
    return frozenset(found)


def _has_columns(table: etree._Element) -> bool:
    return any(sum(tag_of(cell) in ("td", "th") for cell in row) > 1 for row in table.iter("{*}tr"))
