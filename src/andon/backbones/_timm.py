"""The networks of timm by name, and where their weights come from."""

from __future__ import annotations

import difflib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from andon.backbones._base import read_weights
from andon.backbones.cnn import CnnBackbone
from andon.backbones.vit import VitBackbone
from andon.errors import ConfigError, MissingDependencyError, WeightsError
from andon.hub import fail_fast_offline
from andon.plugins import suggestion
from andon.torchvision_operators import declare_operators

if TYPE_CHECKING:
    from andon.backbones import BackboneConfig

# Where a network has several sets of ImageNet weights, torchvision's first ones are what the papers of this field
# used; later recipes classify better and detect anomalies worse.
PREFERRED_TAG = "tv_in1k"
VITS = ("vision_transformer", "deit", "eva")  # timm's modules of ViTs that take photos of any size


def load(config: BackboneConfig, *, pretrained: bool = True) -> CnnBackbone | VitBackbone:
    """The frozen network with the weights of the file `config.weights`, or else those of the hub.

    Only the layers that are used need to be in the file. With `pretrained` False and no file they stay random.

    Raises:
        ConfigError: timm has no such network, or it has no such feature maps.
        WeightsError: the hub cannot be reached or the file does not fit.
        MissingDependencyError: timm is not installed.
    """
    if config.weights is not None:
        backbone = _new(config)
        _fill(backbone, Path(config.weights), config.name)
    elif pretrained:
        backbone = _from_hub(config)
    else:
        backbone = _new(config)
    backbone.freeze()
    return backbone


def _new(config: BackboneConfig, *, pretrained: bool = False) -> CnnBackbone | VitBackbone:
    timm, name = import_timm(), config.name
    architecture = name.partition(".")[0]
    if not timm.is_model(architecture):
        close = difflib.get_close_matches(architecture, timm.list_models(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else "choose 'embedded', or a network of timm such as resnet18."
        raise ConfigError(f"timm has no network {name!r}; {hint}")
    if name != architecture and name not in (tagged := timm.list_pretrained(f"{architecture}.*")):
        raise ConfigError(f"timm has no weights {name!r}; {suggestion(name, tagged)}")
    is_vit = timm.models.is_model_in_modules(architecture, VITS)
    options = {"dynamic_img_size": True} if is_vit else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "Mapping deprecated model name"
        network = timm.create_model(_with_tag(timm, name), pretrained=pretrained, num_classes=0, **options)
    if not hasattr(network, "forward_intermediates"):
        raise ConfigError(f"{name} gives no intermediate feature maps in timm {timm.__version__}; choose another.")
    if is_vit:
        return VitBackbone(name, network, config.blocks_of_vit())
    return CnnBackbone(name, network, config.strides_of_cnn())


def _from_hub(config: BackboneConfig) -> CnnBackbone | VitBackbone:
    fail_fast_offline()
    _new(config)  # a misspelt name or stride shows before the download
    try:
        return _new(config, pretrained=True)
    except Exception as error:  # the hub's client has a dozen kinds: offline, timeout, no such file, ...
        reason = type(error).__name__
        raise WeightsError(
            f"The weights of {config.name} cannot be downloaded from the hub ({reason}); give --weights FILE, "
            "or use --backbone embedded, which needs no download."
        ) from None


def _fill(backbone: CnnBackbone | VitBackbone, path: Path, name: str) -> None:
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


def import_timm() -> Any:
    try:
        declare_operators()
        import timm
    except ImportError:
        raise MissingDependencyError(
            "Backbones other than 'embedded' need timm; install it with: pip install 'andon[backbones]'."
        ) from None
    return timm
