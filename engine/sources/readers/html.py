"""HTML: what a person sees of a page, in blocks, with title, links and keywords; e-books and e-mail use it too."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from engine.errors import SourceError
from engine.records import BlockKind, Document, Link
from engine.sources.encodings import decode, storable
from engine.sources.readers.frontmatter import as_tags
from engine.sources.readers.markdown import written_title
from engine.sources.readers.source_file import MAX_LINKS, Source
from engine.sources.readers.text_builder import TextBuilder

_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s*+=\s*+[\"']?\s*+([\w.:-]++)|<\?xml[^>]{0,100}?encoding=[\"']([\w.:-]+)", re.I
)
_TAGLIKE = re.compile(r"<\s*[!/a-zA-Z]")
_METADATA = ("description", "author", "date", "article:published_time", "og:site_name")
_UNSEEN = (
    "script style noscript template head nav button select option iframe object embed svg math canvas audio video "
    "map datalist input progress meter dialog"
)
_DROPPED = frozenset(_UNSEEN.split())
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCK_LEVEL = (
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form header "
    "hgroup hr html legend li main menu ol p pre section summary table tbody td tfoot th thead tr ul caption"
)
_BLOCKS = frozenset((*_BLOCK_LEVEL.split(), *_HEADINGS))
_SPACES = re.compile(r"[ \t\r\n\f\v]+")
_INVISIBLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_LISTS = frozenset(("ul", "ol", "menu"))


def read(source: Source) -> Document:
    """Read an HTML file; one without any tag is not HTML."""
    written = html_text(source.raw)
    if written.strip() and not _TAGLIKE.search(written):
        raise SourceError("not HTML")
    page = Page(parse_html(written))
    text, blocks = page.builder.finish()
    title = page.title or written_title(blocks)
    named = {name: value for name in _METADATA if (value := page.meta(name))}
    return source.document(
        "html", text, blocks, title, tags=as_tags(page.meta("keywords")), links=page.links, metadata=named
    )


def html_text(raw: bytes) -> str:
    """Decode HTML: a byte order mark, UTF-8 that is sound, then what the page declares, then the likeliest."""
    declared = _CHARSET.search(raw[:4096])
    return decode(raw, (declared[1] or declared[2]).decode("ascii", "replace") if declared else "")


def parse_html(text: str) -> etree._Element | None:
    """Parse HTML as browsers do, forgiving and without the network; None where there is nothing in it."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    content = text.encode("utf-8", "replace")
    if not content.strip():
        return None
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        return None
    except (ValueError, AssertionError):
        raise SourceError("not HTML") from None


def words_of(element: etree._Element) -> str:
    """Return all the text below an element on one line."""
    return " ".join(storable("".join(_texts(element))).split())


def _texts(root: etree._Element) -> Iterator[str]:
    """Give the visible text below an element, in order and without recursion."""
    stack: list[etree._Element | str] = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
            continue
        if item is not root and item.tail:
            stack.append(item.tail)
        tag = tag_of(item)
        if tag and not (item is not root and (tag in _DROPPED or _is_hidden(item))):
            stack.extend(reversed(item))
            yield "\n" if tag == "br" else ""
            yield item.text or ""


def tag_of(element: etree._Element) -> str:
    """Return an element's name in lower case without its namespace, "" for what is no element."""
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


