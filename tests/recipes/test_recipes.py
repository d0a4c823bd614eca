"""The recipes that come with Andon, and recipes that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from andon import detectors, recipes
from andon.config import Tree
from andon.errors import ConfigError
from andon.recipes import Recipe


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_is_valid_and_survives_the_way_through_a_dict(name: str) -> None:
    recipe = recipes.build(name)
    assert recipe.description.endswith(".")
    assert Recipe.from_tree(recipe.to_tree()) == recipe
    assert recipe.backbone.name == "embedded"  # so that every recipe runs without a network


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_has_a_step_that_decides_the_size(name: str) -> None:
    assert recipes.build(name, options={"image_size": 192}) != recipes.build(name)


def test_the_order_of_steps_is_that_of_the_file() -> None:
    tree: Tree = {"steps": {"resize": {}, "clahe": {}, "align": {}}}
    assert list(Recipe.from_tree(tree).steps) == ["resize", "clahe", "align"]


def test_a_recipe_may_be_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "Mein Rezept.toml"
    path.write_text('description = "Größe"\n[detector]\ncoreset_ratio = 0.5\n', encoding="utf-8")
    recipe = detectors.configured(recipes.build(str(path), ["detector.coreset_ratio=0.25"]))
    assert recipe.description == "Größe"
    assert recipe.parameters["coreset_ratio"] == 0.25


@pytest.mark.parametrize("settings", [["detector.name=padim"], ["detector.dimensions=50", "detector.name=padim"]])
def test_a_setting_may_name_another_detector_wherever_it_stands(settings: list[str]) -> None:
    """The parameters of the recipe's own detector go, else coreset_ratio would be refused as none of padim's."""
    recipe = recipes.build("default", settings)
    assert recipe.detector == "padim"
    assert dict(recipe.parameters) == ({"dimensions": 50} if len(settings) > 1 else {})
    assert detectors.configured(recipe).parameters["dimensions"] == (50 if len(settings) > 1 else 100)


def test_naming_the_recipes_own_detector_keeps_its_parameters() -> None:
    assert recipes.build("default", ["detector.name=patchcore"]) == recipes.build("default")


def test_an_option_and_a_setting_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"^training\.seed is set to 3 and to 5; give it once\.$"):
        recipes.build("default", ["training.seed=5"], {"training.seed": 3})
    with pytest.raises(ConfigError, match=r"^steps\.resize\.image_size is set to 64 and to 128; give it once\.$"):
        recipes.build("default", ["steps.resize.image_size=128"], {"image_size": 64})
    assert recipes.build("default", ["training.seed=5"], {"training.seed": 5}).training.seed == 5
    assert recipes.build("default", ["training.seed=5"], {"training.seed": None}).training.seed == 5
    assert recipes.build("default", ["training.seed=3", "training.seed=5"]).training.seed == 5  # the later one


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("detektor.name=x", "A recipe has no section 'detektor'; did you mean 'detector'?"),
        ("detector.name=patchcor", "There is no detector 'patchcor'; did you mean 'patchcore'?"),
        ("detector.name=_coreset", "There is no detector '_coreset'; "),
        ("detector.name=3", "detector.name is 3; expected a value of type str."),
        ("detector=patchcore", "detector is 'patchcore'; expected a section"),
        ("detector.coreset_ration=1", "detector has no parameter 'coreset_ration'; did you mean 'coreset_ratio'?"),
        ("steps.rezise.image_size=64", "There is no preprocessing step 'rezise'; did you mean 'resize'?"),
        ("steps.resize=64", "steps.resize is 64; expected a section"),
        ("steps=3", "steps is 3; expected a section"),
        ("steps.resize.image_size=8", "resize.image_size is 8; use a multiple of 16"),
        ("steps.resize.image_size=-64", "resize.image_size is -64; use a multiple of 16"),
        ("steps.resize.image_size=big", "steps.resize.image_size is 'big'; expected a value of type int, or 'auto'."),
        ("anomaly_map.sigma=-1", "anomaly_map.sigma is -1; it must be from 0 to"),
        ("anomaly_map.sigma=nan", "anomaly_map.sigma is nan; expected a finite number."),
        ("training.batch_size=0", "training.batch_size is 0; it must be 1 or more."),
        ("training.seed=-1", "training.seed is -1; it must be 0 or more"),
        ("training.seed=99999999999999999999", "training.seed is 99999999999999999999; it must be 0 or more"),
        ("training.enhanced_share=1.5", "training.enhanced_share is 1.5; it must be from 0 to 1."),
        ("calibration.percentile=100", "calibration.percentile is 100; it must be between 0 and 100."),
        ("calibration.method=conformall", "calibration.method is 'conformall'; did you mean 'conformal'?"),
        (
            "backbone=resnet18",
            "backbone is 'resnet18'; expected a section, so set its parameters: backbone.NAME=VALUE.",
        ),
        ("description=3", "description is 3; expected a value of type str."),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(setting: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        detectors.configured(recipes.build("default", [setting]))
    assert str(error.value).startswith(sentence)
    assert str(error.value)[-1] in ".?"


def test_a_missing_recipe_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="There is no recipe 'fastner'; did you mean 'fastener'"):
        recipes.build("fastner")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"[detector\n", "is not valid TOML"),
        (b"\xff\xfe", "is not valid TOML"),
        (b"detector = 3\n", "detector is 3; expected a section"),
        (b"[stepps.resize]\n", "no section 'stepps'; did you mean 'steps'"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=why):
        recipes.build(str(path))


def test_a_recipe_without_a_size_says_how_to_give_one(tmp_path: Path) -> None:
    path = tmp_path / "sizeless.toml"
    path.write_text("[steps.clahe]\n")
    with pytest.raises(ConfigError, match="add 'resize' to its steps"):
        recipes.build(str(path), options={"image_size": 64})
