"""HTML pages: what a reader of the page would see, in blocks, with its title, headings, links and keywords."""

from __future__ import annotations

import re

from engine.errors import SourceError
from engine.records import Document
from engine.sources.encodings import decode
from engine.sources.readers.frontmatter import as_tags
from engine.sources.readers.html_blocks import Page, parse_html
from engine.sources.readers.markdown import written_title
from engine.sources.readers.source_file import Source

_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s*+=\s*+[\"']?\s*+([\w.:-]++)|<\?xml[^>]{0,100}?encoding=[\"']([\w.:-]+)", re.I
)
_TAGLIKE = re.compile(r"<\s*[!/a-zA-Z]")
_METADATA = ("description", "author", "date", "article:published_time", "og:site_name")


def read(source: Source) -> Document:
    """Read an HTML file; one without any tag is not HTML."""
    written = html_text(source.raw)
    if written.strip() and not _TAGLIKE.search(written):
        raise SourceError("not HTML")
    page = Page(parse_html(written))
    text, blocks = page.prose.finish()
    title = page.title or written_title(blocks)
    named = {name: value for name in _METADATA if (value := page.meta(name))}
    return Document(
        text=text,
        title=title or source.spoken_name,
        title_written=bool(title),
        kind="html",
        blocks=blocks,
        tags=tuple(dict.fromkeys(as_tags(page.meta("keywords")))),
        links=tuple(page.links),
        metadata=named,
    )


def html_text(raw: bytes) -> str:
    """Decode HTML: a byte order mark, UTF-8 that is sound, then what the page declares, then the likeliest."""
    declared = _CHARSET.search(raw[:4096])
    if declared and not raw.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            name = (declared[1] or declared[2]).decode("ascii", "replace")
            try:
                return decode(raw.decode(name).encode("utf-8", "replace"))
            except (LookupError, UnicodeError):
                pass
    return decode(raw)
