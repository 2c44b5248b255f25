"""Runs the browser in a real terminal: puts real ports together, keeps the log, and ends cleanly."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.tui.app import CarrelApp
from app.tui.beside_library import BesideLibrary
from app.tui.editor_launch import current_line, edit_in_terminal, visit
from app.tui.ending_signals import ended_by_signals
from app.tui.freshness import freshness_of
from app.tui.indexer_process import Indexer
from app.tui.pictures.picture_cells import terminal_of
from app.tui.pictures.picture_files import PictureFiles
from app.tui.ports import IndexerPort, Opened, Pace, Ports
from app.tui.query_history import History
from app.tui.settings_file import SettingsFile
from app.tui.threads import SWITCH_SECONDS, still_running
from app.tui.training_runs import TrainingRuns
from app.tui.watched_file import WatchedFile
from engine.errors import CarrelError, PathError
from engine.log_file import LogFile, private_log
from engine.paths import Places, is_team_address, library_path, places, private_folder
from engine.typing_priority import typed_beside

if TYPE_CHECKING:
    from app.tui.row_picker import Picked, PickRequest, RowPicker
    from engine.library import Library

_log = logging.getLogger("carrel")
FAILED = 2  # the exit code of a picker that met a fault of its own; 1 says that nothing matched

LOGGERS = ("carrel", "engine", "training")
TEAM_PACE = Pace(quiet=0.25, words_at_once=False)  # a server is a network away: it is asked once the keys rest
COUNT_SECONDS = 2.0  # spent on how many files a folder holds that was named on the command line
THREAD_PATIENCE_SECONDS = 0.2  # for searches under way, which were interrupted


def run_browser(library: Path | str | None, folders: Sequence[Path], query: str = "") -> int:
    """Run the browser on a library, with `folders` added to it, and return the exit code."""
    where = places()
    indexer = Indexer(own_file(library), where)
    app = CarrelApp(_ports(library, folders, where, lambda: indexer), query)
    try:
        _run(app, where, nullcontext())
    finally:
        indexer.stop()
    return _left(app, where, app.return_code or 0)


def run_picker(library: Path | str | None, request: PickRequest, deliver: Callable[[Picked | None], int]) -> int:
    """Let the person pick rows on the terminal, hand them to `deliver` once it is free again, and return its exit code.

    It gets None where the person cancelled. Raises CarrelError where there is no terminal, or nothing to pick from.
    """
    from app.tui.controlling_terminal import controlling_terminal
    from app.tui.row_picker import RowPicker

    where = places()
    app = RowPicker(_ports(library, (), where, lambda: None, create=False), request)
    _run(app, where, controlling_terminal(), inline=bool(request.height))
    if app.failure is not None:
        raise app.failure
    if app.picked is not None:
        _remember(app, app.picked)
    return _left(app, where, FAILED if app.crashed else app.return_code or deliver(app.picked))


def _ports(
    library: Path | str | None,
    folders: Sequence[Path],
    where: Places,
    indexer: Callable[[], IndexerPort | None],
    *,
    create: bool = True,
) -> Ports:
    """Return the real ports of a library, a file's or a team's; with `create` a file is made where there is none."""
    path = own_file(library)
    opened = str(library) if is_team_address(str(library)) else path
    ports = real_ports(path, folders, where, indexer)
    ports = replace(ports, open_library=lambda: open_library(opened, folders, create=create))
    return replace(ports, pace=TEAM_PACE) if opened is not path else ports


def own_file(library: Path | str | None) -> Path:
    """Return the person's own file: the library that is named, or beside the library of a team the default one."""
    return library_path(None if is_team_address(str(library)) else library)


def _run(app: CarrelApp, where: Places, terminal: AbstractContextManager[None], *, inline: bool = False) -> None:
    """Run an app on a terminal until the person leaves it, with all that others write there in the log."""
    private_folder(where.state)
    write_log_to(where.log)
    sys.setswitchinterval(SWITCH_SECONDS)
    with ended_by_signals(app), errors_in_log(where.log), terminal:
        app.run(inline=inline)


