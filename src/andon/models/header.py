"""What a model says of itself, typed and checked in one place. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from andon.config import Tree, convert, from_dict, require_section
from andon.errors import ConfigError, ModelError
from andon.line.calibration import Calibration, CalibrationRule
from andon.line.guard import Guard
from andon.line.nearest_ok import Thumbnail
from andon.models.file import Arrays, Contents, read
from andon.models.manifest import Manifest
from andon.models.names import BACKBONE, LAYOUTS, LENGTHS, NG_SCORES, OK_SCORES, TERMS, THUMBNAILS
from andon.recipes import Recipe
from andon.types import ModelId

SECTIONS = ("recipe", "backbone", "manifest")
MOST = 1e3  # times the largest OK score: no threshold lies beyond


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """The header's part of a `Calibration`; the scores are an array."""

    rule: CalibrationRule
    threshold: float
    review_threshold: float | None
    pixel_threshold: float


@dataclass(frozen=True, eq=False)
class Header:
    """Everything in a model file but what its detector learned.

    Attributes:
        backbone: of the network's `Identity`, as plain values.
        white: see `Pipeline`.
        is_bundled: whether the file holds the backbone's weights.
        export: of an exported model, which model it was and how it may compute, as plain values.
    """

    model_id: ModelId
    format: int
    recipe: Recipe
    backbone: Tree
    calibration: Calibration | None
    guard: Guard | None
    white: float | None
    terms: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    manifest: Manifest
    thumbnails: tuple[Thumbnail, ...]
    is_bundled: bool
    export: Tree | None = None

    @classmethod
    def of(cls, contents: Contents, path: Path) -> Self:
        """Raises ModelError where something is missing, of another type, or does not fit the rest."""
        tree, arrays = contents.tree, contents.arrays
        try:
            for section in SECTIONS:
                require_section(tree.get(section), section)
            manifest = Manifest.from_tree(tree["manifest"], arrays)
            if manifest.sessions.names and len(manifest.sessions.numbers) != len(arrays.get(OK_SCORES, ())):
                raise ValueError("its capture sessions do not fit its scores; copy it again or train it again.")
            return cls(
                model_id=ModelId(path.stem, contents.sha256),
                format=contents.format,
                recipe=Recipe.from_tree(tree["recipe"]),
                backbone=tree["backbone"],
                calibration=_calibration(tree.get("calibration"), arrays),
                guard=_guard(tree.get("guard"), arrays),
                white=convert(tree.get("white"), float | None, "white"),
                terms=arrays.get(TERMS, np.empty((0, 0))),
                manifest=manifest,
                thumbnails=_thumbnails(manifest, arrays),
                is_bundled=any(name.startswith(BACKBONE) for name in arrays),
                export=tree.get("export"),
            )
        except (ConfigError, KeyError, ValueError, TypeError, OverflowError) as error:
            raise ModelError(f"{path} is not a model that this Andon can use: {error}") from None


def read_header(path: Path) -> Header:
    """What the model file says of itself.

    Raises:
        ModelError: see `file.read` and `Header.of`.
    """
    return Header.of(read(path), path)


def tree_of(
    recipe: Recipe,
    backbone: Tree,
    calibration: Calibration | None,
    guard: Guard | None,
    *,
    white: float | None,
    manifest: Manifest,
) -> Tree:
    """The header as `Header.of` reads it."""
    return {
        "recipe": recipe.to_tree(),
        "backbone": backbone,
        "calibration": calibration and calibration.to_tree(),
        "guard": guard and guard.to_tree(),
        "white": white,
        "manifest": manifest.to_tree(),
    }


def _calibration(tree: Tree | None, arrays: Arrays) -> Calibration | None:
    if tree is None:
        return None
    read = from_dict(Thresholds, tree, "calibration")
    scores = arrays.get(OK_SCORES)
    if scores is None or scores.ndim != 1 or scores.dtype != np.float64 or len(scores) < 2:
        raise ValueError("its calibration scores are missing; copy it again or train it again.")
    most = MOST * max(1.0, float(np.abs(scores).max()))
    for value in (read.threshold, read.review_threshold, read.pixel_threshold):
        if value is not None and abs(value) > most:
            raise ValueError(f"a threshold of {value:g} is far from its calibration scores; train it again.")
    ng = arrays.get(NG_SCORES, np.empty(0))
    if ng.ndim != 1 or ng.dtype != np.float64:
        raise ValueError("its scores of NG photos are of another kind; copy it again or train it again.")
    return Calibration(read.rule, scores, read.threshold, read.review_threshold, read.pixel_threshold, ng)


def _guard(tree: Tree | None, arrays: Arrays) -> Guard | None:
    if tree is None:  # as in models from before there was one
        return None
    require_section(tree, "guard")
    require_section(tree.get("features"), "guard.features")
    return Guard.from_tree(tree, arrays.get(LAYOUTS))


def _thumbnails(manifest: Manifest, arrays: Arrays) -> tuple[Thumbnail, ...]:
    if THUMBNAILS not in arrays:
        return ()
    lengths = arrays[LENGTHS] if LENGTHS in arrays else np.empty(0)
    if len(lengths) != len(manifest.trained) or lengths.sum() != len(arrays[THUMBNAILS]):
        raise ValueError("its thumbnails do not fit its photos; copy it again or train it again.")
    parts = np.split(arrays[THUMBNAILS], np.cumsum(lengths)[:-1])
    return tuple(Thumbnail(name, part.tobytes()) for name, part in zip(manifest.trained.names, parts, strict=True))
