"""Cylinder profile: the silhouette of a standing cylinder against the cylinder that is fitted to its edges.

It sees dents in the outline and tilts, and nothing of what lies on the surface. It uses the ROI alone, so a step of the
recipe must find the object. All that it learns is how far the OK photos deviate themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, minimum_filter1d
from torch import Tensor

from andon.backbones import Backbone
from andon.detectors._base import Batch, Capabilities, Detector, require
from andon.detectors._shapes import Shape
from andon.detectors._silhouette import Silhouette, Values, from_axis, to_axis
from andon.errors import ImageError
from andon.types import Frame, Line, Mask, Measured

BAND = 0.08  # of the width: so far inwards from the outline a deviation is marked
NO_SILHOUETTE = (
    "has no silhouette that can be measured, as its ROI is the whole photo or too small; add a step to the recipe that "
    "finds the object, such as steps.object_roi or steps.otsu_roi, or leave the photo out."
)


@dataclass(frozen=True, kw_only=True)
class CylinderProfileConfig:
    """Attributes:
    heights: the outline is compared at this many heights of the object.
    dent_tolerance: a spread of the OK outlines below this share of the width counts as this much.
    tilt_tolerance: a spread of the OK photos' tilts below this many degrees counts as this much.
    """

    heights: int = 64
    dent_tolerance: float = 0.005
    tilt_tolerance: float = 0.5

    def __post_init__(self) -> None:
        require(self.heights >= 2, "heights", self.heights, "2 or more")
        require(self.dent_tolerance > 0, "dent_tolerance", self.dent_tolerance, "above 0")
        require(self.tilt_tolerance > 0, "tilt_tolerance", self.tilt_tolerance, "above 0")


class CylinderProfile(Detector[CylinderProfileConfig]):
    """A score is a deviation in units of the OK photos' spread; the image score is the largest one.

    A dent marks the outline at its height, a tilt marks all of it.

    Attributes:
        profile_: (2, heights) median deviation of the left and the right side, as a share of the width.
        profile_spread_: (2, heights) its spread.
        tilt_: (2,) median and spread of the tilt in degrees.
    """

    Config = CylinderProfileConfig
    capabilities = Capabilities(needs_object=True)
    profile_: Tensor
    profile_spread_: Tensor
    tilt_: Tensor

    def __init__(self, config: CylinderProfileConfig, backbone: Backbone) -> None:
        super().__init__(config, backbone)
        for name in ("profile_", "profile_spread_", "tilt_"):
            self.register_buffer(name, None)

    def shapes(self) -> dict[str, Shape]:
        profile = Shape((2, self.config.heights))
        return {"profile_": profile, "profile_spread_": profile, "tilt_": Shape((2,))}

    def refuses(self, frame: Frame) -> str | None:
        """A photo without an object that can be measured."""
        return NO_SILHOUETTE if Silhouette.of(frame.roi) is None else None

    def measure(self, frame: Frame) -> Measured:
        """Tilt and deepest dent or bulge in words; edges, axis and that dent as lines."""
        silhouette = _silhouette(frame.roi)
        side, row, depth = self._deepest(silhouette)
        outline, inwards = ((silhouette.left, 1), (silhouette.right, -1))[side]
        ok_outline = outline[row] - inwards * depth * silhouette.width
        dent = _to_photo(frame, silhouette, (outline[row], ok_outline), (row, row))
        usual, spread = self.tilt_.tolist()
        notes = (
            f"tilt {silhouette.tilt:+z.1f}° (OK photos {usual:+z.1f} ± {spread:.1f}°)",
            f"{'deepest dent' if depth > 0 else 'largest bulge'} {100 * abs(depth):.1f} % of the width, on the "
            f"{('left', 'right')[side]} at row {dent.xyxy[1]:.0f}",
        )
        axis = (silhouette.left_edge + silhouette.right_edge) / 2
        edges = (silhouette.left_edge, axis, silhouette.right_edge)
        fitted = [_to_photo(frame, silhouette, (edge[0], edge[-1]), (0, -1)) for edge in edges]
        return Measured(notes, (*fitted, dent))

    def _fit(self, batches: Iterable[Batch], generator: torch.Generator) -> None:
        silhouettes = [_silhouette(mask) for _, roi in batches for mask in roi.cpu().numpy()]
        profiles = np.stack([silhouette.profile(self.config.heights) for silhouette in silhouettes])
        tilts = np.array([silhouette.tilt for silhouette in silhouettes])
        usual, spread = _middle_and_spread(profiles)
        self.profile_ = torch.from_numpy(usual).float()
        self.profile_spread_ = torch.from_numpy(spread).float().clamp(min=self.config.dent_tolerance)
        usual, spread = _middle_and_spread(tilts)
        self.tilt_ = torch.tensor([float(usual), max(float(spread), self.config.tilt_tolerance)])

    def _score(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        patches = torch.from_numpy(np.stack([self._map(mask) for mask in roi.cpu().numpy()])).to(x.device)
        return patches.amax(dim=(1, 2)), patches

    def _map(self, roi: Mask) -> NDArray[np.float32]:
        """(H, W): the deviation, marked along the outline inside the ROI."""
        silhouette = _silhouette(roi)
        usual, spread = self.tilt_.tolist()
        tilt = abs(silhouette.tilt - usual) / spread
        dents = self._in_spreads(self._dents(silhouette))
        of_rows = cv2.resize(dents.T.astype(np.float32), (2, len(silhouette.u)), interpolation=cv2.INTER_NEAREST).T
        y, x = np.nonzero(roi)
        v, u = to_axis(np.stack([x, y], axis=1).astype(np.float64), silhouette.tilt).T
        marked = np.zeros(roi.shape, dtype=np.float32)
        for inwards, outline, dent in zip((1, -1), (silhouette.left, silhouette.right), of_rows, strict=True):
            inside = inwards * (v - np.interp(u, silhouette.u, outline))
            near = (inside >= -1) & (inside <= max(1.0, BAND * silhouette.width))
            strength = np.maximum(np.interp(u, silhouette.u, dent), tilt)
            marked[y, x] = np.maximum(marked[y, x], strength * near)
        return marked

    def _deepest(self, silhouette: Silhouette) -> tuple[int, int, float]:
        """Side, row and depth, as a share of the width and < 0 for a bulge, of what counts most among the OK photos."""
        dents = self._dents(silhouette)
        side, height = divmod(int(self._in_spreads(dents).argmax()), self.config.heights)
        # The dent is the mean of the rows at its height: take the row in which it is deepest.
        first, last = (end * len(silhouette.u) // self.config.heights for end in (height, height + 1))
        rows = silhouette.deviation[side, first : max(last, first + 1)]
        row = int((rows * np.sign(dents[side, height])).argmax())
        usual = silhouette.profile(self.config.heights)[side, height] - dents[side, height]
        return side, first + row, float(rows[row] - usual)

    def _dents(self, silhouette: Silhouette) -> Values:
        """(2, heights): how far the sides lie off the OK outline, which may be one height higher or lower."""
        profile, usual = silhouette.profile(self.config.heights), self.profile_.cpu().numpy()
        lowest, highest = minimum_filter1d(usual, 3), maximum_filter1d(usual, 3)
        return np.asarray(profile - profile.clip(lowest, highest), dtype=np.float64)

    def _in_spreads(self, dents: Values) -> Values:
        return np.asarray(np.abs(dents) / self.profile_spread_.cpu().numpy(), dtype=np.float64)


def _middle_and_spread(values: Values) -> tuple[Values, Values]:
    """Of (n, ...): the median, and half the distance of the 16th and 84th percentile.

    Of Gaussian values that is the standard deviation, but some OK photos whose part was not found rightly do not
    widen it.
    """
    low, middle, high = np.percentile(values, (16, 50, 84), axis=0)
    return middle, (high - low) / 2


def _silhouette(roi: Mask) -> Silhouette:
    silhouette = Silhouette.of(roi)
    if silhouette is None:
        raise ImageError(f"The photo {NO_SILHOUETTE}")
    return silhouette


def _to_photo(frame: Frame, silhouette: Silhouette, v: tuple[float, float], rows: tuple[int, int]) -> Line:
    """The line between two points of two rows, in the photo file's pixels; along a row it shows a deviation."""
    ends = from_axis(np.stack([v, silhouette.u[list(rows)]], axis=1), silhouette.tilt)
    (x0, y0), (x1, y1) = cv2.perspectiveTransform(ends[None], frame.to_original)[0].tolist()
    return Line((x0, y0, x1, y1), deviates=rows[0] == rows[1])


DETECTOR = CylinderProfile
