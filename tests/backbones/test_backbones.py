"""The embedded backbone, CNNs of timm with weights from files, and a hub that cannot be reached."""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from andon import backbones
from andon.backbones import Backbone, BackboneConfig
from andon.errors import ConfigError, WeightsError

NETWORK = "resnet10t"  # the smallest ResNet of timm


def create(**parameters: Any) -> Backbone:
    return backbones.create(BackboneConfig(**parameters))


def photo(height: int = 64, width: int = 96) -> Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def random_network() -> Backbone:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return backbones.create(BackboneConfig(name=NETWORK), pretrained=False)


@pytest.fixture(scope="module")
def used_weights(random_network: Backbone) -> dict[str, Tensor]:
    """The weights of the layers that are used, as timm names them."""
    return {
        name.removeprefix("network."): value.clone()
        for name, value in random_network.state_dict().items()
        if name.startswith("network.")
    }


@pytest.mark.parametrize("strides", [(8, 16), (4, 8), (8,), (4, 8, 16), (16, 4)])
def test_the_embedded_backbone_has_maps_of_the_promised_strides_and_channels(strides: tuple[int, ...]) -> None:
    backbone = create(strides=strides)
    assert backbone.strides == tuple(sorted(strides))
    maps = backbone(photo())
    for features, stride, channels in zip(maps, backbone.strides, backbone.channels, strict=True):
        assert features.shape == (2, channels, 64 // stride, 96 // stride)
        assert features.dtype == torch.float32 and features.isfinite().all()
        assert features.std() > 0.01  # weights of all zeros would pass the rest


@pytest.mark.parametrize("size", [(16, 16), (16, 48), (80, 112), (256, 336)])
def test_any_multiple_of_16_will_do(size: tuple[int, int]) -> None:
    fine, coarse = create()(photo(*size))
    assert fine.shape[2:] == (size[0] // 8, size[1] // 8)
    assert coarse.shape[2:] == (size[0] // 16, size[1] // 16)


def test_the_packages_weights_are_the_same_every_time_and_frozen() -> None:
    one, other = create(), create()
    assert backbones.fingerprint(one) == backbones.fingerprint(other)
    assert not one.training
    assert not any(parameter.requires_grad for parameter in one.parameters())


def test_the_fingerprint_sees_every_value() -> None:
    one, other = create(), create()
    list(other.parameters())[-1].data[-1] += 1e-6
    assert backbones.fingerprint(one) != backbones.fingerprint(other)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "strides"),
    [("embedded", (32,)), ("embedded", ()), ("embedded", (8, 8)), (NETWORK, (5,)), (NETWORK, ()), (NETWORK, (8, 8))],
)
def test_a_stride_that_there_is_not_is_refused(name: str, strides: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=r"has .*strides \[.*but \[.*\] was asked for"):
        backbones.create(BackboneConfig(name=name, strides=strides), pretrained=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strides", "channels"),
    [
        ((4, 16), (24, 112)),
        ((16, 4, 16), (24, 80, 112)),
        ((2, 4, 8, 16, 16, 32, 32), (16, 24, 40, 80, 112, 192, 320)),
    ],
)
def test_an_efficientnet_gives_both_stages_of_a_stride_that_is_named_twice(
    strides: tuple[int, ...], channels: tuple[int, ...]
) -> None:
    backbone = backbones.create(BackboneConfig(name="efficientnet_b0", strides=strides), pretrained=False)
    assert backbone.strides == tuple(sorted(strides))
    assert backbone.channels == channels
    shapes = [tuple(features.shape[1:]) for features in backbone(photo())]
    assert shapes == [
        (width, 64 // stride, 96 // stride) for width, stride in zip(channels, backbone.strides, strict=True)
    ]


def test_a_name_like_no_network_gets_a_short_answer() -> None:
    with pytest.raises(
        ConfigError, match=r"^timm has no network ''; choose 'embedded', or a network of timm such as resnet18\.$"
    ):
        create(name="")


def test_a_misspelt_network_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="timm has no network 'resnet18x'; did you mean 'resnet18'"):
        create(name="resnet18x")


def test_misspelt_weights_are_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"timm has no weights 'resnet18\.tv_in1'; did you mean 'resnet18\.tv_in1k'"):
        create(name="resnet18.tv_in1")


