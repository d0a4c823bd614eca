"""The networks of Patch-SVDD: an encoder of small and of large patches, and what its features must tell.

The encoder is a convolution over the whole photo, so neighbouring patches share their work: one pass encodes them all.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDE = 4  # px between two patches
SIZES = (32, 64)  # px, sides of the small and the large patches
DIMENSIONS = 64
SLOPE = 0.1
CELLS = SIZES[0] // STRIDE  # from a small patch to the next that shares nothing with it
RIM = (SIZES[1] - STRIDE) // 2  # px added all round, so that there is one patch of each size per STRIDE pixels
DIRECTIONS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


class Encoder(nn.Module):
    """Section 3.4: a large patch is encoded from the features of the four small ones that it consists of."""

    def __init__(self) -> None:
        super().__init__()
        self.small = nn.Sequential(
            nn.Conv2d(3, 32, 4, stride=2),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(32, 48, 3, stride=2),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(48, 64, 3),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(64, 64, 3),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(64, DIMENSIONS, 3),
            nn.Tanh(),
        )
        self.large = nn.Sequential(
            nn.Conv2d(DIMENSIONS, 128, 2, dilation=CELLS),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(128, DIMENSIONS, 1),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) in [0, 1] -> features of the small and of the large patches, (B, D, H / 4, W / 4) each.

        What reaches beyond the photo sees its edge repeated.
        """
        small = self.small(F.pad(2 * x - 1, (RIM, RIM, RIM, RIM), mode="replicate"))
        large = self.large(small)
        inner = CELLS // 2
        return small[..., inner:-inner, inner:-inner], large


class Classifier(nn.Sequential):
    """Section 3.3: in which of eight directions one patch lies from another, from the difference of their features."""

    def __init__(self) -> None:
        super().__init__(
            nn.Linear(DIMENSIONS, 128),
            nn.LeakyReLU(SLOPE),
            nn.Linear(128, 128),
            nn.LeakyReLU(SLOPE),
            nn.Linear(128, len(DIRECTIONS)),
        )


def losses(
    features: Tensor, inside: Tensor, classifier: Classifier, size: int, pairs: int, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    """The two losses over random pairs of patches of one size: that of the direction, and SVDD'.

    Equation 4, SVDD': the squared distance of the features of two patches an eighth of their side apart or less.
    Equation 5: the cross entropy of the direction of patches that lie three quarters to one side apart.

    Args:
        features: (B, D, h, w).
        inside: (B, h, w) bool, the patches that may take part.
        size: side of a patch in pixels.
        pairs: how many of each kind.
        generator: None for torch's own.
    """
    _, _, h, w = features.shape
    side = size // STRIDE
    positions = inside.nonzero()
    photo, row, column = positions[torch.randint(len(positions), (pairs,), generator=generator)].unbind(dim=1)
    table = features.permute(0, 2, 3, 1).flatten(0, 2)

    def at(rows: Tensor, columns: Tensor) -> Tensor:
        """The features (pairs, D) at positions, and at the nearest one where a position lies beyond the photo."""
        # an embedding, because the gradient of plain indexing depends on the order in which threads come
        return F.embedding((photo * h + rows.clamp(0, h - 1)) * w + columns.clamp(0, w - 1), table)

    here = at(row, column)
    jitter = torch.randint(-(side // 8), side // 8 + 1, (2, pairs), generator=generator)
    svdd = (here - at(row + jitter[0], column + jitter[1])).square().sum(dim=1).mean()

    direction = torch.randint(len(DIRECTIONS), (pairs,), generator=generator)
    away = torch.randint(3 * side // 4, side + 1, (2, pairs), generator=generator)
    down, right = torch.tensor(DIRECTIONS)[direction].T * away
    exists = (row + down >= 0) & (row + down < h) & (column + right >= 0) & (column + right < w)
    logits = classifier(at(row + down, column + right) - here)
    entropy = F.cross_entropy(logits, direction, reduction="none")
    return (entropy * exists).sum() / exists.sum().clamp(min=1), svdd
