"""What the elements of HTML mean to who reads a page: which part words, which show none, which stand for some."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from engine.sources.encodings import storable
from engine.sources.readers.note_marks import NOTE_MARK

HEADINGS = {f"h{level}": level for level in range(1, 7)}
LISTS = frozenset(("ul", "ol", "menu", "dir"))
PREFORMATTED = frozenset(("pre", "listing", "xmp", "plaintext"))
_BLOCK_LEVEL = (
    "address article aside blockquote body center dd details dialog dir div dl dt fieldset figcaption figure footer "
    "form frameset header hgroup hr html legend li listing main menu nav noframes noscript ol optgroup option p "
    "plaintext pre search section summary table tbody td template tfoot th thead tr ul xmp caption"
)
BLOCKS = frozenset((*_BLOCK_LEVEL.split(), *HEADINGS))
_PARTING_INLINE = "button canvas iframe label img input math object rt select svg text textarea title desc"
_UNSEEN_ALWAYS = "audio base datalist embed frame link meta meter progress script style video"
_PARTING = frozenset(_PARTING_INLINE.split())
_UNSEEN = frozenset(_UNSEEN_ALWAYS.split())
_PAGE_WIDE = frozenset(("html", "body", "main", "article"))  # hidden until a script shows them, or behind a dialog
_EXPLAINED = frozenset(("abbr", "acronym", "dfn"))  # elements whose `title` says what their words stand for
_FIELDS = frozenset(("", "text", "search", "email", "url", "tel", "number", "date", "submit", "button", "reset"))
_INVISIBLE = re.compile(r"display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden")
_SET_APART = re.compile(r"display\s{0,9}:\s{0,9}(?:block|flex|grid|table|list-item)")
_PICTURES = re.compile(
    r"\b(?:icons?|material-(?:icons|symbols)[\w-]*|katex-html)\b"
)  # fonts of icons, doubled formulas
_CITED = re.compile(r"foot-?note|endnote|reference|\bcite", re.IGNORECASE)
_EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"
MAX_INSTEAD = 5000  # code points that an attribute may give: a longer one is data
MAX_WORDS = 20_000  # code points of the words of one element: a title, a link, an entry of a table of contents
MAX_LINK_WORDS = 2_000  # the same of a link: links may lie in links, thousands deep


def tag_of(element: etree._Element) -> str:
    """Return an element's name in lower case without its namespace, "" for what is no element."""
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def parts_words(element: etree._Element, tag: str) -> bool:
    """Whether the words before, in and after an element never run together."""
    if tag in BLOCKS or tag in _PARTING or "-" in tag:
        return True
    if _has_style(element, _SET_APART):
        return True
    before = element.getprevious() if tag == "a" else None  # links of a menu that nothing but their style keeps apart
    return before is not None and not before.tail and tag_of(before) == "a"


def shows_nothing(element: etree._Element, tag: str) -> bool:
    """Whether nothing below an element is ever text of the page."""
    if tag == "script":
        return not str(element.get("type") or "").lower().startswith("math/tex")
    if tag == "template":
        return element.get("shadowrootmode") is None and element.get("shadowroot") is None
    if tag == "title":
        parent = element.getparent()
        return parent is None or tag_of(parent) in ("head", "html", "body")
    if tag == "option":
        return element.get("selected") is None
    return tag in _UNSEEN or (element.get("aria-hidden") == "true" and _is_drawn(element, tag))


def is_hidden(element: etree._Element, tag: str) -> bool:
    """Whether an element waits to be shown.

    What is only kept from screen readers, as a page behind a dialog is, shows all the same.
    """
    if tag in _PAGE_WIDE:
        return False
    if tag == "dialog":
        return element.get("open") is None
    if (hidden := element.get("hidden")) is not None:
        return str(hidden).lower() != "until-found"
    return _has_style(element, _INVISIBLE)


def _has_style(element: etree._Element, pattern: re.Pattern[str]) -> bool:
    style = str(element.get("style") or "").lower()
    return ("display" in style or "visibility" in style) and pattern.search(style) is not None


def _is_drawn(element: etree._Element, tag: str) -> bool:
    """Whether an element kept from screen readers is a picture made of letters, or a formula said twice."""
    return tag == "i" or _PICTURES.search(str(element.get("class") or "")) is not None


