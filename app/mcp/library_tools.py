"""Carries out the tools on a library: it is opened by the first call, and again where another file takes its place."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.mcp import answers
from app.mcp.answers import Answer
from app.mcp.fence import Fence
from app.mcp.protocol import Call, failure
from app.wording.safe_text import cleaned
from engine.errors import CarrelError, LibraryError, ModelError
from engine.paths import identity_of

if TYPE_CHECKING:
    from app.mcp.visible_documents import Spot, VisibleDocuments
    from engine.library import Library
    from engine.records import Hit, Scope, SearchResult, StoredPassage

SOURCE = "mcp"  # who asked, in the log of searches
MOST_OUTLINE, LEAST_OUTLINE = 40, 5  # headings; where an answer is too long, those beyond the least go first


class LibraryTools:
    """The four tools. `open_library` opens the library; `scope` is what programs may see of it."""

    def __init__(self, open_library: Callable[[], Library], scope: Scope) -> None:
        self._open_library = open_library
        self._scope = scope
        self._guard = threading.Lock()
        self._opened: tuple[Library, tuple[int, int] | None, VisibleDocuments] | None = None
        self._tools: Mapping[str, Callable[[Mapping[str, Any], Call], Answer]] = {
            "search": self._search,
            "read": self._read,
            "related": self._related,
            "why": self._why,
        }

    def run(self, name: str, arguments: Mapping[str, Any], call: Call) -> Answer:
        """Return the result of one call; what goes wrong is told in words."""
        from engine.library import SearchCancelled

        try:
            return self._tools[name](arguments, call)
        except CarrelError as error:
            return failure(cleaned(str(error)))
        except SearchCancelled:
            return failure("The search was given up.")

    def close(self) -> None:
        """Let go of the library."""
        with self._guard:
            if self._opened is not None:
                self._opened[0].close()
            self._opened = None

    def _library(self, call: Call) -> tuple[Library, VisibleDocuments]:
        """Return the library, opened. Raises LibraryError."""
        from app.mcp.visible_documents import VisibleDocuments

        with self._guard:
            if self._opened is not None and self._opened[1] != identity_of(self._opened[0].path):
                self._opened[0].close()  # another file was put in its place
                self._opened = None
            if self._opened is None:
                call.progress("opening the library")
                library = self._open_library()
                self._opened = library, identity_of(library.path), VisibleDocuments(library, self._scope)
                with suppress(ModelError):  # a search without it tells so
                    library.warm()
            return self._opened[0], self._opened[2]

    # --- search and related -----------------------------------------------------------------------------------------

    def _search(self, arguments: Mapping[str, Any], call: Call) -> Answer:
        from engine.config import load
        from engine.library import Cancellation
        from engine.library_search import EMBED_SECONDS

        library, documents = self._library(call)
        config = load()
        settings = replace(config.search_settings(), memory=False, scope=self._scope)  # marks are the person's own
        cancel = Cancellation()
        call.when_cancelled(cancel.cancel)
        call.progress("searching")
        result = library.search(
            arguments["query"], limit=arguments["limit"], settings=settings, cancel=cancel, embed_seconds=EMBED_SECONDS
        )
        if config.search_log and result.query.meaning:
            with suppress(LibraryError):  # one that can only be read keeps no log
                library.log_search(result, SOURCE)
        return self._found(library, documents, result)

    def _related(self, arguments: Mapping[str, Any], call: Call) -> Answer:
        from app.document_lines import passages_at

        library, documents = self._library(call)
        spot = documents.spot(arguments["place"])
        at = passages_at(spot.passages, spot.number) if spot.number else list(spot.passages)
        if not at:
            return failure("No passage stands there.")
        call.progress("comparing")
        result = library.similar(at[0].id, limit=arguments["limit"], scope=self._scope)
        return self._found(library, documents, result)

    def _found(self, library: Library, documents: VisibleDocuments, result: SearchResult) -> Answer:
        passages = {each.id: each for each in library.passages([hit.passage_id for hit in result.hits])}
        return answers.found(result, passages, partial(_place, documents), Fence())

    # --- read and why -----------------------------------------------------------------------------------------------

    def _read(self, arguments: Mapping[str, Any], call: Call) -> Answer:
        _, documents = self._library(call)
        spot = documents.spot(arguments["place"])
        lines = spot.document.text.removesuffix("\n").split("\n")
        if spot.line > len(lines):
            return failure(f"It has {len(lines):,} lines; there is no line {spot.line:,}.")
        first = max(1, spot.line - arguments["around"])
        last = min(len(lines), first + arguments["lines"] - 1)
        path, fence = documents.shown(spot.document.path), Fence()
        outline = [fence.line(each) for each in _outline(spot)]
        ends = [1 + spot.document.text.count("\n", 0, passage.end) for passage in spot.passages]
        longest = answers.MOST_BYTES  # characters of a line
        while True:
            shown = [text if len(text) <= longest else f"{text[:longest]}…" for text in lines[first - 1 : last]]
            answer = answers.reading(_read_shape(spot, shown, first, len(lines), path, outline, fence))
            if answers.size_of(answer) <= answers.MOST_BYTES:
                return answer
            if len(outline) > LEAST_OUTLINE:
                outline.pop()
            elif last > first:
                last = _earlier(first, last, ends)
            else:
                longest //= 2

    def _why(self, arguments: Mapping[str, Any], call: Call) -> Answer:
        from engine.config import load

        library, documents = self._library(call)
        document = documents.find(arguments["path"])
        if document is None:
            return failure("No document of that path is in the library, or programs may not see it.")
        call.progress("tracing")
        settings = replace(load().search_settings(), memory=False, scope=self._scope)
        report = library.why(arguments["query"], Path(os.fsdecode(document.path)), settings=settings)
        return answers.why_not(report, documents.shown(document.path), Fence())


def _place(documents: VisibleDocuments, hit: Hit) -> str:
    number = hit.line_start or hit.page
    return f"{documents.shown(hit.path)}:{number}" if number else documents.shown(hit.path)


def _read_shape(
    spot: Spot, lines: Sequence[str], first: int, total: int, path: str, outline: Sequence[str], fence: Fence
) -> Answer:
    last = first + len(lines) - 1
    numbered = [f"{number:>{len(str(last))}}  {text}" for number, text in enumerate(lines, first)]
    return {
        "place": path + spot.suffix(first),
        "title": fence.line(spot.document.title),
        "mark": fence.mark,
        "first": first,
        "last": last,
        "total": total,
        "text": fence.text("\n".join(numbered)),
        "outline": list(outline),
        "next": path + spot.suffix(last + 1) if last < total else None,
    }


def _earlier(first: int, last: int, ends: Sequence[int]) -> int:
    """Return a line further up to end at: that of a passage, else half the way."""
    return max((end for end in ends if first <= end < last), default=max(first, (first + last) // 2))


def _outline(spot: Spot) -> list[str]:
    """Return the headings of a document with the lines at which their passages begin."""
    from app.document_lines import line_at

    found: dict[tuple[str, ...], StoredPassage] = {}
    for passage in spot.passages:
        if passage.headings:
            found.setdefault(passage.headings, passage)
    named = [f"{line_at(spot.document, passage)}  {' › '.join(path)}" for path, passage in found.items()]
    return named[:MOST_OUTLINE]
