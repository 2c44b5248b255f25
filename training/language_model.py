"""Asks a language model on this machine for questions about passages; nothing leaves the loopback interface."""

from __future__ import annotations

import ipaddress
import json
import random
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from engine.errors import UsageError
from training.known_queries import KnownQuery
from training.library_snapshot import LibrarySnapshot

MOST_PASSAGES = 500  # at a second or two each
TIMEOUT_SECONDS = 120.0
CHARACTERS = 2000  # of a passage
FAILURES = 3  # in a row, after which the model is taken to be gone
_THOUGHTS = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_NUMBERING = re.compile(r"\A\W*+\d*+[.)]?\s*+")

PROMPT = (
    "Write one short question that a person would type into the search of their own notes and that the following note "
    "answers. Use other words than the note where you can. Answer with the question alone.\n\nNote:\n{text}"
)


def questions(snapshot: LibrarySnapshot) -> Iterator[KnownQuery]:
    """Yield one question for each of some passages. Raises UsageError where the address is not on this machine."""
    url = endpoint(snapshot.plan.model_url)
    rows = [row for row, text in enumerate(snapshot.texts) if text]
    random.Random(snapshot.plan.seed).shuffle(rows)
    failed = 0
    for number, row in enumerate(rows[:MOST_PASSAGES]):
        snapshot.preparing("asking the language model", number, min(len(rows), MOST_PASSAGES))
        text = ask(url, PROMPT.format(text=snapshot.texts[row][:CHARACTERS]))
        failed = 0 if text else failed + 1
        if failed == FAILURES:
            raise UsageError(
                f"The language model at {snapshot.plan.model_url} does not answer.",
                fix="Start it, or leave --language-model out.",
            )
        question = cleaned(text)
        if question:
            corpus = snapshot.corpus
            yield KnownQuery(question, "language model", {int(corpus.documents[row]): 1}, (int(corpus.ids[row]),))


def endpoint(url: str) -> str:
    """Return the address of the chat interface. Raises UsageError where the host is not this machine itself."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        parts, host, port = urlsplit(""), "", 0
    if parts.scheme not in ("http", "https") or not host or not _is_loopback(host, port):
        raise UsageError(
            f"{url or 'No address'} is no language model on this machine.",
            cause="Notes are sent to it, so only addresses of the loopback are taken.",
            fix="Give one such as --language-model http://127.0.0.1:11434/v1.",
        )
    base = url.rstrip("/")
    return base if base.endswith("/chat/completions") else f"{base}/chat/completions"


def _is_loopback(host: str, port: int) -> bool:
    """Whether every address of a host is the loopback's."""
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
        return bool(found) and all(ipaddress.ip_address(each.split("%")[0]).is_loopback for each in found)
    except (OSError, ValueError):
        return False


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, which could lead away from this machine."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Give no request to follow, so that the answer counts as an error."""


def ask(url: str, prompt: str) -> str:
    """Return what the model answers, "" where it does not."""
    body = {"model": "default", "messages": [{"role": "user", "content": prompt}], "temperature": 0.7, "max_tokens": 64}
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json", "Authorization": "Bearer none"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return str(json.load(answer)["choices"][0]["message"]["content"])
    except (OSError, ValueError, LookupError, TypeError, urllib.error.URLError):
        return ""


def cleaned(answer: str) -> str:
    """Return the question out of an answer: its first line with words, without thoughts, quotes and numbering."""
    answer = _THOUGHTS.sub("", answer)
    for line in answer.splitlines():
        text = _NUMBERING.sub("", line.strip()).strip("\"'*“”` ")
        if len(text.split()) >= 2:
            return text[:300]
    return ""
