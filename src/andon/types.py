"""The few things that pass between the parts of Andon: frozen, and checked when they are made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "calibration", "test"]
Verdict = Literal["OK", "review", "NG"]
RgbImage = NDArray[np.uint8]
Mask = NDArray[np.bool_]
FloatMap = NDArray[np.float32]


@dataclass(frozen=True)
class Sample:
    """One photo of a data set and what is known of it.

    Attributes:
        is_anomalous: None where nobody has said.
        mask_path: ground-truth mask in the photo's own pixels, non-zero = defect.
        split: None where the layout does not say.
        defect: the kind of defect as the data set names it, None for an OK photo.
    """

    path: Path
    is_anomalous: bool | None = None
    mask_path: Path | None = None
    split: Split | None = None
    defect: str | None = None


@dataclass(frozen=True)
class Frame:
    """A photo on its way through the preprocessing steps.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        roi: (H, W) bool, True where the part is; scores count only there.
        to_original: (3, 3) float64, takes homogeneous (x, y, 1) pixel centres of `image` to those of the photo file.
        original_size: (H0, W0) of the photo file after its EXIF turn.
        notes: what a step could not do on this photo, for the reader of the inspection.
    """

    image: RgbImage
    roi: Mask
    to_original: NDArray[np.float64]
    original_size: tuple[int, int]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise ValueError(f"image must be (H, W, 3) uint8, but got {self.image.shape} {self.image.dtype}")
        if self.roi.shape != self.image.shape[:2] or self.roi.dtype != np.bool_:
            raise ValueError(f"roi must be {self.image.shape[:2]} bool, but got {self.roi.shape} {self.roi.dtype}")
        if self.to_original.shape != (3, 3):
            raise ValueError(f"to_original must be (3, 3), but got {self.to_original.shape}")

    @classmethod
    def whole(cls, image: RgbImage) -> Frame:
        """The untouched photo: everything is ROI, nothing has moved."""
        size = (image.shape[0], image.shape[1])
        return cls(image, np.ones(size, dtype=bool), np.eye(3), size)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of `image`."""
        return self.image.shape[0], self.image.shape[1]

    def with_note(self, note: str) -> Frame:
        """The same frame, with one more remark."""
        return replace(self, notes=(*self.notes, note))


@dataclass(frozen=True)
class Scores:
    """What a detector says of a batch; higher is more anomalous.

    Attributes:
        image: (B,) float32.
        patch: (B, h, w) float32, zero outside the ROI.
    """

    image: NDArray[np.float32]
    patch: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.image.ndim != 1 or self.patch.ndim != 3 or len(self.image) != len(self.patch):
            raise ValueError(f"scores must be (B,) and (B, h, w), but got {self.image.shape} and {self.patch.shape}")


@dataclass(frozen=True)
class Nearest:
    """For each patch of a batch, the nearest patch of the OK photos that taught the detector.

    Attributes:
        distance: (B, h, w) float32.
        origin: (B, h, w, 3) float32, the number of the OK photo, counted from 0 as they taught, and the patch's centre
            there, (y, x) in shares of the photo's height and width.
    """

    distance: NDArray[np.float32]
    origin: NDArray[np.float32]


@dataclass(frozen=True)
class Likeness:
    """The patch of an OK photo that a region looks most like.

    Attributes:
        photo: the OK photo's file within the data set.
        distance: of the region's most deviating patch to that patch, as the detector measures it.
        region, nearest: crops of both photos as they were preprocessed, equally large, each patch framed: (h, w, 3)
            uint8 RGB.
    """

    photo: str
    distance: float
    region: RgbImage
    nearest: RgbImage


@dataclass(frozen=True)
class Region:
    """A connected area of the anomaly map above the pixel threshold.

    Attributes:
        xyxy: half-open box (x0, y0, x1, y1) in the photo file's pixels.
        area_px: pixels of the photo file above the threshold.
        peak: largest value of the map within.
        mean: mean value of the map within.
        looks_like: the nearest patch of an OK photo, where an explanation was asked for.
    """

    xyxy: tuple[int, int, int, int]
    area_px: int
    peak: float
    mean: float
    looks_like: Likeness | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        x0, y0, x1, y1 = self.xyxy
        if x1 <= x0 or y1 <= y0:
            raise ValueError(f"xyxy must have x0 < x1 and y0 < y1, but got {self.xyxy}")


@dataclass(frozen=True)
class Line:
    """Something that a detector measured, to be drawn on the photo.

    Attributes:
        xyxy: from (x0, y0) to (x1, y1) in the photo file's pixels.
        deviates: whether it shows a deviation; else it shows what was measured against.
    """

    xyxy: tuple[float, float, float, float]
    deviates: bool = False


@dataclass(frozen=True)
class Measured:
    """What a detector measured on one photo beside its scores, for the reader.

    Attributes:
        notes: in words, with units.
        lines: to be drawn.
    """

    notes: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Inspection:
    """What Andon says of one photo.

    Attributes:
        path: the file, or "<array>" where an array was given.
        sha256: of the file's bytes (of the pixels where an array was given), in hex.
        p_value: share of OK photos that would score at least as high, from the calibration photos, in (0, 1].
        sigma: (score - mean) / standard deviation of the calibration photos' scores.
        confidence: how sure it is that the photo is not OK, from sigma (1 sigma 0.68, 2 sigma 0.95), in [0, 1].
        regions: where it deviates, strongest first.
        anomaly_map: (H0, W0) float32 in the photo file's pixels; None where it was not asked for.
        roi: (H0, W0) bool, where the part is; None where all of the photo is inspected, or the map was not asked for.
        notes: what a preprocessing step could not do on this photo, and what the detector measured on it.
        lines: where it measured that.
        milliseconds: time per stage.
    """

    path: str
    sha256: str
    score: float
    threshold: float
    verdict: Verdict
    p_value: float
    sigma: float
    confidence: float
    regions: tuple[Region, ...] = ()
    anomaly_map: FloatMap | None = field(default=None, repr=False, compare=False)
    roi: Mask | None = field(default=None, repr=False, compare=False)
    notes: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    milliseconds: dict[str, float] = field(default_factory=dict, compare=False)

    def to_row(self) -> dict[str, Any]:
        """One flat row of plain values: the schema of CSV and JSON Lines alike."""
        return {
            "path": self.path,
            "verdict": self.verdict,
            "score": self.score,
            "threshold": self.threshold,
            "sigma": self.sigma,
            "confidence": self.confidence,
            "p_value": self.p_value,
            "n_regions": len(self.regions),
            "regions": [[*region.xyxy, region.area_px, region.peak, region.mean] for region in self.regions],
            "looks_like": [[like.photo, like.distance] for region in self.regions if (like := region.looks_like)],
            "notes": "; ".join(self.notes),
            "milliseconds": sum(self.milliseconds.values()),
            "sha256": self.sha256,
            "error": "",
        }


@dataclass(frozen=True)
class Failure:
    """A photo of a batch that could not be inspected, and why."""

    path: str
    error: str

    def to_row(self) -> dict[str, Any]:
        """The same columns as `Inspection.to_row`, empty but for path, verdict "error" and the reason."""
        row: dict[str, Any] = dict.fromkeys(ROW_COLUMNS)
        return row | {"path": self.path, "verdict": "error", "error": self.error}


ROW_COLUMNS = (
    "path",
    "verdict",
    "score",
    "threshold",
    "sigma",
    "confidence",
    "p_value",
    "n_regions",
    "regions",
    "looks_like",
    "notes",
    "milliseconds",
    "sha256",
    "error",
)
"""The keys of every row, in order."""
