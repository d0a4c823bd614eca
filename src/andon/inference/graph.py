"""A converted network, from the photo to what is compared, compiled at its first photo of each size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from andon.inference._openvino import ov
from andon.inference.compiled import Array, Networks, Size
from andon.types import Mask, RgbImage


class Source(Protocol):
    """Where a graph comes from."""

    def identity(self, size: Size) -> Sequence[str]:
        """All that tells the network for photos of (H, W) from other networks."""

    def network(self, size: Size) -> ov.Model | None:
        """The network for one photo of (H, W): photo (1, H, W, 3) uint8 RGB and roi (1, H, W) float32 -> its outputs.

        None where OpenVINO cannot compute it.
        """

    def by_itself(self, photo: RgbImage, roi: Mask) -> list[Array]:
        """The outputs computed in another way, where OpenVINO cannot."""


class Graph:
    """Computes photo by photo, for any number of threads.

    Args:
        precision: "f32" or "bf16"; OpenVINO keeps what follows the last product in float32.
        streams: how many photos are computed at once, by different threads; they share the cores.
    """

    def __init__(self, source: Source, precision: str, streams: int) -> None:
        self._source = source
        self._networks = Networks(precision, streams)

    def __call__(self, photo: RgbImage, roi: Mask) -> list[Array]:
        """The outputs, without the dimension of the batch.

        Args:
            photo: (H, W, 3) uint8 RGB.
            roi: (H, W) bool.
        """
        source, size = self._source, (photo.shape[0], photo.shape[1])
        requests = self._networks.for_size(size, lambda: source.network(size), lambda: source.identity(size))
        if requests is None:
            return source.by_itself(photo, roi)
        return [part[0] for part in requests.infer([photo[None], roi[None].astype(np.float32)])]
