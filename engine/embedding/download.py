"""Getting a model's files through fastembed: from the cache if they are there, else from the network, at most once."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from engine.embedding.fastembed_models import Offered
from engine.errors import ModelError
from engine.paths import places, private_folder

_TIMEOUT_SECONDS = "10"  # for an answer of the model hub; a slow line still answers within it


def fetch(model: Offered) -> Path:
    """Return a folder with the model's files, downloaded if the cache lacks them.

    fastembed's own entrance asks three times and sleeps 3, 9 and 27 seconds in between, so its inner step is called:
    a machine without a network hears so as soon as the one attempt fails. Raises ModelError where the files cannot
    be had.
    """
    cache = str(private_folder(places().cache / "models"))
    wanted = [model.model_file, *model.files]
    with _quiet():
        from fastembed import TextEmbedding
        from loguru import logger

        logger.disable("fastembed")
        with contextlib.suppress(Exception):  # not in the cache, or not all of it
            folder = Path(TextEmbedding.download_files_from_huggingface(model.source, cache, wanted, True))
            if all((folder / name).is_file() for name in wanted):
                return folder
        try:
            return Path(TextEmbedding.download_files_from_huggingface(model.source, cache, wanted))
        except Exception as error:  # any of requests', httpx's, the hub's and fastembed's own
            raise ModelError(
                f"The model {model.name} cannot be downloaded.",
                cause=f"It is not in the cache, and fetching {model.source} failed: {error}.",
                fix="Check the network and try again; the model that comes with Carrel needs none.",
            ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep progress bars and advice off the screen, and the hub from waiting for long."""
    for name, value in (
        ("HF_HUB_ETAG_TIMEOUT", _TIMEOUT_SECONDS),
        ("HF_HUB_DOWNLOAD_TIMEOUT", _TIMEOUT_SECONDS),
        ("HF_HUB_DISABLE_PROGRESS_BARS", "1"),
        ("HF_HUB_DISABLE_TELEMETRY", "1"),
    ):
        os.environ.setdefault(name, value)  # read once, when the hub's library is imported
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
