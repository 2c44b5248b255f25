"""What the indexer does now, in a few lines: the file, how far, how fast, how long still, and what it watches."""

from __future__ import annotations

import os
from collections.abc import Sequence

from textual.content import Content

from app.tui.status_line import StatusView, meaning_share, share_done
from app.tui.theme import ALARM, BRIGHT, GOOD, QUIET
from app.tui.widgets.line_views import wrapped
from app.wording.cells import cut_front
from app.wording.meaning import how_far
from app.wording.paths import shown_path
from app.wording.safe_text import one_line
from app.wording.times import clock, duration, estimate
from engine.figures import count, counted, percent

NOW_LINES = 5  # what the lines take at most, with the heading: the place below them does not jump
BAR_CELLS = 24


def now_lines(view: StatusView, width: int) -> Sequence[Content]:
    """Return a heading and at most four lines."""
    head = Content.styled("Now", f"bold {BRIGHT}")
    if view.indexer.foreign:
        note = f"  another Carrel (process {view.indexer.pid}) indexes; this one takes over when it ends"
        head = Content.assemble(head, (note, QUIET)).truncate(width, ellipsis=True)
    return [head, *_what(view, width)][:NOW_LINES]


def _what(view: StatusView, width: int) -> list[Content]:
    state = view.indexer
    if view.status is None:
        return [Content.styled("opening the library …", QUIET)]
    if view.read_only:
        return _said("The library can only be read here; it is shown as it was last indexed.", width)
    if not view.status.folders:
        return _said("No folder is watched yet. Press a to add one.", width)
    lines = {"indexing": _indexing, "watching": _watching}.get(state.phase, _other)(view, width)
    if state.trouble and state.phase not in ("dead", "gone"):
        return _said(state.trouble, width, ALARM) + lines  # first, as a small screen shows no more than three lines
    return lines


def _indexing(view: StatusView, width: int) -> list[Content]:
    state = view.indexer
    path = shown_path(os.fsencode(state.path)) if state.path else "the first file"
    room = width - len("reading ")
    cells = min(BAR_CELLS, max(8, width - 40))
    files = f"{count(state.files_done)} of {counted(state.files_total, 'file')}"
    pace = [f"{estimate(state.seconds_left)} left"] if state.seconds_left is not None else []
    pace += [f"{state.rate:.0f} passages/s"] if state.rate >= 1 else []
    pace += [f"{counted(state.passages, 'passage')} read"] if state.passages else []
    pace += [f"meaning {percent(meaning_share(view))}"] if meaning_share(view) < 1 else []
    return [
        Content.assemble(("reading ", QUIET), cut_front(path, room)),
        Content.assemble(share_done(state, cells), (f"  {files}", QUIET)).truncate(width, ellipsis=True),
        Content.styled(" · ".join(pace) or "how fast is not known yet", QUIET).truncate(width, ellipsis=True),
    ]


def _watching(view: StatusView, width: int) -> list[Content]:
    state = view.indexer
    lines = [_meaning(view)] if meaning_share(view) < 1 else []
    if not lines and not state.trouble:
        lines = [Content.styled("✓ up to date", GOOD)]
    if state.folders:
        said = f"watching {count(state.covered)} of {counted(state.folders, 'folder')}"
        lines += _said("; ".join(part for part in (said, state.remark) if part), width, ALARM if state.fix else QUIET)
        if state.fix:
            fix = _said(state.fix, width)  # a command, of which a part would be worse than nothing
            fits = len(fix) < NOW_LINES - len(lines)
            lines += fix if fits else _said("`carrel status` says what to do about it.", width)
    looked = state.looked
    if looked is not None:
        done = [
            f"{count(number)} {word}"
            for number, word in (
                (looked.added, "new"),
                (looked.updated, "changed"),
                (looked.moved, "moved"),
                (looked.removed, "gone"),
            )
            if number
        ]
        at = clock(looked.at)
        said = f"looked at {at}: {', '.join(done) or 'nothing had changed'} ({duration(looked.seconds)})"
        lines.append(Content.styled(said, QUIET).truncate(width, ellipsis=True))
    return lines


def _meaning(view: StatusView) -> Content:
    state = view.indexer
    waiting = state.pending or (view.status.pending if view.status is not None else 0)
    said = how_far(1.0, meaning_share(view), state.meaning_left)
    return Content.assemble(said, (f"  {counted(waiting, 'passage')} to embed", QUIET))


_SAID = {
    "starting": "starting the indexer …",
    "scanning": "looking at the folders …",
    "following": "listening to the other Carrel …",
    "restarting": "The indexer stopped and is started again. Nothing that it had finished is lost.",
    "dead": "The indexer keeps stopping and was given up; its log says why. Press u to start it again.",
    "gone": "The library file is gone. Put it back, and indexing goes on; what is found now is what was read before.",
    "off": "The indexer has stopped.",
}


def _other(view: StatusView, width: int) -> list[Content]:
    state = view.indexer
    if state.phase == "preparing":
        return [Content.styled(f"{one_line(state.what)} …", QUIET).truncate(width, ellipsis=True)]
    ink = ALARM if state.phase in ("restarting", "dead", "gone") else QUIET
    said = state.trouble if state.phase == "dead" and state.trouble else _SAID.get(state.phase, "")
    return _said(said, width, ink)


def _said(text: str, width: int, ink: str = QUIET) -> list[Content]:
    return wrapped(Content.styled(one_line(text), ink), width, Content())
