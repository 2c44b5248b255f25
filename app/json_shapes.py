"""The JSON of commands and of the screen: `"format": 1` in each object; keys may be added, none removed."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app.wording.remarks import remark_said
from engine.events import Watching
from engine.paths import display
from engine.records import (
    Check,
    Folder,
    Hit,
    Mark,
    ModelCoverage,
    SearchResult,
    Status,
    StoredDocument,
    SyncReport,
    WhyReport,
)

if TYPE_CHECKING:
    from app.word_links import Links, PlacedWord
    from engine.maintenance.kept_data import Kept
    from engine.store.backup import Copied

FORMAT = 1
JUDGED: dict[int | None, str] = {2: "right", -2: "wrong", 1: "opened"}  # by the grade of a mark
Shape = dict[str, Any]


def path_fields(path: bytes) -> Shape:
    """Return `path` as display text, and `path_base64` beside it where the name is not UTF-8."""
    fields: Shape = {"path": display(path)}
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        fields["path_base64"] = base64.b64encode(path).decode("ascii")
    return fields


def moment(seconds: float) -> str:
    """Return a time as ISO 8601 text in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _took(result: SearchResult) -> Shape:
    """Return the milliseconds of each stage; those of a server where the library lies on one."""
    took = {name: round(value, 3) for name, value in asdict(result.timings).items()}
    return {name: value for name, value in took.items() if name != "server" or value}


def search_shape(result: SearchResult, nearest: Links | None = None) -> Shape:
    """Return a search result with every figure that its ranking used, and the nearest words of rows that have them."""
    linked = nearest or {}
    return {
        "query": result.query.text,
        "verdict": result.verdict,
        "model": result.model,
        "late": result.late or None,
        "fusion": result.fusion,
        "took_ms": _took(result),
        "weights": asdict(result.weights),
        "constants": asdict(result.constants),
        "found": result.found,
        "passages": result.passages,
        "embedded": result.embedded,
        "by_words_so_far": result.so_far,
        "words": [asdict(word) for word in result.words],
        "left_out": [asdict(left) for left in result.left_out],
        "remarks": [{**asdict(remark), "said": remark_said(remark)} for remark in result.query.remarks],
        "results": [hit_shape(hit, linked.get(hit.passage_id)) for hit in result.hits],
    }


def picked_shape(hits: Sequence[Hit], result: SearchResult | None) -> Shape:
    """Return the rows that were picked, and the query that they were picked from."""
    return {"query": result.query.text if result else "", "picked": [hit_shape(hit) for hit in hits]}


def hit_shape(hit: Hit, nearest: Sequence[PlacedWord] | None = None) -> Shape:
    """Return one row of a search; `nearest_words` is null where they were not looked for."""
    below = hit.judged_below
    return {
        "rank": hit.rank,
        "score": hit.score,
        "tier": hit.tier,
        "passage_id": hit.passage_id,
        **path_fields(hit.path),
        "title": hit.title,
        "headings": list(hit.headings),
        "kind": hit.kind,
        "modified": moment(hit.modified),
        "start": hit.start,
        "end": hit.end,
        "line_start": hit.line_start,
        "line_end": hit.line_end,
        "page": hit.page,
        "snippet": hit.snippet,
        "marks": [list(mark) for mark in hit.marks],
        "vector": asdict(hit.vector) if hit.vector else None,
        "keyword": asdict(hit.keyword) if hit.keyword else None,
        "shares": {name: share for name, share in asdict(hit.shares).items() if share is not None},
        "explanation": asdict(hit.explanation),
        "more_in_document": list(hit.more_in_document),
        "duplicates": list(hit.duplicates),
        "judged": JUDGED.get(hit.judged),
        "judged_below": {"passage_id": below[0], "mark": JUDGED[below[1]]} if below else None,
        "pending": hit.pending,
        "nearest_words": None if nearest is None else [_nearest_word_shape(each) for each in nearest],
    }


def _nearest_word_shape(each: PlacedWord) -> Shape:
    """Return a word of the query and its counterpart in a passage, null where it has none."""
    link = each.link
    return {
        "word": link.asked,
        "counterpart": link.word or None,
        "line": each.line,
        "start": each.start if link.word else None,
        "end": each.end if link.word else None,
        "cosine": link.cosine,
        "same": link.same,
        "faint": link.faint,
    }


