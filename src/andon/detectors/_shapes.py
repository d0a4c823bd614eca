"""What the arrays that a detector learned must look like, so that a model file cannot bring others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from andon.errors import ModelError


class Shape(NamedTuple):
    """Sizes of an array: numbers, and letters for free sizes from 1 on, the same wherever the letter stands."""

    sizes: tuple[int | str, ...]
    dtype: torch.dtype = torch.float32


def require_shapes(tensors: Mapping[str, Tensor], shapes: Mapping[str, Shape]) -> None:
    """Refuse arrays of another kind.

    Raises:
        ModelError: one has another shape or type, or holds values that are not numbers.
    """
    letters: dict[str, int] = {}
    for name, shape in shapes.items():
        tensor = tensors[name]
        fits = tensor.dtype == shape.dtype and tensor.ndim == len(shape.sizes)
        for size, wanted in zip(tensor.shape, shape.sizes, strict=False):
            fits &= size == (letters.setdefault(wanted, size) if isinstance(wanted, str) else wanted) and size > 0
        if not fits:
            found = f"{tuple(tensor.shape)} {tensor.dtype}".replace("torch.", "")
            expected = f"({', '.join(map(str, shape.sizes))}) {shape.dtype}".replace("torch.", "")
            raise ModelError(f"Its {name} is {found} and must be {expected}; train it again.")
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise ModelError(f"Its {name} holds values that are not numbers; train it again.")
