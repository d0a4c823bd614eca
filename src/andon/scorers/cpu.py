"""Scorers: a taught detector made ready to score numpy batches.

On a CPU the network runs in OpenVINO, compiled once per photo size; the rest of the detector is torch everywhere, so
the same features give the same distances whatever ran the network. Several photos are scored side by side, a core for
each: no core then waits for another. A detector does not know of any of this.
"""

from __future__ import annotations

import copy
import hashlib
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import Any, Literal

import numpy as np
import openvino as ov
import torch
from numpy.typing import NDArray
from torch import Tensor

from andon.backbones import Backbone
from andon.detectors import Detector
from andon.detectors._threads import over_cores
from andon.types import Mask, Nearest, Scores

LOG = logging.getLogger("andon")

Precision = Literal["auto", "f32", "bf16"]
COMPILING = Lock()
BACKBONE_CODE = sorted((Path(__file__).parent.parent / "backbones").glob("*.py"))


class Scorer:
    """Scores batches: x (B, 3, H, W) float32 RGB in [0, 1] and roi (B, H, W) bool. Any thread may call it.

    Attributes:
        batch_size: how many photos at once it is fastest with.
        precision: "f32" or "bf16": what the network computes in. All else is float32.
    """

    def __init__(self, detector: Detector[Any], batch_size: int, precision: str = "f32") -> None:
        self.detector = detector
        self.device = next((tensor.device for tensor in detector.learned().values()), torch.device("cpu"))
        self.batch_size = batch_size
        self.precision = precision

    def __call__(self, x: NDArray[np.float32], roi: Mask) -> Scores:
        with torch.inference_mode():
            image, patch = self.detector(torch.from_numpy(x).to(self.device), torch.from_numpy(roi).to(self.device))
        return Scores(image.float().cpu().numpy(), patch.float().cpu().numpy())

    def most_like(self, x: NDArray[np.float32], roi: Mask) -> Nearest:
        """For each patch, the nearest patch of the OK photos; for a detector that `keeps_patches`."""
        with torch.inference_mode():
            distance, origin = self.detector.most_like(
                torch.from_numpy(x).to(self.device), torch.from_numpy(roi).to(self.device)
            )
        return Nearest(distance.cpu().numpy(), origin.cpu().numpy())


def reference_scorer(detector: Detector[Any], batch_size: int = 8) -> Scorer:
    """The detector as it is, in torch: what every other scorer must agree with."""
    return Scorer(detector, batch_size)


class CpuScorer(Scorer):
    """A single photo is scored by all cores; several are scored side by side, each by one core."""

    def __init__(self, detector: Detector[Any], batch_size: int, precision: str) -> None:
        super().__init__(_compiled(detector, precision, streams=1), batch_size, precision)
        self._on_one_core = Scorer(_compiled(detector, precision, torch.get_num_threads()), 1, precision)

    def __call__(self, x: NDArray[np.float32], roi: Mask) -> Scores:
        if len(x) == 1:
            return super().__call__(x, roi)
        scores = over_cores(self._on_one_core, np.split(x, len(x)), np.split(roi, len(x)))
        return Scores(np.concatenate([s.image for s in scores]), np.concatenate([s.patch for s in scores]))


def fastest_scorer(detector: Detector[Any], batch_size: int = 8, precision: Precision = "auto") -> Scorer:
    """The GPU where there is one, else OpenVINO for the network; the detector itself is left as it is.

    Args:
        batch_size: for a GPU. A CPU takes two photos per core at least.
        precision: "auto" is bf16 where the processor computes in it, else f32. A GPU computes in f32.
    """
    if torch.cuda.is_available():
        return Scorer(copy.deepcopy(detector).to("cuda"), batch_size)
    return CpuScorer(detector, max(batch_size, 2 * torch.get_num_threads()), settle(precision))


def settle(precision: Precision) -> str:
    """ "auto" -> "bf16" where this processor has instructions for it, else "f32"."""
    if precision != "auto":
        return precision
    return "bf16" if "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"


def _compiled(detector: Detector[Any], precision: str, streams: int) -> Detector[Any]:
    """The same detector, what it has learned not copied, with a compiled backbone."""
    compiled = copy.copy(detector)
    compiled._modules = detector._modules | {"backbone": CompiledBackbone(detector.backbone, precision, streams)}
    return compiled


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
        network = _convert(self._original[0], size)
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


def _convert(backbone: Backbone, size: tuple[int, int]) -> Path | ov.Model | None:
    """The network as an OpenVINO file from the cache, or as a model where no cache can be written; None: impossible."""
    folder = cache_folder() / _key(backbone, size)
    file = folder / "network.xml"
    if file.exists():
        return file
    shape = (1, 3, *size)
    network = backbone.built().for_size(*size)
    try:
        with _quiet_converter():
            model = ov.convert_model(network, example_input=torch.zeros(shape), input=[shape])
    except Exception:  # the converter raises whatever its parts raise, and has said what it is
        return None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as unfinished:
            half = Path(unfinished) / folder.name
            ov.save_model(model, half / file.name, compress_to_fp16=False)
            with suppress(OSError):  # another process was faster
                half.rename(folder)
    except (OSError, RuntimeError):
        return model
    return file


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


def _key(backbone: Backbone, size: tuple[int, int]) -> str:
    """Changes whenever the converted network would: with weights, layers, code, versions and the photo's size."""
    parts = [str(backbone.identity()), ov.__version__, torch.__version__, str(size)]
    digest = hashlib.sha256("\n".join(parts).encode())
    for path in BACKBONE_CODE:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def cache_folder() -> Path:
    """Where compiled networks are kept; everything in it can be deleted."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "andon" / "networks"
