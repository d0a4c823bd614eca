"""ViTs of timm, with random weights of the true shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from andon import backbones
from andon.backbones import Backbone, BackboneConfig
from andon.detectors._embedding import embed
from andon.errors import ConfigError, WeightsError

DINO = "vit_small_patch14_dinov2"
REGISTERS = "vit_small_patch14_reg4_dinov2"
DEIT = "deit_tiny_patch16_224"


def create(name: str, **parameters: Any) -> Backbone:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return backbones.create(BackboneConfig(name=name, **parameters), pretrained=False)


def photo(height: int = 70, width: int = 98) -> Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("name", "size", "grid"),
    [(DINO, (70, 98), (5, 7)), (DINO, (64, 96), (5, 7)), (DEIT, (64, 96), (4, 6)), (DEIT, (8, 40), (1, 2))],
)
def test_a_map_has_one_position_per_patch_and_covers_the_photo(
    name: str, size: tuple[int, int], grid: tuple[int, int]
) -> None:
    backbone = create(name, blocks=(0, 1))
    patch, channels = (14, 384) if name == DINO else (16, 192)
    assert (backbone.channels, backbone.strides) == ((channels, channels), (patch, patch))
    for tokens in backbone(photo(*size)):
        assert tokens.shape == (2, channels, *grid)
        torch.testing.assert_close(tokens.square().sum(dim=1), torch.ones(2, *grid))


def test_patches_stand_where_they_are_in_the_photo() -> None:
    backbone, x = create(DINO, blocks=(0,)), photo(70, 98)
    marked = x.clone()
    marked[:, :, 14:28, 56:70] = 1 - marked[:, :, 14:28, 56:70]  # the patch in row 1, column 4
    change = (backbone(marked)[0] - backbone(x)[0]).square().sum(dim=(0, 1))
    assert divmod(int(change.argmax()), 7) == (1, 4)


@pytest.mark.parametrize("name", [DEIT, REGISTERS])
def test_the_last_block_gives_the_normed_tokens_without_class_and_registers(name: str) -> None:
    backbone, x = create(name), photo(64, 96) if name == DEIT else photo()
    (tokens,) = backbone(x)
    network: Any = backbone.network
    expected = network.forward_features((x - backbone.mean) / backbone.std)[:, 1 if name == DEIT else 5 :]
    expected = torch.nn.functional.normalize(expected, dim=2)
    torch.testing.assert_close(tokens.flatten(2).transpose(1, 2), expected)


def test_blocks_count_from_either_end_and_what_lies_behind_them_is_left_out() -> None:
    backbone = create(DEIT, blocks=(-10, 0))
    assert "blocks.2." in "".join(backbone.state_dict()) and "blocks.3." not in "".join(backbone.state_dict())
    for tokens, expected in zip(backbone(photo()), create(DEIT, blocks=(0, 2))(photo()), strict=True):
        assert torch.equal(tokens, expected)


def test_settled_on_one_size_it_says_the_same_and_stays_what_it_was() -> None:
    backbone, x = create(DINO, blocks=(1,)), photo(64, 96)
    before = backbones.fingerprint(backbone)
    torch.testing.assert_close(backbone.for_size(64, 96)(x), backbone(x))
    assert backbones.fingerprint(backbone) == before


def test_its_embedding_is_not_averaged_over_neighbours() -> None:
    backbone, x = create(DEIT, blocks=(0, 1)), photo(64, 96)
    assert torch.equal(embed(backbone, x), torch.cat(backbone(x), dim=1))


def test_it_takes_its_weights_from_a_file_and_refuses_those_of_another(tmp_path: Path) -> None:
    random, path = create(DEIT, blocks=(1,)), tmp_path / "w.safetensors"
    save_file({name: value.clone() for name, value in random.network.state_dict().items()}, path)  # type: ignore[union-attr]
    torch.manual_seed(1)
    assert torch.equal(create(DEIT, blocks=(1,), weights=str(path))(photo())[0], random(photo())[0])
    with pytest.raises(WeightsError, match=f"lacks .* tensors of {DEIT}, .*blocks.2.* for one"):
        create(DEIT, blocks=(2,), weights=str(path))
    with pytest.raises(WeightsError, match="does not fit deit_small_patch16_224"):
        create("deit_small_patch16_224", blocks=(1,), weights=str(path))


@pytest.mark.parametrize("blocks", [(12,), (-13,), ()])
def test_a_block_that_there_is_not_is_refused(blocks: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=rf"^{DEIT} has blocks 0 to 11, .* but \[.*\] was asked for\.$"):
        create(DEIT, blocks=blocks)


def test_strides_mean_nothing_to_it() -> None:
    with pytest.raises(ConfigError, match=f"^backbone.strides is for a CNN, which {DEIT} is not; .*backbone.blocks"):
        create(DEIT, strides=(8, 16))


def test_a_hub_that_cannot_be_reached_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", "/nowhere")
    with pytest.raises(
        WeightsError, match=rf"^The weights of {DINO}\.lvd142m cannot be downloaded from the hub \(.*; give"
    ):
        backbones.create(BackboneConfig(name=f"{DINO}.lvd142m"))
