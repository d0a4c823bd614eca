"""From a recipe's name, options and settings to a recipe: the one way for `train`, `compare` and Python."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from andon import preprocess
from andon.config import Tree, parse_setting, put
from andon.errors import ConfigError
from andon.plugins import suggestion
from andon.recipes.recipe import DEFAULT_DETECTOR, Recipe, check_sections

FOLDER = Path(__file__).parent
IMAGE_SIZE = "image_size"
"""The option that goes to the step which decides the size."""


def names() -> list[str]:
    """The recipes that come with Andon."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def build(name: str, settings: Iterable[str] = (), options: Mapping[str, Any] | None = None) -> Recipe:
    """The recipe of that name, or of the TOML file at that path, with options and settings laid over it.

    Args:
        settings: "section.name=value" each, a later one over an earlier one. A setting or option that names another
            detector drops the parameters of the recipe's own, wherever it stands among the others.
        options: "section.name" -> value, as the command line's own options give them; "image_size" goes to the step
            that decides the size. What is None was not given.

    Raises:
        ConfigError: there is no such recipe, something in it is wrong, or an option and a setting contradict each
            other.
    """
    tree = read_tree(name)
    chosen = {key: value for key, value in (options or {}).items() if value is not None}
    if IMAGE_SIZE in chosen:
        chosen[image_size_key(tree)] = chosen.pop(IMAGE_SIZE)
    given = dict(chosen)
    for setting in [settings] if isinstance(settings, str) else settings:
        key, value = parse_setting(setting)
        if key in chosen and chosen[key] != value:
            raise ConfigError(f"{key} is set to {chosen[key]!r} and to {value!r}; give it once.")
        given[key] = value
    return Recipe.from_tree(_laid_over(tree, given))


def _laid_over(tree: Tree, given: Mapping[str, Any]) -> Tree:
    detector = given.get("detector", {}).get("name") if isinstance(given.get("detector"), dict) else None
    detector = given.get("detector.name", detector)
    if detector is not None and detector != tree.get("detector", {}).get("name", DEFAULT_DETECTOR):
        tree = tree | {"detector": {"name": detector}}  # the recipe's parameters are another detector's
    for key, value in given.items():
        tree = put(tree, key, value)
    return tree


def read_tree(name: str) -> Tree:
    """The content of the recipe's file; only its sections are checked.

    Raises:
        ConfigError: there is no such recipe, it is not TOML, or it has an unknown section.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        if name.endswith(".toml"):
            raise ConfigError(f"There is no recipe file {path}; check the path.")
        raise ConfigError(f"There is no recipe {name!r}; {suggestion(name, names())} A path must end in .toml.")
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML ({error}); correct that line.") from None
    check_sections(tree)
    return tree


def image_size_key(tree: Tree) -> str:
    """The key "steps.<step>.image_size" of the step of the recipe that decides the size.

    Raises:
        ConfigError: no step of the recipe has an image size.
    """
    for step in tree.get("steps", {}):
        if IMAGE_SIZE in {f.name for f in fields(preprocess.step_class(step))}:
            return f"steps.{step}.{IMAGE_SIZE}"
    raise ConfigError("The recipe has no step with an image size; add 'resize' to its steps.")
