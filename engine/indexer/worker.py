"""The indexer process: one library, its lock, a watcher, orders in, events out.

    python -P -m engine.indexer.worker --library FILE --events FILE [--watch]

Standard input is the command pipe: "sync", "sync PATH" and "stop", a line each; its end means to finish the commit and
leave, so that no orphan holds the lock. Exit codes: 0 done, 3 where another process holds the lock, else the error's.
"""

from __future__ import annotations

import argparse
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import CarrelError, ConfigError, LibraryBusy
from engine.event_log.event_file import EventFile, new_event_file
from engine.event_log.lock_holder import HolderTail
from engine.events import Event, IndexerStarted, Preparing, Stopped, Trouble
from engine.indexer.encoders import EncoderOf, Encoders, refit
from engine.log_file import stderr_handler
from engine.paths import library_path, places
from engine.store.lock import IndexerLock

if TYPE_CHECKING:
    from engine.indexing.stop_signal import Signal

LOG_FORMAT = "%(asctime)s %(name)s: %(message)s"
NICENESS = 10  # the person's own programs come first
STDIN = 0
TAKE_OVER_SECONDS = 1.0  # how often one who follows looks whether the other still holds the lock
BRINGING_PATIENCE_SECONDS = 2.0  # for a file that is on its way to the team library as the indexer ends
LISTEN_SECONDS = 0.1  # how often it reads what the other tells, and hears of a stop


def main(argv: Sequence[str] | None = None, encoder_of: EncoderOf | None = None) -> int:
    """Run the indexer process and return its exit code; `encoder_of` takes the place of the installed models."""
    options = _parse(argv)
    logging.basicConfig(handlers=[stderr_handler(places().log)], level=logging.WARNING, format=LOG_FORMAT)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    commands: queue.SimpleQueue[str] = queue.SimpleQueue()
    events = EventFile(options.events)
    try:
        threading.Thread(target=_listen, args=(commands, stop), name="commands", daemon=True).start()
        serve(
            options.library,
            events.write,
            stop,
            watch=options.watch,
            events_file=options.events,
            commands=commands,
            encoder_of=encoder_of or Encoders(),
            words_there=_be_humble,
        )
    except CarrelError as error:
        if not isinstance(error, LibraryBusy):  # which is ordinary: the browser that started us follows the other
            logging.warning("the indexer ends", exc_info=True)
        events.write(Trouble(message=f"{error.message} {error.cause}".strip(), fix=error.fix))
        events.write(Stopped(reason=error.message))
        return error.exit_code
    except BaseException:
        logging.exception("the indexer failed")
        events.write(Stopped(reason="an unexpected error; the log has the details"))
        return 1
    finally:
        events.close()
    return 0


def run_foreground(
    library: Path, on_event: Callable[[Event], None], stop: Signal, encoder_of: EncoderOf | None = None
) -> None:
    """Keep a library in step with its folders in this process until `stop` is set, as `carrel watch` does.

    Where another process indexes, its events are passed on, and its work is taken over once it has gone, however it
    went. Raises what opening a library raises.
    """
    told = new_event_file(places())  # so that browsers can follow this process in turn
    events = EventFile(told)

    def tell(event: Event) -> None:
        events.write(event)
        on_event(event)

    other = HolderTail(library, from_now=True, look_every=TAKE_OVER_SECONDS)
    encoder_of = encoder_of or Encoders()
    try:
        while not stop.is_set():
            try:
                return serve(library, tell, stop, watch=True, encoder_of=encoder_of, events_file=told)
            except LibraryBusy:
                follow(other, on_event, stop)
    finally:
        other.close()
        events.close()


def follow(other: HolderTail, on_event: Callable[[Event], None], stop: Signal) -> None:
    """Pass on what the process tells that holds the lock, until it lets go of it or `stop` is set."""
    while not stop.is_set():
        for event in other.read():
            on_event(event)
        if other.holder is None:
            return
        time.sleep(LISTEN_SECONDS)


