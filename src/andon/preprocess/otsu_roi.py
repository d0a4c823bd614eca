"""Finding the part: Otsu's threshold on the distance from the background's colour."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from andon.errors import ConfigError
from andon.preprocess._base import Step
from andon.types import Frame, Mask, RgbImage

Parts = Literal["largest", "all"]
Contour = cv2.typing.MatLike

WORKING_SIDE = 512  # the part is looked for on a photo shrunk to this long side
COARSE_SIDE = 64  # the background is fitted on a photo shrunk to this side ...
BORDER = 3  # ... along a border this wide
SMOOTHING_SHARE = 0.004  # of the short side: sigma of the Gaussian that takes off noise and the weave of a cloth
CLOSING_SHARE = 0.015  # of the short side: diameter of the kernel; small, so that neighbouring parts stay apart
OPENING_SHARE = 0.025
BAR_SHARE = 0.15  # of the photo's height or width: a caption bar is no thicker
SIMILAR_AREA = 0.25  # a contour of this share of the largest one's area is another part, not dirt


@dataclass(frozen=True, kw_only=True)
class OtsuRoi(Step):
    """Narrows the ROI to the part, its outline filled, so that a defect of the background's colour stays inside.

    Polarity is found, not assumed: the background is what the photo's border is made of, and the part is what differs
    from it in L*a*b*, be it lighter, darker or of another colour.

    Attributes:
        parts: "largest" keeps the largest contour only, "all" also the others of a similar size.
        min_area: a part covers at least this share of the photo.
        max_area: a part covers at most this share of the photo.
        min_separation: difference of part and background in standard deviations; noise reaches 2.7, clutter nearly 4.
    """

    parts: Parts = "largest"
    min_area: float = 0.002
    max_area: float = 0.95
    min_separation: float = 4.0

    def __post_init__(self) -> None:
        if self.parts not in get_args(Parts):
            raise ConfigError(f"otsu_roi.parts is {self.parts!r}; choose one of: {', '.join(get_args(Parts))}.")
        if not 0 <= self.min_area < self.max_area <= 1:
            raise ConfigError(
                f"otsu_roi.min_area is {self.min_area} and max_area {self.max_area}; "
                "choose shares with 0 <= min_area < max_area <= 1."
            )
        if not self.min_separation >= 0:
            raise ConfigError(f"otsu_roi.min_separation is {self.min_separation}; choose a number from 0, such as 4.")

    def __call__(self, frame: Frame) -> Frame:
        difference = _difference_from_background(_shrink(frame.image))
        _, foreground = cv2.threshold(difference, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        contours = _part_contours(foreground)
        area = cv2.contourArea(contours[0]) / foreground.size if contours else 0.0
        if not self.min_area <= area <= self.max_area:
            return frame.with_note("no part was found: the whole photo is used")
        if _separation(difference, foreground > 0) < self.min_separation:
            return frame.with_note("no part stands out from the background: the whole photo is used")

        if len(contours) > 1 and self.parts == "largest":
            frame = frame.with_note(f"{len(contours)} parts in the photo: only the largest is used")
        kept = contours if self.parts == "all" else contours[:1]
        filled = cv2.drawContours(np.zeros_like(foreground), kept, -1, 255, cv2.FILLED)
        height, width = frame.size
        roi = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR) > 127
        return replace(frame, roi=frame.roi & roi)


def _shrink(image: RgbImage) -> RgbImage:
    """At most WORKING_SIDE long, and smoothed."""
    height, width = image.shape[:2]
    scale = min(1.0, WORKING_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    sigma = max(0.5, SMOOTHING_SHARE * min(size))
    return np.asarray(cv2.GaussianBlur(small, (0, 0), sigma), dtype=np.uint8)


def _difference_from_background(image: RgbImage) -> NDArray[np.uint8]:
    """(H, W), 20 times the square root of the distance in L*a*b* from the background that the border continues to.

    The root keeps Otsu's threshold between background and part, where a part with bright and dark faces would draw it
    in between those.
    """
    lab = np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), dtype=np.float32)
    delta = lab - _background(lab)
    distance = np.sqrt(np.einsum("hwc,hwc->hw", delta, delta))
    return np.asarray(np.minimum(20 * np.sqrt(distance), 255), dtype=np.uint8)


def _background(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W, 3): a quadratic surface through the border's colours, for light that fades across the photo.

    Fitted by iteratively reweighted least squares, so that a part or a caption that touches the border counts little.
    """
    coarse = cv2.resize(lab, (COARSE_SIDE, COARSE_SIDE), interpolation=cv2.INTER_AREA)
    y, x = np.meshgrid(np.linspace(-1, 1, COARSE_SIDE), np.linspace(-1, 1, COARSE_SIDE), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * y, x**2, y**2], axis=2)
    border = np.ones(x.shape, dtype=bool)
    border[BORDER:-BORDER, BORDER:-BORDER] = False

    colours = coarse[border]
    fitted = np.median(colours, axis=0)
    for _ in range(6):
        residual = np.linalg.norm(colours - fitted, axis=1)
        scale = max(2.0, 1.5 * float(np.median(residual)))
        weight = 1 / np.maximum(1, residual / scale)[:, None]
        coefficients = np.linalg.lstsq(terms[border] * weight, colours * weight, rcond=None)[0]
        fitted = terms[border] @ coefficients
    surface = cv2.resize(terms @ coefficients, (lab.shape[1], lab.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(surface, dtype=np.float32)


def _part_contours(foreground: cv2.typing.MatLike) -> list[Contour]:
    """Outer contours after morphological closing and opening, largest first: the largest and those of similar size."""
    short_side = min(foreground.shape)
    closed = cv2.morphologyEx(foreground, cv2.MORPH_CLOSE, _disc(CLOSING_SHARE * short_side))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, _disc(OPENING_SHARE * short_side))
    contours, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    parts = sorted((c for c in contours if not _is_bar(c, foreground.shape)), key=cv2.contourArea, reverse=True)
    return [part for part in parts if cv2.contourArea(part) >= SIMILAR_AREA * cv2.contourArea(parts[0])]


def _disc(diameter: float) -> cv2.typing.MatLike:
    odd = 2 * round(diameter / 2) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (odd, odd))


def _is_bar(contour: Contour, shape: tuple[int, ...]) -> bool:
    """Whether it is a thin bar along one whole side of the photo: a caption, or the edge of the table."""
    x, y, width, height = cv2.boundingRect(contour)
    at_sides, at_ends = (x == 0, x + width == shape[1]), (y == 0, y + height == shape[0])
    lies = all(at_sides) and any(at_ends) and height <= BAR_SHARE * shape[0]
    stands = all(at_ends) and any(at_sides) and width <= BAR_SHARE * shape[1]
    return lies or stands


def _separation(difference: NDArray[np.uint8], foreground: Mask) -> float:
    """Difference of the two classes' means over their pooled standard deviation (Otsu's criterion, freed of sizes)."""
    part, background = difference[foreground].astype(np.float64), difference[~foreground].astype(np.float64)
    if not part.size or not background.size:
        return 0.0
    pooled = (part.var() * part.size + background.var() * background.size) / difference.size
    return float((part.mean() - background.mean()) / np.sqrt(pooled + 1e-9))


STEP = OtsuRoi
