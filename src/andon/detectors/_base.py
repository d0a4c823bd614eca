"""What every detector is: a torch module that is fitted on OK photos and then scores any photo."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Self, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from andon.backbones import Backbone
from andon.detectors._checkpoint import Checkpoint, Losses
from andon.detectors._shapes import Shape, require_shapes
from andon.errors import ConfigError, ModelError, NotFittedError
from andon.inference.memory_bank import MemoryBank
from andon.types import Frame, Measured
from andon.work import Phase

Batch = tuple[Tensor, Tensor]
"""x (B, 3, H, W) float32 RGB in [0, 1] and roi (B, H, W) bool."""

HELD_OUT = "held-out"
"""The loss that chooses the best epoch, among those of `History`."""

C = TypeVar("C")


@dataclass(frozen=True)
class LabelledBatches:
    """What a detector that `needs_ng` is fitted on: batches of OK photos, and others of labelled NG photos.

    Iterated, it gives the OK batches, as every detector takes them.
    """

    ok: Iterable[Batch]
    ng: Iterable[Batch]

    def __iter__(self) -> Iterator[Batch]:
        return iter(self.ok)


@dataclass(frozen=True, kw_only=True)
class History:
    """How a training by gradient went.

    Attributes:
        losses: by name, one mean per epoch; "held-out" is the one that the best epoch has lowest.
        best_epoch: the one that was kept, counted from 1.
        note: how the training ended, for the reader of the model.
        interrupted: by Ctrl-C, so that it can go on from its checkpoint.
    """

    losses: Losses
    best_epoch: int
    note: str
    interrupted: bool = False


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a detector needs and what it can do beside scoring.

    Attributes:
        needs_ng: it learns from labelled NG photos too; `fit` then takes `LabelledBatches`.
        needs_object: it looks at the outline of the part, so that the ROI must show one, whole.
        keeps_patches: it can say which patch of which OK photo a patch is `most_like`.
        fits_folds: `fit_folds` needs no more than one pass over the photos.
        exports: all that it computes for a score can be converted, so that it needs no torch (`andon export`).
        has_bank: it compares `queries` with its `memory`.
        grows: its memory can take in more OK photos later (`grown`).
        shards: its memory can be chosen shard by shard of the photos (`_shards`), as it is too large for one machine.
        learns_by_gradient: it goes through the photos for many epochs (`_training.train`), which takes minutes.
        terms: names of what the image score is made of, where their weights can be changed later (`andon alphas`).
    """

    needs_ng: bool = False
    needs_object: bool = False
    keeps_patches: bool = False
    fits_folds: bool = False
    exports: bool = False
    has_bank: bool = False
    grows: bool = False
    shards: bool = False
    learns_by_gradient: bool = False
    terms: tuple[str, ...] = ()


