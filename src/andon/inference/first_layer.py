"""The first layer of a network in bf16 with pixels and weights as exact as in float32.

Most of what bf16 does to a score comes from the first convolution, whose pixels and weights keep 8 bits: all that
follows sees the difference. A number of more bits is the sum of two that bf16 holds, hi + lo. So with three times the
channels the same convolution is computed from (hi, lo, hi) and weights (hi, hi, lo); the product of the two lo is too
small to count. What it adds up is float32 as it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from andon.inference._openvino import ov

STEPS = 32  # per unit: normalised pixels lie within 4 of 0, so their hi has 8 bits


def with_exact_first_layer(network: ov.Model) -> ov.Model:
    """The network with its first convolution computed so; as it is where that does not see three channels of pixels."""
    first = next((node for node in network.get_ordered_ops() if node.get_type_name() == "Convolution"), None)
    if first is None or first.input_value(1).get_node().get_type_name() != "Constant":
        return network
    weights = first.input_value(1).get_node().get_data().astype(np.float32)
    if weights.shape[1] != 3:
        return network
    op = ov.opset13
    pixels = first.input_value(0)
    high = op.divide(op.round(op.multiply(pixels, np.float32(STEPS)), "half_to_even"), np.float32(STEPS))
    low = op.subtract(pixels, high)
    weights_high = _bf16(weights)
    split = np.concatenate([weights_high, weights_high, weights - weights_high], axis=1)
    exact = op.convolution(
        op.concat([high, low, high], axis=1),
        op.constant(split),
        first.get_attributes()["strides"],
        first.get_attributes()["pads_begin"],
        first.get_attributes()["pads_end"],
        first.get_attributes()["dilations"],
    )
    first.output(0).replace(exact.output(0))
    return network


def _bf16(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rounded to the 8 bits that bf16 keeps."""
    bits = values.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)
