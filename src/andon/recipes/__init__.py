"""A recipe names the steps, the backbone, the detector and the calibration rule, with their parameters, in TOML."""

from andon.recipes.backbone import BackboneConfig
from andon.recipes.build import build, names, read_tree
from andon.recipes.recipe import AnomalyMapConfig, Recipe, TrainingConfig

__all__ = ["AnomalyMapConfig", "BackboneConfig", "Recipe", "TrainingConfig", "build", "names", "read_tree"]
