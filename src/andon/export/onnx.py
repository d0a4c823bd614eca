"""Export to ONNX, for people with a runtime of their own: the network in one file, and all else in a second beside it.

The network is held against torch before anything is written: OpenVINO reads ONNX, too.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from andon.config import Tree, to_dict
from andon.detectors import Detector
from andon.detectors._base import patches_in_roi
from andon.errors import ConfigError, ModelError, NotCalibratedError
from andon.export.export import require_exportable
from andon.files import keep_old, write_whole
from andon.inference._openvino import ov
from andon.inference.compiled import Size
from andon.models.taught import Taught
from andon.preprocess.resize import Resize
from andon.preprocess.scale_to_canvas import ScaleToCanvas
from andon.recipes import Recipe
from andon.scorers.convert import FromPhoto, with_backbone

OPSET = 18
INPUTS = ("photo", "roi")
OF_BANK = ("queries", "inside")
OF_OTHERS = ("image_score", "patch_scores", "terms")
SOME_SIZE = (256, 320)
BOUND = 1e-4  # of the largest value: how far OpenVINO may be from torch


class Network(nn.Module):
    """`FromPhoto`, and which patches count where there are queries: so that a reader needs no code for that.

    photo (1, H, W, 3) uint8 RGB and roi (1, H, W) float32, 1 inside -> queries (1, h, w, D) and inside (1, h, w) bool;
    without a memory bank the image score (1,), the patch scores (1, h, w) and, where there are any, the terms (1, k).
    """

    def __init__(self, detector: Detector[Any]) -> None:
        super().__init__()
        self.from_photo = FromPhoto(detector)
        self.has_bank = detector.capabilities.has_bank
        self.names = OF_BANK if self.has_bank else OF_OTHERS[: 3 if detector.capabilities.terms else 2]

    def forward(self, photo: Tensor, roi: Tensor) -> tuple[Tensor, ...]:
        outputs = self.from_photo(photo, roi)
        if self.has_bank:
            return outputs, patches_in_roi(roi > 0.5, (outputs.shape[1], outputs.shape[2]))
        return tuple(outputs[: len(self.names)])


def write_onnx(model: Taught, out: Path, *, overwrite: bool) -> tuple[Path, Path]:
    """Write the network as NAME.onnx and memory bank, thresholds and steps as NAME.npz beside it.

    The network takes photos of any size, or, where it must be made for one size as a ViT is, of the size that the steps
    give. The .npz holds `bank` (N, D) float32, where there is one, and `about`, a JSON string: see docs/export.md.

    Args:
        out: a file that ends in .onnx, or a folder, in which the files get the model's name.
        overwrite: replace files that are there; the old ones are kept beside, see `files.keep_old`.

    Returns:
        The two files.

    Raises:
        ConfigError: the detector or a step cannot be exported, or `out` has another ending.
        ModelError: a file cannot be written, or is there already and `overwrite` is False.
        NotCalibratedError: the model has no threshold.
        ModuleNotFoundError: onnxscript is not installed.
    """
    network_file = _file(model, out)
    written = network_file, network_file.with_suffix(".npz")
    for file in written:
        if file.exists() and not overwrite:
            raise ModelError(
                f"{file} exists already; give another name with -o, or --overwrite, which keeps the old file beside it."
            )
    require_exportable(model)
    if model.calibration is None:
        raise NotCalibratedError("The model has no threshold yet; calibrate it with 'andon calibrate'.")
    size = _size(model.recipe)
    network, any_size = _network(model, size)
    of_network = {
        "network_sha256": hashlib.sha256(network).hexdigest(),
        "precision": "f32",
        "size": size and list(size),
        "any_size": any_size,
    }
    try:
        for file, data in zip(written, (network, _npz(model, of_network)), strict=True):
            keep_old(file)
            write_whole(file, data)
    except OSError as error:
        raise ModelError(f"{out} cannot be written ({error.strerror or error}); give another name with -o.") from None
    return written


def _file(model: Taught, out: Path) -> Path:
    if out.suffix == ".onnx" and not out.is_dir():
        return out
    if out.suffix and not out.is_dir():
        raise ConfigError(f"{out} is not named as ONNX; give -o a name that ends in .onnx, or a folder.")
    return out / f"{model.pipeline.model_id.name or 'model'}.onnx"


def _network(model: Taught, size: Size | None) -> tuple[bytes, bool]:
    """The network as ONNX, and whether it takes photos of any size instead of those of `size` alone.

    Raises:
        ConfigError: there is no such network.
    """
    import onnxscript  # noqa: F401  torch needs it, and would say so after a minute

    backbone = model.detector.backbone.built()
    settled = backbone.for_size(*(size or SOME_SIZE))
    network = Network(with_backbone(model.detector, settled)).eval()
    if settled is backbone:
        data = _converted(network, size or SOME_SIZE, any_size=True)
        if data is not None:
            return data, True
    data = None if size is None else _converted(network, size, any_size=False)
    if data is None:
        photos = "of photos that differ in size after the steps " if size is None else ""
        raise ConfigError(
            f"What the detector {model.recipe.detector} computes {photos}cannot be expressed in ONNX; train with one "
            "that can be, such as patchcore, and with the step resize."
        )
    return data, False


def _size(recipe: Recipe) -> Size | None:
    """(H, W) of what the network sees; None where that differs from photo to photo."""
    for step in reversed(recipe.steps.values()):
        canvas = None
        if isinstance(step, ScaleToCanvas):
            canvas = step.canvas or (step.image_size, step.image_size)
        elif isinstance(step, Resize):
            canvas = step.canvas
        if canvas is not None:
            most = max(canvas) if recipe.tiling is None else recipe.tiling.size
            return min(canvas[0], most), min(canvas[1], most)
    return None


def _converted(network: Network, size: Size, *, any_size: bool) -> bytes | None:
    """The network for photos of that size, or of any; None where ONNX cannot express it."""
    dynamic = {1: "height", 2: "width"}
    photo, roi = torch.zeros(1, *size, 3, dtype=torch.uint8), torch.ones(1, *size)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns of torchvision's operators, without need
            program = torch.onnx.export(
                network,
                (photo, roi),
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=INPUTS,
                output_names=network.names,
                dynamic_shapes=(dynamic, dynamic) if any_size else None,
            )
        data = _serialized(program)
        sizes = [size, (size[1], size[0] + 16)] if any_size else [size]
        return data if all(_agrees(data, network, each) for each in sizes) else None
    except Exception:  # the converter raises whatever its parts raise, as does a network in which it froze a size
        return None


def _serialized(program: Any) -> bytes:
    """As bytes, without where on this computer each line of code lies."""
    from onnxscript import ir
    from onnxscript.ir.passes.common import ClearMetadataAndDocStringPass

    ClearMetadataAndDocStringPass()(program.model)
    data: bytes = ir.to_proto(program.model).SerializeToString()
    return data


def _agrees(data: bytes, network: Network, size: Size) -> bool:
    """Whether OpenVINO computes of a noisy photo, a part of it outside the ROI, what torch does."""
    rng = np.random.default_rng(0)
    photo, roi = rng.integers(0, 256, (1, *size, 3), np.uint8), np.ones((1, *size), np.float32)
    roi[:, : size[0] // 3] = 0
    compiled = ov.Core().compile_model(ov.Core().read_model(data), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    with torch.inference_mode():
        wanted = [part.numpy() for part in network(torch.from_numpy(photo), torch.from_numpy(roi))]
    found = list(compiled([photo, roi]).values())
    return all(
        one.shape == other.shape and np.abs(one.astype(float) - other).max() <= BOUND * np.abs(other).max()
        for one, other in zip(found, wanted, strict=True)
    )


def _npz(model: Taught, of_network: Tree) -> bytes:
    memory = model.detector.memory()
    file = io.BytesIO()
    bank = {} if memory is None else {"bank": memory.bank}
    np.savez(file, allow_pickle=False, about=np.array(json.dumps(_about(model) | of_network)), **bank)
    return file.getvalue()


def _about(model: Taught) -> Tree:
    """All that is neither network nor bank, as plain values."""
    recipe, memory, calibration = model.recipe.to_tree(), model.detector.memory(), model.calibration
    assert calibration is not None  # `write_onnx` has asked
    return {
        "andon": version("andon"),
        "model": model.pipeline.model_id.name,
        "model_sha256": model.pipeline.model_id.sha256,
        "detector": model.recipe.detector,
        "steps": recipe["steps"],
        "tiling": recipe.get("tiling"),
        "white": model.pipeline.white,
        "image_score": None if memory is None else to_dict(memory.image_score),
        "map_sigma": model.pipeline.map_sigma,
        "threshold": calibration.threshold,
        "review_threshold": calibration.review_threshold,
        "pixel_threshold": calibration.pixel_threshold,
    }
