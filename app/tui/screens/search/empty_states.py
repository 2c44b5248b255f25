"""What stands in the list while there are no rows to show: the beginning, an empty library, nothing found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content

from app.tui.indexer_state import IndexerState
from app.tui.status_line import folder_names, walked
from app.tui.theme import BRIGHT, KEY, QUIET
from app.tui.widgets.line_views import wrapped
from app.wording.remarks import WORDS_ALONE
from app.wording.safe_text import one_line
from engine.errors import CarrelError
from engine.figures import counted
from engine.records import Status

KEY_CELLS = 10
ROOMY_CELLS = 60  # below it the reason would take the room of the first rows
FIRST_STEPS = (
    ("type", "a question, a few words, a name"),
    ("↑ ↓", "walk through the results while you type"),
    ("enter", "open a note in your editor, at the line"),
    ("ctrl+t", "see why it ranks there, figure by figure"),
    ("f1", "all keys, and how to narrow a search; a click works too"),
)


def start_lines(
    status: Status | None, indexer: IndexerState, known: Callable[[int], Sequence[Content]], width: int
) -> list[Content]:
    """Return the page of an empty query line: what is `known` of before, or the first keys where nothing is."""
    lines = [Content(), Content.styled(headline(status, indexer), f"bold {BRIGHT}")]
    said = advice(status, indexer)
    lines += wrapped(Content.styled(said, QUIET), width, Content()) if said else []
    before = known(width)
    return [*lines, *before] if before else [*lines, Content(), *step_lines(width)]


def step_lines(width: int) -> list[Content]:
    """Return the keys that a beginner needs, in five lines."""
    return [line for key, meaning in FIRST_STEPS for line in _entry(key, meaning, width)]


def recent_lines(
    status: Status | None, indexer: IndexerState, known: Callable[[int], Sequence[Content]], width: int
) -> list[Content]:
    """Return the page of an empty query line above the documents that changed last."""
    head = Content.styled("Changed last", f"bold {BRIGHT}")
    apart = () if known(width) else (Content(),)  # the first keys stand further off
    return [*start_lines(status, indexer, known, width), Content(), *apart, head, Content()]


def headline(status: Status | None, indexer: IndexerState) -> str:
    """Return the first line: what there is to search."""
    if status is None:
        return "Opening your library"
    if not status.folders:
        return "No folder is watched yet"
    if status.documents == 0 and (indexer.busy or not walked(status)):
        names = folder_names(status.folders)
        return f"{names} is not read yet" if indexer.phase in ("dead", "gone") else f"Reading {names}"
    if status.documents == 0:
        return f"There is nothing to index in {folder_names(status.folders)}"
    return f"{counted(status.documents, 'document')} to search"


def advice(status: Status | None, indexer: IndexerState) -> str:
    """Return what a person may do about it, or ""."""
    if status is None:
        return ""
    if not status.folders:
        return "Press enter to choose one, or start Carrel with it: carrel ~/notes"
    if status.documents == 0 and not indexer.busy and walked(status):
        return "Markdown, text, code, HTML, PDF, Word, EPUB, mail and notebooks are read; new files appear here."
    if indexer.busy or not walked(status):
        return "What is read can be found at once; the rest follows while you search."
    return ""


def _entry(key: str, meaning: str, width: int) -> list[Content]:
    """Return a key and what it does, the second line under the first."""
    parts = wrapped(Content.styled(meaning, QUIET), width, Content(" " * KEY_CELLS))
    return [Content.assemble((f"{key:<{KEY_CELLS}}", KEY), parts[0][KEY_CELLS:]), *parts[1:]]


def nearest_lines(width: int) -> Sequence[Content]:
    """Return what stands above rows that are only the nearest there is."""
    lines = wrapped(Content.styled("Nothing here answers this.", f"bold {BRIGHT}"), width, Content())
    why = "These passages are no closer to your words than to questions about other things. "
    said = f"{why if width >= ROOMY_CELLS else ''}The nearest all the same:"
    return [Content(), *lines, *wrapped(Content.styled(said, QUIET), width, Content()), Content()]


def noted_lines(said: Sequence[str], page: Callable[[int], Sequence[Content]] | None, width: int) -> list[Content]:
    """Return what a person should know of how the query was read, above what else stands there."""
    lines = [line for each in said for line in wrapped(Content.styled(each, QUIET), width, Content())]
    return [*lines, *(page(width) if page else (Content(),))]


def words_alone_lines(reason: str, width: int) -> Sequence[Content]:
    """Return what stands above rows that were found without the model, though it was wanted."""
    head = wrapped(Content.styled("Found by words alone: meaning is off.", f"bold {BRIGHT}"), width, Content())
    said = one_line(reason.removeprefix(WORDS_ALONE))
    return [Content(), *head, *wrapped(Content.styled(said, QUIET), width, Content()), Content()]


def nothing_lines(
    status: Status | None, indexer: IndexerState, keys: tuple[str, str] | None, width: int
) -> Sequence[Content]:
    """Return what stands where not even a near passage was found; `keys` drop and pick a filter, where one stands."""
    if keys is not None:
        drop, pick = keys
        said = f"No document passes the filters of this search. {drop} takes the last one away; {pick} picks another."
    elif status is not None and status.documents == 0:
        return start_lines(status, indexer, lambda width: (), width)
    elif indexer.busy or (status is not None and not walked(status)):
        said = "Your notes are still being read; rows appear here as soon as one fits."
    else:
        said = "Try fewer words, or other ones."
    head = Content.styled("Nothing found", f"bold {BRIGHT}")
    return [Content(), head, *wrapped(Content.styled(said, QUIET), width, Content())]


def error_lines(error: CarrelError, width: int) -> Sequence[Content]:
    """Return what happened, why, and what to do about it."""
    lines = [Content(), *wrapped(Content.styled(one_line(error.message), f"bold {BRIGHT}"), width, Content())]
    for part in (error.cause, error.fix):
        lines += wrapped(Content.styled(one_line(part), QUIET), width, Content()) if part else []
    return [*lines, Content(), *_entry("ctrl+q", "leave", width)]
