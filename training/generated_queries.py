"""Generates queries from the notes themselves: link texts, titles, heading paths, the beginnings of passages.

None of them was asked by anybody, so each has to find its own passage before it is believed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from engine.store import browse_queries
from engine.store.documents import document_id_at, links_of
from training.known_queries import KnownQuery
from training.library_snapshot import LibrarySnapshot

PREFIX_CHARACTERS = 200  # arXiv 2604.15484's pseudo-query
LEAST_WORDS = 2  # a link that says "here" or "source" asks nothing
REPORT_EVERY = 100  # documents whose links are followed between two events
MOST_QUERIES = 20_000  # of one source, so that a huge vault does not fill the memory

_WORD = re.compile(r"\w+")
_ADDRESS_SIGN = re.compile(r"/|\.\w++\.")  # the text of a link that is its own target
_QUESTION = re.compile(r"^(who|what|when|where|which|why|how|is|are|can|do|does|should)\b", re.IGNORECASE)
_GERUND = re.compile(r"^(\w+ing)\b", re.IGNORECASE)
_HOW_TO = re.compile(r"^how to\b", re.IGNORECASE)


def links(snapshot: LibrarySnapshot) -> Iterator[KnownQuery]:
    """Yield the words of links with the documents that they lead to; the same words may lead to several."""
    leads: defaultdict[str, dict[int, int]] = defaultdict(dict)

    @cache
    def lead(source: bytes, target: str, wiki: bool) -> int | None:
        path = browse_queries.target_of(snapshot.connection, source, target, wiki)
        return None if path is None else document_id_at(snapshot.connection, path)

    for number, (document, path) in enumerate(snapshot.corpus.paths.items()):
        if number % REPORT_EVERY == 0:
            snapshot.preparing("following the links", number, len(snapshot.corpus.paths))
        for link in links_of(snapshot.connection, document):
            text = " ".join(link.text.split())
            target = lead(b"" if link.wiki else path, link.target, link.wiki) if _asks(text) else None
            if target is not None and target != document:
                leads[text][target] = 1
    for text, relevant in list(leads.items())[:MOST_QUERIES]:
        yield KnownQuery(text, "links", relevant)


def titles(snapshot: LibrarySnapshot) -> Iterator[KnownQuery]:
    """Yield the titles as questions. The title stands in the embedded text too, so these teach little."""
    for document, title in list(snapshot.corpus.titles.items())[:MOST_QUERIES]:
        if _asks(title):
            yield KnownQuery(as_question(title), "titles", {document: 1})


def headings(snapshot: LibrarySnapshot) -> Iterator[KnownQuery]:
    """Yield heading paths as questions, each with the first passage below it."""
    rows = snapshot.connection.execute(
        """SELECT passage.id, document_id, headings, title FROM passage JOIN document ON document.id = document_id
        WHERE headings IS NOT NULL AND headings <> '' ORDER BY document_id, ordinal"""
    )
    seen: set[tuple[int, str]] = set()
    for passage, document, written, title in rows:
        document, path = int(str(document)), str(written)
        if (document, path) in seen or len(seen) >= MOST_QUERIES:
            continue
        seen.add((document, path))
        innermost = path.rpartition("\n")[2]
        text = innermost if len(_WORD.findall(innermost)) > LEAST_WORDS else f"{title}: {innermost}"
        if _asks(text):
            yield KnownQuery(as_question(text), "headings", {document: 1}, (int(str(passage)),))


def prefixes(snapshot: LibrarySnapshot) -> Iterator[KnownQuery]:
    """Yield the beginning of each passage as a query for it: as published, and harmful (-5 to -9% on SciFact)."""
    for row, text in enumerate(snapshot.texts[:MOST_QUERIES]):
        start = " ".join(text.split())[:PREFIX_CHARACTERS]
        if start:
            corpus = snapshot.corpus
            yield KnownQuery(start, "prefix", {int(corpus.documents[row]): 1}, (int(corpus.ids[row]),))


def as_question(title: str) -> str:
    """Turn a title into what somebody would ask who looks for it, as far as a rule can."""
    plain = " ".join(title.split()).rstrip(".:")
    if plain.endswith("?") or _QUESTION.match(plain):
        return _HOW_TO.sub("how do I", plain).rstrip("?") + "?" if _HOW_TO.match(plain) else plain
    if _GERUND.match(plain):
        return f"how does {plain[0].lower()}{plain[1:]} work?"
    return f"what is known about {plain}?"


def _asks(text: str) -> bool:
    return len(_WORD.findall(text)) >= LEAST_WORDS and not (_ADDRESS_SIGN.search(text) and len(text.split()) == 1)
