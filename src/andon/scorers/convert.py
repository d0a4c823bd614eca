"""A detector's computations as one OpenVINO network, from the photo on."""

from __future__ import annotations

import copy
import hashlib
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from andon.backbones import Backbone
from andon.detectors import Detector
from andon.errors import ModelError
from andon.inference._openvino import convert_model, ov
from andon.inference.compiled import Array, Size
from andon.types import Mask, RgbImage

ROOMS = ("backbones", "detectors", "scorers")
CODE = sorted(path for room in ROOMS for path in (Path(__file__).parent.parent / room).glob("*.py"))

ANY_EXAMPLE = (96, 128)  # what a network for photos of any size is traced with


class FromPhoto(nn.Module):
    """photo (1, H, W, 3) uint8 RGB and roi (1, H, W) float32 -> what the detector computes before it searches a bank.

    That is the queries (1, h, w, D) of a detector with a memory bank; of others the image score (1,), the patch scores
    (1, h, w) and the terms (1, k).
    """

    def __init__(self, detector: Detector[Any]) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, photo: Tensor, roi: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = photo.permute(0, 3, 1, 2).float() / 255
        inside = roi > 0.5
        if self.detector.capabilities.has_bank:
            return self.detector.queries(x * roi.unsqueeze(1), inside)
        return self.detector.score(x, inside)


class DetectorSource:
    """A `inference.graph.Source` of a fitted detector."""

    def __init__(self, detector: Detector[Any]) -> None:
        self._detector = detector
        # the same network is compiled for one photo and for several
        self._converted = lru_cache(maxsize=1)(lambda size: converted(detector, size))

    def identity(self, size: Size) -> Sequence[str]:
        """Changes with weights, with what was learned but a bank, with the code and torch's version."""
        learned = hashlib.sha256()
        for name, tensor in sorted(self._detector.learned().items()):
            if name not in self._detector.of_bank:
                learned.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
        detector = self._detector
        what = [type(detector).__name__, str(detector.config), str(detector.backbone.identity()), learned.hexdigest()]
        return [*what, str(size), *code_identity()]

    def network(self, size: Size) -> ov.Model | None:
        """The converted network; None where OpenVINO cannot compute it."""
        return self._converted(size)

    @torch.inference_mode()
    def by_itself(self, photo: RgbImage, roi: Mask) -> list[Array]:
        """The outputs as torch computes them."""
        outputs = FromPhoto(self._detector)(torch.from_numpy(photo)[None], torch.from_numpy(roi)[None].float())
        return [part[0].numpy() for part in (outputs if isinstance(outputs, tuple) else [outputs])]


def converted(detector: Detector[Any], size: Size | None) -> ov.Model | None:
    """`FromPhoto` for photos of (H, W), or of any size; None where it cannot be converted."""
    backbone = detector.backbone.built()
    settled = with_backbone(detector, backbone if size is None else backbone.for_size(*size))
    height, width = size or ANY_EXAMPLE
    photo, roi = torch.zeros(1, height, width, 3, dtype=torch.uint8), torch.ones(1, height, width)
    sides = [-1, -1] if size is None else [height, width]
    types = [([1, *sides, 3], ov.Type.u8), ([1, *sides], ov.Type.f32)]
    return convert(lambda: convert_model(FromPhoto(settled), example_input=(photo, roi), input=types))


def convert(make: Callable[[], ov.Model]) -> ov.Model | None:
    """What `make` gives, written and read back: to the last bit it computes what one from a file computes."""
    try:
        with _quiet_converter(), torch.inference_mode():
            model = make()
    except Exception:  # the converter raises whatever its parts raise, and has said what it is
        return None
    return ov.Core().read_model(*as_files(model))


def as_files(model: ov.Model) -> tuple[bytes, bytes]:
    """The two files of a network: its layers as XML, and its weights, in float32.

    Raises:
        ModelError: the folder for temporary files cannot be written to; OpenVINO writes nowhere but to files.
    """
    try:
        with TemporaryDirectory() as folder:
            file = Path(folder) / "network.xml"
            ov.save_model(model, file, compress_to_fp16=False)
            return file.read_bytes(), file.with_suffix(".bin").read_bytes()
    except (OSError, RuntimeError) as error:  # a full disk is a RuntimeError to OpenVINO
        raise ModelError(
            f"A network cannot be written into the folder for temporary files ({error}); free some space there, or "
            "name another folder with TMPDIR."
        ) from None


def code_identity() -> list[str]:
    """Changes with the code that makes networks, and with torch's version."""
    digest = hashlib.sha256()
    for path in CODE:
        digest.update(path.read_bytes())
    return [torch.__version__, digest.hexdigest()]


def with_backbone(detector: Detector[Any], backbone: Backbone) -> Detector[Any]:
    """The same detector, what it has learned not copied, with another backbone."""
    other = copy.copy(detector)
    other._modules = detector._modules | {"backbone": backbone}
    return other


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
