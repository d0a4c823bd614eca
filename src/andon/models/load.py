"""Read a model: for inspecting its pipeline, for all else a `Taught`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from andon import backbones, detectors
from andon.backbones import Backbone, BackboneConfig, DeferredBackbone, Identity
from andon.config import from_dict
from andon.errors import ConfigError, ModelError
from andon.line.pipeline import Pipeline
from andon.models.file import read
from andon.models.header import Header
from andon.models.names import BACKBONE, DETECTOR
from andon.models.taught import Taught, assemble
from andon.types import Precision

LOG = logging.getLogger("andon")


def load(path: Path | str, *, weights: Path | str | None = None, precision: Precision = "auto") -> Pipeline:
    """The model in the file at `path`, ready to inspect; see `load_taught`."""
    return load_taught(path, weights=weights, precision=precision).pipeline


def load_taught(path: Path | str, *, weights: Path | str | None = None, precision: Precision = "auto") -> Taught:
    """The model in the file at `path`, with all that is known of it.

    Args:
        weights: where the backbone's weights are now, when they are neither bundled nor where they were.
        precision: what the network computes in; "auto" is bf16 where the processor has it, else f32.

    Raises:
        ModelError: no such file, not a model of ours, damaged, from a newer Andon, or trained on other weights.
        WeightsError: the backbone's weights cannot be found or downloaded.
    """
    path = Path(path)
    contents = read(path)
    header = Header.of(contents, path)
    recipe = header.recipe
    if weights is not None:
        recipe = replace(recipe, backbone=replace(recipe.backbone, weights=str(weights)))
    backbone = _deferred(recipe.backbone, header, _part(contents.arrays, BACKBONE), path, check=weights is not None)
    try:
        detector = detectors.of_recipe(recipe, backbone).restore(_part(contents.arrays, DETECTOR))
    except (ConfigError, ModelError, RuntimeError) as error:
        raise ModelError(f"{path} is not a model that this Andon can use: {error}") from None
    pipeline = assemble(
        recipe,
        detector,
        precision=precision,
        calibration=header.calibration,
        guard=header.guard,
        white=header.white,
        thumbnails=header.thumbnails,
        model_id=header.model_id,
    )
    calibrated_in = header.manifest.precision
    if header.calibration is not None and calibrated_in not in (None, pipeline.scorer.precision):
        LOG.warning(
            f"The model was calibrated in {calibrated_in} and now runs in {pipeline.scorer.precision}, which moves "
            f"scores by up to 1 %; give --precision {calibrated_in}, or calibrate it again with 'andon calibrate'."
        )
    return Taught(recipe, detector, pipeline, header.manifest, header.terms, header.is_bundled)


def _deferred(
    config: BackboneConfig, header: Header, bundled: dict[str, Tensor], path: Path, *, check: bool
) -> DeferredBackbone:
    """The backbone, built when it is first needed, or now where that is cheap or `check` asks for it.

    Raises:
        ModelError: the weights found here are others than those that the model was trained on.
        WeightsError: they cannot be found or downloaded.
    """
    try:
        identity = from_dict(Identity, header.backbone, "backbone")
    except ConfigError as error:
        raise ModelError(f"{path} is not a model that this Andon can use: {error}") from None

    def build() -> Backbone:
        backbone = _backbone(config, bundled)
        found = backbone.identity()
        if found.weights_sha256 != identity.weights_sha256:
            raise ModelError(
                f"{path} was trained on other {config.name} weights than the ones found here, so its scores "
                "would be wrong; give the right file with --weights, or train it again."
            )
        if found != identity:
            raise ModelError(f"{path} claims a network that is not the one its recipe makes; train it again.")
        return backbone

    backbone = DeferredBackbone(identity, build)
    cheap = config.name == "embedded"
    gone = not bundled and config.weights is not None and not Path(config.weights).is_file()
    # Weights that were named just now are checked now, and missing ones are told even if a cache could do without.
    if cheap or gone or check:
        backbone.built()
    return backbone


def _backbone(config: BackboneConfig, bundled: dict[str, Tensor]) -> Backbone:
    if not bundled:
        return backbones.create(config)
    backbone = backbones.create(replace(config, weights=None), pretrained=False)
    backbone.load_state_dict(bundled)
    return backbone


def _part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, Tensor]:
    """The arrays whose names begin with `prefix`, as tensors of their own and without it."""
    return {
        name.removeprefix(prefix): torch.from_numpy(array.copy())
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