class Page:
    """One parsed page, walked once into `builder`; several pages may share one."""

    def __init__(self, root: etree._Element | None, builder: TextBuilder | None = None) -> None:
        """Walk the page below `root`."""
        self.builder = builder or TextBuilder()
        self.title = ""
        self.links: list[Link] = []
        self._metas: dict[str, str] = {}
        self._words: list[str] = []
        if root is not None:
            self._head(root)
            self._walk(root)
            self._flush()

    def meta(self, name: str) -> str:
        """Return the content of a `<meta name=...>`, or ""."""
        return self._metas.get(name, "")

    def _head(self, root: etree._Element) -> None:
        for element in root.iter("{*}title", "{*}meta"):
            if tag_of(element) == "title":
                parent = element.getparent()
                if not self.title and (parent is None or tag_of(parent) in ("head", "html", "body")):
                    self.title = words_of(element)
            else:
                name = str(element.get("name") or element.get("property") or "").lower()
                self._metas.setdefault(name, " ".join(storable(str(element.get("content") or "")).split()))

    def _walk(self, root: etree._Element) -> None:
        """Visit every element without recursion: pages may be nested thousands of levels deep."""
        stack: list[tuple[etree._Element, bool]] = [(root, False)]
        while stack:
            element, leaving = stack.pop()
            if leaving:
                self._leave(element)
                continue
            entered = self._enter(element)
            if entered:
                stack.append((element, True))
                stack.extend((child, False) for child in reversed(element))
            elif element.tail and element is not root:
                self._words.append(_SPACES.sub(" ", element.tail))

    def _enter(self, element: etree._Element) -> bool:
        """Begin an element; False where it was dropped, or taken whole."""
        tag = tag_of(element)
        if not tag or tag in _DROPPED or _is_hidden(element):
            return False
        if tag in _HEADINGS:
            self._flush()
            self._note_links(element)
            self.builder.heading(words_of(element), _HEADINGS[tag])
            return False
        if tag == "pre":
            self._flush()
            self.builder.add("code", "".join(_texts(element)).rstrip())
            return False
        if tag in _LISTS and _is_plain(element):
            self._flush()
            self._note_links(element)
            self.builder.add("list", "\n".join(_items(element)))
            return False
        if tag == "table" and _has_columns(element) and _is_plain(element):
            self._flush()
            self._note_links(element)
            self.builder.add("table", "\n".join(_rows(element)))
            return False
        if tag in _BLOCKS:
            self._flush()
        elif tag == "br":
            self._words.append("\n")
        elif tag == "a":
            self._note_link(element)
        if element.text:
            self._words.append(_SPACES.sub(" ", element.text))
        return True

    def _leave(self, element: etree._Element) -> None:
        tag = tag_of(element)
        if tag in _BLOCKS:
            self._flush("quote" if tag == "blockquote" else "paragraph")
        if element.tail:
            self._words.append(_SPACES.sub(" ", element.tail))

    def _flush(self, kind: BlockKind = "paragraph") -> None:
        if self._words:
            lines = "".join(self._words).split("\n")
            self._words.clear()
            self.builder.add(kind, "\n".join(filter(None, (" ".join(line.split()) for line in lines))))

    def _note_links(self, element: etree._Element) -> None:
        for link in element.iter("{*}a"):
            self._note_link(link)

    def _note_link(self, element: etree._Element) -> None:
        target = storable(str(element.get("href") or "")).strip()
        if target and not target.lower().startswith(("javascript:", "#", "data:")) and len(self.links) < MAX_LINKS:
            self.links.append(Link(target[:2000], words_of(element)[:500]))


def _is_hidden(element: etree._Element) -> bool:
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    style = element.get("style")
    return bool(style) and _INVISIBLE.search(str(style)) is not None


def _is_plain(element: etree._Element) -> bool:
    """Whether a list or table holds words only: one that lays out a page is walked like the rest of it."""
    for child in element.iterdescendants():
        tag = tag_of(child)
        if tag in ("table", "pre", "form", "section", "article") or tag in _HEADINGS:
            return False
        if tag == "p" and (parent := child.getparent()) is not None and len(parent.findall("{*}p")) > 2:
            return False
    return True


def _has_columns(table: etree._Element) -> bool:
    return any(sum(tag_of(cell) in ("td", "th") for cell in row) > 1 for row in table.iter("{*}tr"))


def _items(element: etree._Element) -> Iterator[str]:
    """Give one line for each item, indented by its depth."""
    top = _depth(element)
    for item in element.iter("{*}li"):
        own = [str(item.text or "")]
        for child in item:
            if tag_of(child) not in _LISTS:
                own.extend(_texts(child))
            own.append(str(child.tail or ""))
        words = " ".join("".join(own).split())
        if words:
            yield "  " * max(0, _depth(item) - top - 1) + "- " + words


def _depth(element: etree._Element) -> int:
    return sum(1 for above in element.iterancestors() if tag_of(above) in _LISTS)


def _rows(element: etree._Element) -> Iterator[str]:
    for row in element.iter("{*}tr", "{*}caption"):
        if tag_of(row) == "caption":
            yield words_of(row)
            continue
        cells = [words_of(cell) for cell in row if tag_of(cell) in ("td", "th")]
        if any(cells):
            yield " | ".join(cells)
