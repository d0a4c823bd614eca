"""The kinds of pictures that Andon reads: a list of its own, by what stands in the file, and the endings they have."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

ENDINGS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".jif"),
    "MPO": (".mpo",),
    "PNG": (".png",),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "GIF": (".gif",),
}
"""What Pillow calls a format -> the endings, in lower case, that files of it have."""
HEIF_ENDINGS = (".heic", ".heif", ".hif")
HEIF_HINT = "pip install 'andon[heic]'"
HAS_HEIF = find_spec("pillow_heif") is not None
if HAS_HEIF:
    ENDINGS["HEIF"] = HEIF_ENDINGS
SUFFIXES = frozenset(ending for endings in ENDINGS.values() for ending in endings)
COMMON = ".jpg, .png, .bmp, .tif, .webp or .gif"
"""For messages: what people have."""


def is_image(path: Path) -> bool:
    """Whether the file's name ends like that of a picture that Andon reads, in upper or lower case."""
    return path.suffix.lower() in SUFFIXES
