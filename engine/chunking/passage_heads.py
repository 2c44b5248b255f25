"""The head of a passage in the text that the encoder sees: the model's prefix, the title, the headings.

Each part is capped in tokens, so that the body always has room.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.chunking.passage_rules import PassageRules, TokenStarts
from engine.chunking.token_counts import encodable, sizes
from engine.records import Block, Document

UNNAMED = "untitled"  # embedded where a document has neither text nor title, since an empty text has no meaning at all
EDGE_TOKENS = 4  # a passage that begins or ends inside a word may make that many more of it than the whole text did
HEAD_SHARE = 4  # title and headings may each take a quarter of what the encoder reads, however small that is

_ENDS_A_SENTENCE = tuple(".!?:;…。！？")


class PassageHeads:
    """The heads of one document's passages, and how much room they leave."""

    def __init__(
        self, document: Document, blocks: Sequence[Block], token_starts: TokenStarts, rules: PassageRules, prefix: str
    ) -> None:
        """Tokenise the prefix, the title and all headings in one go."""
        indexes = [index for index, block in enumerate(blocks) if block.kind == "heading"]
        labels = {index: _plain(blocks[index].label) for index in indexes}
        distinct = list(dict.fromkeys(labels.values()))
        title = _plain(document.title)
        aliases = [_plain(alias) for alias in document.metadata.get("aliases", "").split("\n")]
        spoken = ", ".join(dict.fromkeys(filter(None, [title if document.title_written else "", *aliases])))
        found = sizes([prefix, spoken or title, *distinct], token_starts)
        room = max(rules.window - rules.special - len(found[0]), 1)
        self._prefix = encodable(prefix)
        self._starts = dict(zip(distinct, found[2:], strict=True))
        self._headings_cap = min(rules.headings, room // HEAD_SHARE)
        self._labels = labels
        self.title_heading = _title_heading(blocks, labels, title) if document.title_written else None
        self.last_resort = _capped(spoken or title, found[1], min(rules.title, room)) or UNNAMED
        self.title = _capped(spoken, found[1], min(rules.title, room // HEAD_SHARE))
        """The written title and the document's other names as far as they are embedded, or nothing."""
        self.room = max(room - EDGE_TOKENS - self._longest(len(found[1]) if self.title else 0, rules), 1)
        """Tokens that every passage has for its body."""

    def headings(self, path: Sequence[int]) -> tuple[str, ...]:
        """Give the heading path of some heading blocks, the title's own heading left out."""
        return tuple(self._labels[index] for index in path if index != self.title_heading and self._labels[index])

    def embedded(self, headings: Sequence[str], body: str) -> str:
        """Give the text that the encoder sees: title and headings on one line, the body below it."""
        head = _joined([part for part in (self.title, *self._fitting(headings)) if part])
        return self._prefix + "\n".join(part for part in (head, body) if part)

    def _fitting(self, headings: Sequence[str]) -> list[str]:
        """Give the innermost headings that fit; the innermost itself is cut where it alone does not."""
        left = self._headings_cap
        kept: list[str] = []
        for label in reversed(headings):
            need = len(self._starts[label]) + 1
            if need > left:
                if not kept:
                    kept.append(_capped(label, self._starts[label], max(left - 1, 0)))
                break
            kept.append(label)
            left -= need
        return kept[::-1]

    def _longest(self, title: int, rules: PassageRules) -> int:
        """Give the most tokens that any head can take; a separator counts one."""
        title = min(title, rules.title) + 1 if title else 0
        headings = min(self._headings_cap, sum(len(starts) + 1 for starts in self._starts.values()))
        return title + headings


def _title_heading(blocks: Sequence[Block], labels: dict[int, str], title: str) -> int | None:
    """Give the first level-1 heading if it is the title itself."""
    first = next((index for index in labels if blocks[index].level == 1), None)
    return first if first is not None and labels[first].casefold() == title.casefold() else None


def _plain(text: str) -> str:
    return " ".join(encodable(text).split())


def _capped(text: str, starts: Sequence[int], tokens: int) -> str:
    return text if len(starts) <= tokens else text[: starts[tokens]].rstrip()


def _joined(parts: Sequence[str]) -> str:
    """Join parts as sentences, so that the encoder reads them as separate statements."""
    sentences = [part if part.endswith(_ENDS_A_SENTENCE) else f"{part}." for part in parts[:-1]]
    return " ".join([*sentences, *parts[-1:]])
