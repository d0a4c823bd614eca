"""A first look at a data set: its colours, samples of each class, and how far colours alone tell OK from NG."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from andon import datasets, images
from andon.datasets import Dataset, Duplicates
from andon.detectors._histograms import histograms, photo_histograms
from andon.errors import DatasetError
from andon.evaluation.intervals import auroc_interval
from andon.exploration.colour_distances import Distances, colour_distances
from andon.ordered_map import ordered_map
from andon.progress import track
from andon.reports.plots.class_colours import ClassColours, count_lab
from andon.reports.plots.photo_colours import count_colours
from andon.reports.plots.style import Counts
from andon.types import RgbImage, Sample

BINS = 16
SIDE = 256  # photos are reduced to as many pixels as 256 x 256 have
THUMBNAIL = 168
PHOTOS_PER_SHEET = 24
MIN_OK = 10
UNLABELLED = "unlabelled"

Figures = dict[str, Any]
NamedPhoto = tuple[str, RgbImage]


@dataclass(frozen=True, eq=False)
class PhotoSummary:
    """What is kept of one photo.

    Attributes:
        rgb, lab: (3, 256) counts.
        histogram: (D,) what the detector `histogram` compares.
        thumbnail: (h, w, 3) uint8 RGB.
    """

    sample: Sample
    rgb: Counts
    lab: Counts
    histogram: Tensor
    thumbnail: RgbImage


@dataclass(frozen=True, eq=False)
class Exploration:
    """What was found.

    Attributes:
        figures: plain values, what `andon explore --json` prints.
        colours: of each class, OK first.
        distances: class -> (n,), how far its photos' colours are from those of the OK photos; empty without OK photos.
        samples: class -> names and thumbnails of some of its photos.
        unusual: names and thumbnails of the OK photos that are most unlike the others.
    """

    figures: Figures
    colours: tuple[ClassColours, ...]
    distances: dict[str, Distances]
    samples: dict[str, list[NamedPhoto]]
    unusual: list[NamedPhoto]


def explore(dataset: Dataset) -> Exploration:
    """Look at every photo of a data set that can be read.

    Raises:
        DatasetError: none can be read.
    """
    duplicates = datasets.find_duplicates(dataset.samples)
    readable = [sample for sample in dataset.samples if sample.path not in duplicates.unreadable]
    if not readable:
        raise DatasetError(f"None of the photos in {dataset.root} can be read; copy them again.")
    summaries: dict[str, list[PhotoSummary]] = {name: [] for name in _class_names(readable)}
    for summary in track(ordered_map(_summarise, readable), "Looking at photos", len(readable)):
        summaries[class_of(summary.sample)].append(summary)
    undefined, distances = _distances(summaries, duplicates)
    unusual = list(_unusual(summaries.get("OK", []), distances))
    figures = _figures(dataset, summaries, distances, undefined)
    figures["unusual_ok"] = {_name(summary.sample.path, dataset): far for summary, far in unusual}
    figures["failures"] = {_name(path, dataset): why for path, why in sorted(duplicates.unreadable.items())}
    return Exploration(
        figures,
        tuple(_colours(name, of_class) for name, of_class in summaries.items()),
        distances,
        {name: _samples(of_class, dataset) for name, of_class in summaries.items()},
        [(_name(summary.sample.path, dataset), summary.thumbnail) for summary, _ in unusual[:PHOTOS_PER_SHEET]],
    )


def class_of(sample: Sample) -> str:
    """OK, the kind of defect or NG, or unlabelled."""
    if sample.is_anomalous is None:
        return UNLABELLED
    return (sample.defect or "NG") if sample.is_anomalous else "OK"


def _class_names(samples: Sequence[Sample]) -> list[str]:
    """OK first, then the kinds of defect, then unlabelled."""
    order = {False: 0, True: 1, None: 2}
    return list(dict.fromkeys(class_of(s) for s in sorted(samples, key=lambda s: (order[s.is_anomalous], class_of(s)))))


def _summarise(sample: Sample) -> PhotoSummary:
    photo = images.read(sample.path)
    small = _reduce(photo, SIDE)
    x = torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        everywhere = torch.ones(1, *small.shape[:2], dtype=torch.bool)
        histogram = photo_histograms(*histograms(x, everywhere, "lab", BINS))[0]
    return PhotoSummary(sample, count_colours(small), count_lab(small), histogram, _reduce(small, THUMBNAIL))


def _reduce(photo: RgbImage, side: int) -> RgbImage:
    """The photo with as many pixels as a square of that side, or itself where it has fewer."""
    height, width = photo.shape[:2]
    scale = side / (height * width) ** 0.5
    if scale >= 1:
        return photo
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _distances(summaries: dict[str, list[PhotoSummary]], duplicates: Duplicates) -> tuple[str, dict[str, Distances]]:
    """Why there are none, or `colour_distances` of each class."""
    ok = summaries.get("OK", [])
    group_of = {path: number for number, group in enumerate(duplicates.keep_together) for path in group}
    groups = [group_of.get(summary.sample.path, len(group_of) + number) for number, summary in enumerate(ok)]
    if len(ok) < MIN_OK:
        return f"there are {len(ok)} OK photos, and {MIN_OK} are needed to say how much their colours vary", {}
    if len(set(groups)) < 2:
        return "all OK photos show the same picture", {}
    histograms = {name: torch.stack([summary.histogram for summary in of]) for name, of in summaries.items()}
    return "", colour_distances(histograms, groups, n_pixels=SIDE**2)


def _figures(
    dataset: Dataset, summaries: dict[str, list[PhotoSummary]], distances: dict[str, Distances], undefined: str
) -> Figures:
    counts = {
        name: sum(len(of) for of in summaries.values() if of[0].sample.is_anomalous is truth)
        for name, truth in (("n_ok", False), ("n_ng", True), ("n_unlabelled", None))
    }
    ng = [distances[name] for name, of in summaries.items() if distances and of[0].sample.is_anomalous]
    if not undefined and not ng:
        undefined = "no photo is known as NG"
    return {
        "data": dataset.describe(),
        **counts,
        **_auroc(distances.get("OK"), np.concatenate(ng) if ng else None),
        "undefined": undefined or None,
        "classes": {
            name: {
                "n_photos": len(of_class),
                "is_anomalous": of_class[0].sample.is_anomalous,
                "mean_lab": _mean_lab(of_class),
                **_auroc(distances.get("OK"), distances.get(name) if of_class[0].sample.is_anomalous else None),
            }
            for name, of_class in summaries.items()
        },
    }


def _auroc(ok: Distances | None, ng: Distances | None) -> Figures:
    """How well the distances order OK and NG photos, with its 95 % interval; None where there are not both."""
    if ok is None or ng is None:
        return {"colour_auroc": None, "interval": None}
    truth = np.repeat([False, True], [len(ok), len(ng)])
    value = float(roc_auc_score(truth, np.concatenate([ok, ng])))
    return {"colour_auroc": value, "interval": list(auroc_interval(ok, ng))}


def _mean_lab(summaries: Sequence[PhotoSummary]) -> list[float]:
    """L* in [0, 100], a* and b*."""
    counts = np.sum([summary.lab for summary in summaries], axis=0)
    lightness, a, b = (counts @ np.arange(256)) / counts.sum(axis=1)
    return [float(lightness) * 100 / 255, float(a) - 128, float(b) - 128]


def _unusual(ok: Sequence[PhotoSummary], distances: dict[str, Distances]) -> Iterator[tuple[PhotoSummary, float]]:
    """The OK photos above Tukey's upper fence, the most unusual first, with their distance."""
    if not distances:
        return
    lower, upper = np.percentile(distances["OK"], [25, 75])
    for index in np.argsort(-distances["OK"]):
        if distances["OK"][index] > upper + 1.5 * (upper - lower):
            yield ok[index], float(distances["OK"][index])


def _colours(name: str, summaries: Sequence[PhotoSummary]) -> ClassColours:
    rgb, lab = (np.sum([getattr(summary, space) for summary in summaries], axis=0) for space in ("rgb", "lab"))
    return ClassColours(name, len(summaries), rgb, lab)


def _samples(summaries: Sequence[PhotoSummary], dataset: Dataset) -> list[NamedPhoto]:
    """Some of the photos by chance, the same each time, in the order of the data set."""
    chosen = sorted(random.Random(0).sample(range(len(summaries)), min(PHOTOS_PER_SHEET, len(summaries))))
    return [(_name(summaries[index].sample.path, dataset), summaries[index].thumbnail) for index in chosen]


def _name(path: Path, dataset: Dataset) -> str:
    """The photo's path in the data set's folder."""
    return dataset.name_of(path)
