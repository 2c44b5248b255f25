"""Runs the browser in a real terminal: puts real ports together, keeps the log, and ends cleanly."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from app.tui.app import CarrelApp
from app.tui.editor_launch import current_line, edit_in_terminal, visit
from app.tui.freshness import freshness_of
from app.tui.indexer_process import Indexer
from app.tui.pictures.picture_cells import terminal_of
from app.tui.pictures.picture_files import PictureFiles
from app.tui.ports import IndexerPort, Opened, Ports
from app.tui.query_history import History
from app.tui.settings_file import SettingsFile
from app.tui.threads import still_running
from app.tui.training_runs import TrainingRuns
from engine.errors import CarrelError, PathError
from engine.log_file import LogFile, private_log
from engine.paths import Places, library_path, places, private_folder
from engine.typing_priority import typed_beside

_log = logging.getLogger("carrel")

LOGGERS = ("carrel", "engine", "training")
SWITCH_SECONDS = 0.001  # how long a search may keep the screen's thread waiting; Python's own 0.005 shows in typing
THREAD_PATIENCE_SECONDS = 0.2  # for searches under way, which were interrupted


def run_browser(library: Path | None, folders: Sequence[Path]) -> int:
    """Run the browser on a library, with `folders` added to it, and return the exit code."""
    where, path = places(), library_path(library)
    indexer = Indexer(path, where)
    ports = real_ports(path, folders, where, lambda: indexer)
    private_folder(where.state)
    write_log_to(where.log)
    app = CarrelApp(ports)
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        with errors_in_log(where.log):
            app.run()
    finally:
        indexer.stop()
    if app.opened is not None and not still_running(THREAD_PATIENCE_SECONDS):
        app.opened.library.close()
    code = app.return_code or 0
    if app.crashed:
        sys.stderr.write(f"Carrel met a fault of its own and had to leave. The log has the details: {where.log}\n")
    if still_running(0):
        # A model that is still being loaded cannot be interrupted, and ending Python around it may crash.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


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
        training=TrainingRuns(path),
        pictures=PictureFiles(terminal_of(os.environ)),
    )


def open_library(path: Path, folders: Sequence[Path]) -> Opened:
    """Open the library, creating it where there is none, and add the folders. Raises CarrelError."""
    from engine.library import Cancellation, Library  # brings apsw and numpy; the screen stands already

    library = Library.open(path, create=True)
    warnings = []
    for folder in folders:
        try:
            library.add(folder)
        except PathError as error:
            warnings.append(str(error))
        except CarrelError as error:
            warnings.append(f"{folder} was not added. {error}")
    return Opened(library, Cancellation, tuple(warnings))


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
