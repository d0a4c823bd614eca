"""A recipe names the steps, the backbone, the detector and the calibration rule, with their parameters, in TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from andon import detectors, preprocess
from andon.backbones import Backbone, BackboneConfig
from andon.config import Tree, convert, from_dict, override, require_section, to_dict
from andon.detectors import Detector
from andon.errors import ConfigError
from andon.line.calibration import CalibrationRule
from andon.line.regions import RegionRule
from andon.line.tiling import Tiling
from andon.plugins import suggestion
from andon.preprocess import Step

FOLDER = Path(__file__).parent
SECTIONS = ("steps", "tiling", "backbone", "detector", "anomaly_map", "regions", "calibration", "training")
MAX_SIGMA = 1000


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
    seed: same photos and same seed, same model.
    enhanced_share: of the training photos, drawn by the seed, on which the steps that enhance (clahe, gamma,
        unsharp_mask) act, in [0, 1]. On inspection they always act.
    ng_from_test: share of the labelled NG test photos, in [0, 1), that teach a detector which learns from NG photos
        too; they are then not evaluated.
    folds: models taught to calibrate where few photos can be held out, see `datasets.split`; None for 5, or for 1 where
        the detector learns by gradient.
    thumbnails: keep a small picture of each OK photo in the model, to show which of them a region looks most like.
    """

    batch_size: int = 8
    seed: int = 0
    enhanced_share: float = 1.0
    ng_from_test: float = 0.0
    folds: int | None = None
    thumbnails: bool = True

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
    """Everything that makes a pipeline, but for the photos.

    Attributes:
        steps: preprocessing by name, in order.
        tiling: how the preprocessed photo is cut; None where the detector sees it whole.
        detector: name of the detector; its parameters are `detector_config`, an instance of the detector's `Config`.
    """

    description: str = ""
    steps: dict[str, Step] = field(default_factory=dict)
    tiling: Tiling | None = None
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    detector: str = "patchcore"
    detector_config: Any = None
    anomaly_map: AnomalyMapConfig = field(default_factory=AnomalyMapConfig)
    regions: RegionRule = field(default_factory=RegionRule)
    calibration: CalibrationRule = field(default_factory=CalibrationRule)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    @classmethod
    def from_tree(cls, tree: Tree) -> Self:
        """The recipe of a TOML file's content.

        Raises:
            ConfigError: a section, step, detector or parameter is unknown, or a value is wrong.
        """
        check_sections(tree)
        parameters = dict(tree.get("detector", {}))
        name = convert(parameters.pop("name", "patchcore"), str, "detector.name")
        if "tiling" in tree and detectors.detector_class(name).needs_object:
            raise ConfigError(f"{name} looks at the outline of a whole part; take 'tiling' out of the recipe.")
        return cls(
            description=convert(tree.get("description", ""), str, "description"),
            steps={
                step: from_dict(preprocess.step_class(step), values, f"steps.{step}")
                for step, values in tree.get("steps", {}).items()
            },
            tiling=from_dict(Tiling, tree["tiling"], "tiling") if "tiling" in tree else None,
            backbone=from_dict(BackboneConfig, tree.get("backbone", {}), "backbone"),
            detector=name,
            detector_config=from_dict(detectors.detector_class(name).Config, parameters, "detector"),
            anomaly_map=from_dict(AnomalyMapConfig, tree.get("anomaly_map", {}), "anomaly_map"),
            regions=from_dict(RegionRule, tree.get("regions", {}), "regions"),
            calibration=from_dict(CalibrationRule, tree.get("calibration", {}), "calibration"),
            training=from_dict(TrainingConfig, tree.get("training", {}), "training"),
        )

    def to_tree(self) -> Tree:
        """Plain values that `from_tree` takes back."""
        return {
            "description": self.description,
            "steps": {name: to_dict(step) for name, step in self.steps.items()},
            **({} if self.tiling is None else {"tiling": to_dict(self.tiling)}),
            "backbone": to_dict(self.backbone),
            "detector": {"name": self.detector, **to_dict(self.detector_config)},
            "anomaly_map": to_dict(self.anomaly_map),
            "regions": to_dict(self.regions),
            "calibration": to_dict(self.calibration),
            "training": to_dict(self.training),
        }

    def new_detector(self, backbone: Backbone) -> Detector[Any]:
        """The recipe's detector, not taught yet."""
        return detectors.detector_class(self.detector)(self.detector_config, backbone)


def names() -> list[str]:
    """The recipes that come with Andon."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read(name: str, settings: Iterable[str] = ()) -> Recipe:
    """The recipe of that name, or of the TOML file at that path, with "a.b=c" settings laid over it.

    Raises:
        ConfigError: there is no such recipe, it is no TOML, or something in it is wrong.
    """
    return Recipe.from_tree(override(read_tree(name), settings))


def read_tree(name: str) -> Tree:
    """The content of the recipe's file; only its sections are checked.

    Raises:
        ConfigError: there is no such recipe, it is no TOML, or it has an unknown section.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        raise ConfigError(f"There is no recipe {name!r}; {suggestion(name, names())} A path must end in .toml.")
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML ({error}); mend that line.") from None
    check_sections(tree)
    return tree


def check_sections(tree: Tree) -> None:
    """Refuse what is no section of a recipe.

    Raises:
        ConfigError: a section is unknown or is a plain value.
    """
    for key, value in tree.items():
        if key not in ("description", *SECTIONS):
            raise ConfigError(f"A recipe has no section {key!r}; {suggestion(key, list(SECTIONS))}")
        if key != "description":
            require_section(value, key)


def image_size_key(tree: Tree) -> str:
    """The key "steps.<step>.image_size" of the step of the recipe that decides the size.

    Raises:
        ConfigError: no step of the recipe has an image size.
    """
    for step in tree.get("steps", {}):
        if "image_size" in {f.name for f in fields(preprocess.step_class(step))}:
            return f"steps.{step}.image_size"
    raise ConfigError("The recipe has no step with an image size; add 'resize' to its steps.")
