"""Every OK photo scored by a model that has not seen it, and what the thresholds would be without it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from andon import datasets, detectors
from andon.audit.reasons import Looks, Reason
from andon.config import Tree
from andon.datasets import Dataset, Duplicates, purpose
from andon.images import OpenedPhotos
from andon.line import nearest_ok
from andon.line.anomaly_map import smooth_map
from andon.line.calibration import Calibration
from andon.line.nearest_ok import Thumbnail
from andon.line.rules import ScoreArray
from andon.models.taught import Taught
from andon.ordered_map import ordered_map
from andon.progress import track
from andon.recipes import Recipe
from andon.reports.pages.gallery import Photo, photo_of
from andon.robust import centre_and_spread
from andon.teaching.fitting import Fitting, FoldModel
from andon.teaching.outlook import Outlook, outlook, scores_of
from andon.teaching.thresholds import HeldOut, calibrated, one_of_each, stand_out
from andon.types import Failure, Precision, RgbImage, Sample

LOG = logging.getLogger("andon")
LEAST_SHOWN, MOST_SHOWN = 6, 24
NEAREST = 3
LEAST_SPREAD = 0.005  # of the median score: equal scores are no reason to call a photo far off


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """What is shown of a photo.

    Attributes:
        photo: with its pictures, and its regions beside patches of other OK photos where the detector keeps these.
        nearest: names and pictures of the OK photos that look most alike as a whole.
    """

    photo: Photo
    reason: Reason
    nearest: tuple[tuple[str, RgbImage], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class AuditedPhoto:
    """An OK photo.

    Attributes:
        name: its file within the data set.
        score: by a model that has not seen it, nor its twins.
        deviations: how many scaled median deviations it lies above the median of all.
        stands_out: whether it lies above Tukey's upper fence.
        without: what the thresholds would be without it; None where the other photos are too few.
        without_all: the same without it and all photos that score higher, of the most unlike photos.
        twins: OK photos that show the same picture; of them only the highest score counts.
        look: of the most unlike photos.
    """

    name: str
    score: float
    deviations: float
    stands_out: bool
    without: Outlook | None
    without_all: Outlook | None
    twins: tuple[str, ...] = ()
    look: Look | None = field(default=None, repr=False)

    def to_tree(self) -> Tree:
        """Plain values, without pictures."""
        reason = None if self.look is None else self.look.reason
        return {
            "photo": self.name,
            "score": self.score,
            "deviations": self.deviations,
            "stands_out": self.stands_out,
            "reason": None if reason is None else {"kind": reason.kind, "sentence": reason.sentence},
            "nearest": [] if self.look is None else [name for name, _ in self.look.nearest],
            "twins": list(self.twins),
            "without": None if self.without is None else self.without.to_tree(),
            "without_it_and_those_above": None if self.without_all is None else self.without_all.to_tree(),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Audit:
    """What was found.

    Attributes:
        data: the data set in words.
        now: the thresholds of all OK photos.
        photos: all OK photos that train or calibrate, the most unlike first.
        without_odd: the thresholds without all photos that stand out; None where none does.
        twins: groups of OK photos that show the same picture, by name.
        pixel_threshold: of the maps that are shown.
        remarks: what the reader must know.
    """

    data: str
    now: Outlook
    photos: tuple[AuditedPhoto, ...]
    without_odd: Outlook | None
    twins: tuple[tuple[str, ...], ...]
    pixel_threshold: float
    remarks: tuple[str, ...]

    @property
    def odd(self) -> list[AuditedPhoto]:
        """The photos that stand out."""
        return [photo for photo in self.photos if photo.stands_out]

    @property
    def shown(self) -> list[AuditedPhoto]:
        """Those of which there are pictures."""
        return [photo for photo in self.photos if photo.look is not None]

    def to_tree(self) -> Tree:
        """What `andon audit --json` prints."""
        return {
            "data": self.data,
            "now": self.now.to_tree(),
            "without_those_that_stand_out": None if self.without_odd is None else self.without_odd.to_tree(),
            "photos": [photo.to_tree() for photo in self.photos],
            "twins": [list(group) for group in self.twins],
            "remarks": list(self.remarks),
        }


def audit(recipe: Recipe, dataset: Dataset, precision: Precision = "auto") -> Audit:
    """Score each OK photo of the data set by cross-validation, and say what each does to the threshold.

    All OK photos that would train or calibrate take part in the folds, those of a calibration split and those that
    would be set aside for testing, too.

    Raises:
        ConfigError: a setting is wrong.
        DatasetError, NotCalibratedError: too few OK photos.
        ImageError: a photo cannot be used.
    """
    LOG.info(dataset.describe())
    recipe = detectors.configured(recipe)
    opened = OpenedPhotos()
    duplicates = datasets.find_duplicates(dataset.samples, opened)
    unreadable = [f"{path} is left out: {why}" for path, why in duplicates.unreadable.items()]
    samples = [_in_folds(sample) for sample in dataset.samples if sample.path not in duplicates.unreadable]
    folds = recipe.training.folds if recipe.training.folds and recipe.training.folds > 1 else datasets.FOLDS
    parts = datasets.split(samples, recipe.training.seed, duplicates.keep_together, folds)
    recipe.calibration.check(datasets.count_different(parts.train, duplicates.keep_together))
    learning_ng = _ng_that_trains(recipe, samples, duplicates)
    fitting = Fitting.of(recipe, parts.train, learning_ng, precision, opened)
    taught, models = fitting.by_fold(parts)
    folds_kept = list(models)
    held_out = sorted((one for model in folds_kept for one in model.held_out), key=lambda one: -one.score)
    tested = [s.path for s in samples if s.is_anomalous and purpose(s) == "test" and s not in learning_ng]
    ng, failures = _scores_of_ng(taught, tested, fitting.white)
    calibration = _of_the_others(recipe, one_of_each(held_out, duplicates.keep_together))
    show = _Show(dataset, fitting, opened, calibration, folds_kept, [Path(one.path) for one in held_out])
    return _put_together(recipe, dataset, duplicates, held_out, ng, show, (*dataset.remarks, *unreadable, *failures))


def _of_the_others(recipe: Recipe, counted: Sequence[HeldOut]) -> Calibration:
    """The calibration for the maps: without the photos that stand out, where the others are enough for the rule."""
    odd = stand_out(counted)
    others = [one for one in counted if one not in odd]
    enough = outlook(recipe.calibration, scores_of(others), np.empty(0)) is not None
    return calibrated(recipe.calibration, others if enough else counted)


def _in_folds(sample: Sample) -> Sample:
    return replace(sample, split="train") if purpose(sample) in ("train", "calibrate") else sample


def _ng_that_trains(recipe: Recipe, samples: Sequence[Sample], duplicates: Duplicates) -> Sequence[Sample]:
    if not detectors.detector_class(recipe.detector).capabilities.needs_ng:
        return ()
    training = recipe.training
    return datasets.ng_to_learn_from(samples, training.ng_from_test, training.seed, duplicates.keep_together)[0]


def _scores_of_ng(taught: Taught, photos: Sequence[Path], white: float | None) -> tuple[ScoreArray, list[str]]:
    """The scores by the model of all OK photos, and which photos could not be scored."""
    scored = list(track(replace(taught.pipeline, white=white).score_all(photos), "Scoring NG photos", len(photos)))
    failures = [f"Could not be scored: {one.error}" for one in scored if isinstance(one, Failure)]
    return np.array([one.score for one in scored if not isinstance(one, Failure)], dtype=np.float64), failures


def _put_together(
    recipe: Recipe,
    dataset: Dataset,
    duplicates: Duplicates,
    held_out: Sequence[HeldOut],
    ng: ScoreArray,
    show: _Show,
    remarks: tuple[str, ...],
) -> Audit:
    """Args:
    held_out: all OK photos, by falling score.
    """
    rule, together = recipe.calibration, duplicates.keep_together
    name_of = {one.path: dataset.name_of(Path(one.path)) for one in held_out}
    groups = [tuple(name_of[str(path)] for path in sorted(group) if str(path) in name_of) for group in together]
    groups = [group for group in groups if len(group) > 1]
    twins_of = {name: tuple(other for other in group if other != name) for group in groups for name in group}
    counted = one_of_each(held_out, together)

    def without(gone: Iterable[str]) -> Outlook | None:
        paths = frozenset(gone)
        return outlook(rule, scores_of(one_of_each([one for one in held_out if one.path not in paths], together)), ng)

    now = outlook(rule, scores_of(counted), ng)
    assert now is not None  # the rule was checked
    odd = {one.path for one in stand_out(counted)}
    usual, spread = _centre(scores_of(counted))
    n_shown = min(max(len(odd), LEAST_SHOWN), MOST_SHOWN)
    photos = tuple(
        AuditedPhoto(
            name=name_of[one.path],
            score=one.score,
            deviations=(one.score - usual) / spread,
            stands_out=one.path in odd,
            without=without([one.path]),
            without_all=without(other.path for other in held_out[: number + 1]) if number < MOST_SHOWN else None,
            twins=twins_of.get(name_of[one.path], ()),
            look=show.look(number) if number < n_shown else None,
        )
        for number, one in enumerate(track(held_out, "Looking at photos", len(held_out)))
    )
    return Audit(
        data=dataset.describe(),
        now=now,
        photos=photos,
        without_odd=without(odd) if odd else None,
        twins=tuple(groups),
        pixel_threshold=show.calibration.pixel_threshold,
        remarks=remarks,
    )


def _centre(scores: ScoreArray) -> tuple[float, float]:
    """The median score, and the scaled median deviation from it."""
    usual, spread = map(float, centre_and_spread(scores))
    return usual, max(spread, LEAST_SPREAD * abs(usual), 1e-12)


class _Show:
    """Makes the pictures of photos, each by the model that has not seen it.

    Args:
        photos: all OK photos, by falling score.
    """

    def __init__(
        self,
        dataset: Dataset,
        fitting: Fitting,
        opened: OpenedPhotos,
        calibration: Calibration,
        models: Sequence[FoldModel],
        photos: Sequence[Path],
    ) -> None:
        self.calibration = calibration
        self._dataset, self._frames, self._opened, self._photos = dataset, fitting.frames, opened, photos
        self._model_of = {Path(one.path): model for model in models for one in model.held_out}
        appearances = list(ordered_map(fitting.frames.appearance, photos))
        self._looks = Looks.of(appearances, list(ordered_map(fitting.frames.read, photos)))
        capabilities = detectors.detector_class(fitting.recipe.detector).capabilities
        explains = capabilities.keeps_patches and fitting.recipe.tiling is None
        self._thumbnails = dict(zip(photos, ordered_map(self._thumbnail, photos), strict=True)) if explains else {}

    def look(self, number: int) -> Look:
        """The photo of that number, with its map, its reason and what it looks like."""
        photo = self._photos[number]
        model, image = self._model_of[photo], self._opened.open(photo).image
        thumbnails = tuple(self._thumbnails[one] for one in model.trained) if self._thumbnails else ()
        pipeline = replace(model.pipeline, calibration=self.calibration, guard=None, thumbnails=thumbnails)
        (scored,) = pipeline.score([replace(self._frames.prepared(photo), image=image)])
        assert not isinstance(scored, Failure)  # it has been scored before
        inspection = replace(pipeline.judge(scored, explain=bool(thumbnails)), path=self._dataset.name_of(photo))
        frame = scored.prepared.frame
        nearest = [self._photos[other] for other in self._looks.nearest(number, NEAREST)]
        return Look(
            photo=photo_of(image, inspection, pixel_threshold=self.calibration.pixel_threshold, is_anomalous=False),
            reason=self._looks.reason(number, frame, smooth_map(scored.patch, frame, pipeline.map_sigma)),
            nearest=tuple((self._dataset.name_of(other), self._opened.open(other).image) for other in nearest),
        )

    def _thumbnail(self, photo: Path) -> Thumbnail:
        return Thumbnail(self._dataset.name_of(photo), nearest_ok.thumbnail(self._frames.read(photo).image))
