"""Brings the words of the library up to date with the watched folders, once.

What is new waits in the library to be embedded (`embedding_queue`). Nothing heavy is loaded where nothing has changed:
the walk and the comparison need neither the model nor numpy. The caller holds the indexer lock. Killed at any moment,
the next sync ends in the same state: each file is written whole in one transaction, with what waits of it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from engine.events import Event, Preparing, Scanned, Trouble
from engine.indexing import content_check, removed_folders
from engine.indexing.crash_recovery import journal_file
from engine.indexing.file_identity import content_hash
from engine.indexing.moved_links import follow_links
from engine.indexing.moved_marks import follow_moves, follow_texts
from engine.indexing.moves import Matched, match, must_be_read
from engine.indexing.outdated_documents import (
    active_model,
    documents_of_words,
    documents_with_gaps,
    note_all_read,
    note_readers,
    outdated,
)
from engine.indexing.removal_guard import RemovalGuard
from engine.indexing.stop_signal import Never, Signal
from engine.indexing.survey import Survey, survey
from engine.indexing.sync_progress import Tally, finished
from engine.indexing.work_items import Vanished, Work
from engine.paths import display
from engine.records import SyncReport
from engine.store import folders, pending_vectors
from engine.store.documents import KnownFile, indexed_since
from engine.store.faults import system_errors_translated
from engine.watching.watched_roots import own_files, watched

if TYPE_CHECKING:
    from engine.indexing.file_reader import DocumentParser
    from engine.indexing.passage_encoder import PassageEncoder
    from engine.store.models import StoredModel

REFIT_SHARE = 0.1  # of the passages: when so many have changed, the tiers are fitted anew
REFIT_SHARE_MEANWHILE = 0.5  # of the passages that have a vector, while others wait for theirs
LEAST_FITTED = 1000  # vectors: of fewer, while others are to come, the tiers say little


def sync(
    conn: apsw.Connection,
    library: Path,
    *,
    encoder: Callable[[], PassageEncoder],
    parser: Callable[[], DocumentParser],
    paths: Sequence[bytes] = (),
    doubted: Collection[bytes] = (),
    full: bool = False,
    retry: bool = False,
    accept_removals: bool = False,
    since: float | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
    stop: Signal | None = None,
) -> SyncReport:
    """Bring the library up to date and report what was done.

    `conn` is a writer's connection to `library`. `encoder` and `parser` are called when a file first needs them; the
    parser is closed here. `paths` (absolute) limit a sync to files and subtrees; a file that is named, here or in
    `doubted`, is held against its content whatever its size and time. `full` reads every file again, though passages of
    the same text keep their vectors; `retry` reads those that failed again; with `since`, a moment, both leave out what
    was indexed after it, so that a sync that gave way goes on from there. Where most of a folder is gone at once its
    documents stay (`removal_guard`), unless with `accept_removals`. When `stop` is set, what is complete is committed
    and reported. A whole sync also reads again what an older reader has read, what lacks a vector, and a few files
    whose bytes nobody saw for long (`content_check`). Raises PathError for a path in no watched folder, ModelError,
    LibraryError.
    """
    stop = stop or Never()
    tally = Tally()
    note_readers(conn)
    if not paths:
        follow_links(conn)
    removed_folders.settle(conn, library, stop.is_set)
    again = frozenset() if paths else outdated(conn)
    needy = again if paths else again | _gaps(conn)
    wanted = _asked_for(conn, full, retry, since)
    named = frozenset((*paths, *doubted, *(() if paths else content_check.due(conn))))
    found = survey(conn, paths, own_files(library), lambda known: known.id in needy or wanted(known), named)
    gathered = _gather(found, tally, named)
    changes = len(gathered.work) + len(gathered.vanished)
    guard = RemovalGuard(conn, [folder for folder, _ in found.plans], changes, accepted=accept_removals)
    matched = replace(gathered, vanished=guard.removable(gathered.vanished))
    _note_folders(conn, found, on_event)
    to_do = _announced(found, matched, again, on_event)
    removed = not to_do
    if to_do:
        with system_errors_translated(library):
            removed = _carry_out(
                conn, library, matched, gathered.vanished, guard, tally, encoder, parser, on_event, stop
            )
    if not paths and not stop.is_set():
        _end_whole(conn, library, all_read=again <= matched.looked_into())
    arrived = Counter(each.folder_id for each in matched.work if each.known is None)
    guard.write_down(on_event, arrived, removed=removed)
    report = replace(tally.report(), held=guard.held, pending=pending_vectors.count(conn))
    on_event(finished(report))
    return report


def _announced(found: Survey, matched: Matched, again: frozenset[int], on_event: Callable[[Event], None]) -> int:
    """Tell how many files were seen and how many of them need work, and return the latter."""
    to_do = len(matched.work) + len(matched.moves) + len(matched.vanished)
    if again & matched.looked_into():
        on_event(Preparing(what="reading files again, for their readers have changed"))
    on_event(Scanned(files=sum(plan.files for _, plan in found.plans), to_do=to_do))
    return to_do


def _end_whole(conn: apsw.Connection, library: Path, *, all_read: bool) -> None:
    """Forget what was kept for a sync that goes on, once a whole one has reached its end."""
    library.with_name(library.name + ".vectors").unlink(missing_ok=True)  # where schema 5 kept vectors by the way
    journal_file(library).unlink(missing_ok=True)  # of files that went before they were read again
    if all_read:
        note_all_read(conn)


def _asked_for(conn: apsw.Connection, full: bool, retry: bool, since: float | None) -> Callable[[KnownFile], bool]:
    """Return which known files are to be read again because the caller wants it."""
    done = indexed_since(conn, since) if since is not None else frozenset()
    return lambda known: (full or (retry and known.failure is not None)) and known.id not in done


def _gaps(conn: apsw.Connection) -> set[int]:
    model_id = active_model(conn)
    return documents_with_gaps(conn, model_id) if model_id is not None else documents_of_words(conn)


def _gather(found: Survey, tally: Tally, named: Collection[bytes]) -> Matched:
    """Put the plans of all folders together and find what was moved, within one of them or across."""
    for _, plan in found.plans:
        tally.unchanged += plan.unchanged
        tally.failed += plan.still_failed
        tally.skipped += plan.left_out
    work = [item for _, plan in found.plans for item in plan.work]
    vanished = [each for _, plan in found.plans for each in plan.vanished]
    roots = {folder.id: folder.path for folder, _ in found.plans}

    def doubted(item: Work, gone: Vanished) -> bool:
        return item.absolute in named or os.path.join(roots[gone.folder_id], gone.known.path) in named

    return match(work, vanished, _hash, doubted) if vanished else Matched((), tuple(work), ())


def _hash(work: Work) -> bytes | None:
    try:
        return content_hash(work.absolute, work.root)
    except OSError:
        return None


def _note_folders(conn: apsw.Connection, found: Survey, on_event: Callable[[Event], None]) -> None:
    """Write down which folders are there and what was left out of them, where that differs from what is known."""
    for folder in found.missing:
        if folder.state == "watching":
            folders.set_state(conn, folder.id, "missing")
            message = f"The folder {display(folder.path)} is not there; its documents are kept."
            on_event(Trouble(message=message, fix="Mount its disk, or forget it with `carrel remove`."))
    for folder, plan in found.plans:
        if folder.state == "missing":
            folders.set_state(conn, folder.id, "watching")
        if plan.whole and folders.left_out(conn, folder.id) != plan.left_out:
            folders.set_left_out(conn, folder.id, plan.left_out)
        if plan.whole and not folder.walked:
            folders.set_walked(conn, folder.id)


def _carry_out(
    conn: apsw.Connection,
    library: Path,
    matched: Matched,
    vanished: Sequence[Vanished],
    guard: RemovalGuard,
    tally: Tally,
    encoder: Callable[[], PassageEncoder],
    parser: Callable[[], DocumentParser],
    on_event: Callable[[Event], None],
    stop: Signal,
) -> bool:
    """Move, then read, then remove: text that went from one file into another finds its vectors still there.

    Returns whether it came to the removing, which a stop prevents. `vanished` are all documents without a file; which
    of them are removed is asked of the `guard` once more, since others may be gone by then.
    """
    from engine.indexing.batch_writer import BatchWriter
    from engine.indexing.passage_encoder import LazyEncoder, ensure_model, refuse_other
    from engine.indexing.sync_run import Run
    from engine.store.document_writer import Writer

    model_id, fingerprint = ensure_model(conn, encoder)
    lazy = LazyEncoder(encoder, refuse_other(fingerprint))
    writer = Writer(conn, model_id)
    batch_writer = BatchWriter(writer, tally, on_event)
    moves = [replace(move, reread=must_be_read(conn, move)) for move in matched.moves]
    batch_writer.move(moves)
    roots = {folder.id: folder.path for folder in watched(conn)}
    follow_moves(conn, {_absolute(move.vanished, roots): move.work.absolute for move in moves})
    renamed = [
        Work(move.work.folder_id, move.work.root, move.work.path, move.work.stat, move.vanished.known, True, moved=True)
        for move in moves
        if move.reread
    ]
    work = (*matched.work, *renamed)
    if work:
        Run(batch_writer, lazy, parser, journal_file(library), on_event, stop).bring_in(work)
    if stop.is_set():
        return False
    going = guard.removable((*vanished, *batch_writer.gone))
    follow_texts(conn, {_absolute(each, roots): (each.known.inode, each.known.device) for each in going})
    batch_writer.remove(going)
    return True


def _absolute(gone: Vanished, roots: Mapping[int, bytes]) -> bytes:
    return os.path.join(roots.get(gone.folder_id, b""), gone.known.path)


def refit_where_due(
    conn: apsw.Connection,
    refit: Callable[[], None],
    on_event: Callable[[Event], None],
    stop: Signal,
    beside: StoredModel | None = None,
) -> bool:
    """Fit the tiers anew where too many passages have changed since they were fitted for the active model.

    Or for the model `beside` it, which has its vectors by now.

    Returns whether they were not as they should be: then `refit` was called, though `stop` may have ended it.
    """
    from engine.store import change_log, models
    from engine.store.transactions import transaction

    model = beside or models.active(conn)
    if model is None or not _misfit(conn, model.id, models.vectors_of(conn, model)):
        return False
    latest = change_log.latest(conn)
    by = f" by {model.name}" if beside is not None else ""
    on_event(Preparing(what=f"working out what counts as a strong match in these notes{by}"))
    refit()
    if not stop.is_set():  # else it may not have come to its end
        with transaction(conn):
            models.calibrate(conn, model.id, {change_log.FITTED_AT: latest})
    return True


def _misfit(conn: apsw.Connection, model_id: int, vectors: int) -> bool:
    """Whether a tenth of the passages has changed since the tiers were fitted; `vectors` are of the model of this id.

    While vectors are still to come, whether those that are there have doubled: each fit costs a search for each of the
    foreign queries, and the next is not far. What waits is counted in texts, of which a passage may be a copy.
    """
    from engine.store import change_log, models, passage_counts

    needed = conn.execute("SELECT count(*) FROM passage").get  # alone it reads an index; each saved note asks
    share, pending = REFIT_SHARE, pending_vectors.count(conn, model_id=vectors)
    if pending:
        texts = max(pending, passage_counts.embeddable_texts(conn))
        share, needed = REFIT_SHARE_MEANWHILE, passage_counts.embeddable(conn) * (texts - pending) / texts
        if needed < LEAST_FITTED:
            return False
    fitted_at = models.figure(conn, model_id, change_log.FITTED_AT)
    known = isinstance(fitted_at, int) and 0 <= change_log.latest(conn) - fitted_at <= share * needed
    return needed > 0 and not known
