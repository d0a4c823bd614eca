"""What the default scores were chosen among: the choices behind them side by side, on real photos.

    python benchmarks/scores.py --data DIR [--sets metal_plate ...] [--what image-score layers bank scales]

DIR holds data sets in folders of their own. OK photos outside the test split make the bank; those of the test split and
all NG photos are judged. The threshold comes from 5 folds as in training: NG from the 99th percentile of the held-out
scores, with one OK score above it at least; review from the score that the highest 5 % exceed, three at least. A cell
says: image AUROC, then the shares of OK photos rejected / OK photos for review / NG photos that pass as OK, in percent.
All but the choice that is named is as in recipe `default`. Features are held in half precision.

--photos bottle=60 takes at most so many photos of a set to train, and so many OK and NG ones to judge, evenly drawn.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from statistics import fmean
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from andon import backbones, datasets, recipes
from andon.detectors._base import map_size, patches_in_roi
from andon.detectors._embedding import embed, random_orthogonal
from andon.detectors._memory_bank import coreset, distance_to_other_photos, leaving_out
from andon.detectors._scoring import neighbours
from andon.detectors.patchcore import MOST
from andon.images import OpenedPhotos
from andon.inference.bank_search import BankSearch
from andon.inference.image_score import ImageScore
from andon.line.calibration import CalibrationRule
from andon.preprocess._canvas import AUTO, MULTIPLE
from andon.preprocess.resize import Resize
from andon.teaching.photos import Frames, settle_steps, to_tensors

SETS = ("metal_plate", "bottle", "alien", "cookie", "ball_screw", "fasteners")
DIMENSIONS, COVERAGE, RATIO = 256, 1.5, 0.05  # as in recipe `default`
NEIGHBOURS = 9  # patches around a row of the bank, for its own distance
T = TypeVar("T")
Scores = Iterator[tuple[str, Tensor]]
"""Choices and their image scores (n,), of the photos in the order of `Features`."""


@dataclass(frozen=True, eq=False)
class Features:
    """Of all photos at one size, those that train first.

    Attributes:
        patches: (P, C) float16 of each photo, in its ROI.
        inside: (n, h, w) bool, which patches these are.
    """

    patches: list[Tensor]
    inside: Tensor


class DataSet:
    """A data set's photos, what the backbone makes of them, and their verdicts.

    Attributes:
        train: OK photos that make the bank.
        ok, ng: photos that are judged.
        folds: numbers of photos that train, held out in turn; twins are in one fold.
        own_size: the photos' own short side in pixels, a multiple of 16.
    """

    def __init__(self, folder: Path, most: int) -> None:
        samples = datasets.read(folder, also_ng=recipes.build("fastener", []).data.ng_names).samples
        ok = [replace(s, split="train") for s in samples if s.is_anomalous is False and s.split != "test"]
        learning = _thinned(ok, most)
        twins = datasets.find_duplicates(learning).keep_together
        parts = datasets.split(learning, seed=0, groups=twins)
        self.train = [sample.path for sample in parts.train]
        self.folds = [[self.train.index(sample.path) for sample in fold.held_out] for fold in parts.folds]
        self.ok = _thinned([s.path for s in samples if s.is_anomalous is False and s.split == "test"], most)
        self.ng = _thinned([s.path for s in samples if s.is_anomalous], most)
        self.opened = OpenedPhotos()
        short = float(np.median([min(self.opened.open(path).image.shape[:2]) for path in self.train]))
        self.own_size = MULTIPLE * int(short // MULTIPLE)
        self.size = min(AUTO, self.own_size)
        self.backbone = backbones.create(recipes.build("default", []).backbone)

    @cached_property
    def features(self) -> Features:
        """At the size of recipe `default`."""
        return self.features_at(self.size)

    @cached_property
    def maps(self) -> Tensor:
        """The patch distances of recipe `default`."""
        return self.distances(self.features, projection())

    @torch.inference_mode()
    def features_at(self, size: int, brightness: float = 1.0) -> Features:
        """Of all photos at that short side; of another brightness, only of those that train."""
        steps = settle_steps({"resize": Resize(image_size=size)}, self.train, self.opened)
        frames, patches, insides = Frames(steps.values(), self.opened), [], []
        for path in self.train if brightness != 1 else [*self.train, *self.ok, *self.ng]:
            x, roi = to_tensors([frames.read(path)])
            embedding = embed(self.backbone, (x * brightness).clamp(max=1) * roi.unsqueeze(1))
            insides.append(patches_in_roi(roi, map_size(embedding))[0])
            patches.append(embedding[0].permute(1, 2, 0)[insides[-1]].half())
        return Features(patches, torch.stack(insides))

    @torch.inference_mode()
    def distances(
        self,
        features: Features,
        space: Tensor,
        *,
        ratio: float = RATIO,
        coverage: float = COVERAGE,
        share: float = 0.0,
        also: Sequence[Features] = (),
    ) -> Tensor:
        """Patch distances (n, h, w), zero outside the ROI; of the photos that train, to a bank without their fold.

        Args:
            space: (C, D) what the features are multiplied by.
            share: of the bank row's own distance to the patches around it, which is taken off.
            also: further features of the photos that train.
        """
        patches = [of_photo.float() @ space for of_photo in features.patches]
        n = len(self.train)
        more = [[of_photo.float() @ space for of_photo in other.patches] for other in also]
        of_photos = [torch.cat(same) for same in zip(patches[:n], *more, strict=True)]
        known, photo = torch.cat(of_photos), torch.arange(n).repeat_interleave(torch.tensor([*map(len, of_photos)]))
        generator = torch.Generator().manual_seed(0)
        bank = coreset(known, ratio, generator, coverage * distance_to_other_photos(known, photo, generator, MOST))
        out = [torch.isin(photo, torch.tensor(fold)) for fold in self.folds]
        none_out, judged = torch.zeros(len(known), dtype=torch.bool), range(n, len(patches))
        of_banks = [*leaving_out(known, bank, out), bank.indices], [*out, none_out], [*self.folds, judged]
        maps = torch.zeros(features.inside.shape)
        for rows, left_out, numbers in zip(*of_banks, strict=True):
            search = BankSearch(known[rows].numpy())
            own = own_distance(known[rows], known[~left_out]) if share else torch.zeros(len(rows))
            for number in numbers:
                distance, row = map(torch.from_numpy, search.nearest(patches[number].numpy()))
                maps[number][features.inside[number]] = (distance - share * own[row]).clamp(min=0)
        return maps

    def verdicts(self, scores: Tensor) -> tuple[float, ...]:
        """AUROC; percent rejected, for review and escaped."""
        values = scores.double().numpy()
        held, ok, ng = np.split(values, np.cumsum([len(self.train), len(self.ok)]))
        rule = CalibrationRule()
        threshold = rule.threshold(held)
        review = rule.review_threshold(held, threshold) or threshold
        auroc = float(((ng[:, None] > ok).mean() + (ng[:, None] >= ok).mean()) / 2)
        shares = (ok >= threshold).mean(), ((ok >= review) & (ok < threshold)).mean(), (ng < review).mean()
        return auroc, *(100 * float(share) for share in shares)


def image_scores(data: DataSet) -> Scores:
    maps, inside = data.maps, data.features.inside
    neighbourhood = F.avg_pool2d(inside.float(), 3, 1, 1).clamp(min=1e-6)
    smoothed = F.avg_pool2d(maps, 3, 1, 1) / neighbourhood
    yield "maximum", highest(maps, inside, 0)
    yield "maximum of 3 x 3 means", highest(smoothed, inside, 0)
    for percent in (0.5, 1, 2, 5):
        yield f"mean of the highest {percent:g} %", highest(maps, inside, percent / 100)
    yield "StructCore", structcore(maps, inside, len(data.train))


def layers(data: DataSet) -> Scores:
    """Each change alone."""
    features, inside = data.features, data.features.inside
    widths = list(data.backbone.channels)
    training = torch.cat(features.patches[: len(data.train)])
    deviation = torch.stack([channel.float().std() for channel in training.T]).clamp(min=1e-6)
    totals = [of_layer.square().sum().sqrt().expand(len(of_layer)) for of_layer in torch.split(deviation, widths)]
    yield "default", highest(data.maps, inside)
    for name, divisor in (("layers", torch.cat(totals)), ("channels", deviation)):
        maps = data.distances(features, projection() / divisor[:, None])
        yield f"{name} of equal deviation", highest(maps, inside)
    one_layer = [data.distances(features, space) for space in torch.split(torch.eye(sum(widths)), widths, dim=1)]
    yield "a bank per layer", highest(joined(one_layer, [inside] * len(one_layer), len(data.train)), inside)
    yield "less half the row's own", highest(data.distances(features, projection(), share=0.5), inside)
    also = [data.features_at(data.size, brightness) for brightness in (0.8, 1.2)]
    yield "brightness x 0.8 and 1.2", highest(data.distances(features, projection(), also=also), inside)


def banks(data: DataSet) -> Scores:
    yield "coverage 1.5", highest(data.maps, data.features.inside)
    for percent in (0.2, 0.5, 1, 2, 5, 10):
        maps = data.distances(data.features, projection(), ratio=percent / 100, coverage=0)
        yield f"{percent:g} %", highest(maps, data.features.inside)


def scales(data: DataSet) -> Scores:
    """Photos that are smaller than a size keep their own."""
    sizes = {"256": min(256, data.own_size), "384": data.size, "own size": data.own_size}
    found = {data.size: (data.maps, data.features.inside)}
    for name, size in sizes.items():
        if size not in found:
            features = data.features_at(size)
            found[size] = data.distances(features, projection()), features.inside
        yield name, highest(*found[size])
    for pair in (("256", "384"), ("384", "own size")):
        maps, inside = zip(*(found[sizes[name]] for name in pair), strict=True)
        yield " and ".join(pair), highest(joined(maps, inside, len(data.train)), inside[-1])


WHAT: dict[str, Callable[[DataSet], Scores]] = {
    "image-score": image_scores,
    "layers": layers,
    "bank": banks,
    "scales": scales,
}


@cache
def projection() -> Tensor:
    """(C, D), the one that recipe `default` draws."""
    channels = sum(backbones.create(recipes.build("default", []).backbone).channels)
    return random_orthogonal(channels, DIMENSIONS, torch.Generator().manual_seed(0))


def own_distance(rows: Tensor, patches: Tensor) -> Tensor:
    """(N,) the mean distance of each row of a bank to the nearest of all patches it is from (arXiv 2308.12577)."""
    near = torch.cat([neighbours(some, patches, 1 + NEIGHBOURS)[:, 1:] for some in torch.split(rows, 64)])
    away: Tensor = torch.linalg.vector_norm(rows[:, None] - patches[near], dim=2).mean(dim=1)
    return away


def highest(maps: Tensor, inside: Tensor, share: float = 0.01) -> Tensor:
    """The mean (n,) of the highest share of the patch distances of each photo; with a share of 0, the highest."""
    how = ImageScore(image_score="top_share_mean", top_share=share)
    return torch.tensor([how.of(photo[where].numpy()) for photo, where in zip(maps, inside, strict=True)])


def structcore(maps: Tensor, inside: Tensor, n_held: int) -> Tensor:
    """Diagonal Mahalanobis distance of three numbers of the map from those of held-out OK photos (arXiv 2602.17048).

    The numbers are the standard deviation, the mean of the highest 1 % and the total variation per patch.
    """
    deviation = torch.stack([of_photo[where].std() for of_photo, where in zip(maps, inside, strict=True)])
    variation = sum(maps.diff(dim=axis).abs().sum(dim=(1, 2)) for axis in (1, 2)) / inside.sum(dim=(1, 2))
    numbers = torch.stack([deviation, highest(maps, inside), variation], dim=1)
    held = numbers[:n_held]
    away: Tensor = torch.linalg.vector_norm((numbers - held.mean(dim=0)) / held.std(dim=0), dim=1)
    return away


def joined(maps: Sequence[Tensor], inside: Sequence[Tensor], n_held: int) -> Tensor:
    """The mean of the maps on the grid of the last, each divided by its median over the held-out OK photos."""
    total = torch.zeros(inside[-1].shape)
    for one, where in zip(maps, inside, strict=True):
        scaled = one / one[:n_held][where[:n_held]].median()
        total += F.interpolate(scaled[:, None], size=total.shape[1:], mode="bilinear")[:, 0] / len(maps)
    return total * inside[-1]


def main() -> None:
    """Print a table for each question, with a row per choice and a column per set; each cell is told when known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--what", nargs="+", choices=list(WHAT), default=list(WHAT))
    parser.add_argument("--photos", nargs="+", default=[], metavar="SET=N")
    options = parser.parse_args()
    most = {name: int(number) for name, _, number in (item.partition("=") for item in options.photos)}
    sets = {name: DataSet(options.data / name, most.get(name, sys.maxsize)) for name in options.sets}
    for name, data in sets.items():
        print(f"{name}: {len(data.train)} train; {len(data.ok)} OK, {len(data.ng)} NG judged", flush=True)
    for what in options.what:
        rows: dict[str, list[tuple[float, ...]]] = defaultdict(list)
        for name, data in sets.items():
            for choice, scores in WHAT[what](data):
                rows[choice].append(data.verdicts(scores))
                print(f"{name}, {choice}: {_cell(rows[choice][-1])}", file=sys.stderr, flush=True)
        print(f"\n| {what} | {' | '.join(sets)} | mean |\n{'|---' * (len(sets) + 2)}|")
        for choice, of_sets in rows.items():
            mean = tuple(fmean(column) for column in zip(*of_sets, strict=True))
            print(f"| {choice} | {' | '.join(map(_cell, [*of_sets, mean]))} |", flush=True)


def _cell(verdicts: tuple[float, ...]) -> str:
    auroc, *shares = verdicts
    return f"{auroc:.3f}, {' / '.join(f'{share:.0f}' for share in shares)}"


def _thinned(items: Sequence[T], most: int) -> list[T]:
    """At most so many, evenly drawn."""
    if len(items) <= most:
        return list(items)
    return [items[number] for number in np.linspace(0, len(items) - 1, most).round().astype(int)]


if __name__ == "__main__":
    main()
