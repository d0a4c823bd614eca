"""OpenVINO networks made ready for threads that compute side by side, and kept compiled between runs."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from queue import SimpleQueue
from threading import Lock
from typing import Any

from numpy.typing import NDArray

from andon import resources
from andon.inference import network_cache
from andon.inference._openvino import ov
from andon.inference.first_layer import with_exact_first_layer

LOG = logging.getLogger("andon")
COMPILING = Lock()
DEVICE = "CPU"
PRECISION = "INFERENCE_PRECISION_HINT"
VERSION = "1"  # of what is done here to a network before it is compiled

Config = dict[str, str]
Array = NDArray[Any]
Size = tuple[int, int]


class Requests:
    """A compiled network's idle requests: one for each thread that computes at the same time.

    Threads that make the first calls of OpenVINO side by side wait forever, so each first call holds `COMPILING`.
    """

    def __init__(self, network: ov.CompiledModel, number: int) -> None:
        self._idle: SimpleQueue[tuple[ov.InferRequest, AbstractContextManager[object]]] = SimpleQueue()
        for _ in range(number):
            self._idle.put((network.create_infer_request(), COMPILING))

    def infer(self, inputs: Sequence[Array]) -> list[Array]:
        """The outputs, copied; it waits for an idle request."""
        request, alone = self._idle.get()
        try:
            with alone:
                return list(request.infer(list(inputs), share_inputs=True).values())
        finally:
            self._idle.put((request, nullcontext()))


class Networks:
    """One network's requests for photos of each size, compiled at the first of that size.

    Args:
        streams: how many photos are computed at once, by different threads; they share the cores.
    """

    def __init__(self, precision: str, streams: int) -> None:
        self._config = config_of(precision, streams)
        self._streams = streams
        self._requests: dict[Size, Requests | None] = {}

    def for_size(
        self, size: Size, make: Callable[[], ov.Model | None], identity: Callable[[], Sequence[str]]
    ) -> Requests | None:
        """See `compiled`; None, with a remark, where `make` gives None."""
        with COMPILING:
            if size not in self._requests:
                made = compiled(make, identity(), self._config)
                self._requests[size] = None if made is None else Requests(made, self._streams)
                if made is None:
                    LOG.warning("OpenVINO cannot run this network, so torch does, which is slower.")
            return self._requests[size]


def config_of(precision: str, streams: int) -> Config:
    """How OpenVINO computes: in what precision, and how many photos side by side, which share the cores."""
    return {
        "NUM_STREAMS": str(streams),
        "INFERENCE_NUM_THREADS": str(resources.cpus()),
        PRECISION: precision,
    }


def compiled(make: Callable[[], ov.Model | None], identity: Sequence[str], config: Config) -> ov.CompiledModel | None:
    """The network that `make` gives, compiled; from the cache where it was compiled before. None where it gives None.

    Args:
        identity: all that tells this network from others.
    """
    key = _key(identity, config)
    if (found := _from_cache(key, config)) is not None:
        return found
    network = make()
    if network is None:
        return None
    if config[PRECISION] == "bf16":
        network = with_exact_first_layer(network)
    made = ov.Core().compile_model(network, DEVICE, config)
    network_cache.put(key, made.export_model().getvalue())
    return made


def _from_cache(key: str, config: Config) -> ov.CompiledModel | None:
    content = network_cache.get(key)
    if content is None:
        return None
    try:
        return ov.Core().import_model(io.BytesIO(content), DEVICE, config)
    except RuntimeError as error:  # it is whole, but this OpenVINO has no use for it
        LOG.debug(f"A compiled network in the cache is built again: {error}")
        return None


def _key(identity: Sequence[str], config: Config) -> str:
    """Changes whenever the compiled network would: with what it is, OpenVINO's version, and the processor."""
    processor = ov.Core().get_property(DEVICE, "FULL_DEVICE_NAME")
    parts = [VERSION, *identity, ov.__version__, processor, str(config)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
