"""The line at the top: which folders, how much is in them, and what the indexer does now."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from textual.content import Content

from app.tui.indexer_state import IndexerState
from app.tui.theme import ALARM, BRIGHT, FAINT, GOOD, KEY, MEANING, QUIET
from app.wording.meaning import how_far
from app.wording.paths import shown_path
from app.wording.safe_text import one_line
from engine.figures import count, counted, percent
from engine.lazy_dataclass import dataclass
from engine.records import Folder, Status
from engine.records.team import TeamGlance

BAR_CELLS = 10
_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[^a-z])")
_BEFORE_CUT = " .,;:·"  # does not stand before an ellipsis
TEAM = "team"  # of what a trouble of the way to a team's server is told


@dataclass(frozen=True, slots=True)
class StatusView:
    """Everything that the line tells."""

    status: Status | None
    indexer: IndexerState
    read_only: bool = False


def status_line(view: StatusView, width: int) -> Content:
    """Return the line. Where there is no room the folders go first, then the passages; what happens now stays.

    That another Carrel indexes is left out before what it does is said in fewer words: the library screen says it, too.
    """
    name = Content.styled("Carrel", KEY)
    now = doing(view)
    badge = Content.styled(" read-only ", f"reverse {BRIGHT}") if view.read_only else Content()
    room = width - name.cell_length - 3
    if now.cell_length > room:
        now = doing(replace(view, indexer=replace(view.indexer, foreign=False)))
    choices = [[badge, *parts, now] for parts in _choices(view.status)] + [[badge, short] for short in _in_short(view)]
    for parts in [*choices, [now]]:
        line = _joined(parts)
        if line.cell_length <= room:
            break
    if line.cell_length > room:
        kept = line.truncate(max(0, room - 1)).rstrip(_BEFORE_CUT)
        line = line.truncate(kept.cell_length + 1, ellipsis=True)
    return Content.assemble(name, " " * max(1, width - name.cell_length - line.cell_length), line)


def _choices(status: Status | None) -> list[list[Content]]:
    """Return what may stand before the indexer's words, longest first."""
    if status is None:
        return [[]]
    documents = Content(counted(status.documents, "document"))
    passages = Content.styled(counted(status.passages, "passage"), QUIET)
    folders = Content.styled(folder_names(status.folders), QUIET)
    team = team_words(status.team)
    return [[folders, team, documents, passages], [team, documents, passages], [team, documents], [team], []]


def team_words(team: TeamGlance | None) -> Content:
    """Return who is there of a team, or that its server is away and the person's own folders are searched."""
    if team is None:
        return Content()
    if team.server_away:
        return Content.styled("team away: your own folders", ALARM)
    away = f", {count(team.away)} away" if team.away else ""
    return Content.styled(f"{counted(team.members, 'member')}{away}", QUIET)


def _joined(parts: Sequence[Content]) -> Content:
    """Join the parts that say something with a quiet point between them."""
    line = Content()
    for part in parts:
        if part:
            line = Content.assemble(line, ("  ·  " if line else "", FAINT), part)
    return line


def folder_names(folders: Sequence[Folder]) -> str:
    """Return the watched folders in a few words: one as a path, more as the first and a number."""
    if not folders:
        return ""
    path = shown_path(folders[0].path)
    return path if len(folders) == 1 else f"{path} and {len(folders) - 1} more"


def walked(status: Status) -> bool:
    """Whether every folder that is followed was looked at once; before that nobody knows what there is to index."""
    return all(folder.walked for folder in status.folders if folder.state == "watching")


def doing(view: StatusView) -> Content:
    """Return what the indexer does now, in words, with rate and time left where they are known."""
    state = view.indexer
    if view.status is None:
        return Content.styled("opening …", QUIET)
    if view.read_only:
        return Content.styled("as it was last indexed", QUIET)
    away = view.status.team is not None and view.status.team.server_away
    if state.trouble and not (away and state.trouble_of == TEAM):  # which the line says already
        return Content.styled(one_line(state.trouble), ALARM)
    line = _phase(view)
    if state.foreign:
        line = Content.assemble((f"another Carrel indexes (pid {state.pid})  ", QUIET), line)
    if view.status.failed and state.phase == "watching":
        line = Content.assemble(line, ("  ·  ", FAINT), (f"{count(view.status.failed)} unreadable", QUIET))
    return line


