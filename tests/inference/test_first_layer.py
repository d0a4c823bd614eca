"""The first layer in bf16: the same sums as in float32, from numbers that bf16 holds."""

from __future__ import annotations

import numpy as np
import openvino as ov
import pytest

from andon.inference.first_layer import with_exact_first_layer

SIZE = (12, 20)


def network(channels: int, stride: int = 2) -> ov.Model:
    op, generator = ov.opset13, np.random.default_rng(0)
    pixels = op.parameter([1, channels, *SIZE], np.float32)
    weights = generator.normal(size=(5, channels, 3, 3)).astype(np.float32)
    maps = op.convolution(pixels, op.constant(weights), [stride, stride], [1, 1], [1, 1], [1, 1])
    return ov.Model([op.relu(maps)], [pixels], "network")


def computed(model: ov.Model, x: np.ndarray) -> np.ndarray:
    return np.asarray(ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([x])[0])


def rounded(model: ov.Model) -> list[float]:
    """By how much bf16 would change each constant of the network, and what goes into its convolution, relatively."""
    return [
        float(np.abs(node.get_data() - as_bf16(node.get_data())).max() / np.abs(node.get_data()).max())
        for node in model.get_ordered_ops()
        if node.get_type_name() == "Constant" and node.get_data().ndim == 4
    ]


def as_bf16(values: np.ndarray) -> np.ndarray:
    return (values.astype(np.float32).view(np.uint32) + 0x8000 & 0xFFFF0000).astype(np.uint32).view(np.float32)


@pytest.mark.parametrize("stride", [1, 2])
def test_in_float32_it_computes_the_same(stride: int) -> None:
    x = np.random.default_rng(1).normal(size=(1, 3, *SIZE)).astype(np.float32)
    expected = computed(network(3, stride), x)
    np.testing.assert_allclose(
        computed(with_exact_first_layer(network(3, stride)), x), expected, atol=5e-4
    )  # lo times lo is left out


def test_what_bf16_would_round_off_is_left_to_channels_of_its_own() -> None:
    (before,), (after,) = rounded(network(3)), rounded(with_exact_first_layer(network(3)))
    assert before > 1e-3 and after < 1e-5


def test_rounded_as_bf16_does_it_sums_differ_a_tenth_as_much() -> None:
    x = np.random.default_rng(2).normal(size=(1, 3, *SIZE)).astype(np.float32)
    expected = computed(network(3), x)
    plain = computed(network(3), as_bf16(x))
    high = np.round(x * 32) / 32
    assert (as_bf16(high) == high).all()
    exact = computed(with_exact_first_layer(network(3)), high + as_bf16(x - high))
    assert np.abs(exact - expected).max() < 0.1 * np.abs(plain - expected).max()


def test_a_network_that_sees_something_else_is_left_alone() -> None:
    assert len(with_exact_first_layer(network(4)).get_ops()) == len(network(4).get_ops())
