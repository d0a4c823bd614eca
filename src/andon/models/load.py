"""Read a model to inspect with it. One that was exported needs no torch."""

from __future__ import annotations

from pathlib import Path

from andon.errors import ConfigError, MissingDependencyError
from andon.line.pipeline import Pipeline
from andon.models import exported
from andon.models.file import read
from andon.types import Precision


def load(path: Path | str, *, weights: Path | str | None = None, precision: Precision = "auto") -> Pipeline:
    """The model in the file at `path`, ready to inspect: one of `andon train`, or one of `andon export`.

    Args:
        weights: where the backbone's weights are now, when they are neither bundled nor where they were.
        precision: what the network computes in; "auto" is bf16 where the processor has it, else f32.

    Raises:
        ModelError: no such file, not a model of ours, damaged, from a newer Andon, or trained on other weights.
        WeightsError: the backbone's weights cannot be found or downloaded.
        ConfigError: the model was exported, and is not certified in this precision or needs no weights.
        MissingDependencyError: the model was not exported, and torch is not installed.
    """
    path = Path(path)
    contents = read(path)
    if exported.is_exported(contents):
        if weights is not None:
            raise ConfigError(f"{path} was exported and holds its network; leave the weights out.")
        return exported.pipeline_of(contents, path, precision)
    try:
        from andon.models.trained import taught_of
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingDependencyError(
            f"{path} needs torch, which is not installed; run 'andon export {path.name} -o part.andon' where it was "
            "trained and inspect with that file, or run: pip install 'andon[train]'"
        ) from None
    return taught_of(contents, path, weights=weights, precision=precision).pipeline