def meaning_share(view: StatusView) -> float:
    """Return the share of the passages that are found by meaning, 0 to 1, as the library or the indexer tells."""
    state, status = view.indexer, view.status
    if status is None or not status.pending:
        return 1.0
    told = state.pending and state.embeddable  # a moment newer than what was read of the library
    return max(0.0, 1 - state.pending / state.embeddable) if told else status.meaning


def _in_short(view: StatusView) -> Iterator[Content]:
    """Yield what the indexer does now in fewer and fewer words, where the shares say it."""
    state = view.indexer
    if view.status is None or view.read_only:
        return
    if state.trouble:
        sentences = _SENTENCE_END.split(one_line(state.trouble))
        for kept in range(len(sentences) - 1, 0, -1):
            yield Content.styled(" ".join(sentences[:kept]), ALARM)
        return
    meaning = meaning_share(view)
    if state.phase == "indexing":
        words, meaning = words_share(view), meaning if view.status.passages else 0.0
        yield Content.styled(how_far(words, meaning, state.seconds_left), QUIET)
        yield Content.styled(how_far(words, meaning), QUIET)
        yield Content.styled(f"words {percent(words)}", QUIET)
    elif state.phase == "watching" and walked(view.status) and meaning < 1:
        yield Content.styled(how_far(1.0, meaning), QUIET)
        yield Content.styled(f"meaning {percent(meaning)}", QUIET)
    elif state.phase == "watching" and walked(view.status):
        yield _phase(view)


def _phase(view: StatusView) -> Content:
    """Return the words of one phase."""
    state = view.indexer
    match state.phase:
        case "indexing":
            return _progress(view)
        case "watching" if view.status is not None and not walked(view.status):
            return Content.styled("looking at the folders …", QUIET)
        case "watching" if meaning_share(view) < 1:
            return Content.styled(how_far(1.0, meaning_share(view), state.meaning_left), QUIET)
        case "watching":
            return Content.styled("✓ up to date", GOOD)
        case "scanning":
            return Content.styled("looking at the folders …", QUIET)
        case "preparing":
            return Content.styled(f"{one_line(state.what)} …", QUIET)
        case "starting":
            return Content.styled("starting the indexer …", QUIET)
        case "restarting":
            return Content.styled("the indexer stopped; starting it again …", ALARM)
        case "gone":
            return Content.styled("the library file is gone; put it back", ALARM)
        case "dead":
            return Content.styled("the indexer keeps stopping; its log says why", ALARM)
        case _:
            return Content()


def _progress(view: StatusView) -> Content:
    """Return how far the words are, how far the meaning, and the time left until all is found by words."""
    meaning = meaning_share(view) if view.status and view.status.passages else 0.0
    whole = max(1, _files(view))
    left = view.indexer.files_total - view.indexer.files_done
    shares = how_far(words_share(view), meaning, view.indexer.seconds_left)
    return Content.assemble(_progress_bar(whole - left, whole, BAR_CELLS), (f" {shares}", QUIET))


def words_share(view: StatusView) -> float:
    """Return the share of all files that are found by their words; less than all while one is left."""
    whole = max(1, _files(view))
    return _share(whole - view.indexer.files_total + view.indexer.files_done, whole)


def _files(view: StatusView) -> int:
    """Return of how many files those that need work are a part: a sync after one edit looks at one file only."""
    return max(view.indexer.files_total, view.indexer.files_found, view.status.documents if view.status else 0)


def _share(done: int, total: int) -> float:
    """Return a share of files; less than all while one is left."""
    return min(0.99, max(0, done) / max(1, total))


def _progress_bar(done: int, total: int, cells: int) -> Content:
    """Return a bar of so many cells for the files done; a cell shows once it is filled."""
    filled = max(0, done) * cells // max(1, total)
    return Content.assemble(("▕", FAINT), ("█" * filled, MEANING), (" " * (cells - filled) + "▏", FAINT))


def share_done(state: IndexerState, cells: int) -> Content:
    """Return a bar of so many cells with the share of the files that need work."""
    done, total = state.files_done, state.files_total
    return Content.assemble(_progress_bar(done, total, cells), f" {percent(_share(done, total)):>4}")
