"""Any CNN of timm by name: its feature maps at given strides."""

from __future__ import annotations

import difflib
import os
import socket
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from torch import Tensor

from andon.backbones._base import IMAGENET_MEAN, IMAGENET_STD, Backbone, read_weights
from andon.backbones._torchvision import declare_operators
from andon.errors import ConfigError, MissingDependencyError, WeightsError

# Where a network has several sets of ImageNet weights, torchvision's first ones are what the papers of this field
# used; later recipes classify better and detect anomalies worse.
PREFERRED_TAG = "tv_in1k"


class CnnBackbone(Backbone):
    """The part of a timm network that leads to the feature maps at `strides`."""

    def __init__(self, name: str, strides: tuple[int, ...], *, pretrained: bool = False) -> None:
        timm = _import_timm()
        architecture = name.partition(".")[0]
        if not timm.is_model(architecture):
            close = difflib.get_close_matches(architecture, timm.list_models(), n=1)
            hint = f"did you mean {close[0]!r}?" if close else "choose 'embedded', or a CNN of timm such as resnet18."
            raise ConfigError(f"timm has no network {name!r}; {hint}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "Mapping deprecated model name"
            network = timm.create_model(_with_tag(timm, name), pretrained=pretrained, num_classes=0)
        if not hasattr(network, "forward_intermediates"):
            raise ConfigError(
                f"{name} gives no intermediate feature maps in timm {timm.__version__}; choose another CNN."
            )
        info = list(network.feature_info)
        index_of = {entry["reduction"]: index for index, entry in enumerate(info)}
        missing = [stride for stride in strides if stride not in index_of]
        if missing or not strides:
            raise ConfigError(
                f"{name} has feature maps at strides {sorted(index_of)}, but {list(strides)} was asked for."
            )
        strides = tuple(sorted(strides))
        self._indices = [index_of[stride] for stride in strides]
        config = network.pretrained_cfg
        super().__init__(
            tuple(info[index]["num_chs"] for index in self._indices),
            strides,
            tuple(config.get("mean", IMAGENET_MEAN)),
            tuple(config.get("std", IMAGENET_STD)),
        )
        network.prune_intermediate_layers(self._indices, prune_norm=True, prune_head=True)
        self.network = network

    def features(self, x: Tensor) -> list[Tensor]:
        maps: list[Tensor] = self.network.forward_intermediates(x, indices=self._indices, intermediates_only=True)
        return maps


def load_cnn(name: str, weights: str | None, strides: tuple[int, ...], *, pretrained: bool = True) -> CnnBackbone:
    """The frozen network with the weights of the file `weights`, or else the hub's ImageNet weights.

    Only the layers that are used need to be in the file. With `pretrained` False and no file they stay random.

    Raises:
        ConfigError: timm has no such network, or it has no map at such a stride.
        WeightsError: the hub cannot be reached or the file does not fit.
        MissingDependencyError: timm is not installed.
    """
    if weights is not None:
        backbone = CnnBackbone(name, strides)
        _fill(backbone, Path(weights), name)
    elif pretrained:
        backbone = _from_hub(name, strides)
    else:
        backbone = CnnBackbone(name, strides)
    backbone.freeze()
    return backbone


def _from_hub(name: str, strides: tuple[int, ...]) -> CnnBackbone:
    _fail_fast_offline()
    CnnBackbone(name, strides)  # a misspelt name or stride shows before the download
    try:
        return CnnBackbone(name, strides, pretrained=True)
    except Exception as error:  # the hub's client has a dozen kinds: offline, timeout, no such file, ...
        reason = type(error).__name__
        raise WeightsError(
            f"The weights of {name} cannot be had from the hub ({reason}); give a file with --weights FILE, or use "
            "--backbone embedded, which needs no download."
        ) from None


def _fail_fast_offline() -> None:
    """Where the hub's name cannot be resolved, use what is in its cache instead of retrying for a minute.

    The hub's client reads this variable when it is first imported, so this must come before timm.
    """
    if any(variable in os.environ for variable in ("HF_HUB_OFFLINE", "HTTPS_PROXY", "https_proxy")):
        return
    try:
        socket.getaddrinfo(urlsplit(os.environ.get("HF_ENDPOINT", "https://huggingface.co")).hostname, 443)
    except OSError:
        os.environ["HF_HUB_OFFLINE"] = "1"


def _fill(backbone: CnnBackbone, path: Path, name: str) -> None:
    given = read_weights(path)
    wanted = backbone.network.state_dict()
    missing = [key for key in wanted if key not in given and not key.endswith("num_batches_tracked")]
    if missing:
        raise WeightsError(
            f"{path} lacks {len(missing)} tensors of {name}, {missing[0]} for one; is it of that network?"
        )
    unfit = [key for key in wanted if key in given and given[key].shape != wanted[key].shape]
    if unfit:
        key = unfit[0]
        raise WeightsError(
            f"{path} does not fit {name}: {key} is {tuple(given[key].shape)} and must be {tuple(wanted[key].shape)}."
        )
    backbone.network.load_state_dict({key: given[key] for key in wanted if key in given}, strict=False)


def _with_tag(timm: Any, name: str) -> str:
    preferred = f"{name}.{PREFERRED_TAG}"
    return preferred if "." not in name and preferred in timm.list_pretrained(f"{name}.*") else name


def _import_timm() -> Any:
    try:
        declare_operators()
        import timm
    except ImportError:
        raise MissingDependencyError(
            "Backbones other than 'embedded' need timm; install it with: pip install 'andon[backbones]'."
        ) from None
    return timm
