"""The one training loop of all detectors that learn by gradient.

A detector gives its networks, their optimisers and two functions: `step` learns from a batch, `validate` measures on
photos that `step` never sees. The loop does the rest: epochs, the best of them, progress, Ctrl-C and checkpoints.
"""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from andon.detectors._base import HELD_OUT, Batch, History, require
from andon.detectors._checkpoint import Checkpoint, Losses, Tensors, Trainee, within
from andon.detectors._photos import choose, mixed, those
from andon.errors import ModelError, TrainingError
from andon.progress import counted

LOG = logging.getLogger("andon")

Step = Callable[[Tensor, Tensor], Mapping[str, float]]
Validate = Callable[[Tensor, Tensor], float]

SECONDS_BETWEEN_CHECKPOINTS = 60.0


@dataclass(frozen=True, kw_only=True)
class GradientConfig:
    """What the parameters of every detector that learns by gradient have in common.

    Attributes:
        epochs: at most.
        patience: epochs without a better one on held-out OK photos after which the training ends.
        learning_rate: of Adam.
    """

    epochs: int = 20
    patience: int = 5
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        require(self.epochs >= 1, "epochs", self.epochs, "1 or more")
        require(self.patience >= 1, "patience", self.patience, "1 or more")
        require(self.learning_rate > 0, "learning_rate", self.learning_rate, "above 0")


