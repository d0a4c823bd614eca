"""andon alphas: threshold, precision and recall for each alpha of a Skip-GANomaly model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from andon.cli import _options as options
from andon.cli._dataset import NONE_GIVEN, DatasetOptions, takes_dataset
from andon.errors import DatasetError, InputError

if TYPE_CHECKING:
    from andon.datasets import Dataset
    from andon.models.taught import Taught
    from andon.teaching.alphas import Choice


@takes_dataset
def command(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Model file of the detector skip_ganomaly.")],
    data: Annotated[Path | None, typer.Argument(metavar="DATA", help="The data set that it was trained with.")] = None,
    threshold_from: Annotated[
        Literal["held-out", "training-photos"],
        typer.Option(help="OK photos that set the thresholds. Training photos set them too low."),
    ] = "held-out",
    percentile: Annotated[float, typer.Option(min=0, max=100, help="Percentile of their scores: the threshold.")] = 95,
    choose: Annotated[float | None, typer.Option(help="Write a model with this alpha to -o.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Model file to write.")] = None,
    overwrite: options.Overwrite = False,
    which: DatasetOptions = NONE_GIVEN,
) -> None:
    """Print the threshold, precision and recall that each alpha gives.

    Alpha is the share of the reconstruction error in the image score.

    Precision and recall are those on the labelled test photos in DATA. An alpha
    that is chosen by them does better on them than on others.

    Example: andon alphas plate.safetensors photos/plate
    """
    from dataclasses import replace

    import numpy as np

    from andon import datasets
    from andon.models.file import ensure_writable
    from andon.models.save import save
    from andon.models.trained import load_taught
    from andon.teaching import alphas

    if (choose is None) != (output is None):
        raise InputError("--choose and -o belong together; give both, the alpha and the model file to write.")
    if output is not None:
        ensure_writable(output, overwrite=overwrite)
    taught = load_taught(model)
    dataset = which.read(data, also_ng=taught.recipe.data.ng_names)
    tested, _ = datasets.samples_to_evaluate(dataset.samples, taught.manifest.seen)
    if not tested:
        raise DatasetError(
            f"{dataset.root} holds no labelled photos that {model} has not seen; give the data that trained it."
        )
    is_anomalous = np.array([bool(sample.is_anomalous) for sample in tested], dtype=bool)
    if threshold_from == "held-out":
        setting = alphas.held_out_errors(taught)
    else:
        setting = alphas.errors_of(taught, photos_that_trained(taught, dataset))
    tested_errors = alphas.errors_of(taught, [sample.path for sample in tested])
    typer.echo("\n".join(as_lines(alphas.table(setting, tested_errors, is_anomalous, percentile))))
    photos = f"{(~is_anomalous).sum()} OK and {is_anomalous.sum()} NG test photos of {dataset.root.resolve().name}"
    typer.echo(
        f"Threshold: {percentile:g}th percentile of {len(setting)} OK photos ({threshold_from}). "
        f"Precision and recall: on {photos}; an alpha chosen by them does better on them than on others."
    )
    if choose is not None and output is not None:
        chosen = alphas.recalibrated(taught, choose)
        remark = f"alpha {choose:g} was chosen in view of {photos}, so figures on those flatter the model."
        chosen = replace(chosen, manifest=chosen.manifest.remarked(remark))
        save(chosen, output, bundle_backbone=taught.is_bundled, overwrite=overwrite)
        typer.echo(f"Model: {output}")


def photos_that_trained(model: Taught, dataset: Dataset) -> list[Path]:
    """The OK photos of the data set that the model was trained with."""
    from andon import images

    digests = set(model.manifest.trained.digests)
    paths = (sample.path for sample in dataset.samples if sample.is_anomalous is False)
    photos = [path for path in paths if images.sha256(images.read_bytes(path)) in digests]
    if not photos:
        raise DatasetError(f"{dataset.root} holds none of the photos that trained the model; give the data that did.")
    return photos


def as_lines(rows: list[Choice]) -> list[str]:
    """The table for people."""
    lines = [f"{'alpha':>5} {'threshold':>10} {'precision':>10} {'recall':>10}"]
    lines += [f"{row.alpha:5.1f} {row.threshold:10.4f} {rate(row.precision)} {rate(row.recall)}" for row in rows]
    return lines


def rate(value: float | None) -> str:
    return f"{'undefined':>10}" if value is None else f"{value:10.4f}"
