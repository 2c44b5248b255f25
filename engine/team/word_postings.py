"""The postings of words that were brought from a team's library, kept for later searches, and what bm25 makes of them.

A word's postings come for each folder by themselves, eight bytes each, with the first trip of a search. They stay as
long as the folder does not change, so that a word costs the server once what FTS5 costs the single file once. Which
folders count, and how many passages hold a word, is always what the search sees: postings of a folder that is hidden by
now are no part of its state.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.lazy_dataclass import dataclass
from engine.retrieval.rare_words import MOST_PASSAGES
from engine.retrieval.tie_break import best_of_leg
from engine.store.bm25 import LENGTH_WEIGHT, SATURATION
from engine.team.passage_postings import COLUMN_WEIGHTS
from engine.team.phrase_sql import Sql, Weighed, begun_in, begun_term, plain_terms

if TYPE_CHECKING:
    from engine.store.phrase import Phrase

KEPT_BYTES = 64 * 2**20  # eight million postings, as much as the single file keeps of its own
MOST_BROUGHT = 100_000  # postings of a word in a folder, .8 MB: what more passages hold is ranked by the server
COMMON_SHARE_OF = 2  # a word in more than one of so many passages moves no rank, and is not brought
PARTS = round(1 / min(COLUMN_WEIGHTS))  # of one: a frequency is a multiple of it
LARGEST = 2**16  # of a frequency in such parts, and of a passage's length: two bytes each
# A passage's number within its folder stands above, so that numbers are in order as they are.
_PACKED = f"(passage_id << 32) | (((frequency * {PARTS})::bigint << 16) | length)"
_FITS = f"frequency * {PARTS} < {LARGEST} AND length < {LARGEST}"
_UNKNOWN = """LEFT JOIN unnest(%s::text[], %s::integer[], %s::bigint[]) AS k(term, folder_id, version)
            ON k.term = {} AND k.folder_id = s.folder_id AND k.version = s.version"""

Ids = NDArray[np.int64]
Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FolderPostings:
    """A word's postings in one state of a folder, ascending, as `_PACKED` has them; None where they do not fit."""

    version: int
    packed: NDArray[np.uint64] | None
    documents: tuple[tuple[int, int], ...] = ()  # each passage with its document: of beginnings that few hold

    @property
    def bytes(self) -> int:
        """What they take in memory, a little for the entry itself included."""
        return 200 + (self.packed.nbytes if self.packed is not None else 0)


Brought = Mapping[tuple[str, int], FolderPostings]
"""By term, or what stands for a beginning (`begun_term`), and folder."""
Row = tuple[str, int, int, bytes | None, bool | None, list[int] | None, list[int] | None]


