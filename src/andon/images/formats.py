"""The kinds of pictures that Andon reads: a list of its own, told by what stands in the file and not by its name."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

ENDINGS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo"),
    "PNG": (".png",),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "GIF": (".gif",),
}
"""Pillow's name of a kind -> the endings, in lower case, that files of it have."""
HEIF_ENDINGS = (".heic", ".heif", ".hif")
HEIF_HINT = "pip install 'andon[heic]'"
HAS_HEIF = find_spec("pillow_heif") is not None
if HAS_HEIF:
    ENDINGS["HEIF"] = HEIF_ENDINGS
SUFFIXES = frozenset(ending for endings in ENDINGS.values() for ending in endings)
COMMON = ".jpg, .png, .bmp, .tif, .webp or .gif"
"""For messages: what people have."""

KINDS = {
    "a HEIC photo": rb".{4}ftyp(hei[cmsx]|hev[cmx]|mif[12]|msf1)",
    "an AVIF picture": rb".{4}ftypavi[fs]",
    "a film": rb".{4}ftyp|\x1aE\xdf\xa3|RIFF.{4}AVI ",
    "a JPEG 2000 picture": rb".{4}jP  |\xff\x4f\xff\x51",
    "a JPEG XL picture": rb".{4}JXL |\xff\x0a",
    "a PostScript page": rb"%!PS|\xc5\xd0\xd3\xc6",
    "a PDF page": rb"%PDF",
    "a Photoshop picture": rb"8BPS",
    "a Netpbm picture": rb"P[1-7fF]\s",
    "an OpenEXR picture": rb"\x76\x2f\x31\x01",
    "a camera's raw data": rb"FUJIFILMCCD-RAW|IIRO|IIU\0|.{6}HEAPCCDR",
    "an HTML page": rb"(?i)\s*<(!doctype html|html)",
    "SVG or other XML": rb"\s*<(svg|\?xml)",
    "a ZIP archive": rb"PK\x03\x04",
    "a pointer of Git LFS, to be fetched with 'git lfs pull'": rb"version https://git-lfs",
}
"""What people have in the place of photos, so that it can be called by its name -> how such a file begins."""


def is_image(path: Path) -> bool:
    """Whether the file's name ends like that of a picture that Andon reads, in upper or lower case."""
    return path.suffix.lower() in SUFFIXES


@cache
def decoders() -> tuple[str, ...]:
    """The only formats that Pillow may try on a file; without a list it tries more than 40 and starts Ghostscript.

    MPO, several JPEGs in a row, is opened as JPEG.
    """
    if HAS_HEIF:
        import pillow_heif

        pillow_heif.register_heif_opener()
    return tuple(ENDINGS)


def kind_of(data: bytes) -> str:
    """What a file that Andon does not read is; empty if it is anything else."""
    return next((kind for kind, begin in KINDS.items() if re.match(begin, data[:64], re.DOTALL)), "")


def ending_note(path: Path, format: str) -> str:
    """A remark where the file's name says something else than what it is; `format` is Pillow's name for that."""
    kind = "JPEG" if format == "MPO" else format
    ending = path.suffix
    if not ending or ending.lower() in ENDINGS[kind]:
        return ""
    return f"a {kind} file, although its name ends in {ending}"
