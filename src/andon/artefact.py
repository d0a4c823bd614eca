"""A model as one .safetensors file: tensors, and in its header the recipe, the calibration and the manifest.

Nothing is ever unpickled. The same model gives the same bytes. Tensors: `detector.*` (what was learned),
`calibration.ok_scores`, and `backbone.*` where the backbone was bundled.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from andon import backbones
from andon.backbones import Backbone
from andon.calibration import Calibration, CalibrationRule
from andon.config import from_dict, to_dict
from andon.errors import ArtefactError
from andon.pipeline import Pipeline
from andon.recipes import Recipe

FORMAT = 1
HEADER = "andon"


def save_model(pipeline: Pipeline, path: Path, *, bundle_backbone: bool = False) -> None:
    """Write the model, replacing a file at `path` only once the new one is whole.

    Args:
        bundle_backbone: put the backbone's weights into the file, so that it needs no other file or download. The
            embedded backbone is in the package and is never bundled.

    Raises:
        ArtefactError: the file cannot be written.
    """
    tensors = {f"detector.{name}": tensor for name, tensor in pipeline.detector.learned().items()}
    if bundle_backbone and pipeline.recipe.backbone.name != "embedded":
        state = pipeline.detector.backbone.state_dict()
        tensors |= {f"backbone.{name}": tensor for name, tensor in state.items()}
    header: dict[str, Any] = {
        "format": FORMAT,
        "recipe": pipeline.recipe.to_tree(),
        "backbone_sha256": backbones.fingerprint(pipeline.detector.backbone),
        "calibration": None,
        "manifest": dict(pipeline.manifest),
    }
    if pipeline.calibration is not None:
        header["calibration"] = _calibration_header(pipeline.calibration)
        tensors["calibration.ok_scores"] = torch.from_numpy(pipeline.calibration.ok_scores)
    # One metadata key: safetensors does not promise an order of several.
    metadata = {HEADER: json.dumps(header, sort_keys=False)}
    data = save({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, metadata)
    _write_whole(path, data)


def load_model(path: Path | str, *, weights: Path | str | None = None) -> Pipeline:
    """Read a model.

    Args:
        weights: where the backbone's weights are now, when they are neither bundled nor where they were.

    Raises:
        ArtefactError: no such file, not a model of ours, cut short, from a newer Andon, or taught on other weights.
        WeightsError: the backbone's weights cannot be had.
    """
    header, tensors = _read(Path(path))
    recipe = Recipe.from_tree(header["recipe"])
    backbone = _backbone(recipe, header, tensors, path, weights)
    detector = recipe.new_detector(backbone).restore(_under("detector.", tensors))
    calibration = None
    if header["calibration"] is not None:
        calibration = _calibration(header["calibration"], tensors["calibration.ok_scores"])
    return Pipeline(recipe, detector, calibration, header["manifest"])


def read_header(path: Path) -> dict[str, Any]:
    """Format, recipe, calibration and manifest of a model, without its tensors.

    Raises:
        ArtefactError: as `load_model`.
    """
    if not path.is_file():
        raise ArtefactError(f"There is no model file {path}; teach one with 'andon train DATA -o {path}'.")
    if path.suffix in (".pkl", ".pickle", ".pth", ".pt", ".joblib"):
        raise ArtefactError(
            f"{path} is a pickle, which can run any program when it is opened, so Andon never does; expected a "
            ".safetensors model made by 'andon train'."
        )
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        header: dict[str, Any] = json.loads(metadata[HEADER])
    except KeyError:
        raise ArtefactError(f"{path} holds tensors but is no Andon model; expected one made by 'andon train'.") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise ArtefactError(f"{path} is damaged or cut short ({error}); copy it again or teach it again.") from None
    if header.get("format", 0) > FORMAT:
        raise ArtefactError(
            f"{path} has model format {header['format']}, but this Andon knows formats up to {FORMAT}; update Andon."
        )
    return header


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    header = read_header(path)
    with safe_open(path, framework="pt") as file:
        return header, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _backbone(
    recipe: Recipe, header: dict[str, Any], tensors: dict[str, Tensor], path: Path | str, weights: Path | str | None
) -> Backbone:
    bundled = _under("backbone.", tensors)
    config = recipe.backbone if weights is None else replace(recipe.backbone, weights=str(weights))
    if bundled:
        backbone = backbones.create(replace(config, weights=None), pretrained=False)
        backbone.load_state_dict(bundled)
    else:
        backbone = backbones.create(config)
    if backbones.fingerprint(backbone) != header["backbone_sha256"]:
        raise ArtefactError(
            f"{path} was taught on other {config.name} weights than the ones found here, so its scores would be wrong; "
            "give the right file with --weights, or teach it again."
        )
    return backbone


def _calibration_header(calibration: Calibration) -> dict[str, Any]:
    return {
        "rule": to_dict(calibration.rule),
        "threshold": calibration.threshold,
        "review_threshold": calibration.review_threshold,
        "pixel_threshold": calibration.pixel_threshold,
    }


def _calibration(header: dict[str, Any], ok_scores: Tensor) -> Calibration:
    return Calibration(
        from_dict(CalibrationRule, header["rule"], "calibration"),
        ok_scores.numpy(),
        header["threshold"],
        header["review_threshold"],
        header["pixel_threshold"],
    )


def _write_whole(path: Path, data: bytes) -> None:
    """Write beside the target, then rename: nobody ever finds half a model."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            file.write(data)
        Path(file.name).chmod(0o644)
        os.replace(file.name, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ArtefactError(f"{path} cannot be written ({reason}); choose a place with -o that you may write to.") from None


def ensure_writable(path: Path) -> None:
    """Refuse, before any long work, a place that no model can be written to.

    Raises:
        ArtefactError: see `save_model`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise ArtefactError(f"{path} cannot be written ({reason}); choose a place with -o that you may write to.") from None
