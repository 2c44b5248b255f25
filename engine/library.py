"""The one door of the engine: open a library, keep it in step with its folders, search it, ask it why.

A `Library` may be used from several threads. Reading takes no lock; what needs the indexer lock says so. Nothing heavy
is loaded by opening: the encoder and the vectors come with the first search that needs them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import wraps
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from engine.late_model import LateInteraction
from engine.library_file import LibraryFile
from engine.library_orders import LibraryOrders
from engine.library_search import LibrarySearch
from engine.library_shadow import LibraryShadow
from engine.library_state import LibraryState
from engine.library_sync import LibrarySync
from engine.library_views import LibraryViews
from engine.nearest_in_passage import NearestInPassage
from engine.paths import is_team_address, library_path
from engine.reader_memory import ReaderMemory
from engine.records import Check
from engine.retrieval.cancellation import Cancellation, SearchCancelled
from engine.store.connection import open_writer
from engine.store.requests import RequestState
from engine.store.stored_values import refuse_escaping
from engine.team_shares import TeamSharing
from engine.watchlist import Watchlist

if TYPE_CHECKING:
    from engine.embedding.encoder import Encoder
    from engine.retrieval.searched_store import SearchedStore
    from engine.team.change_feed import ChangeFeed
    from engine.team_or_own import TeamOrOwn

__all__ = ["Cancellation", "Library", "RequestState", "SearchCancelled"]

_Part = TypeVar("_Part")
_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")


def _by(
    part: Callable[[Library], _Part], method: Callable[Concatenate[_Part, _Given], _Answer]
) -> Callable[Concatenate[Library, _Given], _Answer]:
    """Return a method of the library that a part of it carries out, as that part's own class has it."""
    name = method.__name__

    @wraps(method)
    def carried_out(library: Library, /, *args: _Given.args, **kwargs: _Given.kwargs) -> _Answer:
        answer: _Answer = getattr(part(library), name)(*args, **kwargs)
        return answer

    return carried_out


_search: Callable[[Library], LibrarySearch] = attrgetter("_search")
_views: Callable[[Library], LibraryViews] = attrgetter("_views")
_state: Callable[[Library], LibraryState] = attrgetter("_state")
_orders: Callable[[Library], LibraryOrders] = attrgetter("_orders")
_watchlist: Callable[[Library], Watchlist] = attrgetter("_watchlist")
_shadow: Callable[[Library], LibraryShadow] = attrgetter("_shadow")
_memory: Callable[[Library], ReaderMemory] = attrgetter("_memory")
_late: Callable[[Library], LateInteraction] = attrgetter("_late")
_sharing: Callable[[Library], TeamSharing] = attrgetter("_sharing")
_sync: Callable[[Library], LibrarySync] = attrgetter("_sync")
_nearest: Callable[[Library], NearestInPassage] = attrgetter("_nearest")