@pytest.mark.parametrize("name", ["embedded", NETWORK])
def test_a_cnn_has_no_blocks_to_choose_from(name: str) -> None:
    with pytest.raises(ConfigError, match=f"^backbone.blocks is for a ViT, which {name} is not; .*backbone.strides"):
        backbones.create(BackboneConfig(name=name, blocks=(1,)), pretrained=False)


def test_a_network_of_one_photo_size_is_refused() -> None:
    with pytest.raises(ConfigError, match="mixer_s32_224 takes photos of 224 x 224 only; choose"):
        backbones.create(BackboneConfig(name="mixer_s32_224"), pretrained=False)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_cnn_takes_its_weights_from_a_file_of_the_used_layers(
    suffix: str, random_network: Backbone, used_weights: dict[str, Tensor], tmp_path: Path
) -> None:
    path = tmp_path / f"Gewichte{suffix}"
    if suffix == ".pth":
        torch.save({"state_dict": used_weights}, path)
    else:
        save_file(used_weights, path)
    backbone = create(name=NETWORK, weights=str(path))
    assert backbone.strides == (8, 16)
    assert not any(name.startswith(("layer4", "fc")) for name in used_weights)
    for features, expected in zip(backbone(photo()), random_network(photo()), strict=True):
        assert torch.equal(features, expected)
    assert backbones.fingerprint(backbone) == backbones.fingerprint(random_network)


def test_layers_that_are_not_used_may_be_in_the_file(
    random_network: Backbone, used_weights: dict[str, Tensor], tmp_path: Path
) -> None:
    save_file(
        used_weights | {"layer4.0.conv1.weight": torch.zeros(2), "fc.weight": torch.zeros(2)},
        tmp_path / "w.safetensors",
    )
    backbone = create(name=NETWORK, weights=str(tmp_path / "w.safetensors"))
    assert backbones.fingerprint(backbone) == backbones.fingerprint(random_network)


class Bomb:
    """Unpickling this makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_what_does_not_fit_is_refused_in_one_sentence(used_weights: dict[str, Tensor], tmp_path: Path) -> None:
    whole = tmp_path / "whole.safetensors"
    save_file(used_weights, whole)
    other_network, other_shape = tmp_path / "other.safetensors", tmp_path / "shape.safetensors"
    save_file({"stem.weight": torch.zeros(3)}, other_network)
    first = next(iter(used_weights))
    save_file(used_weights | {first: torch.zeros(3)}, other_shape)
    cut, cut_pth, text = tmp_path / "cut.safetensors", tmp_path / "cut.pth", tmp_path / "weights.txt"
    cut.write_bytes(whole.read_bytes()[:-100])
    torch.save(used_weights, cut_pth)
    cut_pth.write_bytes(cut_pth.read_bytes()[:2000])
    text.touch()
    for path, why in {
        tmp_path / "gone.safetensors": "There is no weights file",
        other_network: f"lacks .* tensors of {NETWORK}, .* for one",
        other_shape: "does not fit .* must be",
        cut: "cannot be read as weights .*; download it again",
        cut_pth: "cannot be read as weights .*; download it again",
        text: r"expected \.safetensors or \.pth",
    }.items():
        with pytest.raises(WeightsError, match=why) as error:
            create(name=NETWORK, weights=str(path))
        assert "\n" not in str(error.value)


def test_nothing_in_a_pth_file_is_run(tmp_path: Path) -> None:
    path, made = tmp_path / "bomb.pth", tmp_path / "made"
    path.write_bytes(pickle.dumps(Bomb(made), protocol=2))
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        create(name=NETWORK, weights=str(path))
    torch.save({"conv1.weight": Bomb(made)}, path)
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        create(name=NETWORK, weights=str(path))
    assert not made.exists()


def test_weights_of_another_network_do_not_fit_the_embedded_one(
    used_weights: dict[str, Tensor], tmp_path: Path
) -> None:
    save_file(used_weights, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match="does not fit the embedded backbone; leave --weights out"):
        create(weights=str(tmp_path / "w.safetensors"))


def test_a_hub_that_cannot_be_reached_is_one_sentence_with_both_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    monkeypatch.setenv("HF_HOME", "/nowhere")
    started = time.monotonic()
    with pytest.raises(WeightsError) as error:
        create(name=NETWORK)
    assert time.monotonic() - started < 5
    assert str(error.value).startswith(f"The weights of {NETWORK} cannot be downloaded from the hub (")
    assert str(error.value).endswith("give --weights FILE, or use --backbone embedded, which needs no download.")
