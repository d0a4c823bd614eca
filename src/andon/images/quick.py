"""The most common photos, decoded by kornia-rs to the same pixels as by Pillow: PNG in 0.4 of its time, JPEG in 0.7.

Only a file with nothing wrong is decoded so: a warning counts as an error. Pillow reads all others, or says what is
wrong with them. One fault that Pillow sees is not seen: a PNG whose chunks have right checksums (CRC-32), but whose
compressed stream ends in a wrong one of its own (Adler-32).
"""

from __future__ import annotations

import re

import cv2
import numpy as np
from PIL import Image

from andon.images.pillow import orientation_of
from andon.types import RgbImage

try:
    from kornia_rs import io as kornia
except ImportError:  # there is none for this system, such as a Mac with an Intel processor
    kornia = None  # type: ignore[assignment]

MAX_PIXELS = 2_000_000
"""kornia-rs keeps Python's lock while it decodes, so the other threads wait: some 10 ms, with so few pixels."""
UPRIGHT = 1  # as EXIF numbers it; what may turn a PNG is not read here
PNG_MODES = {b"\x08\x02\0\0\0": "rgb", b"\x08\0\0\0\0": "mono"}
"""Bits, colour type, compression, filter and interlacing of a PNG's header -> kornia-rs's name for its colours."""
PNG_LAYOUT = re.compile(rb"IHDR(gAMA|cHRM|sRGB|pHYs|tIME|tEXt)*(IDAT)+(tIME|tEXt)*IEND")
"""Chunks that change no pixel: no palette, transparency, second picture or compressed text is among them."""
PNG_TEXTS_THAT_TURN = (b"Raw profile", b"XML:")  # EXIF and XMP: they may say how the photo lies


def decode_quickly(data: bytes, header: Image.Image) -> tuple[RgbImage, int] | None:
    """The pixels as the file holds them, (H, W, 3) uint8 RGB, and its EXIF orientation; None where Pillow must read it.

    Args:
        header: of the same file, not decoded yet; its size has been checked.
    """
    width, height = header.size
    if kornia is None or width * height > MAX_PIXELS:
        return None
    try:
        if header.format == "PNG":
            pixels, orientation = _png(data, height, width), UPRIGHT
        elif header.format == "JPEG" and header.mode in ("RGB", "L"):
            pixels, orientation = kornia.decode_image_jpegturbo(data, "rgb"), orientation_of(header)
        else:
            return None
    except Exception:  # whatever it is, Pillow has a sentence for it, or takes it
        return None
    return None if pixels is None or pixels.shape != (height, width, 3) else (pixels, orientation)


def _png(data: bytes, height: int, width: int) -> RgbImage | None:
    mode = PNG_MODES.get(data[24:29])
    if mode is None or not _is_plain(data):
        return None
    pixels = kornia.decode_image_png_u8(data, (height, width), mode)
    return np.asarray(pixels if mode == "rgb" else cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), dtype=np.uint8)


def _is_plain(png: bytes) -> bool:
    """Whether nothing is in it but pixels and remarks on them."""
    position, kinds = 8, []
    while position < len(png):
        length, kind, body = png[position : position + 4], png[position + 4 : position + 8], position + 8
        if png.startswith(PNG_TEXTS_THAT_TURN, body):
            return False
        kinds.append(kind)
        position = body + int.from_bytes(length) + 4
    return PNG_LAYOUT.fullmatch(b"".join(kinds)) is not None