def instead(element: etree._Element, tag: str) -> str | None:
    """Return the words that stand for a whole element, such as a picture's `alt`; None where its content does."""
    if tag in ("img", "area", "input"):
        return _described(element, tag)
    if tag == "math":
        return _formula(element)
    if tag == "ruby":
        base = "".join(texts(element, frozenset(("rt", "rp"))))
        readings = " ".join("".join(texts(each)).strip() for each in element.iter("{*}rt"))
        return f"{base} ({readings}) " if readings.strip() else base
    return None


def addition(element: etree._Element, tag: str) -> str:
    """Return the words that an element's attribute adds behind it, such as what an abbreviation stands for."""
    title = str(element.get("title") or "").strip() if tag in _EXPLAINED else ""
    label = str(element.get("aria-label") or "").strip() if element.get("role") == "img" else ""
    said = title or label
    return f" ({said[:MAX_INSTEAD]}) " if said else ""


def is_footnote_mark(element: etree._Element, tag: str, before: str) -> bool:
    """Whether a raised sign belongs to no word: it leads to a note, or follows a word of four letters or more."""
    if tag == "a":
        return _leads_to_note(element, before)
    if tag != "sup":
        return False
    if _begins_link_to_note(element):
        return True
    first = next(iter(element), None)
    if (first is not None and tag_of(first) == "a") or _CITED.search(str(element.get("class") or "")):
        return True
    mark = str(element.text or "").strip()
    return first is None and bool(mark) and not mark.isalpha() and len(before) >= 4 and before[-4:].isalpha()


def _leads_to_note(link: etree._Element, before: str) -> bool:
    """Whether a link is the mark of a note: it says so, as those of e-books do, or leads to a place by a number."""
    said = f"{link.get('role') or ''} {link.get(_EPUB_TYPE) or link.get('epub:type') or ''}"
    if "noteref" in said:
        return True
    return before[-1:].isalpha() and "#" in str(link.get("href") or "") and bool(NOTE_MARK.fullmatch(words_of(link, 9)))


def _begins_link_to_note(element: etree._Element) -> bool:
    """Whether an element is what a link to a place in a page begins with, as Pandoc writes the mark of a note."""
    link = element.getparent()
    if link is None or tag_of(link) != "a" or "#" not in str(link.get("href") or ""):
        return False
    return element.getprevious() is None and not (link.text or "").strip()


def _described(element: etree._Element, tag: str) -> str:
    if tag == "input":
        kind = str(element.get("type") or "").lower()
        return str(element.get("value") or "")[:MAX_INSTEAD] if kind in _FIELDS else ""
    alt, title = (str(element.get(name) or "").strip()[:MAX_INSTEAD] for name in ("alt", "title"))
    return f"{alt} ({title})" if alt and title and title != alt else alt or title


def _formula(element: etree._Element) -> str:
    """Return a formula as its author wrote it, in TeX; else in words; else its signs one by one."""
    for note in element.iter("{*}annotation"):
        if "tex" in str(note.get("encoding") or "").lower() and (note.text or "").strip():
            return str(note.text).strip()
    if written := str(element.get("alttext") or "").strip():
        return written[:MAX_INSTEAD]
    signs = element.iter("{*}mi", "{*}mn", "{*}mo", "{*}ms", "{*}mtext")
    return " ".join(filter(None, ("".join(map(str, sign.itertext())).strip() for sign in signs)))


def texts(root: etree._Element, without: frozenset[str] = frozenset()) -> Iterator[str]:
    """Give the visible text below an element, in order and without recursion; blanks where blocks meet."""
    stack: list[etree._Element | str] = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
            continue
        if item is not root and item.tail:
            stack.append(item.tail)
        tag = tag_of(item)
        if not tag or tag in without:
            continue
        if item is not root and (shows_nothing(item, tag) or is_hidden(item, tag)):
            continue
        parting = parts_words(item, tag) or tag == "br"
        yield " " if parting else ""
        said = instead(item, tag) if item is not root else None
        if said is not None:
            yield said
        else:
            stack.append(addition(item, tag) + (" " if parting else ""))
            stack.extend(reversed(item))
            yield item.text or ""


def words_of(element: etree._Element, most: int = MAX_WORDS) -> str:
    """Return the text below an element on one line, as much of it as `most` code points of the page hold."""
    pieces: list[str] = []
    length = 0
    for piece in texts(element):
        pieces.append(piece)
        length += len(piece) + 1  # links may lie in links, thousands deep, and hold no word
        if length > most:
            break
    return " ".join(storable("".join(pieces)).split())
