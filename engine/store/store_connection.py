"""What a search asks of a store: one connection to it, on which all reads see one state of the library.

The single file answers as `LibraryConnection`, the library of a team as `engine.team.team_connection`. Every question
is asked for many rows at once, since a server is a network away; a store may bring more than it was asked for and
answer later questions from that. Rows that are gone, or that the reader may not see, are left out of every answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.embedding.token_pooling import Codes
    from engine.records import FusionConstants, Mark, Scope
    from engine.store.allowed import Allowed
    from engine.store.bm25 import KeywordScore
    from engine.store.documents import HydratedRow
    from engine.store.fulltext import Statistics
    from engine.store.late_vectors import LateModel
    from engine.store.models import StoredModel
    from engine.store.phrase import Phrase

    Ids = NDArray[np.int64]
    Scores = NDArray[np.float64]
    Matrix = NDArray[np.float32]


class NotRead(Exception):
    """What is asked was not read while the state that it belongs to could be read."""


class WordReads(Protocol):
    """The word index. Terms are those of `engine.store.tokenizer`, bm25 is that of `engine.store.bm25`."""

    def statistics(self) -> Statistics:
        """Return how many passages there are, and how many tokens they have."""

    def words_version(self) -> tuple[object, ...]:
        """Return what is another after every change of a text, a title, a path or a tag."""

    def document_frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """Return for each term the number of passages that hold it, 0 where none does."""

    def vocabulary_has(self, prefix: str) -> bool:
        """Tell whether any term begins so."""

    def terms_beginning(self, prefix: str, most: int) -> list[str]:
        """Return the first `most` terms that begin so, in order."""

    def terms_holding(self, part: str, longer: int, most: int) -> tuple[str, ...]:
        """Return the words, longer than `part` by so many letters, that hold it, those of most passages first."""

    def phrase_frequency(self, phrase: Phrase) -> int:
        """Return the number of passages that match a phrase."""

    def holders(self, phrase: Phrase) -> list[tuple[int, int]]:
        """Return the passages that match a phrase, ascending, each with its document; asked where they are few."""

    def postings(self, phrase: Phrase) -> tuple[Ids, Scores]:
        """Return the passages (n,) that match a phrase, ascending, and the positive bm25 (n,) that it gives each."""

    def best_by_words(
        self, groups: Sequence[Sequence[Phrase]], allowed: Allowed, depth: int
    ) -> list[tuple[int, float]]:
        """Return the best `depth` of the passages that match a phrase of each group, best first, equal ones by id.

        Their bm25, which is positive, is the sum over the phrases of all groups.
        """

    def bm25_parts(
        self, passage_ids: Sequence[int], phrases: Sequence[Phrase], holding: Sequence[int]
    ) -> dict[int, KeywordScore]:
        """Return for each passage its bm25 for these phrases, in parts; `holding` is how many passages match each."""

    def titled(self, words: Sequence[str], most: int) -> list[tuple[int, str]]:
        """Return the first passages of what has a title or an alias that begins so, and those, a line each.

        In order of passage.
        """

    def texts_holding(self, groups: Sequence[Sequence[Phrase]], most: int) -> list[tuple[str, str]]:
        """Return text and kind of the first `most` passages, by id, that match a phrase of each group."""

    def borders(self, tails: Sequence[Phrase], head: Phrase, most: int) -> list[tuple[int, str, int, str, str]]:
        """Return pairs of passages in a row of which the second matches one of `tails` and the first `head`.

        Each as id and text of both, and the document's kind.
        """

    def short_between(
        self, begun: Sequence[Phrase], head: Phrase, longest: int, most: int
    ) -> list[tuple[int, str, int, str, int, str, str]]:
        """Return three passages in a row: the middle one matches one of `begun` and is short, the first `head`."""


class FilterReads(Protocol):
    """What may be found at all."""

    def allowed_ids(self, allowed: Allowed) -> Ids:
        """Return the passages that are allowed."""

    def let_through(self, passage_ids: Ids, allowed: Allowed) -> Ids:
        """Return those of a few passages (n,) that are allowed, ascending."""

    def count_holding(self, phrase: Phrase, allowed: Allowed) -> int:
        """Return how many of the allowed passages match a phrase."""

    def hidden_documents(self, scope: Scope) -> tuple[int, ...]:
        """Return the documents that lie outside a scope."""

    def in_scope(self, document_id: int, scope: Scope) -> bool:
        """Return whether a document is there and lies in a scope."""


class CandidateReads(Protocol):
    """What is asked of passages before they are shown, and lists that no word asks for."""

    def places(self, passage_ids: Sequence[int]) -> list[tuple[int, int, int]]:
        """Return each passage with its document and the entry in it, 0 where there is none.

        In order of path, the shortest first, folder, and place in the document.
        """

    def held_back_among(self, passage_ids: Sequence[int]) -> list[int]:
        """Return which of these passages are data, which are found by words alone."""

    def texts_of_many_bytes(self, passage_ids: Sequence[int], ratio: float) -> list[tuple[int, str]]:
        """Return the passages, with their texts, that have more than so many bytes a code point."""

    def around(self, passage_ids: Sequence[int], reach: int) -> list[tuple[int, int]]:
        """Return for each passage those that stand at most `reach` before or behind it, itself among them."""

    def newest(self, allowed: Allowed, limit: int) -> list[tuple[int, int, int]]:
        """Return documents of latest date by their first allowed passage, with the document and the entry or 0."""

    def documents_by_date(self) -> list[int]:
        """Return all documents, newest first."""

    def passages_in(self, documents: Sequence[int]) -> int:
        """Return how many passages these documents have."""

    def holding_signs(
        self, signs: Sequence[str], allowed: Allowed, documents: Sequence[int]
    ) -> list[tuple[int, int, int]]:
        """Return the first passages of these documents that hold all signs in text, title or path, as `newest` does."""


class RowReads(Protocol):
    """Documents and passages."""

    def rows_for(self, passage_ids: Iterable[int], most: int = ...) -> dict[int, HydratedRow]:
        """Return what is shown of these passages, by id; of their texts the first `most` code points."""

    def passages_of(self, document_id: int) -> list[HydratedRow]:
        """Return all passages of a document in order."""

    def passage_texts(self, document_id: int) -> list[tuple[int, str]]:
        """Return the passages of a document in order, with their texts."""

    def document_id_at(self, absolute: bytes) -> int | None:
        """Return the document at an absolute path, None where there is none."""

    def paths_of(self, passage_ids: Sequence[int]) -> dict[int, bytes]:
        """Return the absolute path of each passage's document."""

    def passage_hashes(self, passage_ids: Sequence[int]) -> dict[int, bytes]:
        """Return the hash of each passage, by which marks know it."""

    def passages_with_hashes(self, hashes: Collection[bytes]) -> list[tuple[int, bytes]]:
        """Return the passages that have one of these hashes, with it, in order of passage."""

    def folder_paths(self) -> tuple[tuple[int, bytes], ...]:
        """Return the folders with their absolute paths."""


