"""PatchCore: the distance of each patch to a memory bank of OK patches.

Roth et al., "Towards Total Recall in Industrial Anomaly Detection", CVPR 2022 (arXiv 2106.08265).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor

from andon.backbones import Backbone
from andon.detectors._base import Batch, Capabilities, Detector, map_size, patches_in_roi, require
from andon.detectors._density import densest
from andon.detectors._embedding import embed, mean_chroma, projected, projection
from andon.detectors._expected import expected_of_bank
from andon.detectors._growing import Uncovered, uncovered
from andon.detectors._memory_bank import (
    Bank,
    Piece,
    among,
    chunk_size,
    chunks,
    coreset,
    distance_to_other_photos,
    leaving_out,
    places,
)
from andon.detectors._scoring import nearest
from andon.detectors._shapes import Shape
from andon.detectors._threads import alone, over_cores
from andon.detectors._two_steps import coreset_of_chunks, put_back
from andon.inference.image_score import ImageScore
from andon.inference.memory_bank import MemoryBank
from andon.work import Phase

MOST = 0.95  # of the OK patches
MIN_VARIANCE = 1e-8  # parts without any grain, such as drawn ones, have none
MIN_COLOUR_VARIANCE = 1.0  # of a* and b* together; below it lies the camera's noise, which must not be blown up


@dataclass(frozen=True, kw_only=True)
class PatchCoreConfig:
    """Attributes:
    target_dim: the embedding is projected to this many dimensions; 0 for no projection.
    coreset_ratio: share of the patches that the memory bank keeps, in (0, 1].
    coverage: 0 keeps all of that share. Above 0 the bank grows only until every OK patch is nearer to it than this many
        times the distance that most OK patches (95 of 100) keep from the other OK photos; 1.5 asks of the bank about
        what the photos themselves give. `coreset_ratio` is then the most, half a percent the least.
    density_keep: share of the patches that the memory bank is chosen from, in (0, 1]: those that are least alone among
        the photos. 0.85 lets it learn from a set in which some parts are damaged; 1 trusts every photo.
    density_neighbors: other photos in which a patch must have its like.
    num_neighbors: neighbours of the nearest bank patch that the re-weighting looks at (b in section 3.3).
    reweight: re-weighting of section 3.3; the paper defines it for the maximum, so it applies to that alone.
    image_score: how the patch scores of the ROI make the image score.
    percentile: for "percentile", in (0, 100).
    top_k: for "top_k_mean", the number of patches.
    top_share: for "top_share_mean", the share of the patches in the ROI, in (0, 1].
    colour_weight: share of the squared distance that comes from each patch's chroma (a* and b* of CIE L*a*b*), in
        [0, 1); 0 is the paper's PatchCore. With a share, features and colour are each scaled to unit total variance
        first, so that a colour counts by how unusual it is among the OK photos.
    """

    target_dim: int = 256
    coreset_ratio: float = 0.1
    coverage: float = 0.0
    density_keep: float = 1.0
    density_neighbors: int = 8
    num_neighbors: int = 9
    reweight: bool = True
    image_score: Literal["maximum", "percentile", "top_k_mean", "top_share_mean"] = "maximum"
    percentile: float = 95.0
    top_k: int = 10
    top_share: float = 0.01
    colour_weight: float = 0.0

    def __post_init__(self) -> None:
        require(self.target_dim >= 0, "target_dim", self.target_dim, "0 (no projection) or more")
        require(0 < self.coreset_ratio <= 1, "coreset_ratio", self.coreset_ratio, "above 0 and at most 1")
        require(self.coverage >= 0, "coverage", self.coverage, "0 (all of coreset_ratio) or more")
        require(0 < self.density_keep <= 1, "density_keep", self.density_keep, "above 0 and at most 1")
        require(self.density_neighbors >= 1, "density_neighbors", self.density_neighbors, "1 or more")
        require(self.num_neighbors >= 1, "num_neighbors", self.num_neighbors, "1 or more")
        require(0 < self.percentile < 100, "percentile", self.percentile, "between 0 and 100")
        require(self.top_k >= 1, "top_k", self.top_k, "1 or more")
        require(0 < self.top_share <= 1, "top_share", self.top_share, "above 0 and at most 1")
        require(0 <= self.colour_weight < 1, "colour_weight", self.colour_weight, "at least 0 and below 1")


class PatchCore(Detector[PatchCoreConfig]):
    """Attributes:
    projection_: (C, D) orthonormal columns, each divided by the features' spread where colour takes part.
    colour_scale_: (1,) what the chroma is multiplied by.
    bank_: (N, D) or, with colour, (N, D + 2): the memory bank.
    origin_: (N, 3) where each row of the bank comes from, see `_memory_bank.places`.
    """

    Config = PatchCoreConfig
    capabilities = Capabilities(
        keeps_patches=True, fits_folds=True, exports=True, has_bank=True, grows=True, shards=True
    )
    of_bank = frozenset({"bank_", "origin_"})
    projection_: Tensor
    colour_scale_: Tensor
    bank_: Tensor
    origin_: Tensor

    def __init__(self, config: PatchCoreConfig, backbone: Backbone) -> None:
        super().__init__(config, backbone)
        for name in ("projection_", "colour_scale_", "bank_", "origin_"):
            self.register_buffer(name, None)
        self._memory: MemoryBank | None = None
        self._searched: Tensor | None = None  # the bank that `_memory` was made of

    def shapes(self) -> dict[str, Shape]:
        channels = sum(self.backbone.channels)
        dimensions = projected(channels, self.config.target_dim)
        row = dimensions + (2 if self.config.colour_weight > 0 else 0)
        return {
            "projection_": Shape((channels, dimensions)),
            "colour_scale_": Shape((1,)),
            "bank_": Shape(("N", row)),
            "origin_": Shape(("N", 3)),
        }

    def _fit(self, batches: Iterable[Batch], generator: torch.Generator) -> None:
        self._fit_folds(batches, generator, ())

    @torch.inference_mode()
    def _fit_folds(
        self, batches: Iterable[Batch], generator: torch.Generator, folds: Sequence[frozenset[int]]
    ) -> list[Self] | None:
        """Embed all photos once; a bank of all, and one without each fold."""
        channels = sum(self.backbone.channels)
        dimensions = projected(channels, self.config.target_dim)
        self.projection_ = projection(channels, dimensions, generator)
        self.colour_scale_ = torch.ones(1)
        scales = torch.ones(dimensions + 2)
        places_: list[Tensor] = []
        pieces = self._pieces(batches, generator, scales, places_)
        first = next(pieces)
        if not first.more:
            patches, photo, _ = first
            bank = coreset(patches, self.config.coreset_ratio, generator, self._radius(first, 1.0, generator))
            left = leaving_out(patches, bank, (among(photo, fold) for fold in folds))
            without = [Bank(patches[rows], rows, bank.radius) for rows in left]
        else:
            n_patches = round(self.config.density_keep * self._count(batches))
            radius = self._radius(first, len(first.patches) / n_patches, generator)
            size, all_pieces = len(first.patches), put_back(first, pieces)
            del first  # so that it goes before the next one is made
            made = coreset_of_chunks(all_pieces, size, n_patches, self.config.coreset_ratio, radius, folds)
            bank, without = made.bank, list(made.without)
        origin = torch.cat(places_)
        self.facts = {"bank_rows": float(len(bank.rows)), "patches": float(len(origin)), "bank_radius": bank.radius}
        self.projection_, self.colour_scale_ = self.projection_ * scales[0], self.colour_scale_ * scales[-1]
        self.bank_, self.origin_ = bank.rows, origin[bank.indices]
        return [self._with_bank(one.rows, origin[one.indices]) for one in without]

    @torch.inference_mode()
    def grown(
        self, batches: Iterable[Batch], folds: Sequence[frozenset[int]], *, radius: float, first: int
    ) -> tuple[Self, list[Self]]:
        """See `Detector.grown` and `_growing`. Every patch may join, as people have judged each of the photos."""
        of_photos: list[Tensor] = []
        bare = uncovered(self.patches(batches, of_photos), of_photos, self._nearest, radius)
        outs = [among(bare.places[:, 0].long(), fold) for fold in folds]
        return self._with(bare, bare.joining(), first), [self._with(bare, bare.joining(out), first) for out in outs]

    def _with(self, bare: Uncovered, joining: Tensor, first: int) -> Self:
        origin = bare.places[joining] + torch.tensor([first, 0.0, 0.0])
        other = self._with_bank(torch.cat([self.bank_, bare.patches[joining]]), torch.cat([self.origin_, origin]))
        other.facts = {"bank_rows": float(len(other.bank_)), "patches": float(bare.seen)}
        return other

    def _radius(self, piece: Piece, share: float, generator: torch.Generator) -> float:
        """How near every OK patch must be to the bank, seen from a share of them; 0 without `coverage`."""
        if self.config.coverage == 0:
            return 0.0
        return self.config.coverage * distance_to_other_photos(piece.patches, piece.photo, generator, MOST, share)

    def _with_bank(self, bank: Tensor, origin: Tensor) -> Self:
        return self.holding(bank_=bank, origin_=origin)

    def holding(self, **learned: Tensor) -> Self:
        """The same detector with this in place of some of what it learned; it may hold no bank yet."""
        other = copy.copy(self)
        other._buffers, other._memory = {**self._buffers, **learned}, None
        return other

    def _pieces(
        self, batches: Iterable[Batch], generator: torch.Generator, scales: Tensor, origins: list[Tensor]
    ) -> Iterator[Piece]:
        """The patches that the memory bank is chosen from, in chunks that fit into memory.

        All are embedded by the bare projection, and multiplied by `scales` afterwards: photos are embedded in batches,
        and a chunk may end in the middle of one.

        Args:
            scales: takes the factors of features and colour, which come from the first chunk.
            origins: takes the `places` of each chunk's patches.
        """
        dimensions = self.projection_.shape[1]
        of_photos: list[Tensor] = []
        parts = self.patches(batches, of_photos)
        for patches, counts, more in chunks(parts, chunk_size(dimensions + 2)):
            if self.config.colour_weight > 0:
                if not origins:
                    scales.copy_(self.balance(alone(torch.var, patches, 0)))
                patches *= scales
            origins.append(torch.cat(of_photos[: len(counts)]))
            del of_photos[: len(counts)]
            if self.config.density_keep < 1:
                keep, neighbors = self.config.density_keep, self.config.density_neighbors
                dense = densest(patches, counts, keep, neighbors, generator)
                patches, origins[-1] = patches[dense], origins[-1][dense]
            yield Piece(patches, origins[-1][:, 0].long(), more)
            del patches  # before the next chunk is read

    def patches(self, batches: Iterable[Batch], of_photos: list[Tensor]) -> Iterator[Tensor]:
        """The embeddings of the patches in the ROI, (P, D) of each photo; their `places` go into `of_photos`."""
        embed_one = torch.inference_mode()(self._embed)
        n_photos = 0
        for x, roi in batches:
            embeddings = over_cores(embed_one, torch.split(x * roi.unsqueeze(1), 1), torch.split(roi, 1))
            for embedding, inside in zip(embeddings, patches_in_roi(roi, map_size(embeddings[0])), strict=True):
                of_photos.append(places(inside, n_photos))
                n_photos += 1
                yield embedding[0].permute(1, 2, 0)[inside]

    def _count(self, batches: Iterable[Batch]) -> int:
        """How many patches all photos have in the ROI. The network sees one photo of each size, to tell its grid."""
        grids: dict[torch.Size, tuple[int, int]] = {}
        n_patches = 0
        for x, roi in batches:
            if x.shape[2:] not in grids:
                grids[x.shape[2:]] = map_size(self.backbone(x[:1])[0])
            n_patches += int(patches_in_roi(roi, grids[x.shape[2:]]).sum())
        return n_patches

    def _embed(self, x: Tensor, roi: Tensor) -> Tensor:
        features = embed(self.backbone, x)
        if self._projects:
            features = (features.permute(0, 2, 3, 1) @ self.projection_).permute(0, 3, 1, 2)
        if self.config.colour_weight == 0:
            return features
        return torch.cat([features, mean_chroma(x, roi, map_size(features)) * self.colour_scale_], dim=1)

    def balance(self, variance: Tensor) -> Tensor:
        """The factor per dimension (D + 2,) that gives features and colour their shares of the variance (D + 2,)."""
        weight, dimensions = self.config.colour_weight, len(variance) - 2
        features = torch.sqrt((1 - weight) / variance[:dimensions].sum().clamp(min=MIN_VARIANCE))
        colour = torch.sqrt(weight / variance[dimensions:].sum().clamp(min=MIN_COLOUR_VARIANCE))
        return torch.cat([features.expand(dimensions), colour.expand(2)])

    def queries(self, x: Tensor, roi: Tensor) -> Tensor:
        return self._embed(x, roi).permute(0, 2, 3, 1)

    def memory(self) -> MemoryBank:
        if self._memory is None or self._searched is not self.bank_:
            bank, origin = (tensor.detach().cpu().numpy() for tensor in (self.bank_, self.origin_))
            self._memory, self._searched = MemoryBank(bank, origin, self._image_score), self.bank_
        return self._memory

    def _score(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        queries = self.queries(x, roi)
        inside = patches_in_roi(roi, (queries.shape[1], queries.shape[2]))
        scores = queries.new_zeros(inside.shape)
        images = []
        for photo, within, patches in zip(queries, inside, scores, strict=True):
            patches[within], index = self._nearest(photo[within])
            arrays = (part.cpu().numpy() for part in (patches[within], photo[within], index))
            images.append(self.memory().image_score_of(*arrays))
        return queries.new_tensor(images), scores

    def most_like(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        queries = self.queries(x * roi.unsqueeze(1), roi)
        distance, row = self._nearest(queries.flatten(0, 2))
        return distance.view(queries.shape[:3]), self.origin_[row].view(*queries.shape[:3], 3)

    def _nearest(self, queries: Tensor) -> tuple[Tensor, Tensor]:
        """Distance (Q,) of each query (Q, D) to the nearest row of the bank, and that row (Q,)."""
        if self.bank_.device.type != "cpu":
            return nearest(queries, self.bank_)
        distance, row = self.memory().search.nearest(queries.contiguous().numpy())
        return torch.from_numpy(distance), torch.from_numpy(row)

    def expects(self, photos: int, pixels: int) -> tuple[list[Phase], float]:
        of_one = pixels / self.backbone.strides[0] ** 2
        dimensions = projected(sum(self.backbone.channels), self.config.target_dim)
        by_radius = self.config.coverage > 0
        return expected_of_bank(photos, of_one, dimensions, self.config.coreset_ratio, by_radius=by_radius)

    @property
    def _projects(self) -> bool:
        """Whether `projection_` is not the identity, by which multiplying would take as long as by any other."""
        channels, dimensions = self.projection_.shape
        return dimensions < channels or self.config.colour_weight > 0

    @property
    def _image_score(self) -> ImageScore:
        """A single neighbour is m* itself, which leaves nothing to weigh it against."""
        how = self.config
        reweights = how.reweight and how.image_score == "maximum" and how.num_neighbors > 1
        return ImageScore(
            image_score=how.image_score,
            percentile=how.percentile,
            top_k=how.top_k,
            top_share=how.top_share,
            num_neighbors=how.num_neighbors if reweights else 0,
        )


DETECTOR = PatchCore
