"""A backbone that OpenVINO computes on a CPU."""

from __future__ import annotations

import hashlib
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from andon import resources
from andon.backbones import Backbone
from andon.scorers import network_cache
from andon.scorers._openvino import ov

LOG = logging.getLogger("andon")
COMPILING = Lock()
BACKBONE_CODE = sorted((Path(__file__).parent.parent / "backbones").glob("*.py"))
DEVICE = "CPU"


class CompiledBackbone(Backbone):
    """A backbone that OpenVINO computes, photo by photo; torch does where OpenVINO does not support a layer.

    It is compiled at its first photo of each size.

    Args:
        streams: how many photos are computed at once, by different threads; they share the cores.
    """

    def __init__(self, backbone: Backbone, precision: str, streams: int = 1) -> None:
        super().__init__(backbone.channels, backbone.strides, local=backbone.local)
        self._original = [backbone]  # in a list, so that its weights are not this module's
        self._config = {
            "NUM_STREAMS": str(streams),
            "INFERENCE_NUM_THREADS": str(resources.cpus()),
            "INFERENCE_PRECISION_HINT": precision,
        }
        self._streams = streams
        self._requests: dict[tuple[int, int], SimpleQueue[ov.InferRequest] | None] = {}

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> one (B, C, h, w) per stride."""
        idle = self._idle_requests((x.shape[2], x.shape[3]))
        if idle is None:
            return self._original[0](x)  # type: ignore[no-any-return]
        request = idle.get()
        try:
            photos = [_infer(request, photo) for photo in x.contiguous()]
        finally:
            idle.put(request)
        return [torch.from_numpy(np.concatenate(maps)) for maps in zip(*photos, strict=True)]

    def _idle_requests(self, size: tuple[int, int]) -> SimpleQueue[ov.InferRequest] | None:
        with COMPILING:
            if size not in self._requests:
                self._requests[size] = self._compile(size)
        return self._requests[size]

    def _compile(self, size: tuple[int, int]) -> SimpleQueue[ov.InferRequest] | None:
        """As many idle requests as streams; None where OpenVINO cannot run the network."""
        key = _key(self._original[0], size, self._config)
        compiled = _from_cache(key, self._config)
        if compiled is None:
            network = _converted(self._original[0], size)
            if network is None:
                LOG.warning("OpenVINO cannot run this network, so torch does, which is slower.")
                return None
            compiled = ov.Core().compile_model(network, DEVICE, self._config)
            network_cache.put(key, compiled.export_model().getvalue())
        idle: SimpleQueue[ov.InferRequest] = SimpleQueue()
        for _ in range(self._streams):
            request = compiled.create_infer_request()
            _infer(request, torch.zeros(3, *size))  # threads that make OpenVINO's first call side by side wait forever
            idle.put(request)
        return idle


def _infer(request: ov.InferRequest, photo: Tensor) -> list[NDArray[np.float32]]:
    """The feature maps (1, C, h, w) of one photo (3, H, W)."""
    return list(request.infer([photo[None].numpy()], share_inputs=True).values())


def _from_cache(key: str, config: dict[str, str]) -> ov.CompiledModel | None:
    content = network_cache.get(key)
    if content is None:
        return None
    try:
        return ov.Core().import_model(io.BytesIO(content), DEVICE, config)
    except RuntimeError as error:  # it is whole, but this OpenVINO has no use for it
        LOG.debug(f"A compiled network in the cache is built again: {error}")
        return None


@lru_cache(maxsize=1)  # the same network is compiled for one photo and for several
def _converted(backbone: Backbone, size: tuple[int, int]) -> ov.Model | None:
    """The network for OpenVINO; None where it cannot be converted."""
    shape = (1, 3, *size)
    network = backbone.built().for_size(*size)
    try:
        with _quiet_converter():
            return _as_a_file(ov.convert_model(network, example_input=torch.zeros(shape), input=[shape]))
    except Exception:  # the converter raises whatever its parts raise, and has said what it is
        return None


def _as_a_file(model: ov.Model) -> ov.Model:
    """The same network, written and read back: to the last bit it computes what one from a file computes."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "network.xml"
        ov.save_model(model, file, compress_to_fp16=False)
        return ov.Core().read_model(file.read_bytes(), file.with_suffix(".bin").read_bytes())


@contextmanager
def _quiet_converter() -> Iterator[None]:
    """Undo what the converter does to the root logger, and hide that it uses torch's tracer, which is deprecated."""
    root = logging.getLogger()
    level, filters, handlers = root.level, root.filters[:], root.handlers[:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            root.setLevel(level)
            root.filters[:], root.handlers[:] = filters, handlers


def _key(backbone: Backbone, size: tuple[int, int], config: dict[str, str]) -> str:
    """Changes whenever the compiled network would: with weights, layers, code, versions, processor and photo size.

    A model file may claim what its network is. That is believed only until the network is built: then it is compared
    (`models.load`), before anything is kept under this key.
    """
    processor = ov.Core().get_property(DEVICE, "FULL_DEVICE_NAME")
    parts = [str(backbone.identity()), ov.__version__, torch.__version__, processor, str(size), str(config)]
    digest = hashlib.sha256("\n".join(parts).encode())
    for path in BACKBONE_CODE:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]
