"""The backbone that sees each photo once."""

import pytest
import torch
from torch import Tensor

from andon.backbones import Backbone
from andon.teaching.remembering import RememberingBackbone


class Counting(Backbone):
    """Two maps, and how many photos it was given."""

    def __init__(self) -> None:
        super().__init__((3, 3), (2, 4))
        self.passed = 0

    def forward(self, x: Tensor) -> list[Tensor]:
        self.passed += len(x)
        return [x[:, :, ::2, ::2] * 2, x[:, :, ::4, ::4] * 3]


@pytest.fixture
def photos() -> Tensor:
    return torch.rand(5, 3, 16, 24, generator=torch.Generator().manual_seed(0))


def test_it_gives_the_same_maps_in_any_batch_and_order_and_computes_each_photo_once(photos: Tensor) -> None:
    counting = Counting()
    remembered = RememberingBackbone(counting)
    for chosen in ([0, 1, 2], [4], [3, 2, 4, 0]):
        expected = Counting()(photos[chosen])
        assert all(torch.equal(a, b) for a, b in zip(remembered(photos[chosen]), expected, strict=True))
    assert counting.passed == 5


def test_what_has_no_room_is_computed_again(photos: Tensor) -> None:
    counting = Counting()
    remembered = RememberingBackbone(counting, room=3 * 3 * (8 * 12 + 4 * 6) * 4)  # three of the photos
    for _ in range(2):
        assert torch.equal(remembered(photos)[1], Counting()(photos)[1])
    assert counting.passed == 5 + 2
