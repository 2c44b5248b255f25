"""Makes one picture small, in a process of its own: `python -m app.tui.pictures.thumbnail FORMAT WIDTH HEIGHT`.

The file is on stdin; on stdout come its size, 8 bytes, and its pixels (rgb), a palette
of 768 bytes and a byte a pixel (palette), or a PNG (png). A picture may be hostile:
the process has limits, and whatever goes wrong in it costs that picture.
"""

from __future__ import annotations

import io
import struct
import sys
import warnings

MOST_FILE_BYTES = 32 << 20
MOST_PIXELS = 50_000_000  # a photograph of a good camera; unpacked 150 MB
MEMORY_BYTES = 1 << 30  # address space
CPU_SECONDS = 10
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")  # the decoders that most eyes have looked at
SIZE = struct.Struct(">II")
PALETTE_BYTES = 3 * 256


def main() -> int:
    """Read a picture, make it small and write it; 1 where it cannot be shown."""
    _limit()
    kind, width, height = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    content = sys.stdin.buffer.read(MOST_FILE_BYTES + 1)
    if len(content) > MOST_FILE_BYTES:
        return 1
    try:
        made = small(content, kind, (width, height))
    except Exception:  # a decoder may raise anything
        return 1
    sys.stdout.buffer.write(made)
    return 0


def _limit() -> None:
    import resource  # of Unix, where Carrel runs

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def small(content: bytes, kind: str, most: tuple[int, int]) -> bytes:
    """Return the first picture of a file at `most` so many pixels wide and high."""
    from PIL import Image, ImageOps

    warnings.simplefilter("error")  # that of a picture which unpacks to much more than its file
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise ValueError("too many pixels")
        picture.draft("RGB", (2 * most[0], 2 * most[1]))  # a large JPEG is decoded at a part of its size
        upright = ImageOps.exif_transpose(picture)
        upright.thumbnail(most)
        pixels = upright.convert("RGBA" if kind == "png" else "RGB")
    size = SIZE.pack(*pixels.size)
    if kind == "rgb":
        return size + pixels.tobytes()
    if kind == "palette":
        few = pixels.quantize(256)
        return size + bytes(few.getpalette() or ()).ljust(PALETTE_BYTES, b"\0")[:PALETTE_BYTES] + few.tobytes()
    encoded = io.BytesIO()
    pixels.save(encoded, "PNG")
    return size + encoded.getvalue()


if __name__ == "__main__":
    sys.exit(main())
