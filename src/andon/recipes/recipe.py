"""The typed form of a recipe. It names a detector and its parameters; they are checked when the detector is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from andon import preprocess
from andon.config import Tree, convert, from_dict, require_section, to_dict
from andon.errors import ConfigError
from andon.line.calibration import CalibrationRule
from andon.line.regions import RegionRule
from andon.line.tiling import Tiling
from andon.plugins import suggestion
from andon.preprocess import Step
from andon.recipes.backbone import BackboneConfig

DEFAULT_DETECTOR = "patchcore"
SECTIONS = ("data", "steps", "tiling", "backbone", "detector", "anomaly_map", "regions", "calibration", "training")
MAX_SIGMA = 1000


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Attributes:
    ng_names: beginnings of names for NG in data sets of such parts, beside the usual words; other sets need not have
        them.
    """

    ng_names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AnomalyMapConfig:
    """Attributes:
    sigma: standard deviation of the Gaussian over the map, in pixels of the preprocessed photo.
    """

    sigma: float = 4.0

    def __post_init__(self) -> None:
        if not 0 <= self.sigma <= MAX_SIGMA:
            raise ConfigError(f"anomaly_map.sigma is {self.sigma:g}; it must be from 0 to {MAX_SIGMA}.")


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Attributes:
    batch_size: photos that the network sees at once.
    seed: the same photos and the same seed give the same model.
    enhanced_share: of the training photos, drawn by the seed, on which the steps that enhance (clahe, gamma,
        unsharp_mask) act, in [0, 1]. On inspection they always act.
    ng_from_test: share of the labelled NG test photos, in [0, 1), that train a detector which learns from NG photos
        too; they are then not evaluated.
    folds: models trained for calibration, each without a part of the photos, see `datasets.split`. With 1 a fifth of
        the photos calibrates and does not train. None for 5, or for 1 where the detector learns by gradient.
    thumbnails: keep a small picture of each OK photo in the model, to show which of them a region looks most like.
    guard: learn what photos of the part look like, so that a photo of anything else is "invalid".
    """

    batch_size: int = 8
    seed: int = 0
    enhanced_share: float = 1.0
    ng_from_test: float = 0.0
    folds: int | None = None
    thumbnails: bool = True
    guard: bool = True

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ConfigError(f"training.batch_size is {self.batch_size}; it must be 1 or more.")
        if not 0 <= self.seed < 2**63:
            raise ConfigError(f"training.seed is {self.seed}; it must be 0 or more and below 2**63.")
        if not 0 <= self.enhanced_share <= 1:
            raise ConfigError(f"training.enhanced_share is {self.enhanced_share:g}; it must be from 0 to 1.")
        if not 0 <= self.ng_from_test < 1:
            raise ConfigError(f"training.ng_from_test is {self.ng_from_test:g}; it must be at least 0 and below 1.")
        if self.folds is not None and self.folds < 1:
            raise ConfigError(f"training.folds is {self.folds}; it must be 1 or more.")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that makes a model, except the photos.

    Attributes:
        data: what data sets of such parts call NG.
        steps: preprocessing by name, in order.
        tiling: how the preprocessed photo is cut; None where the detector sees it whole.
        detector: name of the detector.
        parameters: of the detector, as they stand in the recipe; `detectors.configured` checks and completes them.
    """

    description: str = ""
    data: DataConfig = field(default_factory=DataConfig)
    steps: dict[str, Step] = field(default_factory=dict)
    tiling: Tiling | None = None
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    detector: str = DEFAULT_DETECTOR
    parameters: Mapping[str, Any] = field(default_factory=dict)
    anomaly_map: AnomalyMapConfig = field(default_factory=AnomalyMapConfig)
    regions: RegionRule = field(default_factory=RegionRule)
    calibration: CalibrationRule = field(default_factory=CalibrationRule)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    @classmethod
    def from_tree(cls, tree: Tree) -> Self:
        """The recipe of a TOML file's content.

        Raises:
            ConfigError: a section, step or parameter is unknown, or a value is wrong. The detector's are not looked at.
        """
        check_sections(tree)
        parameters = dict(tree.get("detector", {}))
        return cls(
            description=convert(tree.get("description", ""), str, "description"),
            detector=convert(parameters.pop("name", DEFAULT_DETECTOR), str, "detector.name"),
            parameters=parameters,
            data=from_dict(DataConfig, tree.get("data", {}), "data"),
            steps={
                step: from_dict(preprocess.step_class(step), values, f"steps.{step}")
                for step, values in tree.get("steps", {}).items()
            },
            tiling=from_dict(Tiling, tree["tiling"], "tiling") if "tiling" in tree else None,
            backbone=from_dict(BackboneConfig, tree.get("backbone", {}), "backbone"),
            anomaly_map=from_dict(AnomalyMapConfig, tree.get("anomaly_map", {}), "anomaly_map"),
            regions=from_dict(RegionRule, tree.get("regions", {}), "regions"),
            calibration=from_dict(CalibrationRule, tree.get("calibration", {}), "calibration"),
            training=from_dict(TrainingConfig, tree.get("training", {}), "training"),
        )

    def to_tree(self) -> Tree:
        """Plain values that `from_tree` takes back."""
        return {
            "description": self.description,
            **({} if self.data == DataConfig() else {"data": to_dict(self.data)}),
            "steps": {name: to_dict(step) for name, step in self.steps.items()},
            **({} if self.tiling is None else {"tiling": to_dict(self.tiling)}),
            "backbone": to_dict(self.backbone),
            "detector": {"name": self.detector, **self.parameters},
            "anomaly_map": to_dict(self.anomaly_map),
            "regions": to_dict(self.regions),
            "calibration": to_dict(self.calibration),
            "training": to_dict(self.training),
        }


def check_sections(tree: Tree) -> None:
    """Refuse what is not a section of a recipe.

    Raises:
        ConfigError: a section is unknown or is a plain value.
    """
    for key, value in tree.items():
        if key not in ("description", *SECTIONS):
            raise ConfigError(f"A recipe has no section {key!r}; {suggestion(key, list(SECTIONS))}")
        if key != "description":
            require_section(value, key)
    for step, values in tree.get("steps", {}).items():
        require_section(values, f"steps.{step}")
