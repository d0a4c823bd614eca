"""andon alphas: threshold, precision and recall for each alpha of a Skip-GANomaly model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from andon.errors import DatasetError, InputError

if TYPE_CHECKING:
    from andon.datasets import Dataset
    from andon.evaluation.alphas import Row

DIGESTS = {"held-out": "calibration_sha256", "training-photos": "training_sha256"}


def command(
    model: Annotated[Path, typer.Argument(help="Model file of the detector skip_ganomaly.")],
    data: Annotated[Path, typer.Argument(help="The data set that it was taught with.")],
    threshold_from: Annotated[
        Literal["held-out", "training-photos"],
        typer.Option(help="OK photos that set the thresholds. Those that taught set them too low."),
    ] = "held-out",
    percentile: Annotated[float, typer.Option(min=0, max=100, help="Of their scores; makes the threshold.")] = 95,
    choose: Annotated[float | None, typer.Option(help="Write a model with this alpha to -o.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Model file to write.")] = None,
    layout: Annotated[str | None, typer.Option(help="Read DATA as this layout: folder, mvtec or roboflow.")] = None,
    ng_name: Annotated[list[str] | None, typer.Option(help="What NG is called. Repeatable.")] = None,
) -> None:
    """Print what each alpha gives, the share of the reconstruction error in the
    score.

    Precision and recall are of the labelled test photos in DATA. An alpha that
    is chosen by them does better on them than on others.

    Example: andon alphas plate.safetensors photos/plate
    """
    from dataclasses import replace

    import numpy as np

    from andon import datasets
    from andon.artefact import load_model, save_model
    from andon.evaluation import alphas
    from andon.model_file import ensure_writable, is_bundled
    from andon.training import recalibrate

    if (choose is None) != (output is None):
        raise InputError("--choose and -o belong together; give both, the alpha and the model file to write.")
    if output is not None:
        ensure_writable(output)
    pipeline = load_model(model)
    dataset = datasets.read(data, layout, ng_name or ())
    seen = {name: set(pipeline.manifest[key].values()) for name, key in DIGESTS.items()}
    setting = photos_with(dataset, seen[threshold_from])
    if not setting:
        raise DatasetError(
            f"{data} holds none of the photos that set the thresholds; give the data that taught {model}."
        )
    tested, _ = datasets.samples_to_evaluate(dataset.samples, set().union(*seen.values()))
    is_anomalous = np.array([bool(sample.is_anomalous) for sample in tested], dtype=bool)
    errors = alphas.errors_of(pipeline, setting), alphas.errors_of(pipeline, [sample.path for sample in tested])
    typer.echo("\n".join(as_lines(alphas.table(*errors, is_anomalous, percentile))))
    photos = f"{(~is_anomalous).sum()} OK and {is_anomalous.sum()} NG test photos of {dataset.root.resolve().name}"
    typer.echo(
        f"Threshold: {percentile:g}th percentile of {len(setting)} OK photos ({threshold_from}). "
        f"Precision and recall: on {photos}; an alpha chosen by them does better on them than on others."
    )
    if choose is not None and output is not None:
        chosen = alphas.with_alpha(pipeline, choose)
        chosen = recalibrate(chosen, chosen.recipe.calibration, photos_with(dataset, seen["held-out"]))
        remark = f"alpha {choose:g} was chosen in view of {photos}, so figures on those flatter the model."
        manifest = dict(chosen.manifest) | {"remarks": [*chosen.manifest["remarks"], remark]}
        save_model(replace(chosen, manifest=manifest), output, bundle_backbone=is_bundled(model))
        typer.echo(f"Model: {output}")


def photos_with(dataset: Dataset, digests: set[str]) -> list[Path]:
    """The OK photos of the data set whose sha256 is among `digests`."""
    from andon import images

    paths = (sample.path for sample in dataset.samples if sample.is_anomalous is False)
    return [path for path in paths if images.sha256(images.read_bytes(path)) in digests]


def as_lines(rows: list[Row]) -> list[str]:
    """The table for people."""
    lines = [f"{'alpha':>5} {'threshold':>10} {'precision':>10} {'recall':>10}"]
    lines += [f"{row.alpha:5.1f} {row.threshold:10.4f} {rate(row.precision)} {rate(row.recall)}" for row in rows]
    return lines


def rate(value: float | None) -> str:
    return f"{'undefined':>10}" if value is None else f"{value:10.4f}"
