"""What a killed run goes on from: files made of one state of the library, forgotten where that has changed since.

They number passages by their rows in the corpus, so in another state the same numbers mean other passages.
"""

from __future__ import annotations

from contextlib import suppress

from engine.atomic_files import replace_file
from training import review
from training.candidate_evaluation import COUNT_FILE, VECTORS_FILE
from training.corpus import Corpus
from training.finetune import CHECKPOINT_FILE
from training.runs import Run

QUERIES_FILE, ROWS_FILE, TUNED_FILE = "queries.json", "rows.json", "tuned.json"
FITTED_FILE = "fitted.json"  # constants of the fusion
STATE_FILE = "corpus"  # the digest of the corpus that the others were made of
MINED = (ROWS_FILE, FITTED_FILE, review.EXAMPLES_FILE, review.DECISIONS_FILE, review.LEARNT_FILE, CHECKPOINT_FILE)
EMBEDDED = (VECTORS_FILE, COUNT_FILE)


def forget_outdated(run: Run, corpus: Corpus) -> bool:
    """Forget what a run has made of another state of its library, and return whether there was anything.

    A model that is trained stays, and with it the queries: those that it has learnt from must not come into its test.
    """
    with suppress(OSError, UnicodeDecodeError):
        if (run.folder / STATE_FILE).read_text(encoding="ascii") == corpus.digest:
            return False
    made = (*EMBEDDED, *MINED, *(() if (run.folder / TUNED_FILE).exists() else (QUERIES_FILE,)))
    outdated = [path for name in made if (path := run.folder / name).exists()]
    for path in outdated:
        path.unlink()
    replace_file(run.folder / STATE_FILE, corpus.digest)
    return bool(outdated)
