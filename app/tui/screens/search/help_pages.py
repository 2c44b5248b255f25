"""What the help of the search screen tells beside its keys."""

from __future__ import annotations

from app.tui.screens.help import Page

QUERY_LANGUAGE: Page = (
    "What to type",
    (
        ("sourdough care", "words, and what they mean"),
        ('"rye starter"', "a phrase, word for word"),
        ("bread -machine", "without a word; how many passages that took is said"),
        ("--all  -t  -5  AND  OR  NOT", "no operators: searched as typed"),
        ("🍕  →  ???", "signs alone: where they stand as they are"),
        ("ferment*", "words that begin so"),
        ("path:kitchen", "only below a folder or in a file of that name"),
        ("type:pdf  -type:code", "only, or never, files of a type"),
        ("tag:recipe", "only notes with a tag"),
        ("title:starter", "a word in the title"),
        ("author:lene  from:  to:  subject:", "who wrote it, a mail's ends, what it is about"),
        ("after:2024-03  before:7d", "by the day a file was changed: a date, today, 7d, 3w, 6m, 2y"),
        ("after:2024 date:own", "by the date that the note or mail gives itself"),
    ),
)
FILTERS: Page = (
    "Filters",
    (
        ("→ or tab", "takes the completion that stands grey behind the cursor"),
        ("path: kitchen ×", "what a filter was read as; a click on it takes it away, and so does alt+z for the last"),
    ),
)
ROWS: Page = (
    "What a row says",
    (
        ("● strong ◐ likely ○ weak", "how far to trust a row, measured on this library"),
        ("── weak ──", "weak rows behind the last better one are folded away; ↓ at the end, or . shows them"),
        ("meaning 9 .401", "V in a narrow list: ninth by meaning, at cosine distance .401 (0 is the same)"),
        ("words 1 9.02", "K in a narrow list: first by words, with a bm25 score of 9.02"),
        ("▕█████▒▒▒ ▏ .471", "the score: full is meaning, hatched is words"),
        ("+2", "other passages of the note that fit; l shows them, with their own figures"),
    ),
)
WHAT_IF: Page = (
    "What can be tried in what if",
    (
        ("weight", "how much meaning and words count"),
        ("fusion", "by their scores (convex), by their ranks alone (rrf), or one of the two by itself"),
        ("feedback, memory", "whether the first results sharpen the search; whether your marks count"),
        ("collapse", "from which cosine on notes that are alike share a row"),
        ("diversity", "several passages of a note have rows; the lower the number (λ of MMR), the more they differ"),
        ("cut-off", "a passage without your words is left out when it is so much farther than the nearest"),
        ("fitted", "the constants that a run has fitted to this library, or the defaults; only where there are some"),
        ("late", "how much late interaction counts among the best hundred; only where `carrel late on` was given"),
    ),
)
SEARCH_PAGES: tuple[Page, ...] = (QUERY_LANGUAGE, FILTERS, ROWS, WHAT_IF)
