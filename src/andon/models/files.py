"""Save and load a pipeline as one model file.

Tensors: `detector.*` (what was learned), `calibration.ok_scores`, `backbone.*` where the backbone was bundled, and
`thumbnails.*`, JPEG files one after another, where they are kept. The same pipeline gives the same bytes.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from andon import backbones
from andon.backbones import Backbone, BackboneConfig, DeferredBackbone, Identity
from andon.config import from_dict, to_dict
from andon.errors import ArtefactError
from andon.line.calibration import Calibration, CalibrationRule
from andon.line.pipeline import Pipeline
from andon.models import header as model_file
from andon.models.header import Header
from andon.recipes import Recipe
from andon.scorers.cpu import Precision

OK_SCORES = "calibration.ok_scores"
THUMBNAILS = "thumbnails.jpeg"
LENGTHS = "thumbnails.lengths"


def save_model(pipeline: Pipeline, path: Path | str, *, bundle_backbone: bool = False) -> None:
    """Write the model, replacing a file at `path` only once the new one is whole.

    Args:
        bundle_backbone: put the backbone's weights into the file, so that it needs no other file and no download. The
            package's own weights are never bundled.

    Raises:
        ArtefactError: the file cannot be written.
    """
    tensors = _prefixed("detector.", pipeline.detector.learned())
    own_weights = pipeline.recipe.backbone.name == "embedded" and pipeline.recipe.backbone.weights is None
    if bundle_backbone and not own_weights:
        tensors |= _prefixed("backbone.", pipeline.detector.backbone.built().state_dict())
    header: Header = {
        "format": model_file.FORMAT,
        "recipe": pipeline.recipe.to_tree(),
        "backbone": to_dict(pipeline.detector.backbone.identity()),
        "calibration": None,
        "manifest": dict(pipeline.manifest),
    }
    if pipeline.calibration is not None:
        header["calibration"] = _calibration_header(pipeline.calibration)
        tensors[OK_SCORES] = torch.from_numpy(pipeline.calibration.ok_scores)
    if pipeline.thumbnails:
        data = b"".join(pipeline.thumbnails)
        header["thumbnails"] = {"photos": len(pipeline.thumbnails), "megabytes": round(len(data) / 1e6, 2)}
        tensors[THUMBNAILS] = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        tensors[LENGTHS] = torch.tensor([len(jpeg) for jpeg in pipeline.thumbnails])
    contiguous = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    model_file.write(Path(path), save(contiguous, {model_file.KEY: json.dumps(header)}))


def load_model(path: Path | str, *, weights: Path | str | None = None, precision: Precision = "auto") -> Pipeline:
    """Read a model.

    Args:
        weights: where the backbone's weights are now, when they are neither bundled nor where they were.
        precision: what the network computes in; "auto" is bf16 where the processor has it, else f32.

    Raises:
        ArtefactError: no such file, not a model of ours, cut short, from a newer Andon, or taught on other weights.
        WeightsError: the backbone's weights cannot be had.
    """
    path = Path(path)
    header = model_file.read_header(path)
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    recipe = Recipe.from_tree(header["recipe"])
    if weights is not None:
        recipe = replace(recipe, backbone=replace(recipe.backbone, weights=str(weights)))
    identity = from_dict(Identity, header["backbone"], "backbone")
    bundled = _without_prefix("backbone.", tensors)

    def build() -> Backbone:
        backbone = _backbone(recipe.backbone, bundled)
        if backbones.fingerprint(backbone) != identity.weights_sha256:
            raise ArtefactError(
                f"{path} was taught on other {recipe.backbone.name} weights than the ones found here, so its scores "
                "would be wrong; give the right file with --weights, or teach it again."
            )
        return backbone

    backbone = DeferredBackbone(identity, build)
    cheap = recipe.backbone.name == "embedded"
    gone = not bundled and recipe.backbone.weights is not None and not Path(recipe.backbone.weights).is_file()
    # Weights that were named just now are checked now, and missing ones are told even if a cache could do without.
    if cheap or gone or weights is not None:
        backbone.built()
    detector = recipe.new_detector(backbone).restore(_without_prefix("detector.", tensors))
    calibration = header["calibration"] and _calibration(header["calibration"], tensors[OK_SCORES])
    return Pipeline(recipe, detector, calibration, header["manifest"], precision, _thumbnails(tensors))


def _backbone(config: BackboneConfig, bundled: dict[str, Tensor]) -> Backbone:
    if not bundled:
        return backbones.create(config)
    backbone = backbones.create(replace(config, weights=None), pretrained=False)
    backbone.load_state_dict(bundled)
    return backbone


def _thumbnails(tensors: dict[str, Tensor]) -> tuple[bytes, ...]:
    if THUMBNAILS not in tensors:
        return ()
    parts = torch.split(tensors[THUMBNAILS], tensors[LENGTHS].tolist())
    return tuple(part.numpy().tobytes() for part in parts)


def _calibration_header(calibration: Calibration) -> dict[str, Any]:
    return {
        "rule": to_dict(calibration.rule),
        "n_ok": len(calibration.ok_scores),
        "threshold": calibration.threshold,
        "review_threshold": calibration.review_threshold,
        "pixel_threshold": calibration.pixel_threshold,
        "in_words": calibration.describe(),
    }


def _calibration(header: dict[str, Any], ok_scores: Tensor) -> Calibration:
    return Calibration(
        from_dict(CalibrationRule, header["rule"], "calibration"),
        ok_scores.numpy(),
        header["threshold"],
        header["review_threshold"],
        header["pixel_threshold"],
    )


def _prefixed(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in tensors.items()}


def _without_prefix(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
