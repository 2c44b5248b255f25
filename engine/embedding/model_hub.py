"""The hub that models come from: what a repository holds, a request for one of its files, and what a refusal means.

`HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE` and the proxy variables are heeded as the hub's own programs do. Nothing is
asked of a hub but for a model that a person named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from engine.errors import ModelError
from engine.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from requests import Response

ANSWER_SECONDS = 10  # for an answer, and between two pieces of a file: a slow line still gives one within it
LONGEST_LISTING = 8 * 2**20  # bytes; repositories of a thousand files take some 300,000
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_CHUNK = 64 * 1024  # bytes of an answer at once
_PROXY_FIX = "Check HTTPS_PROXY and HTTP_PROXY, and NO_PROXY for what needs none; then try again."


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository: its length in bytes and its digest, in hex.

    A large file is known by the SHA-256 of its bytes; a small one, as in git, by the SHA-1 of its length and bytes.
    """

    name: str
    size: int
    digest: str
    large: bool


class HubRefusal(Exception):
    """A hub that gave no file: why, and what to do. `passing` where the same request may do better in a moment."""

    def __init__(self, cause: str, fix: str, *, passing: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.fix = fix
        self.passing = passing


def files_of(source: str, wanted: Sequence[str]) -> list[HubFile]:
    """Return what the hub says of the `wanted` files of a repository's newest state. Raises HubRefusal."""
    with requested(f"api/models/{_quoted(source)}?blobs=true", source) as answer:
        text = b""
        for piece in answer.iter_content(_CHUNK):
            text += piece
            if len(text) > LONGEST_LISTING:
                break
    try:
        there = {each["rfilename"]: each for each in json.loads(text)["siblings"]}
        missing = [each for each in wanted if each not in there]
        if not missing:
            return [_described(there[each]) for each in wanted]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise HubRefusal(
            f"{_endpoint()} gave no list of the files of {source} with their lengths and digests.",
            "Check HF_ENDPOINT: it names a hub of models, or nothing.",
        ) from None
    raise HubRefusal(
        f"The repository {source} holds no {missing[0]}.",
        "It was changed since this Carrel was made: choose another with `carrel models list`.",
    )


@contextmanager
def requested_file(source: str, name: str, start: int) -> Iterator[Response]:
    """Lend the answer to a request for a file's bytes from `start` on. Raises HubRefusal, also while it is read."""
    beginning = {"Range": f"bytes={start}-"} if start else {}
    with requested(f"{_quoted(source)}/resolve/main/{_quoted(name)}", source, beginning) as answer:
        yield answer


@contextmanager
def requested(place: str, source: str, headers: dict[str, str] | None = None) -> Iterator[Response]:
    """Lend the hub's answer to a request. Raises HubRefusal where there is none, or none that helps."""
    import requests  # 60 ms, and what fastembed brings
    from huggingface_hub import get_token

    token, came = get_token(), False
    sent = {"User-Agent": "carrel", "Accept-Encoding": "identity"} | (headers or {})
    sent |= {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with requests.get(f"{_endpoint()}/{place}", headers=sent, stream=True, timeout=ANSWER_SECONDS) as answer:
            if answer.status_code >= 400:
                raise _refused(answer, source)
            came = True
            yield answer
    except requests.RequestException as error:
        raise _broken_off() if came else _unreached(error) from error


def refuse_offline(name: str) -> None:
    """Raise ModelError where the environment says that no hub is to be asked."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise ModelError(
            f"The model {name} cannot be downloaded.",
            cause="It is not in the cache, and HF_HUB_OFFLINE forbids to ask a hub for it.",
            fix=f"Run it without that variable: `HF_HUB_OFFLINE=0 carrel models use {name}`.",
        )


def _endpoint() -> str:
    from huggingface_hub import constants

    return str(constants.ENDPOINT).rstrip("/")


def _quoted(path: str) -> str:
    return quote(path, safe="/")


def _described(sibling: dict[str, Any]) -> HubFile:
    """Read what a hub says of a file. Raises ValueError where it does not say all."""
    large = sibling.get("lfs")
    size, digest = (large["size"], large["sha256"]) if large else (sibling["size"], sibling["blobId"])
    if type(size) is not int or size < 0 or not _DIGEST.fullmatch(digest):
        raise ValueError(sibling["rfilename"])
    return HubFile(str(sibling["rfilename"]), size, digest, bool(large))


def _refused(answer: Response, source: str) -> HubRefusal:
    """Say what the hub's number means; it answers 401 for what is not there, too, to those who show no token."""
    number, said = answer.status_code, answer.headers.get("X-Error-Code", "")
    where = f"{_endpoint()}/{source}"
    if said == "GatedRepo" or (number in (401, 403) and said != "RepoNotFound"):
        return HubRefusal(
            f"{_endpoint()} lets only those have it who are known and have accepted its terms ({number}).",
            f"Accept them at {where}, then set HF_TOKEN to a token of yours and try again.",
        )
    if number in (401, 404):
        return HubRefusal(
            f"{_endpoint()} has no such file of {source}, or shows it only to some ({number}).",
            "It may have been moved: choose another with `carrel models list`. If it is private, set HF_TOKEN.",
        )
    if number == 407:
        return HubRefusal("The proxy wants a name and a password (407).", _PROXY_FIX)
    if number == 429 or number >= 500:
        return HubRefusal(
            f"{_endpoint()} cannot serve it now ({number}).",
            "Try again later; what has been fetched is kept.",
            passing=True,
        )
    return HubRefusal(f"{_endpoint()} refused the request ({number}).", "Check HF_ENDPOINT and the network.")


def _unreached(error: Exception) -> HubRefusal:
    from requests import exceptions

    if isinstance(error, exceptions.ProxyError):
        return HubRefusal("The proxy does not answer, or refuses.", _PROXY_FIX)
    if isinstance(error, exceptions.SSLError):
        return HubRefusal(
            f"The certificate of {_endpoint()} is not one that this machine trusts.",
            "Where a proxy of your network puts its own there, name its file in REQUESTS_CA_BUNDLE.",
        )
    if isinstance(error, exceptions.Timeout):
        return HubRefusal(
            f"{_endpoint()} did not answer within {ANSWER_SECONDS} seconds.",
            "Check the network and try again; what has been fetched is kept.",
        )
    if isinstance(error, ValueError):  # no scheme, or no host
        return HubRefusal(f"{_endpoint()} is no address of a hub.", "Check HF_ENDPOINT.")
    return HubRefusal(
        f"{_endpoint()} cannot be reached from here.",
        "Check the network and try again; the model that comes with Carrel needs none.",
    )


def _broken_off() -> HubRefusal:
    return HubRefusal(
        f"{_endpoint()} broke off in the middle.",
        "Try again; it goes on from what has been fetched.",
        passing=True,
    )