def _left(app: CarrelApp, where: Places, code: int) -> int:
    """Close the library behind an app and return the exit code; what cannot be ended in good order ends the process."""
    if app.opened is not None and not still_running(THREAD_PATIENCE_SECONDS):
        app.opened.library.close()
    if app.crashed:
        sys.stderr.write(f"Carrel met a fault of its own and had to leave. The log has the details: {where.log}\n")
    if still_running(0):
        # A model that is still being loaded cannot be interrupted, and ending Python around it may crash.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _remember(app: RowPicker, picked: Picked) -> None:
    """Keep that rows were picked, as the browser keeps that rows were opened."""
    result, opened = picked.result, app.opened
    if not picked.answered or result is None or opened is None or opened.library.read_only:
        return
    try:
        if app.config.memory:
            for hit in picked.hits:
                opened.library.opened(result.query.text, hit.passage_id)
        if app.config.search_log:
            number = opened.library.log_search(result)
            for hit in picked.hits:
                opened.library.log_opened(number, hit)
    except CarrelError:
        _log.exception("That rows were picked could not be kept")


def real_ports(path: Path, folders: Sequence[Path], where: Places, indexer: Callable[[], IndexerPort | None]) -> Ports:
    """Return the ports to the engine, the person's files and the programs of this machine."""
    return Ports(
        open_library=lambda: open_library(path, folders),
        indexer=indexer,
        edit=edit_in_terminal,
        clock=time.time,
        typed=typed_beside(where.state),
        freshness=freshness_of,
        find_line=current_line,
        visit=visit,
        which=shutil.which,
        settings=SettingsFile(where.settings),
        history=History(where.state / "history"),
        watched=WatchedFile(where.state / "watched.json"),
        training=TrainingRuns(path),
        beside=BesideLibrary(path),
        pictures=PictureFiles(terminal_of(os.environ)),
    )


def open_library(path: Path | str, folders: Sequence[Path], *, create: bool = True) -> Opened:
    """Open the library, with `create` also where there is none yet, and add the folders. Raises CarrelError.

    While the server of a team's library is away the person's own file is searched.
    """
    from engine.library import Cancellation, Library  # brings apsw and numpy; the screen stands already

    library = Library.open(path, create=create, stands_in=True)
    warnings = []
    large: Path | None = None
    for folder in folders:
        try:
            if _is_large(library, folder):
                large = folder
                continue
            library.add(folder)
        except PathError as error:
            warnings.append(str(error))
        except CarrelError as error:
            warnings.append(f"{folder} was not added. {error}")
    return Opened(library, Cancellation, tuple(warnings), large)


def _is_large(library: Library, folder: Path) -> bool:
    """Whether a folder that is not watched yet holds so much that nobody should have it read by a slip."""
    from app.tui.screens.library.folder_size import ASKED_ABOVE, is_too_much

    here = os.fsencode(folder)
    if any(here == each.path or here.startswith(os.path.join(each.path, b"")) for each in library.folders()):
        return False
    ends = time.monotonic() + COUNT_SECONDS
    return (
        is_too_much(folder)
        or library.count_files(folder, ASKED_ABOVE + 1, lambda: time.monotonic() > ends).files > ASKED_ABOVE
    )


def write_log_to(path: Path) -> None:
    """Send what Carrel logs to its log file, with the error of any thread that ends by one."""
    handler = LogFile(private_log(path))
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.propagate = False
    threading.excepthook = _log_ended_thread


def _log_ended_thread(ended: threading.ExceptHookArgs) -> None:
    name = ended.thread.name if ended.thread is not None else "?"
    if isinstance(ended.exc_value, OSError) and ended.exc_value.errno == errno.EIO:
        _log.warning("The thread %s ended: the terminal is gone", name)
        return
    _log.error("The thread %s ended by an error", name, exc_info=ended.exc_value)


@contextmanager
def errors_in_log(log: Path) -> Iterator[None]:
    """Send what C libraries write to descriptor 2 to the log while the screen is drawn, on a copy of that descriptor.

    Textual draws on stderr; a warning of onnxruntime would land in the middle of it.
    """
    screen = os.dup(2)
    before = sys.__stderr__
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        with open(screen, "w", encoding="utf-8", errors="replace", closefd=False) as terminal:
            sys.__stderr__ = terminal  # type: ignore[misc]
            os.dup2(file, 2)
            yield
    finally:
        os.dup2(screen, 2)
        sys.__stderr__ = before  # type: ignore[misc]
        for descriptor in (file, screen):
            with suppress(OSError):
                os.close(descriptor)
