"""Pictures for pages: reduced to JPEG files."""

from __future__ import annotations

import io

from PIL import Image

from andon.types import RgbImage

QUALITY = 72


def to_jpeg(picture: RgbImage) -> bytes:
    """The picture, (h, w, 3) uint8 RGB, as a JPEG file."""
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=QUALITY)
    return data.getvalue()
