"""Give photographs the names of the moments at which they were taken: 2024-08-12 23.41.07.jpg.

    python rename_photos.py ~/Pictures/inbox            # says what it would do
    python rename_photos.py ~/Pictures/inbox --really   # does it

Two pictures of the same second get a letter. Nothing is ever overwritten, because I once did.
"""

from __future__ import annotations

import argparse
import string
from datetime import datetime
from pathlib import Path

KINDS = {".jpg", ".jpeg", ".heic", ".orf"}


def taken(picture: Path) -> datetime:
    """Return when the picture was taken; the clock of the file is good enough since the camera sets it."""
    return datetime.fromtimestamp(picture.stat().st_mtime)


def new_name(picture: Path, used: set[str]) -> str:
    """Return a name that is not used yet: the moment, and a letter where two share it."""
    moment = f"{taken(picture):%Y-%m-%d %H.%M.%S}"
    for letter in ("", *string.ascii_lowercase):
        name = f"{moment}{letter}{picture.suffix.lower()}"
        if name not in used:
            return name
    raise ValueError(f"more than 27 pictures in one second: {moment}")


def main() -> None:
    """Rename what lies in one folder; folders below it are left alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--really", action="store_true")
    options = parser.parse_args()
    used = {each.name for each in options.folder.iterdir()}
    for picture in sorted(options.folder.iterdir()):
        if picture.suffix.lower() not in KINDS:
            continue
        name = new_name(picture, used)
        used.add(name)
        print(f"{picture.name}  ->  {name}")
        if options.really:
            picture.rename(picture.with_name(name))


if __name__ == "__main__":
    main()
