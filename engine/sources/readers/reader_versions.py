"""The version of every reader: raised where it gives another document for the same bytes, so that files are read again.

A library keeps the versions that read its files; the sync after an update reads again what an older one read.
"""

from __future__ import annotations

READER_VERSIONS: dict[str, int] = {
    "asciidoc": 1,
    "code": 1,
    "csv": 1,
    "docx": 1,
    "email": 1,
    "epub": 1,
    "html": 1,
    "keyed": 1,
    "latex": 1,
    "markdown": 1,
    "msg": 1,
    "notebook": 1,
    "opendocument": 1,
    "org": 1,
    "pdf": 1,
    "pptx": 1,
    "rst": 1,
    "rtf": 1,
    "subtitles": 1,
    "text": 1,
    "xlsx": 1,
}
"""By the module of the reader in `engine.sources.readers`."""
