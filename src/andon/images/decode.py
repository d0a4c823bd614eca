"""Reading and writing photos: every file becomes (H, W, 3) uint8 RGB, turned as its EXIF data says."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from andon.errors import ImageError
from andon.images.formats import COMMON
from andon.types import Mask, RgbImage

MIN_SIDE = 16
MAX_MEGAPIXELS = 150  # Pillow itself refuses 179

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # at half of that


def sha256(data: bytes) -> str:
    """Hex digest of `data`."""
    return hashlib.sha256(data).hexdigest()


def read(path: Path) -> RgbImage:
    """The photo at `path`, (H, W, 3) uint8 RGB.

    Raises:
        ImageError: the file is missing, empty, cut short, no photo, too small or too large.
    """
    return decode(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        ImageError: the file cannot be read or is empty.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ImageError(f"{path} cannot be opened ({reason}); check the path and its permissions.") from None
    if not data:
        raise ImageError(f"{path} is empty (0 bytes); copy the photo again.")
    return data


def decode(data: bytes, path: Path) -> RgbImage:
    """The photo in `data`, (H, W, 3) uint8 RGB; `path` only names it in errors.

    16-bit values are divided by 257, grey becomes three equal channels, alpha is laid over white, CMYK is converted,
    the EXIF orientation is applied.

    Raises:
        ImageError: see `read`.
    """
    with _blaming(path):
        return _to_rgb(_open(data, path))


def _open(data: bytes, path: Path) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    _check_size(image.size, path)
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    return image


@contextmanager
def _blaming(path: Path) -> Iterator[None]:
    """Turn whatever Pillow raises into an ImageError that names the file."""
    try:
        yield
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(f"{path} is not a photo that Andon can read; expected {COMMON}.") from None
    except Image.DecompressionBombError:
        raise ImageError(
            f"{path} has more than {MAX_MEGAPIXELS} megapixels, which is the limit: reduce the photo."
        ) from None
    except Exception as error:  # a damaged file makes Pillow stumble over anything
        raise ImageError(f"{path} is damaged or cut short ({error}); copy the photo again.") from None


def check_array(image: RgbImage) -> RgbImage:
    """The array itself, once it is known to be a photo.

    Raises:
        ImageError: it is not (H, W, 3) uint8, or too small or too large.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ImageError(f"The array is {image.shape} {image.dtype}; expected an RGB photo (H, W, 3) uint8.")
    _check_size((image.shape[1], image.shape[0]), "The array")
    return image


def _check_size(size: tuple[int, int], name: Path | str) -> None:
    width, height = size
    if min(size) < MIN_SIDE:
        raise ImageError(f"{name} is {width} x {height} pixels; at least {MIN_SIDE} x {MIN_SIDE} are needed.")
    if width * height > MAX_MEGAPIXELS * 1e6:
        raise ImageError(
            f"{name} is {width} x {height} pixels, {width * height / 1e6:.0f} megapixels; "
            f"the limit is {MAX_MEGAPIXELS}: reduce the photo."
        )


def _to_rgb(image: Image.Image) -> RgbImage:
    if image.mode.startswith(("I", "F")):  # 16-bit grey
        grey = np.asarray(image, dtype=np.float64)
        grey8 = np.clip(grey / 257 + 0.5, 0, 255).astype(np.uint8)
        return np.repeat(grey8[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        image = Image.alpha_composite(white, rgba)
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def read_mask(path: Path) -> Mask:
    """The ground-truth mask at `path`, (H, W) bool, True = defect: whatever is neither black nor transparent.

    Raises:
        ImageError: the file is missing, empty, cut short or no picture.
    """
    with _blaming(path):
        image = _open(read_bytes(path), path)
        values = np.asarray(image.convert("RGBA") if image.mode in ("P", "LA", "PA") else image)
    if image.has_transparency_data and values.ndim == 3:  # what is transparent is no defect, whatever its colour
        values = values[:, :, :-1] * (values[:, :, -1:] > 0)
    mask: Mask = values > 0 if values.ndim == 2 else np.any(values[:, :, :3] > 0, axis=2)
    return mask


def write(path: Path, image: RgbImage) -> None:
    """Write (H, W, 3) uint8 RGB in the format that the file's name ends in, making its folder.

    Raises:
        ImageError: the file cannot be written.
    """
    ok, data = cv2.imencode(path.suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not ok:
        raise ImageError(f"{path} cannot be encoded as {path.suffix}; use .png or .jpg.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.tobytes())
    except OSError as error:
        reason = error.strerror or str(error)
        raise ImageError(f"{path} cannot be written ({reason}); choose a folder that you may write to.") from None