class KeptPostings:
    """The postings that searches of this process brought so far. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, dict[int, FolderPostings]] = OrderedDict()  # by term, those used last behind
        self._bytes = 0

    def of(self, terms: Iterable[str]) -> dict[tuple[str, int], FolderPostings]:
        """Return what is kept of these terms."""
        found = {}
        with self._lock:
            for term in dict.fromkeys(terms):
                if term in self._kept:
                    self._kept.move_to_end(term)
                    found.update({(term, folder): each for folder, each in self._kept[term].items()})
        return found

    def keep(self, brought: Brought) -> None:
        """Keep postings for later, those of older states and those that were used longest ago no more."""
        with self._lock:
            for (term, folder), each in brought.items():
                folders = self._kept.setdefault(term, {})
                before = folders.get(folder)
                if before is None or before.version <= each.version:
                    folders[folder] = each
                    self._bytes += each.bytes - (before.bytes if before is not None else 0)
                self._kept.move_to_end(term)
            while self._bytes > KEPT_BYTES:
                self._bytes -= sum(each.bytes for each in self._kept.popitem(last=False)[1].values())


def asking(terms: Sequence[str], known: Brought) -> Sql:
    """Return what selects the postings of terms, a row a folder, but for those of a state that is known.

    Each list is read by itself: OFFSET keeps the planner from reading all postings of a folder.
    """
    return Sql(
        f"""SELECT c.term, c.folder_id, s.version, p.packed, p.fits, NULL::bigint[], NULL::bigint[]
        FROM term_count c JOIN folder_state s ON s.folder_id = c.folder_id
        {_UNKNOWN.format("c.term")}
        CROSS JOIN LATERAL (
            SELECT string_agg(int8send({_PACKED}), ''::bytea) AS packed, bool_and({_FITS}) AS fits
            FROM posting WHERE folder_id = c.folder_id AND term = c.term OFFSET 0
        ) AS p
        WHERE c.term = ANY(%s) AND k.version IS NULL AND c.passages <= least(
            {MOST_BROUGHT}, (SELECT sum(passages) FROM folder_state) / {COMMON_SHARE_OF})""",
        (*_keys(known), list(terms)),
    )


def _keys(known: Brought) -> tuple[list[str], list[int], list[int]]:
    return [term for term, _ in known], [folder for _, folder in known], [each.version for each in known.values()]


def asking_begun(begun: Sequence[str], known: Brought) -> Sql:
    """Return what selects the same of beginnings, by what stands for them: a row a folder, but for states known.

    A beginning of too many postings has none. Where few hold it, their documents come with it.
    """
    held = """(SELECT coalesce(sum(passages), 0) FROM term_count
        WHERE folder_id = s.folder_id AND term >= b.word COLLATE "C" AND term < b.begun COLLATE "C")"""
    return Sql(
        f"""SELECT b.begun, s.folder_id, s.version, p.packed, p.fits, d.ids, d.documents
        FROM (SELECT begun, left(begun, -1) AS word FROM unnest(%s::text[]) AS begun) AS b
        CROSS JOIN folder_state s
        {_UNKNOWN.format("b.begun")}
        CROSS JOIN LATERAL (
            SELECT string_agg(int8send({_PACKED}), ''::bytea) AS packed,
                {held} <= {MOST_BROUGHT} AND coalesce(bool_and({_FITS}), true) AS fits,
                CASE WHEN count(*) <= {MOST_PASSAGES} THEN array_agg(passage_id) END AS few
            FROM ({begun_in("s.folder_id", "b.word")}) AS f WHERE {held} <= {MOST_BROUGHT} OFFSET 0
        ) AS p CROSS JOIN LATERAL (
            SELECT array_agg(id) AS ids, array_agg(document_id) AS documents
            FROM passage WHERE folder_id = s.folder_id AND id = ANY(p.few) OFFSET 0
        ) AS d WHERE k.version IS NULL""",
        (list(begun), *_keys(known)),
    )


def unpacked(rows: Iterable[Row]) -> dict[tuple[str, int], FolderPostings]:
    """Return the postings that `asking` and `asking_begun` select."""
    found = {}
    for term, folder, version, packed, fits, ids, documents in rows:
        whole = fits or (fits is None and packed is None)
        numbers = np.sort(np.frombuffer(packed or b"", ">u8").astype(np.uint64)) if whole else None
        found[term, folder] = FolderPostings(version, numbers, tuple(zip(ids or (), documents or (), strict=True)))
    return found


def terms_of(phrase: Phrase) -> tuple[str, ...] | None:
    """Return what the postings of a phrase without spellings are kept by; None where they are not brought."""
    begun = begun_term(phrase)
    return plain_terms(phrase) if begun is None else (begun,)


class WordPostings:
    """The postings of a query's words in one state of the library: of each folder that the person sees."""

    def __init__(self, folders: Mapping[int, int], brought: Brought) -> None:
        """Take folders with their versions, and what was brought, of which some may be of other states."""
        self._folders = folders
        self._brought = brought

    def has(self, phrase: Phrase, held: Mapping[str, int]) -> bool:
        """Whether all postings of a phrase without spellings are here; `held` has how many passages hold a term."""
        if (begun := begun_term(phrase)) is not None:
            return len(self._of(begun)) == len(self._folders)
        terms = plain_terms(phrase)
        return terms is not None and all(
            sum(len(each) for _, each in self._of(term)) == held.get(term, -1) for term in terms
        )

    def holders(self, begun: str) -> list[tuple[int, int]]:
        """Return the passages that hold a word of a beginning, ascending, each with its document; few hold it."""
        return sorted(chain.from_iterable(self._brought[begun, folder].documents for folder in self._folders))

    def count(self, begun: str) -> int:
        """Return how many passages hold a word of a beginning."""
        return sum(len(each) for _, each in self._of(begun))

    def _of(self, term: str) -> list[tuple[int, NDArray[np.uint64]]]:
        found = ((folder, version, self._brought.get((term, folder))) for folder, version in self._folders.items())
        return [
            (folder, each.packed)
            for folder, version, each in found
            if each is not None and each.version == version and each.packed is not None
        ]

    def scores(self, terms: Sequence[str], idf: float, average: float) -> tuple[Ids, Scores]:
        """Return the passages (n,) that hold a word in one of its forms, ascending, and the bm25 (n,) that it gives.

        Multiplied and divided in the order of fts5_aux.c, as the server does it.
        """
        parts = sorted(chain.from_iterable(self._of(term) for term in terms), key=lambda each: each[0])
        packed = np.concatenate([each for _, each in parts]) if parts else np.empty(0, np.uint64)
        ids = np.concatenate(
            [(each >> np.uint64(32)).astype(np.int64) + (folder << 32) for folder, each in parts]
            or [np.empty(0, np.int64)]
        )
        frequencies = ((packed >> np.uint64(16)) & np.uint64(LARGEST - 1)).astype(np.float64) / PARTS
        lengths = (packed & np.uint64(LARGEST - 1)).astype(np.float64)
        if len(terms) > 1 and len(ids):  # a stem has two forms, whose frequencies add up before they are weighed
            order = np.argsort(ids, kind="stable")
            first = np.flatnonzero(np.diff(ids[order], prepend=-1))
            ids, lengths = ids[order][first], lengths[order][first]
            frequencies = np.add.reduceat(frequencies[order], first)
        saturated = frequencies + SATURATION * ((1.0 - LENGTH_WEIGHT) + LENGTH_WEIGHT * lengths / average)
        return ids, idf * ((frequencies * (SATURATION + 1.0)) / saturated)

    def best(self, groups: Sequence[Sequence[Phrase]], weighed: Weighed, depth: int) -> tuple[Ids, Scores]:
        """Return the best passages that match a phrase of each group, best first, equal ones by id, with their bm25.

        What the phrases give is added in their order, as FTS5 does it: the order moves digits.
        """
        found, parts = [], []
        for at, group in enumerate(groups):
            for each in dict.fromkeys(spelling for phrase in group for spelling in phrase.spellings):
                found.append(self.scores(terms_of(each) or (), weighed.idf[each], weighed.average))
                parts.append(np.uint64(1 << at))
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.float64)
        ids, places = np.unique(np.concatenate([each for each, _ in found]), return_inverse=True)
        total, matched, start = np.zeros(len(ids)), np.zeros(len(ids), np.uint64), 0
        for (these, scores), part in zip(found, parts, strict=True):
            where = places[start : start + len(these)]
            total[where] += scores
            matched[where] |= part
            start += len(these)
        inside = np.flatnonzero(matched == np.uint64((1 << len(groups)) - 1))
        order = inside[best_of_leg(total[inside], ids[inside], depth)]
        return ids[order], total[order]
