"""The whole way of one image, from file to verdict: `Pipeline.inspect`, read top to bottom."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from andon import images
from andon.errors import ConfigError, ImageError, NotCalibratedError
from andon.line import nearest_ok
from andon.line.anomaly_map import roi_in_original, smooth_map, to_original
from andon.line.appearance import Appearance, appearance_of
from andon.line.calibration import Calibration
from andon.line.guard import Guard, invalid_because, sentences
from andon.line.nearest_ok import Thumbnail
from andon.line.regions import ALL, RegionRule, find_regions
from andon.line.scorer import Scorer
from andon.line.tiling import Tiling
from andon.ordered_map import ordered_map, ready_batches
from andon.preprocess import Step
from andon.types import UNSAVED, Failure, FloatMap, Frame, Inspection, Mask, ModelId, Region, RgbImage, Verdict

Photo = Path | str | RgbImage
ARRAY = "<array>"  # stands for the file of a photo that was given as an array
HOTTEST = 0.9  # of the map's peak: the region of an NG photo whose map stays below the pixel threshold


@dataclass(frozen=True)
class PhotoFile:
    """The bytes of a photo's file that were not read from a disk, and what to call it."""

    data: bytes = field(repr=False)
    name: str


@dataclass(frozen=True)
class Prepared:
    """A photo that has been read and preprocessed.

    Attributes:
        image: (H0, W0, 3) uint8 RGB as it was read, where a picture will be drawn on it.
        appearance: of that image, where there is a guard to look at it.
    """

    path: str
    sha256: str
    frame: Frame
    milliseconds: dict[str, float]
    part_id: str | None = None
    image: RgbImage | None = field(default=None, repr=False)
    appearance: Appearance | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Scored:
    """A photo that the detector has scored.

    Attributes:
        patch: (h, w) patch scores of the frame; of a frame that was scored in tiles, one per pixel.
        terms: see `types.Scores`; of the tile that makes the score.
    """

    prepared: Prepared
    score: float
    patch: FloatMap
    terms: tuple[float, ...]
    milliseconds: dict[str, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Pipeline:
    """What inspects: immutable, so any number of threads may inspect with it. It is handed its parts and makes none.

    Attributes:
        steps: preprocessing, in order, settled on the OK photos.
        tiling: how the preprocessed photo is cut; None where the detector sees it whole.
        map_sigma: standard deviation of the Gaussian over the map, in pixels of the preprocessed photo.
        calibration: None until held-out OK photos have been scored.
        guard: knows what photos of the part look like; None where every photo is judged.
        white: the value that is white in photos of more than 8 bits that do not say it; see `images.load`.
        thumbnails: of each OK photo that trained the model, in the order of `Nearest.origin`; () where none are kept.
    """

    steps: tuple[Step, ...]
    scorer: Scorer = field(repr=False)
    tiling: Tiling | None = None
    map_sigma: float = 4.0
    regions: RegionRule = ALL
    calibration: Calibration | None = None
    guard: Guard | None = None
    white: float | None = None
    thumbnails: tuple[Thumbnail, ...] = field(default=(), repr=False)
    model_id: ModelId = UNSAVED

    def inspect(
        self, photo: Photo | PhotoFile, *, part_id: str | None = None, with_map: bool = True, explain: bool = False
    ) -> Inspection:
        """What the model says of one photo.

        Args:
            photo: a path, the bytes of a file, or (H, W, 3) uint8 RGB.
            part_id: of the part, for the row.
            with_map: False leaves `anomaly_map` out; the regions are found all the same.
            explain: give each region the patch of an OK photo that it looks most like.

        Raises:
            ImageError: the photo cannot be read or used.
            NotCalibratedError: the model has no threshold yet.
            ConfigError: the model cannot explain.
        """
        self._require_calibration()
        self._require_thumbnails(explain)
        (scored,) = self.score([self.prepare(photo, part_id, keep_image=with_map)])
        if isinstance(scored, Failure):
            raise ImageError(scored.error)
        return self.judge(scored, with_map=with_map, explain=explain)

    def inspect_batch(
        self,
        photos: Iterable[Photo],
        *,
        part_id_from: re.Pattern[str] | None = None,
        with_map: bool = False,
        explain: bool = False,
    ) -> Iterator[Inspection | Failure]:
        """What the model says of each photo, in their order, each as soon as it is known.

        `photos` may be a camera or a queue: a photo is judged although the next has not come yet. One that cannot be
        inspected gives a `Failure` in its place.

        Args:
            part_id_from: finds the part id in a photo's file name, see `part_id_of`.

        Raises:
            NotCalibratedError: the model has no threshold yet.
            ConfigError: the model cannot explain.
        """
        self._require_calibration()
        self._require_thumbnails(explain)
        if isinstance(photos, str | Path | np.ndarray):
            raise ConfigError("inspect_batch takes several photos; give a list of them, or call inspect for one.")

        def judge(result: Scored | Failure) -> Inspection | Failure:
            return result if isinstance(result, Failure) else self.judge(result, with_map=with_map, explain=explain)

        return ordered_map(judge, self.score_all(photos, part_id_from, keep_images=with_map))

    def score_all(
        self, photos: Iterable[Photo], part_id_from: re.Pattern[str] | None = None, *, keep_images: bool = False
    ) -> Iterator[Scored | Failure]:
        """Score photos in batches of those that are ready, reading and preprocessing ahead; needs no calibration."""

        def prepare(photo: Photo) -> Prepared | Failure:
            part_id = part_id_of(photo, part_id_from)
            try:
                return self.prepare(photo, part_id, keep_image=keep_images)
            except ImageError as error:
                return Failure(_name(photo), str(error), part_id, self.model_id)

        return self.score_prepared(ordered_map(prepare, photos))

    def score_prepared(self, photos: Iterable[Prepared | Failure]) -> Iterator[Scored | Failure]:
        """`score_all`, of photos that have been prepared; each `Failure` keeps its place."""

        def score(batch: list[Prepared | Failure]) -> list[Scored | Failure]:
            good = [item for item in batch if isinstance(item, Prepared)]
            scored = iter(self.score(good) if good else [])
            return [item if isinstance(item, Failure) else next(scored) for item in batch]

        # One batch at a time, put together when the scorer is free for it. In a worker, as the end of the process waits
        # for those alone: a network that still computes while the interpreter goes would abort it.
        batches = ready_batches(photos, self.scorer.batch_size)
        return chain.from_iterable(ordered_map(score, batches, workers=1, ahead=1))

    def prepare(self, photo: Photo | PhotoFile, part_id: str | None = None, *, keep_image: bool = False) -> Prepared:
        """Read the photo and take it through the preprocessing steps.

        Raises:
            ImageError: the photo cannot be read or used.
        """
        started = time.perf_counter()
        path = _name(photo)
        if isinstance(photo, str | Path | PhotoFile):
            data = photo.data if isinstance(photo, PhotoFile) else images.read_bytes(Path(photo))
            loaded, digest = images.load(data, Path(path), self.white), images.sha256(data)
        else:
            loaded = images.Photo(images.check_array(photo))
            digest = images.sha256(np.ascontiguousarray(photo).tobytes())
        image = loaded.image
        read = time.perf_counter()
        frame = run_steps(self.steps, Frame.whole(image, loaded.notes), path)
        if reason := self.scorer.refuses(frame):
            raise ImageError(f"{path} {reason}")
        appearance = None if self.guard is None else appearance_of(image)
        times = {"read": _ms(started, read), "prepare": _ms(read)}
        return Prepared(path, digest, frame, times, part_id, image if keep_image else None, appearance)

    def score(self, batch: Sequence[Prepared]) -> list[Scored | Failure]:
        """Run the detector on photos whose frames are of one size; on the tiles of each, where the recipe has tiles.

        A score that is not a number is a `Failure`.
        """
        started = time.perf_counter()
        frames = [prepared.frame for prepared in batch]
        tiling = self.tiling
        scores = self._score(frames) if tiling is None else [self._score_tiles(frame, tiling) for frame in frames]
        each = {"score": _ms(started) / len(batch)}
        results: list[Scored | Failure] = []
        for prepared, (image, patch, terms) in zip(batch, scores, strict=True):
            if math.isfinite(image) and np.isfinite(patch).all():
                results.append(Scored(prepared, image, patch, terms, prepared.milliseconds | each))
            else:
                error = f"{prepared.path} got a score that is not a number, so the model is damaged; train it again."
                results.append(Failure(prepared.path, error, prepared.part_id, self.model_id))
        return results

    def _score(self, frames: Sequence[Frame]) -> list[tuple[float, FloatMap, tuple[float, ...]]]:
        scores = self.scorer(*to_batch(frames))
        return list(zip(scores.image.tolist(), scores.patch, map(tuple, scores.terms.tolist()), strict=True))

    def _score_tiles(self, frame: Frame, tiling: Tiling) -> tuple[float, FloatMap, tuple[float, ...]]:
        """The largest of the tiles' image scores, as one tile with a defect makes the part NG, and one map of all."""
        tiles = tiling.cut(frame)
        size = self.scorer.batch_size
        batches = (tiles[first : first + size] for first in range(0, len(tiles), size))
        scores = [score for batch in batches for score in self._score([tile.frame for tile in batch])]
        score, _, terms = max(scores, key=lambda one: one[0], default=(0.0, None, ()))
        return score, tiling.blend(tiles, [patch for _, patch, _ in scores], frame.size), terms

    def judge(self, scored: Scored, *, with_map: bool = True, explain: bool = False) -> Inspection:
        """Score -> verdict, regions and, where wanted, the anomaly map in the photo's own pixels."""
        calibration = self._require_calibration()
        started = time.perf_counter()
        verdict, reasons, notes = self._verdict(calibration, scored)
        regions: tuple[Region, ...] = ()
        anomaly_map = None
        # No pixel of the map is above the largest patch score, so most OK photos need no map to have no region.
        if with_map or verdict in ("review", "NG") or scored.patch.max() >= calibration.pixel_threshold:
            anomaly_map = self.anomaly_map(scored)
        if anomaly_map is not None and verdict != "invalid":
            regions = find_regions(anomaly_map, calibration.pixel_threshold, self.regions)
            if verdict in ("review", "NG") and not regions:  # these always say where
                regions = find_regions(anomaly_map, HOTTEST * float(anomaly_map.max()))
            if explain and regions:
                regions = self._explained(scored.prepared.frame, anomaly_map, regions)
        measured = self.scorer.measure(scored.prepared.frame)
        return Inspection(
            path=scored.prepared.path,
            sha256=scored.prepared.sha256,
            score=scored.score,
            threshold=calibration.threshold,
            review_threshold=calibration.review_threshold,
            verdict=verdict,
            reasons=reasons,
            p_value=calibration.p_value(scored.score),
            sigma=calibration.sigma(scored.score),
            confidence=calibration.confidence(scored.score),
            regions=regions,
            anomaly_map=anomaly_map if with_map else None,
            roi=roi_in_original(scored.prepared.frame) if with_map else None,
            photo=scored.prepared.image,
            notes=(*scored.prepared.frame.notes, *measured.notes, *notes),
            lines=measured.lines,
            milliseconds=scored.milliseconds | {"map": _ms(started)},
            part_id=scored.prepared.part_id,
            model=self.model_id,
        )

    def _verdict(self, calibration: Calibration, scored: Scored) -> tuple[Verdict, tuple[str, ...], tuple[str, ...]]:
        """The verdict, its reasons, and what is odd about a photo that is judged all the same."""
        verdict, appearance = calibration.verdict(scored.score), scored.prepared.appearance
        reasons = calibration.reasons(scored.score)
        if self.guard is None or appearance is None:
            return verdict, reasons, ()
        oddities = self.guard.oddities(appearance)
        if why := invalid_because(oddities, is_ok=verdict == "OK"):
            return "invalid", why, ()
        return verdict, reasons, sentences(oddities)

    def anomaly_map(self, scored: Scored) -> FloatMap:
        """(H0, W0) float32 in the photo's own pixels."""
        frame = scored.prepared.frame
        return to_original(smooth_map(scored.patch, frame, self.map_sigma), frame)

    def map_peak(self, scored: Scored) -> float:
        """The largest value of the anomaly map."""
        return float(smooth_map(scored.patch, scored.prepared.frame, self.map_sigma).max())

    def _explained(self, frame: Frame, anomaly_map: FloatMap, regions: tuple[Region, ...]) -> tuple[Region, ...]:
        found = self.scorer.most_like(*to_batch([frame]))
        return nearest_ok.explain(regions, frame, anomaly_map, found, self.thumbnails)

    def _require_thumbnails(self, wanted: bool) -> None:
        if wanted and not self.thumbnails:
            raise ConfigError(
                "This model cannot show what a region looks most like, as it holds no thumbnails of OK photos; train "
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
        ImageError: a step cannot use the photo.
    """
    try:
        for step in steps:
            frame = step(frame)
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from None
    return frame


def to_batch(frames: Sequence[Frame]) -> tuple[NDArray[np.uint8], Mask]:
    """What a scorer takes: photos (B, H, W, 3) uint8 RGB and roi (B, H, W) bool.

    Raises:
        ConfigError: the frames differ in size.
    """
    sizes = {frame.size for frame in frames}
    if len(sizes) > 1:
        (h0, w0), (h1, w1), *_ = sorted(sizes)
        raise ConfigError(
            f"Photos are of different sizes after preprocessing ({w0} x {h0} and {w1} x {h1}); add the step 'resize'."
        )
    return np.stack([frame.image for frame in frames]), np.stack([frame.roi for frame in frames])


def part_id_of(photo: Photo, pattern: re.Pattern[str] | None) -> str | None:
    """The part id in the photo's file name: the pattern's first group or, without one, all that it finds; else None."""
    if pattern is None or not isinstance(photo, str | Path):
        return None
    found = pattern.search(Path(photo).name)
    return found and found.group(1 if pattern.groups else 0)


def _name(photo: Photo | PhotoFile) -> str:
    if isinstance(photo, PhotoFile):
        return photo.name
    return str(photo) if isinstance(photo, str | Path) else ARRAY


def _ms(since: float, until: float | None = None) -> float:
    return 1000 * ((time.perf_counter() if until is None else until) - since)
