"""Scorers: a taught detector made ready to score numpy batches.

On a CPU the network runs in OpenVINO, compiled once per photo size; the rest of the detector is torch everywhere, so
the same features give the same distances whatever ran the network. A detector does not know of any of this.
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
from threading import Lock
from typing import Any, Literal

import numpy as np
import openvino as ov
import torch
from numpy.typing import NDArray
from torch import Tensor

from andon.backbones import Backbone, fingerprint
from andon.detectors import Detector
from andon.types import Mask, Nearest, Scores

LOG = logging.getLogger("andon")

Precision = Literal["auto", "f32", "bf16"]
BACKBONE_CODE = sorted((Path(__file__).parent / "backbones").glob("*.py"))


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


def fastest_scorer(detector: Detector[Any], batch_size: int = 8, precision: Precision = "auto") -> Scorer:
    """The GPU where there is one, else OpenVINO for the network; the detector itself is left as it is.

    Args:
        batch_size: for a GPU. On a CPU a single photo keeps all cores busy, so none waits for others.
        precision: "auto" is bf16 where the processor computes in it, else f32. A GPU computes in f32.
    """
    if torch.cuda.is_available():
        return Scorer(copy.deepcopy(detector).to("cuda"), batch_size)
    settled = settle(precision)
    compiled = copy.copy(detector)
    compiled._modules = detector._modules | {"backbone": CompiledBackbone(detector.backbone, settled)}
    return Scorer(compiled, 1, settled)


def settle(precision: Precision) -> str:
    """ "auto" -> "bf16" where this processor has instructions for it, else "f32"."""
    if precision != "auto":
        return precision
    return "bf16" if "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"


class CompiledBackbone(Backbone):
    """A backbone that OpenVINO computes, one photo at a time on all cores; torch, should OpenVINO not know a layer."""

    def __init__(self, backbone: Backbone, precision: str) -> None:
        super().__init__(backbone.channels, backbone.strides, local=backbone.local)
        self._original = [backbone]  # in a list, so that its weights are not this module's
        self._precision = precision
        self._requests: dict[tuple[int, int], ov.InferRequest | None] = {}
        self._lock = Lock()

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> one (B, C, h, w) per stride."""
        size = (x.shape[2], x.shape[3])
        with self._lock:
            if size not in self._requests:
                self._requests[size] = self._compile(size)
            request = self._requests[size]
            if request is None:
                return self._original[0](x)  # type: ignore[no-any-return]
            photos = [request.infer([photo[None].numpy()], share_inputs=True) for photo in x.contiguous()]
        return [torch.from_numpy(np.concatenate([photo[i] for photo in photos])) for i in range(len(self.channels))]

    def _compile(self, size: tuple[int, int]) -> ov.InferRequest | None:
        config = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": self._precision}
        try:
            network = _convert(self._original[0], size)
        except Exception:  # OpenVINO's converter raises whatever its parts raise, and has said what it is
            LOG.warning("OpenVINO cannot run this network, so torch does, which is slower.")
            return None
        if isinstance(network, Path):
            config["CACHE_DIR"] = str(network.parent)
        return ov.Core().compile_model(network, "CPU", config).create_infer_request()


def _convert(backbone: Backbone, size: tuple[int, int]) -> Path | ov.Model:
    """The network as an OpenVINO file from the cache, or as a model where no cache can be written."""
    folder = cache_folder() / _key(backbone, size)
    file = folder / "network.xml"
    if file.exists():
        return file
    shape = (1, 3, *size)
    with _quiet_converter():
        model = ov.convert_model(backbone.for_size(*size), example_input=torch.zeros(shape), input=[shape])
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
    parts = [fingerprint(backbone), str(backbone), ov.__version__, torch.__version__, str(size)]
    digest = hashlib.sha256("\n".join(parts).encode())
    for path in BACKBONE_CODE:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def cache_folder() -> Path:
    """Where compiled networks are kept; everything in it can be deleted."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "andon" / "networks"