def serve(
    library: Path,
    on_event: Callable[[Event], None],
    stop: Signal,
    *,
    watch: bool,
    encoder_of: EncoderOf,
    events_file: Path | None = None,
    commands: queue.SimpleQueue[str] | None = None,
    words_there: Callable[[], None] = lambda: None,
) -> None:
    """Hold the lock and index: once, or with `watch` until `stop` is set.

    `words_there` is called once something can be found by its words: at once in a library that holds something.
    """
    from engine.indexer.priority import FirstWords
    from engine.indexer.service import Service
    from engine.indexer.warm_parser import WarmParser
    from engine.sources.parser import configured_parser
    from engine.store.connection import open_writer
    from engine.store.stored_values import refuse_escaping

    task = "watching" if watch else "syncing"
    with IndexerLock(library).acquire(task, events_file):
        on_event(IndexerStarted(pid=os.getpid(), task=task))

        def told(done: int, of: int) -> None:
            on_event(Preparing(what=f"building the words of the library anew: {done:,} of {of:,} passages"))

        # one that vanished is not made anew: it would be empty
        conn = open_writer(library, lock_held=True, told=told)
        try:
            refuse_escaping(conn)
            first_words = FirstWords(conn, words_there)
            first_words.look()
            service = Service(
                conn,
                library,
                encoder_of=encoder_of,
                parser=WarmParser(configured_parser),
                refit=partial(refit, conn),
                on_event=on_event,
                stop=stop,
                commands=commands,
                words_read=first_words.look,
            )
            with _bringing(library, encoder_of, on_event, stop) if watch else nullcontext():
                service.run(watch=watch)
        finally:
            conn.close()
    on_event(Stopped(reason="it was told to" if stop.is_set() else "all is done"))


@contextmanager
def _bringing(library: Path, encoder_of: EncoderOf, on_event: Callable[[Event], None], stop: Signal) -> Iterator[None]:
    """Bring shared folders to the team library that this machine has joined, for as long as the indexer runs.

    Only the person's own file is brought: the folders of another library of theirs are another matter.
    """
    from engine import config

    joined = config.Config()
    with suppress(ConfigError):  # told by whoever needs the settings for something that cannot be left out
        joined = config.load()
    if not joined.team or library != library_path():
        yield
        return
    from engine.team.bringing_thread import BringingThread
    from engine.team.membership import this_machine

    own = Encoders() if isinstance(encoder_of, Encoders) else encoder_of  # one that works cannot be asked from beside
    thread = BringingThread(joined.team, library, this_machine(), own, on_event, stop)
    thread.start()
    try:
        yield
    finally:
        thread.leave(BRINGING_PATIENCE_SECONDS)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="engine.indexer.worker", description="Index the folders of a Carrel library.")
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--events", type=Path, required=True, help="the file that events are appended to")
    parser.add_argument("--watch", action="store_true", help="stay, and follow what changes")
    return parser.parse_args(argv)


def _be_humble() -> None:
    from engine.indexer.priority import lower_priority

    lower_priority(NICENESS)


def _listen(commands: queue.SimpleQueue[str], stop: threading.Event) -> None:
    """Read the command pipe, and leave at its end, for then the process that started this one has gone."""
    try:
        _take_lines(commands, stop)
    except Exception:
        logging.exception("the command pipe could not be read")
    finally:
        stop.set()


def _take_lines(commands: queue.SimpleQueue[str], stop: threading.Event) -> None:
    rest = b""
    # Not through sys.stdin: a thread that waits inside its buffer makes Python abort when the process ends.
    while piece := _piece_of_input():
        *lines, rest = (rest + piece).split(b"\n")
        for line in (os.fsdecode(raw.strip()) for raw in lines):
            if line == "stop":
                stop.set()
            elif line:
                commands.put(line)


def _piece_of_input() -> bytes:
    try:
        return os.read(STDIN, 4096)
    except OSError:
        return b""  # it was closed before we began


if __name__ == "__main__":
    sys.exit(main())
