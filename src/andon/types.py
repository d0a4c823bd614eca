"""The few things that pass between the parts of Andon: frozen, and checked when they are made."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from andon.rows import LooksLike, ModelOfRow, RegionOfRow, Row

Precision = Literal["auto", "f32", "bf16"]
"""What a network computes in; "auto" is bf16 where the processor has matrix instructions for it (AMX), else f32."""

Split = Literal["train", "calibration", "test"]
Verdict = Literal["OK", "review", "NG", "invalid"]
"""What is said of a part; "invalid" of a photo that shows none, see `line.guard`."""
RgbImage = NDArray[np.uint8]
Mask = NDArray[np.bool_]
FloatMap = NDArray[np.float32]
Outline = tuple[tuple[float, float], ...]
"""The corners (x, y) of a polygon, from 0 at the photo's left and upper edge to 1 at its right and lower edge."""


@dataclass(frozen=True)
class Sample:
    """One photo of a data set and what is known of it.

    Attributes:
        is_anomalous: None where nobody has said.
        masks: files with its ground truth in the photo's own pixels, non-zero = defect; several are joined.
        split: None where the layout does not say.
        defect: the kind of defect as the data set names it, None for an OK photo.
        outlines: of its ground truth, where a table holds that instead of masks or beside them.
        session: what was photographed in one go with it; None where that is not known.
    """

    path: Path
    is_anomalous: bool | None = None
    masks: tuple[Path, ...] = ()
    split: Split | None = None
    defect: str | None = None
    outlines: tuple[Outline, ...] = ()
    session: str | None = None

    @property
    def has_truth(self) -> bool:
        """Whether somebody has marked where its defects are."""
        return bool(self.masks or self.outlines)


