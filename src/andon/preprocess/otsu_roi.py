"""Finding the part: Otsu's threshold on the distance from the background's colour and on the strength of edges."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, Self, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from andon.errors import ConfigError
from andon.preprocess import _part_masks as part_masks
from andon.preprocess._base import Step
from andon.preprocess._part_masks import Contour
from andon.robust import centre_and_spread
from andon.types import Frame, Mask, RgbImage

LOG = logging.getLogger(__name__)

Parts = Literal["largest", "all"]

WORKING_SIDE = 512  # the part is looked for on a photo shrunk to this long side
COARSE_SIDE = 64  # the background is fitted on a photo shrunk to this side ...
BORDER = 3  # ... along a border this wide
SMOOTHING_SHARE = 0.004  # of the short side: sigma of the Gaussian that takes off noise and the weave of a cloth
CLEARLY = 0.05  # another mask agrees better with the edges than the first by this much
FAINT = 0.75  # of `min_agreement` is asked of a mask that is like those of the OK photos
SPREADS = 6.0  # a mask is unlike those of the OK photos from this many standard deviations (of the MAD) on ...
MIN_SPREADS = (0.1, 0.025)  # ... which are at least this much, of the area's logarithm and of the solidity
NO_PART = "no part was found: the whole photo is used"
NOTHING_STANDS_OUT = "no part stands out from the background: the whole photo is used"
UNLIKE = "the outline that was found is unlike those of the OK photos: the whole photo is used"


@dataclass(frozen=True, kw_only=True)
class OtsuRoi(Step):
    """Narrows the ROI to the part, its outline filled, so that a defect of the background's colour stays inside.

    Polarity is found, not assumed: the background is what the photo's border is made of, and the part is what differs
    from it in L*a*b*, be it lighter, darker or of another colour. A soft shadow differs too, so masks of what narrow
    edges enclose are proposed beside that one (`_part_masks`), and the one that agrees best with the photo's edges is
    used. Where none can be trusted, the whole photo stays in.

    Attributes:
        parts: "largest" keeps the largest contour only, "all" also the others of a similar size.
        min_area: a part covers at least this share of the photo.
        max_area: a part covers at most this share of the photo.
        min_separation: difference of part and background in standard deviations; noise reaches 2.7, clutter nearly 4.
            It is asked of the mask from colours alone.
        min_agreement: of a mask with the photo's edges, 0..1, see `_part_masks.agreement`. Once it is known what masks
            of OK photos are like, three quarters of it are enough for one that is like them.
        min_share: of the OK photos, in which a mask can be trusted; with fewer no photo is masked.
        isolates: whether photos are masked; None until `fit` settles it.
        usual_area: smallest and largest share of the photo that a part covers; None until `fit` settles it.
        usual_solidity: smallest and largest share that a part covers of its convex hull; likewise.
    """

    parts: Parts = "largest"
    min_area: float = 0.002
    max_area: float = 0.95
    min_separation: float = 4.0
    min_agreement: float = 0.6
    min_share: float = 0.5
    isolates: bool | None = None
    usual_area: tuple[float, float] | None = None
    usual_solidity: tuple[float, float] | None = None

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
        for name, value in (("min_agreement", self.min_agreement), ("min_share", self.min_share)):
            if not 0 <= value <= 1:
                raise ConfigError(f"otsu_roi.{name} is {value}; choose a share from 0 to 1.")

    def fit(self, frames: Iterable[Frame]) -> Self:
        """Settle what masks of OK photos are like, and whether they can be trusted at all; what is set stays."""
        if self.isolates is not None:
            return self
        found = [self._find(frame.image) for frame in frames]
        outlines = [one for one in found if isinstance(one, _Outline)]
        if not outlines or len(outlines) < self.min_share * len(found):
            LOG.warning(
                "The part can be told from the background in only %d of %d OK photos: the whole photo is used in all.",
                len(outlines),
                len(found),
            )
            return replace(self, isolates=False)
        smallest, largest = _limits([math.log(one.area) for one in outlines], MIN_SPREADS[0])
        return replace(
            self,
            isolates=True,
            usual_area=(math.exp(smallest), math.exp(largest)),
            usual_solidity=_limits([one.solidity for one in outlines], MIN_SPREADS[1]),
        )

    def __call__(self, frame: Frame) -> Frame:
        if self.isolates is False:
            return frame
        outline = self._find(frame.image)
        if isinstance(outline, str):
            return frame.with_note(outline)
        if not (_lies(outline.area, self.usual_area) and _lies(outline.solidity, self.usual_solidity)):
            return frame.with_note(UNLIKE)
        if len(outline.contours) > 1 and self.parts == "largest":
            frame = frame.with_note(f"{len(outline.contours)} parts in the photo: only the largest is used")
        kept = outline.contours if self.parts == "all" else outline.contours[:1]
        height, width = frame.size
        filled = part_masks.filled(kept, outline.size)
        roi = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR) > 127
        return replace(frame, roi=frame.roi & roi)

    def _find(self, image: RgbImage) -> _Outline | str:
        """The outline that agrees best with the photo's edges, or why there is none."""
        small = _shrink(image)
        size = (small.shape[0], small.shape[1])
        difference = _difference_from_background(small)
        _, foreground = cv2.threshold(difference, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        strength = part_masks.without_bars(part_masks.edge_strength(small), foreground)
        is_apart = _separation(difference, foreground > 0) >= self.min_separation
        by_colour = [part_masks.part_contours(foreground)] if is_apart else []
        masks = [*by_colour, *part_masks.within_edges(strength)]
        proposed = [_Outline(contours, size) for contours in masks]
        proposed = [one for one in proposed if one.contours and self.min_area <= one.area <= self.max_area]
        if not proposed:
            return NO_PART
        agreements = [part_masks.agreement(part_masks.filled(one.contours, size) > 0, strength) for one in proposed]
        best = int(np.argmax(agreements))
        if agreements[0] >= agreements[best] - CLEARLY:
            best = 0
        asked = self.min_agreement * (1.0 if self.usual_area is None else FAINT)
        return proposed[best] if agreements[best] >= asked else NOTHING_STANDS_OUT


@dataclass(frozen=True)
class _Outline:
    """Contours of parts, the largest first, in a photo of `size` (H, W)."""

    contours: list[Contour]
    size: tuple[int, int]

    @property
    def area(self) -> float:
        """Of the largest, as a share of the photo."""
        return cv2.contourArea(self.contours[0]) / (self.size[0] * self.size[1])

    @property
    def solidity(self) -> float:
        """Area of the largest as a share of its convex hull's."""
        hull = cv2.convexHull(self.contours[0])
        return cv2.contourArea(self.contours[0]) / max(cv2.contourArea(hull), 1.0)


def _limits(values: list[float], min_spread: float) -> tuple[float, float]:
    """What lies `SPREADS` standard deviations around the median, by the median absolute deviation."""
    median, spread = map(float, centre_and_spread(np.array(values)))
    spread = max(spread, min_spread)
    return median - SPREADS * spread, median + SPREADS * spread


def _lies(value: float, limits: tuple[float, float] | None) -> bool:
    return limits is None or limits[0] <= value <= limits[1]


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


def _separation(difference: NDArray[np.uint8], foreground: Mask) -> float:
    """Difference of the two classes' means over their pooled standard deviation (Otsu's criterion, freed of sizes)."""
    part, background = difference[foreground].astype(np.float64), difference[~foreground].astype(np.float64)
    if not part.size or not background.size:
        return 0.0
    pooled = (part.var() * part.size + background.var() * background.size) / difference.size
    return float((part.mean() - background.mean()) / np.sqrt(pooled + 1e-9))


STEP = OtsuRoi
