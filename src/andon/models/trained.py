"""Read a model of `andon train`, with all that is known of it."""

from __future__ import annotations

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
from andon.models.assemble import calibrated
from andon.models.exported import is_exported
from andon.models.file import Contents, read
from andon.models.header import Header
from andon.models.names import BACKBONE, DETECTOR
from andon.models.taught import Taught
from andon.scorers.choose import fastest_scorer
from andon.types import Precision


def load_taught(path: Path | str, *, weights: Path | str | None = None, precision: Precision = "auto") -> Taught:
    """The model in the file at `path`, with all that is known of it; arguments and errors as of `load`.

    Raises:
        ModelError: it was exported, so that it inspects and nothing else.
    """
    path = Path(path)
    contents = read(path)
    if is_exported(contents):
        raise ModelError(
            f"{path} was exported, so it inspects and nothing else; give the model that it was exported from, and "
            "export that again."
        )
    return taught_of(contents, path, weights=weights, precision=precision)


def taught_of(
    contents: Contents, path: Path, *, weights: Path | str | None = None, precision: Precision = "auto"
) -> Taught:
    """The model that was read from `path`; see `load_taught`."""
    header = Header.of(contents, path)
    recipe = header.recipe
    if weights is not None:
        recipe = replace(recipe, backbone=replace(recipe.backbone, weights=str(weights)))
    backbone = _deferred(recipe.backbone, header, _part(contents.arrays, BACKBONE), path, check=weights is not None)
    try:
        detector = detectors.of_recipe(recipe, backbone).restore(_part(contents.arrays, DETECTOR))
    except (ConfigError, ModelError, RuntimeError) as error:
        raise ModelError(f"{path} is not a model that this Andon can use: {error}") from None
    pipeline = calibrated(header, fastest_scorer(detector, recipe.training.batch_size, precision))
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
