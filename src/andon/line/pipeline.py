"""The whole way of one image, from file to verdict: `Pipeline.inspect`, read top to bottom."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from andon import images
from andon.detectors import Detector
from andon.errors import ConfigError, ImageError, NotCalibratedError
from andon.line import nearest_ok as likeness
from andon.line.anomaly_map import roi_in_original, smooth_map, to_original
from andon.line.calibration import Calibration
from andon.line.regions import find_regions
from andon.line.tiling import Tiling
from andon.ordered_map import WORKERS, ordered_map
from andon.preprocess import Step
from andon.recipes import Recipe
from andon.scorers.cpu import Precision, Scorer, fastest_scorer
from andon.types import Failure, FloatMap, Frame, Inspection, Likeness, Mask, Region, RgbImage

LOG = logging.getLogger("andon")
T = TypeVar("T")

Photo = Path | str | RgbImage
MAX_EXPLAINED = 6  # regions of a photo
HOTTEST = 0.9  # of the map's peak: the region of an NG photo whose map stays below the pixel threshold


@dataclass(frozen=True)
class Prepared:
    """A photo that has been read and preprocessed."""

    path: str
    sha256: str
    frame: Frame
    milliseconds: dict[str, float]


@dataclass(frozen=True)
class Scored:
    """A photo that the detector has scored.

    Attributes:
        patch: (h, w) patch scores of the frame; of a frame that was scored in tiles, one per pixel.
    """

    prepared: Prepared
    score: float
    patch: FloatMap
    milliseconds: dict[str, float]


@dataclass(frozen=True)
class Pipeline:
    """A taught model: immutable, so any number of threads may inspect with it.

    Attributes:
        recipe: with the steps as they were settled on the OK photos.
        calibration: None until held-out OK photos have been scored.
        manifest: where the model comes from: versions, seed, photos; and at which precision it was calibrated.
        precision: what the network computes in.
        thumbnails: a JPEG of each OK photo that taught, as it was preprocessed, in the order of the manifest's
            "training_sha256"; empty where none are kept.
    """

    recipe: Recipe
    detector: Detector[Any] = field(repr=False)
    calibration: Calibration | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict, repr=False)
    precision: Precision = "auto"
    thumbnails: tuple[bytes, ...] = field(default=(), repr=False)
    scorer: Scorer = field(init=False, repr=False)

    def __post_init__(self) -> None:
        scorer = fastest_scorer(self.detector, self.recipe.training.batch_size, self.precision)
        object.__setattr__(self, "scorer", scorer)
        calibrated_in = self.manifest.get("calibration_precision", scorer.precision)
        if self.calibration is not None and calibrated_in != scorer.precision:
            LOG.warning(
                f"The model was calibrated in {calibrated_in} and now runs in {scorer.precision}, which moves scores "
                f"by up to 1 %; give --precision {calibrated_in}, or calibrate it anew with 'andon calibrate'."
            )

    def calibrated(self, calibration: Calibration) -> Pipeline:
        """The same model with other thresholds."""
        return replace(self, calibration=calibration)

    def inspect(self, photo: Photo, *, with_map: bool = True, explain: bool = False) -> Inspection:
        """What the model says of one photo.

        Args:
            photo: a path, or (H, W, 3) uint8 RGB.
            with_map: False leaves `anomaly_map` out; the regions are found all the same.
            explain: give each region the patch of an OK photo that it looks most like.

        Raises:
            ImageError: the photo cannot be read or is of no use.
            NotCalibratedError: the model has no threshold yet.
            ConfigError: the model cannot explain.
        """
        self._require_calibration()
        self._require_thumbnails(explain)
        prepared = self.prepare(photo)
        (scored,) = self.score([prepared])
        return self.judge(scored, with_map=with_map, explain=explain)

    def inspect_batch(
        self, photos: Iterable[Photo], *, with_map: bool = False, explain: bool = False
    ) -> Iterator[Inspection | Failure]:
        """What the model says of each photo, in their order, as soon as it is known.

        A photo that cannot be inspected gives a `Failure` in its place.

        Raises:
            NotCalibratedError: the model has no threshold yet.
            ConfigError: the model cannot explain.
        """
        self._require_calibration()
        self._require_thumbnails(explain)
        return self._inspect_batch(photos, with_map, explain)

    def _inspect_batch(self, photos: Iterable[Photo], with_map: bool, explain: bool) -> Iterator[Inspection | Failure]:
        def judge(result: Scored | Failure) -> Inspection | Failure:
            return result if isinstance(result, Failure) else self.judge(result, with_map=with_map, explain=explain)

        return ordered_map(judge, self.score_all(photos), ahead=WORKERS)

    def score_all(self, photos: Iterable[Photo]) -> Iterator[Scored | Failure]:
        """Score photos in batches, reading and preprocessing ahead in threads; needs no calibration."""
        for batch in _batches(ordered_map(self._try_prepare, photos), self.scorer.batch_size):
            good = [item for item in batch if isinstance(item, Prepared)]
            scored = iter(self.score(good) if good else [])
            for item in batch:
                yield item if isinstance(item, Failure) else next(scored)

    def prepare(self, photo: Photo) -> Prepared:
        """Read the photo and take it through the preprocessing steps."""
        started = time.perf_counter()
        if isinstance(photo, np.ndarray):
            path, digest = "<array>", images.sha256(np.ascontiguousarray(photo).tobytes())
            image = images.check_array(photo)
        else:
            path, data = str(photo), images.read_bytes(Path(photo))
            digest, image = images.sha256(data), images.decode(data, Path(photo))
        read = time.perf_counter()
        frame = run_steps(self.recipe.steps.values(), Frame.whole(image), path)
        if reason := self.detector.refuses(frame):
            raise ImageError(f"{path} {reason}")
        return Prepared(path, digest, frame, {"read": _ms(started, read), "prepare": _ms(read)})

    def _try_prepare(self, photo: Photo) -> Prepared | Failure:
        try:
            return self.prepare(photo)
        except ImageError as error:
            return Failure(str(photo) if not isinstance(photo, np.ndarray) else "<array>", str(error))

    def score(self, batch: list[Prepared]) -> list[Scored]:
        """Run the detector on photos whose frames are of one size; on the tiles of each, where the recipe has tiles."""
        started = time.perf_counter()
        frames = [prepared.frame for prepared in batch]
        tiling = self.recipe.tiling
        scores = self._score(frames) if tiling is None else [self._score_tiles(frame, tiling) for frame in frames]
        each = {"score": _ms(started) / len(batch)}
        return [
            Scored(prepared, image, patch, prepared.milliseconds | each)
            for prepared, (image, patch) in zip(batch, scores, strict=True)
        ]

    def _score(self, frames: list[Frame]) -> list[tuple[float, FloatMap]]:
        scores = self.scorer(*to_batch(frames))
        return list(zip(scores.image.tolist(), scores.patch, strict=True))

    def _score_tiles(self, frame: Frame, tiling: Tiling) -> tuple[float, FloatMap]:
        """The largest of the tiles' image scores, as one tile with a defect makes the part NG, and one map of all."""
        tiles = tiling.cut(frame)
        batches = _batches(tiles, self.scorer.batch_size)
        scores = [score for batch in batches for score in self._score([tile.frame for tile in batch])]
        score = max((image for image, _ in scores), default=0.0)
        return score, tiling.blend(tiles, [patch for _, patch in scores], frame.size)

    def judge(self, scored: Scored, *, with_map: bool = True, explain: bool = False) -> Inspection:
        """Score -> verdict, regions and, where wanted, the anomaly map in the photo's own pixels."""
        calibration = self._require_calibration()
        started = time.perf_counter()
        verdict = calibration.verdict(scored.score)
        regions: tuple[Region, ...] = ()
        anomaly_map = None
        # No pixel of the map is above the largest patch score, so most OK photos need no map to have no region.
        if with_map or verdict == "NG" or scored.patch.max() >= calibration.pixel_threshold:
            anomaly_map = self.anomaly_map(scored)
            regions = find_regions(anomaly_map, calibration.pixel_threshold, self.recipe.regions)
            if verdict == "NG" and not regions:  # an NG photo always says where
                regions = find_regions(anomaly_map, HOTTEST * float(anomaly_map.max()))
            if explain and regions:
                regions = self._explained(scored.prepared.frame, anomaly_map, regions)
        measured = self.detector.measure(scored.prepared.frame)
        return Inspection(
            path=scored.prepared.path,
            sha256=scored.prepared.sha256,
            score=scored.score,
            threshold=calibration.threshold,
            verdict=verdict,
            p_value=calibration.p_value(scored.score),
            sigma=calibration.sigma(scored.score),
            confidence=calibration.confidence(scored.score),
            regions=regions,
            anomaly_map=anomaly_map if with_map else None,
            roi=roi_in_original(scored.prepared.frame) if with_map else None,
            notes=(*scored.prepared.frame.notes, *measured.notes),
            lines=measured.lines,
            milliseconds=scored.milliseconds | {"map": _ms(started)},
        )

    def anomaly_map(self, scored: Scored) -> FloatMap:
        """(H0, W0) float32 in the photo's own pixels."""
        frame = scored.prepared.frame
        return to_original(smooth_map(scored.patch, frame, self.recipe.anomaly_map.sigma), frame)

    def map_peak(self, scored: Scored) -> float:
        """The largest value of the anomaly map."""
        return float(smooth_map(scored.patch, scored.prepared.frame, self.recipe.anomaly_map.sigma).max())

    def _explained(self, frame: Frame, anomaly_map: FloatMap, regions: tuple[Region, ...]) -> tuple[Region, ...]:
        """The regions, the strongest six with the patch of an OK photo that they look most like."""
        found = self.scorer.most_like(*to_batch([frame]))
        names = list(self.manifest["training_sha256"])
        grid = found.distance.shape[1:]
        patch = (1 / grid[0], 1 / grid[1])
        explained = []
        for region in regions[:MAX_EXPLAINED]:
            row, column = likeness.patch_at(likeness.peak(region, anomaly_map), frame, grid)
            number, y, x = found.origin[0, row, column].tolist()
            photo = int(number)
            looks_like = Likeness(
                photo=names[photo],
                distance=float(found.distance[0, row, column]),
                region=likeness.crop(frame.image, ((row + 0.5) * patch[0], (column + 0.5) * patch[1]), patch),
                nearest=likeness.crop(likeness.read(self.thumbnails[photo]), (y, x), patch),
            )
            explained.append(replace(region, looks_like=looks_like))
        return (*explained, *regions[MAX_EXPLAINED:])

    def _require_thumbnails(self, wanted: bool) -> None:
        if wanted and not self.thumbnails:
            raise ConfigError(
                "This model cannot show what a region looks most like, as it holds no thumbnails of OK photos; teach "
                "it with a detector that keeps patches, such as patchcore, without tiles, and with "
                "training.thumbnails=true."
            )

    def _require_calibration(self) -> Calibration:
        if self.calibration is None:
            raise NotCalibratedError(
                "The model has no threshold yet; run 'andon calibrate MODEL OK_DIR' with OK photos that are new to it."
            )
        return self.calibration


def run_steps(steps: Iterable[Step], frame: Frame, name: Path | str) -> Frame:
    """The frame after all steps, in order; `name` is the photo's, for errors.

    Raises:
        ImageError: the photo is of no use to a step.
    """
    try:
        for step in steps:
            frame = step(frame)
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from None
    return frame


def to_batch(frames: list[Frame]) -> tuple[NDArray[np.float32], Mask]:
    """What a detector takes: x (B, 3, H, W) float32 in [0, 1] and roi (B, H, W) bool.

    Raises:
        ConfigError: the frames differ in size.
    """
    sizes = {frame.size for frame in frames}
    if len(sizes) > 1:
        (h0, w0), (h1, w1), *_ = sorted(sizes)
        raise ConfigError(
            f"Photos are of different sizes after preprocessing ({w0} x {h0} and {w1} x {h1}); add the step 'resize'."
        )
    stacked = np.stack([frame.image for frame in frames])
    x = np.ascontiguousarray(stacked.transpose(0, 3, 1, 2), dtype=np.float32)
    x /= 255
    return x, np.stack([frame.roi for frame in frames])


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Runs of at most `size` items."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _ms(since: float, until: float | None = None) -> float:
    return 1000 * ((time.perf_counter() if until is None else until) - since)
