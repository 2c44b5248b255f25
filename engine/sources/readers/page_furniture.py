"""What stands above and below every page: read once, and not where it only counts the pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d+")
_NUMBER_OF_ITS_OWN = re.compile(r"\d{5}|\d[-.:]\d")  # too long for a page, or put together of several
MAX_NUMBERS = 2  # the page, and how many there are
_COUNTING_WRITTEN = (
    "page pages of from p pg seite seiten von s blatt página páginas pág de pagina pagine di da del sur sida sidor av "
    "side sider af sivu strona stron z ze strana stran oldal sayfa стр страница из сторінка із з σελίδα από"
)
_COUNTING = frozenset(_COUNTING_WRITTEN.split())


def is_page_number(text: str) -> bool:
    """Whether a header or a footer says nothing but the page's number, as "Page 3 of 7"; a date says more."""
    if _NUMBER_OF_ITS_OWN.search(text) or len(_NUMBER.findall(text)) > MAX_NUMBERS:
        return False
    return all(word.casefold() in _COUNTING for word in _WORD.findall(text))


def distinct(texts: Iterable[str]) -> Iterator[str]:
    """Give each text once that differs from the others by more than blanks."""
    seen = set()
    for text in texts:
        bare = " ".join(text.split())
        if bare and bare not in seen:
            seen.add(bare)
            yield text
