"""What a network computes in on this machine."""

from __future__ import annotations

import os
from typing import Literal, cast, get_args

from andon import resources
from andon.errors import ConfigError
from andon.plugins import suggestion
from andon.types import Precision

AUTO = "ANDON_PRECISION"
"""The environment variable that says what "auto" means on this machine."""


def settle(precision: Precision) -> Literal["f32", "bf16"]:
    """What "auto" means here: what ANDON_PRECISION says, else bf16 where the processor has matrix instructions for it.

    Where it has only vector instructions for bf16 (AVX-512), the networks take nearly twice as long as in f32.

    Raises:
        ConfigError: ANDON_PRECISION is not a precision.
    """
    if precision == "auto":
        precision = cast(Precision, os.environ.get(AUTO, "auto"))
    if precision == "auto":
        return "bf16" if resources.has_amx() else "f32"
    if precision not in get_args(Precision):
        raise ConfigError(f"{AUTO} is {precision!r}; {suggestion(precision, list(get_args(Precision)))}")
    return precision