def mark_shape(mark: Mark, places: Sequence[bytes]) -> Shape:
    """Return what a person thought of a passage as an answer to a question; `places` are the paths where it is now."""
    return {
        "query": mark.query,
        **path_fields(places[0] if places else mark.path),
        "found": bool(places),
        "mark": JUDGED[mark.grade],
        "passage_hash": mark.passage_hash.hex(),
        "at": moment(mark.at),
    }


def why_shape(report: WhyReport) -> Shape:
    """Return where a document fell out."""
    return {
        "query": report.query,
        **path_fields(report.path),
        "found": report.found,
        "final_rank": report.final_rank,
        "stages": [asdict(stage) for stage in report.stages],
        "dropped_at": report.dropped_at,
        "advice": list(report.advice),
    }


def sync_shape(report: SyncReport) -> Shape:
    """Return what a sync did."""
    return {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "moved": report.moved,
        "removed": report.removed,
        "failed": [{**path_fields(failure.path), "reason": failure.reason} for failure in report.failed],
        "skipped": dict(report.skipped),
        "passages": {
            "embedded": report.embedded,
            "reused": report.reused,
            "removed": report.passages_removed,
            "wordless": report.wordless,
            "pending": report.pending,
        },
        "seconds": round(report.seconds, 3),
        "held": report.held,
    }


def folder_shape(folder: Folder) -> Shape:
    """Return one watched folder."""
    return {
        **path_fields(folder.path),
        "state": folder.state,
        "documents": folder.documents,
        "passages": folder.passages,
        "failed": folder.failed,
        "held": folder.held,
    }


def forgotten_shape(path: bytes, documents: int, until: float) -> Shape:
    """Return a forgotten folder that can be taken back, and until when."""
    return {**path_fields(path), "documents": documents, "until": moment(until)}


def follower_shape(model: ModelCoverage) -> Shape:
    """Return how far a model is that follows the one in use."""
    return {**asdict(model), "coverage": round(model.share, 4)}


def status_shape(status: Status, watched: Watching | None = None) -> Shape:
    """Return the library at a glance, and how many folders the process that indexes watches."""
    writer = status.writer
    told = ("folders", "covered", "poll_seconds", "remark", "fix")
    return {
        "library": status.library,
        "schema": status.schema,
        "documents": status.documents,
        "passages": status.passages,
        "wordless": status.wordless,
        "pending": status.pending,
        "meaning": round(status.meaning, 4),
        "bytes": status.bytes,
        "model": status.model,
        "fitted": fitted_shape(status) if status.fitted else None,
        "followers": [follower_shape(each) for each in status.followers],
        "folders": [folder_shape(folder) for folder in status.folders],
        "writer": {"pid": writer.pid, "task": writer.task, "since": moment(writer.since)} if writer else None,
        "stale": status.stale,
        "failed": status.failed,
        "skipped": dict(status.skipped),
        "read_only": status.read_only,
        "watching": {name: getattr(watched, name) for name in told} if watched else None,
    }


def fitted_shape(status: Status) -> Shape:
    """Return the fusion constants that were fitted to the library, and whether searches go by them."""
    fitted = status.fitted
    assert fitted is not None
    return {
        "run": fitted.run,
        "model": fitted.model,
        "at": moment(fitted.at),
        "in_use": fitted.model == status.model,
        "constants": asdict(fitted.constants),
    }


def doctor_shape(checks: Sequence[Check], done: Sequence[str] = (), kept: Sequence[Kept] = ()) -> Shape:
    """Return the checks, whether all is well, what was repaired, in sentences, and what is kept where."""
    return {
        "ok": all(check.ok for check in checks),
        "checks": [asdict(check) for check in checks],
        "repaired": list(done),
        "kept": [asdict(each) for each in kept],
    }


def copy_shape(copied: Copied) -> Shape:
    """Return a copy of a library: where it lies and what it holds."""
    return {
        **path_fields(os.fsencode(copied.path)),
        "documents": copied.documents,
        "passages": copied.passages,
        "bytes": copied.bytes,
    }


def document_shape(document: StoredDocument) -> Shape:
    """Return one document with its text."""
    return {
        **path_fields(document.path),
        "title": document.title,
        "kind": document.kind,
        "modified": moment(document.modified),
        "bytes": document.size,
        "tags": list(document.tags),
        "metadata": dict(document.metadata),
        "passages": document.passages,
        "text": document.text,
    }