@dataclass(frozen=True, eq=False)
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
    def whole(cls, image: RgbImage, notes: tuple[str, ...] = ()) -> Frame:
        """The untouched photo: everything is ROI, nothing has moved."""
        size = (image.shape[0], image.shape[1])
        return cls(image, np.ones(size, dtype=bool), np.eye(3), size, notes)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of `image`."""
        return self.image.shape[0], self.image.shape[1]

    def with_note(self, note: str) -> Frame:
        """The same frame, with one more remark."""
        return replace(self, notes=(*self.notes, note))


@dataclass(frozen=True, eq=False)
class Scores:
    """What a detector says of a batch; higher is more anomalous.

    Attributes:
        image: (B,) float32.
        patch: (B, h, w) float32, zero outside the ROI.
        terms: (B, k) float32, what the image score is made of, for a detector that weighs several; k is 0 for others.
    """

    image: NDArray[np.float32]
    patch: NDArray[np.float32]
    terms: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.image.ndim != 1 or self.patch.ndim != 3 or self.terms.ndim != 2:
            shapes = f"{self.image.shape}, {self.patch.shape} and {self.terms.shape}"
            raise ValueError(f"scores must be (B,), (B, h, w) and (B, k), but got {shapes}")
        if len({len(self.image), len(self.patch), len(self.terms)}) > 1:
            raise ValueError(f"scores of {len(self.image)} photos came with patches of {len(self.patch)}")


@dataclass(frozen=True, eq=False)
class Nearest:
    """For each patch of a batch, the nearest patch of the OK photos that the detector was fitted on.

    Attributes:
        distance: (B, h, w) float32.
        origin: (B, h, w, 3) float32, the number of the OK photo, counted from 0 in the order of fitting, and the
            patch's centre there, (y, x) in shares of the photo's height and width.
    """

    distance: NDArray[np.float32]
    origin: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
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
class ModelId:
    """Which model it was.

    Attributes:
        name: of its file, without the ending.
        sha256: of its content, in hex; "" for a model that was never saved.
    """

    name: str = ""
    sha256: str = ""


UNSAVED = ModelId()


def _new_id() -> str:
    return str(uuid.uuid4())


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Inspection:
    """What Andon says of one photo.

    Attributes:
        path: the file, or "<array>" where an array was given.
        sha256: of the file's bytes (of the pixels where an array was given), in hex.
        p_value: share of OK photos that would score at least as high, from the calibration photos, in (0, 1].
        sigma: (score - mean) / standard deviation of the calibration photos' scores.
        confidence: how sure it is that the photo is not OK, from sigma (1 sigma 0.68, 2 sigma 0.95), in [0, 1].
        review_threshold: None where the model has no review band.
        reasons: for the verdict, in sentences; empty for OK.
        regions: where it deviates, strongest first; none for an invalid photo.
        anomaly_map: (H0, W0) float32 in the photo file's pixels; None where it was not asked for.
        roi: (H0, W0) bool, where the part is; None where all of the photo is inspected, or the map was not asked for.
        photo: (H0, W0, 3) uint8 RGB, the pixels that were judged; None where the map was not asked for.
        notes: what a preprocessing step could not do on this photo, and what the detector measured on it.
        lines: where it measured that.
        milliseconds: time per stage.
        part_id: of the part, where it is known.
        inspection_id: unlike that of any other inspection.
        inspected_at: in UTC.
    """

    path: str
    sha256: str
    score: float
    threshold: float
    verdict: Verdict
    p_value: float
    sigma: float
    confidence: float
    review_threshold: float | None = None
    reasons: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    anomaly_map: FloatMap | None = field(default=None, repr=False, compare=False)
    roi: Mask | None = field(default=None, repr=False, compare=False)
    photo: RgbImage | None = field(default=None, repr=False, compare=False)
    notes: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    milliseconds: dict[str, float] = field(default_factory=dict, compare=False)
    part_id: str | None = None
    model: ModelId = UNSAVED
    inspection_id: str = field(default_factory=_new_id, compare=False)
    inspected_at: datetime = field(default_factory=_now, compare=False)

    def to_row(self) -> dict[str, Any]:
        """One row of plain values, see `rows.Row`."""
        return Row(
            **_occasion(self),
            sha256=self.sha256,
            verdict=self.verdict,
            reasons=self.reasons,
            score=self.score,
            threshold=self.threshold,
            review_threshold=self.review_threshold,
            p_value=self.p_value,
            sigma=self.sigma,
            confidence=self.confidence,
            regions=tuple(map(_region_of_row, self.regions)),
            notes=self.notes,
            milliseconds=sum(self.milliseconds.values()),
        ).to_dict()


@dataclass(frozen=True)
class Failure:
    """A photo that could not be inspected, and why. Its `verdict` is "error".

    Attributes:
        part_id, model, inspection_id, inspected_at: as in `Inspection`.
    """

    path: str
    error: str
    part_id: str | None = None
    model: ModelId = UNSAVED
    inspection_id: str = field(default_factory=_new_id, compare=False)
    inspected_at: datetime = field(default_factory=_now, compare=False)

    @property
    def verdict(self) -> Literal["error"]:
        """As of `Inspection`, so that a batch can be told apart by verdicts."""
        return "error"

    def to_row(self) -> dict[str, Any]:
        """A row without a score, with the verdict "error" and the reason."""
        return Row(**_occasion(self), sha256="", verdict="error", reasons=(self.error,), error=self.error).to_dict()


@cache  # reading it takes milliseconds
def _version() -> str:
    return version("andon")


def _occasion(result: Inspection | Failure) -> dict[str, Any]:
    """What rows of inspections and of failures have in common."""
    return {
        "inspection_id": result.inspection_id,
        "part_id": result.part_id,
        "path": result.path,
        "model": ModelOfRow(name=result.model.name, sha256=result.model.sha256),
        "andon_version": _version(),
        "inspected_at": result.inspected_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def _region_of_row(region: Region) -> RegionOfRow:
    x0, y0, x1, y1 = region.xyxy
    found = region.looks_like
    like = None if found is None else LooksLike(photo=found.photo, distance=found.distance)
    return RegionOfRow(
        x0=x0, y0=y0, x1=x1, y1=y1, area_px=region.area_px, peak=region.peak, mean=region.mean, looks_like=like
    )
