"""From what stands on the command line to the methods that `andon compare` compares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from andon import detectors, recipes
from andon.comparison import Method
from andon.errors import ConfigError
from andon.recipes import Recipe


def methods(
    recipe_names: str,
    detector_names: str | None,
    backbones: str | None,
    weights: Iterable[str],
    settings: Sequence[str],
    options: Mapping[str, Any],
) -> list[Method]:
    """Every recipe with every detector on every backbone; each list is separated by commas.

    All have the seed and promise the same: both are the first recipe's.

    Args:
        detector_names, backbones: None for the recipe's own.
        weights: "backbone=path" each.
        settings, options: over every recipe, see `recipes.build`.

    Raises:
        ConfigError: a name or a setting is wrong.
    """
    chosen = [_listed(recipe_names), _listed(detector_names) or [None], _listed(backbones) or [None]]
    files = dict(_weights_file(text) for text in weights)
    found: dict[str, Recipe] = {}
    for recipe, detector, backbone in product(*chosen):
        assert recipe is not None
        given = dict(options) | {"detector.name": detector, "backbone.name": backbone}
        made = _with_weights(detectors.configured(recipes.build(recipe, settings, given)), files)
        told_apart = [
            name
            for several, name in zip(chosen, (Path(recipe).stem, made.detector, made.backbone.name), strict=True)
            if len(several) > 1
        ]
        method = ", ".join(told_apart) or made.detector
        if method in found:
            raise ConfigError(f"Two methods would be called {method}; give their recipe files different names.")
        found[method] = made
    first = next(iter(found.values()))
    return [Method(name, _on_the_terms_of(first, made)) for name, made in found.items()]


def _on_the_terms_of(first: Recipe, made: Recipe) -> Recipe:
    training = replace(made.training, seed=first.training.seed)
    return replace(made, calibration=first.calibration, training=training)


def _with_weights(recipe: Recipe, files: Mapping[str, str]) -> Recipe:
    if recipe.backbone.name not in files:
        return recipe
    return replace(recipe, backbone=replace(recipe.backbone, weights=files[recipe.backbone.name]))


def _listed(text: str | None) -> list[str | None]:
    names = [] if text is None else [name.strip() for name in text.split(",")]
    return list(dict.fromkeys(name for name in names if name))


def _weights_file(text: str) -> tuple[str, str]:
    backbone, equals, path = text.partition("=")
    if not equals or not backbone or not path:
        raise ConfigError(f"--weights {text} names no backbone; write it as backbone=path.")
    return backbone, path