class ModelReads(Protocol):
    """Models, vectors, and what waits for one."""

    def active_model(self) -> StoredModel | None:
        """Return the model that searches use, None where there is none yet."""

    def figure(self, model_id: int, name: str) -> object:
        """Return one figure that was computed for a model here, None where there is none."""

    def vectors_of(self, model_id: int, passage_ids: Sequence[int]) -> tuple[Ids, Matrix]:
        """Return the unit vectors of these passages as ids (n,), ascending, and (n, dimension)."""

    def embedded_share(self) -> float:
        """Return the share of the texts that have a vector, 0 to 1; data, which needs none, is left out."""

    def awaited_texts(self, passage_ids: Sequence[int]) -> dict[bytes, str]:
        """Return the texts that the encoder is to see of those of these passages that wait, by hash, in their order."""

    def held_back(self, document_id: int) -> int:
        """Return how many passages of a document are data."""

    def change_latest(self) -> int:
        """Return the number of the newest change."""

    def change_reaches(self, sequence: int) -> bool:
        """Tell whether all that followed a change is still known."""

    def replaced(self, sequence: int) -> set[int]:
        """Return the passages that went, or hold other text, since a change."""


@runtime_checkable
class LateReads(Protocol):
    """Pooled token vectors, which a store need not have."""

    def late_model(self) -> LateModel | None:
        """Return the late model of the library, on or off; None where it has none."""

    def late_codes(self, late: LateModel, passage_ids: Sequence[int]) -> dict[int, Codes]:
        """Return the pooled token vectors of these passages, as far as the late model has them."""


