"""A memory bank of more photos than one machine holds: what is settled first, and what each shard of them gives.

No more patches than those of a shard are in memory at once. Before a patch enters any bank its space is settled for
all shards: the projection, and the scales that weigh features against colour. Then `cover_of` makes each shard's
coreset, and `_covers.merged` puts these together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from andon.detectors._base import Batch
from andon.detectors._covers import Cover, Kept, cover
from andon.detectors._density import densest
from andon.detectors._embedding import projected, projection
from andon.detectors._memory_bank import PATCHES_DRAWN, usual_distance
from andon.detectors._scoring import nearest
from andon.detectors._threads import alone, over_cores
from andon.detectors.patchcore import MOST, PatchCore

SCALES = ("projection_", "colour_scale_")


class ShardPatches(NamedTuple):
    """Attributes:
    patches: (P, D) those that a bank may be chosen from.
    places: (P, 3) where they come from, see `_memory_bank.places`.
    photo: (P,) the number of each one's photo in the shard.
    frames: how many frames the photos gave: one each, or their tiles.
    """

    patches: Tensor
    places: Tensor
    photo: Tensor
    frames: int

    def split(self, photos: int) -> tuple[Tensor, ...]:
        """(Pi, D) of each photo."""
        return torch.split(self.patches, self.photo.bincount(minlength=photos).tolist())


class Spread(NamedTuple):
    """How many patches there are, and the mean (D,) and the sum of squared deviations (D,) of their values, float64."""

    n: int
    mean: Tensor
    squares: Tensor

    def joined(self, other: Spread) -> Spread:
        """Of both together (Chan, Golub and LeVeque 1979)."""
        n, apart = self.n + other.n, other.mean - self.mean
        mean = self.mean + apart * (other.n / n)
        return Spread(n, mean, self.squares + other.squares + apart**2 * (self.n * other.n / n))


class Queries(NamedTuple):
    """Patches (Q, D) that are drawn to see how much OK photos differ, and the number (Q,) of each one's photo."""

    rows: Tensor
    photo: Tensor


def in_bare_space(detector: PatchCore, generator: torch.Generator) -> PatchCore:
    """The detector with its projection, features and colour not weighed yet."""
    channels = sum(detector.backbone.channels)
    dimensions = projected(channels, detector.config.target_dim)
    return detector.holding(projection_=projection(channels, dimensions, generator), colour_scale_=torch.ones(1))


def weighed(detector: PatchCore, spread: Spread) -> PatchCore:
    """The detector with features and colour weighed by how they spread among the OK photos."""
    if detector.config.colour_weight == 0:
        return detector
    scales = detector.balance((spread.squares / (spread.n - 1)).float())
    return detector.holding(
        projection_=detector.projection_ * scales[0], colour_scale_=detector.colour_scale_ * scales[-1]
    )


@torch.inference_mode()
def patches_of(
    detector: PatchCore,
    batches: Iterable[Batch],
    counts: Sequence[int],
    generator: torch.Generator,
    *,
    all_: bool = False,
) -> ShardPatches:
    """The patches of a shard's photos that are not alone, see `density_keep`.

    Args:
        counts: how many frames each photo gave; complete when the batches are.
        all_: those that are alone too.
    """
    of_frames: list[Tensor] = []
    parts = list(detector.patches(batches, of_frames))
    numbers = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    sizes = torch.tensor([len(part) for part in parts])
    patches, places, photo = torch.cat(parts), torch.cat(of_frames), numbers.repeat_interleave(sizes)
    del parts
    if detector.config.density_keep < 1 and not all_:
        keep, neighbors = detector.config.density_keep, detector.config.density_neighbors
        dense = densest(patches, photo.bincount(minlength=len(counts)).tolist(), keep, neighbors, generator)
        patches, places, photo = patches[dense], places[dense], photo[dense]
    return ShardPatches(patches, places, photo, len(sizes))


def spread_of(patches: Tensor) -> Spread:
    """Of patches (P, D)."""
    variance, mean = alone(lambda rows: torch.var_mean(rows.double(), 0, correction=0), patches)
    return Spread(len(patches), mean, variance * len(patches))


def drawn(shard: ShardPatches, photos: int, generator: torch.Generator) -> Queries:
    """Some patches of each photo."""
    rows, numbers = [], []
    for number, patches in enumerate(shard.split(photos)):
        if len(patches):
            rows.append(patches[torch.randint(len(patches), (PATCHES_DRAWN,), generator=generator)])
            numbers += [number] * PATCHES_DRAWN
    return Queries(torch.cat(rows), torch.tensor(numbers))


def distances(shard: ShardPatches, photos: int, queries: Queries, first: int) -> Tensor:
    """(photos with patches, Q) how far each query is from each photo; infinity from its own.

    Args:
        first: the number of the shard's first photo, as `Queries.photo` counts.
    """
    numbers = [number for number, patches in enumerate(shard.split(photos)) if len(patches)]
    each = over_cores(lambda patches: nearest(queries.rows, patches)[0], [shard.split(photos)[one] for one in numbers])
    away = torch.stack(each)
    away[(first + torch.tensor(numbers)).unsqueeze(1) == queries.photo] = torch.inf
    return away


def radius_of(detector: PatchCore, away: Tensor, share: float) -> float:
    """How near every OK patch must be to the bank; 0 without `coverage`.

    Args:
        away: `distances` of all photos that were asked.
        share: of all photos, that these are.
    """
    if detector.config.coverage == 0 or len(away) < 2:
        return 0.0
    return detector.config.coverage * usual_distance(away, MOST, share)


def cover_of(shard: ShardPatches, out: Tensor, n: int, radius: float) -> Cover:
    """What stands for the shard's patches.

    Args:
        out: (photos, F) bool, the folds that may not know each photo.
        n: how many patches it holds at most, beside those for the folds.
        radius: see `_covers.cover`.
    """
    return cover(Kept(shard.patches, shard.places, out[shard.photo]), n, radius)


def numbered(made: Cover, first: int) -> Cover:
    """The same cover, its frames counted from `first`."""

    def renumbered(kept: Kept) -> Kept:
        return kept._replace(labels=kept.labels + torch.tensor([first, 0.0, 0.0]))

    return Cover(renumbered(made.chosen), tuple(renumbered(one) for one in made.spare), made.radius)
