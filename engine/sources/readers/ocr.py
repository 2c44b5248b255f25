"""Reads the words in pictures of pages with an installed Tesseract, where a person has switched that on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable

from engine.errors import SourceError
from engine.sources.encodings import storable

PAGE_SECONDS = 50  # for one page, below the limit of a file, so that a slow page costs itself alone
MAX_PAGES = 200  # of one document: at a few seconds each, a book takes half an hour
DOTS_PER_INCH = 300  # what Tesseract is trained on
MAX_PIXELS = 25_000_000  # a page of 4 by 4 feet is shown smaller
_MISSING_LANGUAGE = re.compile(r"loading language ['\"]([\w/+-]{1,60})['\"]|/([\w-]{1,60})\.traineddata")


class Recogniser:
    """Reads the pages of one document."""

    def __init__(self, languages: str, before_page: Callable[[], None] = lambda: None) -> None:
        """`languages` are Tesseract's names, joined by `+`; `before_page` is told that a page is to be read."""
        self._languages = languages
        self._before_page = before_page
        self._pages = 0

    def words(self, picture: bytes) -> str:
        """Return what stands in a picture, "" for nothing, for a page that takes too long, and after MAX_PAGES.

        `picture` is in any format that Tesseract reads. Raises SourceError, naming what to do, where it cannot run.
        """
        if self._pages >= MAX_PAGES:
            return ""
        self._pages += 1
        program = shutil.which("tesseract")
        if program is None:
            raise SourceError("scanned: no text layer, and OCR needs Tesseract, which is not installed")
        self._before_page()
        try:
            done = subprocess.run(
                [program, "stdin", "stdout", "-l", self._languages],
                input=picture,
                capture_output=True,
                timeout=PAGE_SECONDS,
                env={**os.environ, "OMP_THREAD_LIMIT": "1"},
                cwd="/",
                check=False,
            )
        except subprocess.TimeoutExpired:
            return ""
        except OSError as error:
            raise SourceError(f"OCR failed: Tesseract cannot be started ({error.strerror})") from None
        if done.returncode:
            raise SourceError(_failure(done.returncode, done.stderr.decode("utf-8", "replace")))
        return storable(done.stdout.decode("utf-8", "replace")).replace("\f", "\n").strip()


def _failure(status: int, said: str) -> str:
    missing = _MISSING_LANGUAGE.search(said)
    if missing:
        return (
            f"OCR failed: Tesseract has no language {missing[1] or missing[2]}; install it, or change the setting ocr"
        )
    return f"OCR failed: Tesseract ended with status {status}"


def grey_picture(width: int, height: int, stride: int, pixels: bytes) -> bytes:
    """Return a picture of one byte a pixel, rows `stride` bytes apart, in the PGM format."""
    if stride != width:
        pixels = b"".join(pixels[row * stride : row * stride + width] for row in range(height))
    return b"P5\n%d %d\n255\n" % (width, height) + pixels[: width * height]
