"""Parameters: strict both ways, and settings on top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from andon.config import from_dict, parse_setting, parse_value, put, to_dict
from andon.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Knobs:
    size: int = 8
    share: float = 0.5
    name: str = "a"
    on: bool = False
    mode: Literal["fast", "exact"] = "fast"
    strides: tuple[int, ...] = (8, 16)
    canvas: tuple[int, int] | None = None


@pytest.mark.parametrize("knobs", [Knobs(), Knobs(size=3, share=2.0, on=True, mode="exact", canvas=(32, 48))])
def test_a_dataclass_survives_the_way_through_a_dict(knobs: Knobs) -> None:
    assert from_dict(Knobs, to_dict(knobs), "knobs") == knobs


def test_to_dict_gives_what_toml_knows() -> None:
    values = to_dict(Knobs(canvas=(32, 48)))
    assert values["strides"] == [8, 16] and values["canvas"] == [32, 48]
    assert "canvas" not in to_dict(Knobs())


def test_a_whole_number_stands_for_a_float_and_a_list_for_a_tuple() -> None:
    knobs = from_dict(Knobs, {"share": 1, "strides": [4]}, "knobs")
    assert knobs.share == 1.0 and isinstance(knobs.share, float)
    assert knobs.strides == (4,)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"sise": 3}, "knobs has no parameter 'sise'; did you mean 'size'?"),
        ({"size": 3.0}, "knobs.size is 3.0; expected a value of type int."),
        ({"size": True}, "knobs.size is True; expected a value of type int."),
        ({"share": "much"}, "knobs.share is 'much'; expected a value of type float."),
        ({"share": True}, "knobs.share is True; expected a value of type float."),
        ({"share": float("nan")}, "knobs.share is nan; expected a finite number."),
        ({"share": float("inf")}, "knobs.share is inf; expected a finite number."),
        ({"on": 1}, "knobs.on is 1; expected a value of type bool."),
        ({"mode": "exakt"}, "knobs.mode is 'exakt'; did you mean 'exact'?"),
        ({"strides": 8}, "knobs.strides is 8; expected a list."),
        ({"strides": [8, "x"]}, "knobs.strides is 'x'; expected a value of type int."),
        ({"canvas": [1, 2, 3]}, "knobs.canvas is [1, 2, 3]; expected a list of 2 values."),
        ("fast", "knobs is 'fast'; expected a section, so set its parameters: knobs.NAME=VALUE."),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(values: Any, sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        from_dict(Knobs, values, "knobs")
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("0.5", 0.5), ("true", True), ("[4, 8]", [4, 8]), ('"3"', "3"), ("resnet18", "resnet18"), ("", "")],
)
def test_a_value_is_read_as_toml_or_as_the_text_itself(text: str, value: Any) -> None:
    assert parse_value(text) == value


def test_settings_are_laid_over_a_copy() -> None:
    tree = {"detector": {"name": "patchcore", "ratio": 0.1}}
    over = tree
    for setting in ("detector.ratio=0.2", "training.seed = 5", "description=a=b"):
        over = put(over, *parse_setting(setting))
    assert over == {
        "detector": {"name": "patchcore", "ratio": 0.2},
        "training": {"seed": 5},
        "description": "a=b",
    }
    assert tree == {"detector": {"name": "patchcore", "ratio": 0.1}}


@pytest.mark.parametrize("setting", ["detector.ratio", "=3", " =3"])
def test_a_setting_without_name_or_value_is_refused(setting: str) -> None:
    with pytest.raises(ConfigError, match=r"is not a setting; write it as section\.name=value"):
        parse_setting(setting)


def test_a_path_through_a_value_is_refused() -> None:
    with pytest.raises(ConfigError, match="goes through 'seed', which is a value and not a section"):
        put({"training": {"seed": 1}}, "training.seed.x", 2)


def test_a_parameter_without_a_default_that_is_missing_is_named() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Needs:
        name: str
        size: int = 3

    assert from_dict(Needs, {"name": "a"}, "section") == Needs(name="a")
    with pytest.raises(ConfigError, match=r"^section lacks 'name'; give it a value\.$"):
        from_dict(Needs, {"size": 1}, "section")