class Library:
    """One library: a file, or with it the library of a `team`. Use `Library.open`; close it, or use it in a `with`.

    With a team, its library is searched and looked at, and marks are kept there; the file is the reader's own, which
    indexes the folders of this machine and has the log. Nearly all of it is carried out by parts, which share the
    file: searching, looking, looking into one passage, its state, the watched folders, indexing, a candidate beside the
    model in use, and what the reader leaves here. Each method's words stand with its part.
    """

    def __init__(
        self,
        path: Path,
        encoder: Encoder | None,
        read_only: bool,
        team: Callable[[LibraryFile], TeamOrOwn] | None = None,
    ) -> None:
        self.path = path
        self.read_only = read_only
        self.tells_others = False
        """Whether what this process indexes is told in an event file, so that browsers can follow it."""
        self._encoder = encoder
        self._file = LibraryFile(path)
        self._team = team(self._file) if team is not None else None
        self.address = self._team.address if self._team is not None else ""
        store: SearchedStore = self._team or self._file
        self._search = LibrarySearch(store, encoder, self._file)
        self._views = self._views_of(self._team)
        self._shadow = LibraryShadow(self._file, self._search)
        self._state = LibraryState(self._file, self._views, read_only, self._team)
        self._sharing = TeamSharing(self._team)
        self._orders = LibraryOrders(self._file)
        self._watchlist = Watchlist(self._file)
        self._memory = ReaderMemory(store, self._file, self._search.model_if_there)
        self._nearest = NearestInPassage(store, self._search.model_if_there)
        self._late = LateInteraction(self._file, encoder)
        self._sync = LibrarySync(
            self._file, encoder, self._team, self._search.model_if_there, lambda: self.tells_others
        )
        self._guard = threading.Lock()
        self._closed = False

    def _views_of(self, team: TeamOrOwn | None) -> LibraryViews:
        if team is None:
            return LibraryViews(self._file)
        from engine.team_views import TeamViews

        return TeamViews(self._file, team)

    @classmethod
    def open(
        cls,
        path: Path | str | None = None,
        *,
        create: bool = False,
        encoder: Encoder | None = None,
        own: Path | None = None,
        stands_in: bool = False,
    ) -> Library:
        """Open the library at `path`, else the default one; with `create`, make it if it is missing.

        The address of a team's library opens that one, with the reader's `own` file, the default one unless it is
        named, which is made if it is missing. With `stands_in` that file is searched while the server is away, instead
        of raising TeamAway. `encoder` stands in for the library's own model. Raises LibraryMissing,
        SchemaTooNew, LibraryDamaged, TeamAway, TeamRefused, UsageError.
        """
        if is_team_address(str(path)):
            return cls._open_team(str(path), library_path(own), encoder, stands_in)
        place = library_path(path)
        if create and not place.exists():
            open_writer(place, create=True).close()
        library = cls(place, encoder, read_only=_read_only(place))
        library._file.read(refuse_escaping)  # a missing, newer or damaged file is told now, not at the first search
        return library

    @classmethod
    def _open_team(cls, address: str, own: Path, encoder: Encoder | None, stands_in: bool) -> Library:
        from engine.team import login
        from engine.team.membership import this_machine
        from engine.team.team_store import TeamStore

        if not own.exists():
            open_writer(own, create=True).close()
        from engine.team_or_own import TeamOrOwn

        team = TeamStore(login.connection_string(address), machine=this_machine())
        library = cls(own, encoder, _read_only(own), lambda file: TeamOrOwn(address, team, file, stands_in))
        try:
            library._file.read(refuse_escaping)
            library.version()  # a server that is away, or lets nobody in, is told now
        except BaseException:
            library.close()
            raise
        return library

    def close(self) -> None:
        """Let go of the file, the vectors and the model."""
        with self._guard:
            if self._team is not None:
                self._team.close()
            self._file.close()
            self._search.close()
            self._shadow.close()
            self._closed = True

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- searching --------------------------------------------------------------------------------------------------

    search = _by(_search, LibrarySearch.search)
    explore = _by(_search, LibrarySearch.explore)
    embed = _by(_search, LibrarySearch.embed)
    ask_to_embed = _by(_search, LibrarySearch.ask_to_embed)
    similar = _by(_search, LibrarySearch.similar)
    may_see = _by(_search, LibrarySearch.may_see)
    nearest_sentence = _by(_nearest, NearestInPassage.nearest_sentence)
    nearest_words = _by(_nearest, NearestInPassage.nearest_words)
    warm = _by(_search, LibrarySearch.warm)
    why = _by(_search, LibrarySearch.why)

    # --- looking ----------------------------------------------------------------------------------------------------

    folders = _by(_views, LibraryViews.folders)
    tree = _by(_views, LibraryViews.tree)
    facets = _by(_views, LibraryViews.facets)
    document = _by(_views, LibraryViews.document)
    document_by_id = _by(_views, LibraryViews.document_by_id)
    documents_named = _by(_views, LibraryViews.documents_named)
    paths_ending = _by(_views, LibraryViews.paths_ending)
    passages = _by(_views, LibraryViews.passages)
    passages_of = _by(_views, LibraryViews.passages_of)
    passage_hashes = _by(_views, LibraryViews.passage_hashes)
    every_document = _by(_views, LibraryViews.every_document)
    links = _by(_views, LibraryViews.links)
    failures = _by(_views, LibraryViews.failures)
    changed_since = _by(_views, LibraryViews.changed_since)
    watching = _by(_views, LibraryViews.watching)
    left_out = _by(_views, LibraryViews.left_out)
    left_out_files = _by(_views, LibraryViews.left_out_files)
    count_files = _by(_views, LibraryViews.count_files)
    ignore_files = _by(_views, LibraryViews.ignore_files)
    folder_rules = _by(_views, LibraryViews.folder_rules)
    set_folder_rules = _by(_views, LibraryViews.set_folder_rules)

    late_status = _by(_late, LateInteraction.late_status)
    late_estimate = _by(_late, LateInteraction.late_estimate)

    # --- the watched folders ----------------------------------------------------------------------------------------

    add = _by(_watchlist, Watchlist.add)
    remove = _by(_watchlist, Watchlist.remove)
    undo_remove = _by(_watchlist, Watchlist.undo_remove)
    forgotten = _by(_watchlist, Watchlist.forgotten)

    # --- what the reader leaves here --------------------------------------------------------------------------------

    mark = _by(_memory, ReaderMemory.mark)
    opened = _by(_memory, ReaderMemory.opened)
    unmark = _by(_memory, ReaderMemory.unmark)
    marks = _by(_memory, ReaderMemory.marks)
    places_of_marks = _by(_memory, ReaderMemory.places_of_marks)
    empty_marks = _by(_memory, ReaderMemory.empty_marks)
    last_opened = _by(_memory, ReaderMemory.last_opened)
    answers = _by(_memory, ReaderMemory.answers)
    nearest_passage = _by(_memory, ReaderMemory.nearest_passage)
    log_search = _by(_memory, ReaderMemory.log_search)
    log_opened = _by(_memory, ReaderMemory.log_opened)
    search_log = _by(_memory, ReaderMemory.search_log)
    empty_search_log = _by(_memory, ReaderMemory.empty_search_log)

    # --- a candidate beside the model in use -----------------------------------------------------------------------

    shadow_state = _by(_shadow, LibraryShadow.shadow_state)
    ask_for_shadow = _by(_shadow, LibraryShadow.ask_for_shadow)
    stop_shadow = _by(_shadow, LibraryShadow.stop_shadow)
    shadow_score = _by(_shadow, LibraryShadow.shadow_score)
    shadow_lists = _by(_shadow, LibraryShadow.shadow_lists)
    shadow_searches = _by(_shadow, LibraryShadow.shadow_searches)
    add_shadow_review = _by(_shadow, LibraryShadow.add_shadow_review)
    shadow_reviews = _by(_shadow, LibraryShadow.shadow_reviews)
    keep_shadow_cut = _by(_shadow, LibraryShadow.keep_shadow_cut)
    shadow_cut = _by(_shadow, LibraryShadow.shadow_cut)
    note_shadow = _by(_shadow, LibraryShadow.note_shadow)
    shadow_events = _by(_shadow, LibraryShadow.shadow_events)
    empty_shadow = _by(_shadow, LibraryShadow.empty_shadow)

    # --- indexing --------------------------------------------------------------------------------------------------

    sync = _by(_sync, LibrarySync.sync)
    use_model = _by(_sync, LibrarySync.use_model)
    start_shadow = _by(_sync, LibrarySync.start_shadow)
    switch_late = _by(_sync, LibrarySync.switch_late)
    file_request = _by(_orders, LibraryOrders.file_request)
    withdraw_request = _by(_orders, LibraryOrders.withdraw_request)
    request_state = _by(_orders, LibraryOrders.request_state)
    embed_first = _by(_orders, LibraryOrders.embed_first)

    # --- care ------------------------------------------------------------------------------------------------------

    status = _by(_state, LibraryState.status)
    pending = _by(_state, LibraryState.pending)
    members = _by(_state, LibraryState.members)
    share_marks = _by(_sharing, TeamSharing.share_marks)
    shared_searches = _by(_sharing, TeamSharing.shared_searches)
    share_search = _by(_sharing, TeamSharing.share_search)
    take_back_search = _by(_sharing, TeamSharing.take_back_search)

    def check(self, *, repair: bool = False) -> tuple[Check, ...]:
        """Look for everything that can be wrong with the file, and with `repair` mend what can be mended first.

        Checking needs no lock. Raises LibraryBusy where a repair is asked while another process indexes.
        """
        from engine.maintenance import Maintenance

        return Maintenance(self.path, self._encoder).check(repair=repair).checks

    def version(self) -> int:
        """Return a number that changes whenever another connection has committed; cheap enough to poll.

        Not by what is noted here of searches, which changes nothing that is shown.
        """
        with self._guard:
            version = self._file.version()
            if self._team is not None:
                version = hash((version, self._team.version()))
                if self._closed:  # whoever still asks keeps no server
                    self._team.close()
            return version

    def following(self) -> ChangeFeed | None:
        """Return what waits until `version` gives another number; None for a file, which nobody tells of commits.

        Close it in the end. A server that is away and back is such a change too.
        """
        return self._team.following(self.version) if self._team is not None else None


def _read_only(path: Path) -> bool:
    """Tell whether the library can only be read; a missing one is told by opening it."""
    return path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
