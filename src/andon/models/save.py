"""Write a model as one file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from andon.config import Tree, to_dict
from andon.models import file
from andon.models.header import tree_of
from andon.models.names import BACKBONE, DETECTOR, LAYOUTS, LENGTHS, NG_SCORES, OK_SCORES, TERMS, THUMBNAILS
from andon.models.taught import Taught


def save(model: Taught, path: Path | str, *, bundle_backbone: bool = False, overwrite: bool = False) -> None:
    """Write the model. The same model gives the same bytes.

    Args:
        overwrite: replace a file at `path`, once the new one is whole; the old one is kept beside it, see
            `files.keep_old`.
        bundle_backbone: put the backbone's weights into the file, so that it needs no other file and no download. The
            package's own weights are never bundled.

    Raises:
        ModelError: the file cannot be written, or is there already and `overwrite` is False.
    """
    arrays = header_arrays(model) | _named(DETECTOR, model.detector.learned())
    config = model.recipe.backbone
    if bundle_backbone and not (config.name == "embedded" and config.weights is None):
        arrays |= _named(BACKBONE, model.detector.backbone.built().state_dict())
    data, _ = file.to_bytes(header_tree(model), arrays)
    file.write(Path(path), data, overwrite=overwrite)


def header_arrays(model: Taught) -> dict[str, NDArray[Any]]:
    """What `Header.of` reads beside the tree."""
    arrays = dict(model.manifest.to_arrays())
    if model.calibration is not None:
        arrays[OK_SCORES] = model.calibration.ok_scores
        if model.calibration.ng_scores.size:
            arrays[NG_SCORES] = model.calibration.ng_scores
    if model.terms.size:
        arrays[TERMS] = model.terms
    if model.pipeline.guard is not None:
        arrays[LAYOUTS] = model.pipeline.guard.layouts
    if thumbnails := model.pipeline.thumbnails:
        arrays[THUMBNAILS] = np.frombuffer(b"".join(one.jpeg for one in thumbnails), np.uint8)
        arrays[LENGTHS] = np.array([len(one.jpeg) for one in thumbnails])
    return arrays


def header_tree(model: Taught) -> Tree:
    """What `Header.of` reads."""
    identity, pipeline = to_dict(model.detector.backbone.identity()), model.pipeline
    return tree_of(
        model.recipe, identity, model.calibration, pipeline.guard, white=pipeline.white, manifest=model.manifest
    )


def _named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
    return {prefix + name: tensor.cpu().numpy() for name, tensor in tensors.items()}
