"""What the stages that "why not" follows a document through are called, in the shell and in the browser."""

from __future__ import annotations

STAGE_NAMES = {
    "indexed": "indexed",
    "filters": "filters",
    "vector": "by meaning",
    "keyword": "by words",
    "cutoff": "cut-off",
    "fused": "fused",
    "grouped": "grouped",
    "collapsed": "near-duplicates",
    "listed": "in the list",
}