def train(
    batches: Iterable[Batch],
    *,
    modules: Mapping[str, nn.Module],
    optimisers: Mapping[str, Optimizer],
    step: Step,
    validate: Validate,
    epochs: int,
    patience: int,
    generator: torch.Generator,
    decays: bool = False,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train `modules`, and leave them in evaluation mode as they were after their best epoch.

    Ctrl-C ends the training with the best epoch so far, and so does a loss that is not finite.

    Args:
        batches: gives the same photos each time; `step` and `validate` get them blanked outside the ROI.
        step: takes x (B, 3, H, W) and roi (B, H, W), lets the optimisers do their steps and returns the losses by name.
        validate: takes the same and returns the batch's mean loss; the epoch where it is lowest is the best.
        patience: the training ends after this many epochs without a better one.
        generator: settles which photos are held out, in what order the others come, and what networks draw by chance.
        decays: learning rates fall linearly, to reach zero after the last of `epochs`.
        checkpoint: where the training resumes if it was cut off before.

    Raises:
        DatasetError: there are too few photos.
        TrainingError: a loss of the first epoch is not finite.
    """
    with torch.inference_mode(False), torch.enable_grad():
        teaches = choose(batches, generator)
        held_out = list(those(~teaches, batches))
        run = _Run(Trainee(modules, optimisers, generator), checkpoint)
        ending, interrupted = "", False
        try:
            with counted("Epoch", epochs, done=run.epoch) as tell:
                while run.epoch < epochs and run.epoch - run.best_epoch < patience:
                    _set_rates(optimisers, 1 - run.epoch / epochs if decays else 1)
                    losses = _learn(mixed(those(teaches, batches), generator), modules, step, generator)
                    losses[HELD_OUT] = _measure(held_out, modules, validate)
                    run.end_epoch(losses)
                    tell(", ".join(f"{name} {loss:.4g}" for name, loss in losses.items()))
        except KeyboardInterrupt:
            if not run.epoch:
                raise
            interrupted = True
            ending = "Ctrl-C ended the training; " + ("the same command resumes it; " if checkpoint else "")
        except FloatingPointError as error:
            ending = f"{error} in epoch {run.epoch + 1}, which ended the training; lower detector.learning_rate; "
            if not run.epoch:
                raise TrainingError(f"{ending.removesuffix('; ')}.") from None
        run.finish()
        n_held_out = int((~teaches).sum())
        photos = "photo" if n_held_out == 1 else "photos"
        kept = f"epoch {run.best_epoch}, the best on {n_held_out} held-out OK {photos}, is kept."
        note = f"{ending}{run.epoch} of at most {epochs} epochs were run; {kept}"
        LOG.log(logging.WARNING if ending else logging.INFO, note)
        return History(losses=run.losses, best_epoch=run.best_epoch, note=note, interrupted=interrupted)


@contextmanager
def seeded(generator: torch.Generator) -> Iterator[None]:
    """Within, `generator` settles what torch draws by chance: the first weights of networks, dropout."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**62, (), generator=generator)))
        yield


class _Run:
    """A training after its last finished epoch; resumes from the checkpoint if there is one.

    Attributes:
        losses: by name, one value per epoch.
    """

    def __init__(self, trainee: Trainee, checkpoint: Checkpoint | None) -> None:
        self.losses: Losses = {}
        self._trainee = trainee
        self._checkpoint = checkpoint
        self._now: Tensors = {}
        self._best: Tensors = {}
        self._written = time.monotonic()
        if found := checkpoint and checkpoint.read():
            tensors, self.losses = found
            self._now, self._best = within("now.", tensors), within("best.", tensors)
            trainee.put_back(self._now)
            LOG.info(f"The training resumes after epoch {self.epoch}, from {checkpoint.path}.")

    @property
    def epoch(self) -> int:
        """How many epochs are finished."""
        return len(self.losses.get(HELD_OUT, []))

    @property
    def best_epoch(self) -> int:
        """Counted from 1; 0 while none is finished."""
        held_out = self.losses.get(HELD_OUT, [])
        return held_out.index(min(held_out)) + 1 if held_out else 0

    def end_epoch(self, losses: Mapping[str, float]) -> None:
        """Record how the epoch went."""
        for name, loss in losses.items():
            self.losses.setdefault(name, []).append(loss)
        self._now = self._trainee.copy()
        if self.best_epoch == self.epoch:
            self._best = self._now
        if time.monotonic() - self._written >= SECONDS_BETWEEN_CHECKPOINTS:
            self._write_checkpoint()

    def finish(self) -> None:
        """Leave the modules as they were after the best epoch."""
        self._write_checkpoint()
        self._trainee.put_modules_back(self._best)
        for module in self._trainee.modules.values():
            module.eval()

    def _write_checkpoint(self) -> None:
        if self._checkpoint is None:
            return
        tensors = {f"now.{name}": tensor for name, tensor in self._now.items()}
        best = {f"best.{name}": tensor.clone() for name, tensor in self._best.items() if name.startswith("modules.")}
        try:
            self._checkpoint.write(tensors | best, self.losses)
        except ModelError as error:
            LOG.warning(f"The training continues without a checkpoint: {error}")
            self._checkpoint = None
        self._written = time.monotonic()


def _set_rates(optimisers: Mapping[str, Optimizer], share: float) -> None:
    """Set the learning rates to that share of their first values."""
    for optimiser in optimisers.values():
        for group in optimiser.param_groups:
            group["lr"] = share * group.setdefault("initial_lr", group["lr"])


def _learn(
    batches: Iterable[Batch], modules: Mapping[str, nn.Module], step: Step, generator: torch.Generator
) -> dict[str, float]:
    """One epoch; the mean of each loss."""
    for module in modules.values():
        module.train()
    total: defaultdict[str, float] = defaultdict(float)
    n = 0
    with seeded(generator):
        for x, roi in batches:
            for name, loss in step(x, roi).items():
                total[name] += len(x) * _finite(loss, name)
            n += len(x)
    return {name: loss / n for name, loss in total.items()}


def _measure(batches: Iterable[Batch], modules: Mapping[str, nn.Module], validate: Validate) -> float:
    """The mean loss of the photos that are held out."""
    for module in modules.values():
        module.eval()
    with torch.no_grad():
        losses = [(len(x), _finite(validate(x, roi), HELD_OUT)) for x, roi in batches]
    return sum(n * loss for n, loss in losses) / sum(n for n, _ in losses)


def _finite(loss: float, name: str) -> float:
    if not math.isfinite(loss):
        raise FloatingPointError(f"The loss {name!r} is not finite")
    return loss
