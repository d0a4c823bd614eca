"""When a photo was taken, as its camera wrote it into the file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from andon.images.files import read_bytes
from andon.images.pillow import open_header

EXIF_IFD = 0x8769  # where a camera's own tags lie
DATE_TIME_ORIGINAL = 0x9003


def capture_date(path: Path) -> str | None:
    """The day on which the photo was taken, such as "2026-09-05" (EXIF DateTimeOriginal); None where it is not known.

    Raises:
        ImageError: the file cannot be read.
    """
    data = read_bytes(path)
    try:
        written = open_header(data).getexif().get_ifd(EXIF_IFD).get(DATE_TIME_ORIGINAL)
        return datetime.strptime(str(written)[:10], "%Y:%m:%d").date().isoformat()
    except Exception:  # Pillow stumbles over anything in damaged EXIF data, and a clock may never have been set
        return None
