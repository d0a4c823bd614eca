"""A backbone that OpenVINO computes on a CPU."""

from __future__ import annotations

import logging
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

import numpy as np
import openvino as ov
import torch
from numpy.typing import NDArray
from torch import Tensor

from andon.backbones import Backbone
from andon.scorers.network_cache import convert

LOG = logging.getLogger("andon")
COMPILING = Lock()


class CompiledBackbone(Backbone):
    """A backbone that OpenVINO computes, photo by photo; torch, should OpenVINO not know a layer.

    Args:
        streams: how many photos are computed at once, by different threads; they share the cores.
    """

    def __init__(self, backbone: Backbone, precision: str, streams: int = 1) -> None:
        super().__init__(backbone.channels, backbone.strides, local=backbone.local)
        self._original = [backbone]  # in a list, so that its weights are not this module's
        self._precision = precision
        self._streams = streams
        self._requests: dict[tuple[int, int], SimpleQueue[ov.InferRequest] | None] = {}

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> one (B, C, h, w) per stride."""
        size = (x.shape[2], x.shape[3])
        with COMPILING:
            if size not in self._requests:
                self._requests[size] = self._compile(size)
        idle = self._requests[size]
        if idle is None:
            return self._original[0](x)  # type: ignore[no-any-return]
        request = idle.get()
        try:
            photos = [_infer(request, photo) for photo in x.contiguous()]
        finally:
            idle.put(request)
        return [torch.from_numpy(np.concatenate(maps)) for maps in zip(*photos, strict=True)]

    def _compile(self, size: tuple[int, int]) -> SimpleQueue[ov.InferRequest] | None:
        """As many requests as streams, idle all of them."""
        config = {"NUM_STREAMS": str(self._streams), "INFERENCE_PRECISION_HINT": self._precision}
        network = convert(self._original[0], size)
        if network is None:
            LOG.warning("OpenVINO cannot run this network, so torch does, which is slower.")
            return None
        if isinstance(network, Path):
            config["CACHE_DIR"] = str(network.parent)
        compiled = ov.Core().compile_model(network, "CPU", config)
        idle: SimpleQueue[ov.InferRequest] = SimpleQueue()
        for _ in range(self._streams):
            request = compiled.create_infer_request()
            _infer(request, torch.zeros(3, *size))  # threads that make OpenVINO's first call side by side wait forever
            idle.put(request)
        return idle


def _infer(request: ov.InferRequest, photo: Tensor) -> list[NDArray[np.float32]]:
    """The feature maps (1, C, h, w) of one photo (3, H, W)."""
    return list(request.infer([photo[None].numpy()], share_inputs=True).values())
