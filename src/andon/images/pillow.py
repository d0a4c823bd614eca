"""What Pillow reads for Andon: which formats it may try, how large a picture may be, and errors that say the file."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from andon.errors import ImageError
from andon.images.formats import COMMON, HAS_HEIF, HEIF_HINT, decoders, kind_of
from andon.types import RgbImage

MIN_SIDE = 16
MAX_MEGAPIXELS = 150  # Pillow itself refuses 179
ORIENTATION = 274  # the tag of EXIF and of TIFF
ON_ITS_SIDE = (5, 6, 7, 8)

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # at half of that
# Pillow calls a sound PNG damaged when its texts, such as XMP, have more than 1 MB; large photos take as much as this.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = 256 * 2**20


@contextmanager
def blaming(data: bytes, path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises into an ImageError that names the file."""
    try:
        yield
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(_unidentified(data, path)) from None
    except Image.DecompressionBombError:
        raise ImageError(
            f"{path} has more than {MAX_MEGAPIXELS} megapixels, which is the limit: reduce the photo."
        ) from None
    except Exception as error:  # a damaged file makes a decoder stumble over anything
        reason = " ".join(str(error).split())
        raise ImageError(f"{path} is damaged or cut short ({reason}); copy the photo again.") from None


def _unidentified(data: bytes, path: Path) -> str:
    kind = kind_of(data)
    if kind == "a HEIC photo":
        if HAS_HEIF:
            return f"{path} is {kind} that is damaged or cut short; copy the photo again."
        return f"{path} is {kind}, for which a decoder is missing: {HEIF_HINT}, or save it as JPEG."
    if kind:
        return f"{path} is {kind}, which Andon does not read; expected {COMMON}."
    return f"{path} is not a photo that Andon can read; expected {COMMON}."


def open_header(data: bytes) -> Image.Image:
    """The first picture of the file, not decoded yet."""
    return Image.open(io.BytesIO(data), formats=decoders())


def open_picture(data: bytes, path: Path, min_side: int = MIN_SIDE) -> Image.Image:
    """The first picture of the file, decoded; its size is checked before that.

    Raises:
        ImageError: it is too small or too large.
    """
    image = open_header(data)
    check_size(image.size, path, min_side)
    image.load()
    return image


def check_size(size: tuple[int, int], name: Path | str, min_side: int = MIN_SIDE) -> None:
    """Check that a picture of (width, height) may be decoded.

    Raises:
        ImageError: it is too small or too large.
    """
    width, height = size
    if min(size) < min_side:
        raise ImageError(f"{name} is {width} x {height} pixels; at least {min_side} x {min_side} are needed.")
    if width * height > MAX_MEGAPIXELS * 1e6:
        raise ImageError(
            f"{name} is {width} x {height} pixels, {width * height / 1e6:.0f} megapixels; "
            f"the limit is {MAX_MEGAPIXELS}: reduce the photo."
        )


def orientation_of(image: Image.Image) -> int:
    """How the picture is turned, as EXIF numbers it: 1 upright, 5 to 8 on its side, 0 where that cannot be read."""
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
    except Exception:  # Pillow stumbles over anything in damaged EXIF data, though the pixels are sound
        return 0
    return orientation if orientation in range(1, 9) else 1


def upright(picture: NDArray[Any], orientation: int) -> NDArray[Any]:
    """(H, W) or (H, W, C) as a viewer shows it; `orientation` is EXIF's number, upright if unknown."""
    if orientation in ON_ITS_SIDE:
        picture = picture.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture)


def has_more_pages(image: Image.Image) -> bool:
    """Whether other pictures follow in the file; what a phone puts behind its photo, such as depths, does not count.

    Take the pixels of the first picture before asking: looking for others may lose them.
    """
    if image.format == "MPO":
        return False
    try:
        return bool(getattr(image, "n_frames", 1) > 1)
    except Exception:  # something follows, and it is damaged; the first picture is sound, and it is the one that counts
        return True


def decode_by_pillow(image: Image.Image) -> tuple[RgbImage, int]:
    """The pixels of a picture with 8 bits as its file holds them, (H, W, 3) uint8 RGB, and its EXIF orientation."""
    image.load()
    return to_rgb(image), orientation_of(image)


def to_rgb(image: Image.Image) -> RgbImage:
    """(H, W, 3) uint8 RGB of a picture with 8 bits: what is transparent lies over white, unless all of it is."""
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        if rgba.getchannel("A").getextrema() == (0, 0):  # cameras that leave the fourth byte empty
            return np.array(rgba.convert("RGB"))
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))
