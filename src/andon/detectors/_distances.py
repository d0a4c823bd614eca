"""Squared distances twice over: exactly, and by a fast float32 product that says how wrong it may be."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# What a product loses, relative to |a| |b|, where torch may round its factors to TF32 or bfloat16.
FACTOR_ROUNDING = {"highest": 0.0, "high": 2.0**-10, "medium": 2.0**-7}

Array = TypeVar("Array", Tensor, NDArray[np.float64])


def exact(a: Array, b: Array) -> Array:
    """The squared distances (K,) of the rows of `a` (K, D) to those of `b` (K or 1, D), both float64.

    A row is summed by folding it in two, not by a library's sum: so equal rows give equal bits, whatever is computed
    beside them, in numpy and in torch, on every machine.
    """
    terms = a - b
    terms *= terms
    while (width := terms.shape[1]) > 1:
        half = width // 2
        folded = terms[:, :half] + terms[:, half : 2 * half]
        if width % 2:
            folded[:, :1] += terms[:, -1:]
        terms = folded
    return terms[:, 0]


def screen(rows: Tensor, centres: Tensor, origin: Tensor) -> tuple[Tensor, float]:
    """The squared distances (R, C) of `rows` (R, D) to `centres` (C, D), and the most by which any can be wrong.

    All float32; the closer `origin` (D,) lies to the rows, the smaller the error. With unit roundoff u and
    t = |row| + |centre| seen from the origin, the product and the squared norms are wrong by at most D u t^2, summed in
    whatever order (Higham 2002, section 3.1); subtracting the origin and adding up cost another 6 u t^2. Twice that
    leaves room for terms in u^2, and the last summand for values that vanish when squared.
    """
    rows, centres = rows - origin, centres - origin
    row_norms, centre_norms = rows.square().sum(1), centres.square().sum(1)
    distances = torch.addmm(centre_norms, rows, centres.T, alpha=-2).add_(row_norms[:, None])
    largest = row_norms.max().sqrt().item() + centre_norms.max().sqrt().item()
    dim = rows.shape[1]
    unit = (dim + 8) * 2.0**-23 + FACTOR_ROUNDING[torch.get_float32_matmul_precision()]
    return distances, unit * largest**2 + dim * torch.finfo(torch.float32).tiny
