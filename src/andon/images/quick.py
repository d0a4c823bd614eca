"""The kinds of photos that are most common, decoded by kornia-rs in less than half of Pillow's time, to the same pixels.

It is asked for whole files only, and takes a decoder's warning for an error. What it does not take, Pillow reads, and
says what is wrong with it.
"""

from __future__ import annotations

import re
import zlib

import cv2
import numpy as np
from kornia_rs import io as kornia
from PIL import Image

from andon.images.pillow import orientation_of
from andon.types import RgbImage

MAX_PIXELS = 2_000_000
"""kornia-rs keeps Python's lock while it decodes, so the other threads wait: 10 ms at most, with so few pixels."""
UPRIGHT = 1  # as EXIF numbers it; what may turn a PNG is not read here
PNG_MODES = {b"\x08\x02\0\0\0": "rgb", b"\x08\0\0\0\0": "mono"}
"""Bits, colour type, compression, filter and interlacing of a PNG's header -> kornia-rs's name for its colours."""
PNG_LAYOUT = re.compile(rb"IHDR(gAMA|cHRM|sRGB|pHYs|tIME|tEXt)*(IDAT)+(tIME|tEXt)*IEND")
"""Chunks that change no pixel: no palette, transparency, second picture or compressed text is among them."""
PNG_LENGTHS = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"pHYs": 9, b"tIME": 7}
PNG_TEXTS_THAT_TURN = (b"Raw profile", b"XML:")  # EXIF and XMP: they may say how the photo lies


def decode_quickly(data: bytes, header: Image.Image) -> tuple[RgbImage, int] | None:
    """The pixels as the file holds them, (H, W, 3) uint8 RGB, and its EXIF orientation; None where Pillow is to read it.

    Args:
        header: of the same file, not decoded yet; its size has been checked.
    """
    width, height = header.size
    if width * height > MAX_PIXELS:
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
    if mode is None or not _is_whole_and_plain(data):
        return None
    pixels = kornia.decode_image_png_u8(data, (height, width), mode)
    return np.asarray(pixels if mode == "rgb" else cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), dtype=np.uint8)


def _is_whole_and_plain(png: bytes) -> bool:
    """Whether all checksums are right, and nothing is there but pixels and remarks on them."""
    view, position, kinds = memoryview(png), 8, []
    while position < len(png):
        start, length = position + 8, int.from_bytes(view[position : position + 4])
        kind, end = png[position + 4 : start], start + length
        if zlib.crc32(view[position + 4 : end]) != int.from_bytes(view[end : end + 4]):
            return False
        if PNG_LENGTHS.get(kind, length) != length or png.startswith(PNG_TEXTS_THAT_TURN, start):
            return False
        kinds.append(kind)
        position = end + 4
    return PNG_LAYOUT.fullmatch(b"".join(kinds)) is not None
