"""A checkpoint: where a training that was cut off resumes. One .safetensors file, written whole or not at all."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

from andon.errors import ModelError
from andon.files import write_whole

KEY = "andon checkpoint"
Tensors = dict[str, Tensor]
Losses = dict[str, list[float]]


@dataclass(frozen=True)
class Checkpoint:
    """Attributes:
    path: of the file.
    fingerprint: of all that the training depends on; a training never resumes from the file of another.
    """

    path: Path
    fingerprint: str

    def write(self, tensors: Tensors, losses: Losses) -> None:
        """Replace the file.

        Raises:
            ModelError: it cannot be written; the old one stays as it was.
        """
        header = json.dumps({"fingerprint": self.fingerprint, "losses": losses})
        try:
            write_whole(self.path, save(tensors, {KEY: header}))
        except OSError as error:
            raise ModelError(f"{self.path} cannot be written ({error.strerror or error}).") from None

    def read(self) -> tuple[Tensors, Losses] | None:
        """What was written; None where there is no file, a damaged one or that of another training."""
        try:
            with safe_open(self.path, framework="pt") as file:
                header = json.loads((file.metadata() or {})[KEY])
                if header["fingerprint"] != self.fingerprint:
                    return None
                return {name: file.get_tensor(name) for name in file.keys()}, header["losses"]  # noqa: SIM118
        except (SafetensorError, OSError, ValueError, KeyError):
            return None

    def remove(self) -> None:
        """Delete the file, if there is one."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Trainee:
    """All that changes in a training, for copies of it. The optimisers' settings follow from the epoch."""

    modules: Mapping[str, nn.Module]
    optimisers: Mapping[str, Optimizer]
    generator: torch.Generator

    def copy(self) -> Tensors:
        """Everything, by "modules.NAME.…", "optimisers.NAME.…" and "generator"."""
        tensors = {"generator": self.generator.get_state()}
        for name, module in self.modules.items():
            tensors |= {f"modules.{name}.{key}": tensor.clone() for key, tensor in module.state_dict().items()}
        for name, optimiser in self.optimisers.items():
            for parameter, memory in optimiser.state_dict()["state"].items():
                tensors |= {f"optimisers.{name}.{parameter}.{key}": tensor.clone() for key, tensor in memory.items()}
        return tensors

    def put_back(self, tensors: Tensors) -> None:
        """As it was at the time of the copy."""
        self.put_modules_back(tensors)
        for name, optimiser in self.optimisers.items():
            memory: defaultdict[int, Tensors] = defaultdict(dict)
            for key, tensor in within(f"optimisers.{name}.", tensors).items():
                parameter, _, entry = key.partition(".")
                memory[int(parameter)][entry] = tensor
            optimiser.load_state_dict(optimiser.state_dict() | {"state": dict(memory)})
        self.generator.set_state(tensors["generator"])

    def put_modules_back(self, tensors: Tensors) -> None:
        """Only the modules, as they were at the time of the copy."""
        for name, module in self.modules.items():
            module.load_state_dict(within(f"modules.{name}.", tensors))


def within(prefix: str, tensors: Tensors) -> Tensors:
    """The tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
