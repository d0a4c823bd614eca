"""From what stands on the command line to the methods that `andon compare` compares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

from andon import recipes
from andon.comparison import Method
from andon.config import Tree, override, put
from andon.errors import ConfigError
from andon.recipes import Recipe


def methods(
    recipe_names: str,
    detectors: str | None,
    backbones: str | None,
    weights: Iterable[str],
    settings: Sequence[str],
    shared: Tree,
) -> list[Method]:
    """Every recipe with every detector on every backbone; each list is separated by commas.

    All promise the same: the calibration rule is the first recipe's.

    Args:
        detectors, backbones: None for the recipe's own.
        weights: "backbone=path" each.
        settings: "section.name=value" over every recipe.
        shared: "section.name" -> value over every recipe.

    Raises:
        ConfigError: a name or a setting is wrong.
    """
    chosen = [_listed(recipe_names), _listed(detectors) or [None], _listed(backbones) or [None]]
    files = dict(_weights_file(text) for text in weights)
    found: dict[str, Recipe] = {}
    for recipe, detector, backbone in product(*chosen):
        assert recipe is not None
        made = _recipe(recipe, detector, backbone, files, settings, shared)
        told_apart = [
            name
            for options, name in zip(chosen, (Path(recipe).stem, made.detector, made.backbone.name), strict=True)
            if len(options) > 1
        ]
        method = ", ".join(told_apart) or made.detector
        if method in found:
            raise ConfigError(f"Two methods would be called {method}; give their recipe files different names.")
        found[method] = made
    first = next(iter(found.values()))
    return [Method(name, replace(made, calibration=first.calibration)) for name, made in found.items()]


def _recipe(
    name: str,
    detector: str | None,
    backbone: str | None,
    files: dict[str, str],
    settings: Sequence[str],
    shared: Tree,
) -> Recipe:
    tree = recipes.read_tree(name)
    if detector is not None and detector != tree.get("detector", {}).get("name", "patchcore"):
        tree["detector"] = {"name": detector}  # the recipe's parameters are another detector's
    if backbone is not None:
        tree = put(tree, "backbone.name", backbone)
    tree = override(tree, settings)
    for key, value in shared.items():
        tree = put(tree, key, value)
    recipe = Recipe.from_tree(tree)
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
