"""Let torchvision be imported beside a CPU-only torch.

timm needs torchvision. The torchvision on PyPI is built for the CUDA torch; beside a CPU build its compiled operators
do not load, and the import fails because two of them are looked up by name. Declaring their schemas is enough for the
import; nothing in Andon calls them.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache

import torch

SCHEMAS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


@cache
def declare_operators() -> None:
    """Declare what torchvision's own library did not. Call before the first import of torchvision or timm.

    Where the library does load, its operators must not be declared a second time, so the import is tried first.
    """
    with suppress(ImportError):  # timm's own import says so
        try:
            import torchvision  # noqa: F401
        except RuntimeError:
            for name, schema in SCHEMAS.items():
                torch.library.define(f"torchvision::{name}", schema)