class Detector(nn.Module, Generic[C]):
    """Base of all detectors.

    A detector implements `_fit` and `_score`. What it learns is held in buffers whose names end in "_" (registered
    as None until then) and in the parameters and buffers of its networks; all but its backbone's are saved with the
    model.

    Attributes:
        config: the detector's parameters, a frozen dataclass.
        backbone: frozen; not part of what is learned.
        history: what `_training.train` returned; None for a detector that does not learn by gradient.
        checkpoint: for `_training.train`.
        facts: what `fit` found, by name, for the reader of the model; none for most detectors.
    """

    Config: ClassVar[type]
    capabilities: ClassVar[Capabilities] = Capabilities()
    of_bank: ClassVar[frozenset[str]] = frozenset()
    """The names of what it learned that is in its `memory` alone."""

    def __init__(self, config: C, backbone: Backbone) -> None:
        super().__init__()
        self.config = config
        self.backbone = backbone
        self.history: History | None = None
        self.checkpoint: Checkpoint | None = None
        self.facts: dict[str, float] = {}

    def fit(self, batches: Iterable[Batch], seed: int, checkpoint: Checkpoint | None = None) -> Self:
        """Learn from OK photos, forgetting whatever was learned before.

        Args:
            batches: gives the same batches each time it is iterated; training detectors go through it many times.
            seed: the same batches and seed give the same result.
            checkpoint: where a training by gradient is written down, and goes on if it was cut off before.
        """
        self.eval()
        self.history, self.checkpoint = None, checkpoint
        self._fit(batches, torch.Generator().manual_seed(seed))
        return self.eval()

    def fit_folds(self, batches: Iterable[Batch], seed: int, folds: Sequence[frozenset[int]]) -> list[Self] | None:
        """`fit`, and for each fold the same detector as if it had not seen that fold's frames, for cross-validation.

        What is settled on all frames, such as a projection, they share.

        Args:
            folds: numbers of frames, counted from 0 in the order of `batches`.

        Returns:
            None where this detector must be fitted again for each fold.
        """
        self.eval()
        self.history, self.checkpoint = None, None
        return self._fit_folds(batches, torch.Generator().manual_seed(seed), folds)

    def grown(
        self, batches: Iterable[Batch], folds: Sequence[frozenset[int]], *, radius: float, first: int
    ) -> tuple[Self, list[Self]]:
        """This detector with a memory that covers more OK photos, and for each fold one that has not seen its frames.

        Args:
            batches: the new photos; they are looked at once.
            folds: numbers of frames, counted from 0 in the order of `batches`.
            radius: how far the photos that it was fitted on are from its memory at most, among its `facts`.
            first: the number that the first new photo gets in the origins of `most_like`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no memory that grows")

    def forward(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        """Image scores (B,) and patch scores (B, h, w), float32, higher = more anomalous, patches zero outside the ROI.

        Args:
            x: (B, 3, H, W) float32 RGB in [0, 1]; what lies outside the ROI is blanked and has no influence.
            roi: (B, H, W) bool.

        Raises:
            NotFittedError: the detector has not been fitted.
        """
        image, patches, _ = self.score(x, roi)
        return image, patches

    def score(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `forward`; and (B, k) the `capabilities.terms` of each image score."""
        if not self.is_fitted:
            raise NotFittedError(f"This {type(self).__name__} has not been fitted; call fit with OK photos first.")
        image, patches, *terms = self._score(x * roi.unsqueeze(1), roi)
        return image, patches, terms[0] if terms else image.new_zeros(len(image), 0)

    def expects(self, photos: int, pixels: int) -> tuple[list[Phase], float]:
        """What `fit_folds` will do beside taking photos through the network, for `andon.progress`.

        And how many seconds scoring a photo will take beside that; for most detectors there is neither.

        Args:
            photos: how many train.
            pixels: of the ROI of each.
        """
        del photos, pixels
        return [], 0.0

    def refuses(self, frame: Frame) -> str | None:
        """Why the detector cannot score this frame, without a subject ("has no silhouette ..."); None if it can."""
        del frame
        return None

    def measure(self, frame: Frame) -> Measured:
        """What the detector measured on this preprocessed photo beside its scores; for most detectors nothing."""
        del frame
        return Measured()

    def most_like(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        """For each patch, the nearest patch of the photos that the detector was fitted on, where it keeps patches.

        Args:
            x, roi: as in `forward`.

        Returns:
            Its distance (B, h, w) and its origin (B, h, w, 3): the number of its photo, counted from 0 in the order of
            fitting, and its centre there, (y, x) in shares of the photo's height and width.
        """
        raise NotImplementedError(f"{type(self).__name__} keeps no patches")

    def queries(self, x: Tensor, roi: Tensor) -> Tensor:
        """What is looked up in `memory`, (B, h, w, D); x (B, 3, H, W) is blanked outside the roi (B, H, W)."""
        raise NotImplementedError(f"{type(self).__name__} has no memory bank")

    def memory(self) -> MemoryBank | None:
        """The memory bank that makes scores of `queries`, on the CPU; None where there is none."""
        return None

    @property
    def is_fitted(self) -> bool:
        """Whether it can score."""
        return all(buffer is not None for buffer in self._open_buffers().values())

    def learned(self) -> dict[str, Tensor]:
        """Everything that `fit` made, by name: what a model file holds."""
        return {name: tensor for name, tensor in self.state_dict().items() if not name.startswith("backbone.")}

    def shapes(self) -> dict[str, Shape]:
        """What `fit` makes of each buffer that is None until then, as far as config and backbone determine it."""
        return {}

    def restore(self, learned: Mapping[str, Tensor]) -> Self:
        """Put back what `learned` gave.

        Raises:
            ModelError: a tensor is missing or does not fit this detector.
        """
        present, open_buffers = self.learned(), self._open_buffers()
        if learned.keys() != present.keys() | open_buffers.keys():
            raise ModelError("The model file does not hold what its detector learned; train it again.")
        known = {name: Shape(tuple(tensor.shape), tensor.dtype) for name, tensor in present.items()}
        require_shapes(learned, known | self.shapes())
        for name, tensor in learned.items():
            if name in open_buffers:
                owner, _, attribute = name.rpartition(".")
                setattr(self.get_submodule(owner), attribute, tensor)
            else:
                present[name].copy_(tensor)
        return self.eval()

    @abstractmethod
    def _fit(self, batches: Iterable[Batch], generator: torch.Generator) -> None:
        """Learn; x of the batches is not blanked yet: multiply it by the ROI."""

    def _fit_folds(
        self, batches: Iterable[Batch], generator: torch.Generator, folds: Sequence[frozenset[int]]
    ) -> list[Self] | None:
        """`_fit`, and one detector for each fold where `capabilities.fits_folds`."""
        self._fit(batches, generator)
        return None

    @abstractmethod
    def _score(self, x: Tensor, roi: Tensor) -> tuple[Tensor, ...]:
        """As `forward`, with x already blanked outside the ROI; and, where the detector has them, the terms (B, k)."""

    def _open_buffers(self) -> dict[str, Tensor | None]:
        """The buffers that are None until the detector is fitted."""
        return {
            f"{prefix}.{name}" if prefix else name: buffer
            for prefix, module in self.named_modules()
            if not prefix.startswith("backbone")
            for name, buffer in module._buffers.items()
            if name.endswith("_")
        }


def patches_in_roi(roi: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, H, W) bool -> (B, h, w) bool: the patches that lie in the ROI by at least half.

    Where no patch is covered that much, the ones that are covered most stand in, so that a small ROI still has some.
    """
    covered = F.interpolate(roi.unsqueeze(1).float(), size=size, mode="area").squeeze(1)
    most = covered.amax(dim=(1, 2), keepdim=True)
    return (covered >= most.clamp(max=0.5)) & (covered > 0)


def map_size(features: Tensor) -> tuple[int, int]:
    """(h, w) of feature maps (B, C, h, w)."""
    return features.shape[2], features.shape[3]


def require(holds: bool, name: str, value: float, expected: str) -> None:
    """Check a value of a detector's parameter.

    Raises:
        ConfigError: the value is not allowed.
    """
    if not holds:
        raise ConfigError(f"detector.{name} is {value:g}; it must be {expected}.")
