"""Proposals of an object's mask by Segment Anything (Kirillov et al., ICCV 2023), through transformers.

The one preprocessing step that needs torch; it is imported when the first photo is to be cut, not before.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from andon.errors import MissingDependencyError, WeightsError
from andon.preprocess._warp import Bounds
from andon.types import Mask, RgbImage

LOADING = Lock()  # photos are preprocessed in threads; one of them loads the model


def proposals(image: RgbImage, boxes: Sequence[Bounds], model: str) -> list[list[Mask]]:
    """All masks (H, W) that the model proposes for each box, in one run.

    Args:
        model: name on the hub, or folder.

    Raises:
        MissingDependencyError: transformers is not installed.
        WeightsError: the model cannot be loaded.
    """
    with LOADING:
        network, processor = _load(model)
    import torch

    corners = [[left, top, right, bottom] for top, left, bottom, right in boxes]
    inputs = processor(images=image, input_boxes=[corners], return_tensors="pt")
    with torch.inference_mode():
        found = network(pixel_values=inputs["pixel_values"], input_boxes=inputs["input_boxes"], multimask_output=True)
    sizes = inputs["original_sizes"], inputs["reshaped_input_sizes"]
    (masks,) = processor.image_processor.post_process_masks(found.pred_masks, *sizes)
    return [[np.asarray(mask.numpy(), dtype=np.bool_) for mask in of_box] for of_box in masks]


@cache
def _load(model: str) -> tuple[Any, Any]:
    """The network and what prepares its input."""
    from andon import hub
    from andon.torchvision_operators import declare_operators

    if not Path(model).is_dir():
        hub.fail_fast_offline()
    try:
        declare_operators()
        from transformers import SamModel, SamProcessor
    except ImportError:
        raise MissingDependencyError(
            "object_roi with a SAM model needs transformers; install it with: pip install 'andon[sam]', or leave "
            "steps.object_roi.model out, which needs no model."
        ) from None
    try:
        network = SamModel.from_pretrained(model, use_safetensors=True)
        return network.eval(), SamProcessor.from_pretrained(model)
    except Exception as error:  # the hub's client and the files have a dozen kinds of their own
        raise WeightsError(
            f"The SAM model {model!r} cannot be loaded ({type(error).__name__}); give a folder that holds config.json, "
            "model.safetensors and the processor's settings, or leave steps.object_roi.model out, which needs no model."
        ) from None