@runtime_checkable
class ConstantReads(Protocol):
    """Constants of the fusion that were fitted to a library, which a store need not keep."""

    def fusion_constants(self) -> FusionConstants:
        """Return the constants that searches go by: those that were fitted and taken into use, else the defaults."""


@runtime_checkable
class VocabularyReads(Protocol):
    """All words at once, which a store that is far away does not give."""

    def vocabulary(self) -> dict[str, int]:
        """Return every term with the number of passages that hold it."""


@runtime_checkable
class AheadReads(Protocol):
    """What a store a network away is told ahead: each call asks in one trip for what later questions are about.

    Nothing depends on it but the number of trips. What was read once is told again when the state is given back; any
    other question raises NotRead then.
    """

    def has_brought(self, phrase: Phrase, allowed: Allowed) -> bool:
        """Whether all postings of a phrase are here, so that to rank by it costs the server nothing."""

    def ahead_of_legs(
        self,
        asked: Sequence[Sequence[Sequence[Phrase]]],
        query: NDArray[np.float32] | None,
        among: Sequence[Allowed],
        depth: int,
        deepest: int,
    ) -> None:
        """Bring what `best_by_words` gives for each of `asked`, `deepest` passages, and those nearest to a unit vector.

        Of each leg's best `depth` comes all that is asked of candidates. All this for each of `among`.
        """

    def ahead_of_judging(
        self,
        first: Sequence[int],
        judged: Sequence[int],
        reach: int,
        phrases: Sequence[Phrase],
        shown: Sequence[int],
        most: int,
    ) -> None:
        """Bring what stands around the `first` passages with its vectors, the words of those and of the `judged`.

        Of those `shown` comes what `ahead_of_rows` brings.
        """

    def soon_nearest(self, near: Sequence[tuple[Sequence[str], str]], most: int) -> None:
        """Bring, with what is asked next, the counts of terms and the first `most` terms that have a beginning."""

    def soon_texts(self, asked: Sequence[Sequence[Sequence[Phrase]]], most: int) -> None:
        """Bring, with what is asked next, what `texts_holding` gives for each of `asked`."""

    def ahead_of_rows(self, passage_ids: Sequence[int], phrases: Sequence[Phrase], most: int) -> None:
        """Bring what is shown of passages, the first `most` code points of their texts, and their words."""


class MarkReads(Protocol):
    """What the reader thinks of results: nobody else's."""

    def marks_stamp(self) -> tuple[int, int]:
        """Return what is another after every change of the marks."""

    def marks(self, query: str | None = None) -> tuple[Mark, ...]:
        """Return all marks, or those of a query, newest first."""

    def query_vectors(self, model_id: int, queries: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        """Return the unit vectors that are kept of these queries, by their texts."""


class MarkWrites(Protocol):
    """Where the reader's marks are kept. Each call is a transaction of its own."""

    def put_marks(self, marks: Sequence[Mark]) -> None:
        """Keep marks; a new one takes the place of an older one, but opening never that of a mark."""

    def remove_mark(self, query: str, passage_hash: bytes) -> bool:
        """Take a mark back; False where there was none."""

    def empty_marks(self) -> int:
        """Forget all of the reader's marks, and return how many there were."""

    def keep_query_vectors(self, model_id: int, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep the unit vectors that a model gave to queries."""


class StoreConnection(WordReads, FilterReads, CandidateReads, RowReads, ModelReads, MarkReads, Protocol):
    """A connection to a store on which all reads of one search see one state."""

    file: tuple[int, int]
    """Which library this is: the same for all connections to one, another for every other."""

    distant: bool
    """Whether each question costs a way over a network, so that whole lists of postings are not brought."""

    @property
    def waited(self) -> float:
        """Seconds that were waited for a server so far; 0 where the library is a file."""

    def interrupt(self) -> None:
        """End the statement that runs now; may be called from any thread."""

    def heed(self, given_up: Callable[[], bool] | None) -> None:
        """Let no statement begin once that says so, where one costs little: `interrupt` ends only the one that runs."""

    def was_interrupted(self, error: Exception) -> bool:
        """Tell whether an error says that a statement was ended by `interrupt`."""
