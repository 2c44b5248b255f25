"""Where in its file a passage stands, in words: a line, else the page, slide or message, else nothing."""

from __future__ import annotations

from engine.figures import count

PAGE_NAMES = {
    **dict.fromkeys(("pptx", "odp"), "slide"),
    **dict.fromkeys(("xlsx", "xls", "ods"), "sheet"),
    "mbox": "message",
    "enex": "note",
}


def page_name(kind: str, page: int) -> str:
    """Return `page 3`, or what a document of this kind has in place of pages."""
    return f"{PAGE_NAMES.get(kind, 'page')} {count(page)}"


def spot(kind: str, page: int | None, line: int | None) -> str:
    """Return where a passage begins: its page where there are pages, else its line, "" where the file has neither."""
    if page:
        return page_name(kind, page)
    return f"line {count(line)}" if line else ""
