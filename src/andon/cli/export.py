"""andon export: a model as one file that inspects without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from andon.cli import _options as options
from andon.errors import InputError


def command(
    model: options.Model,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write, such as part.andon or part.onnx.")],
    to: Annotated[
        Literal["andon", "onnx"],
        typer.Option(help="andon: a file for 'andon inspect'; onnx: for your own runtime, with the rest in an .npz."),
    ] = "andon",
    photos: Annotated[
        Path | None,
        typer.Option(help="Folder of photos of the part, OK and NG, to hold the exported model against the model."),
    ] = None,
    keep_photos: Annotated[
        bool,
        typer.Option(
            "--keep-photos/--no-keep-photos",
            help="Put those photos into the file, so that 'andon doctor FILE' can judge them again.",
        ),
    ] = True,
    overwrite: options.Overwrite = False,
    weights: options.Weights = None,
) -> None:
    """Write a model as one file that inspects on a computer without torch.

    The file takes the place of the model in 'andon inspect'. Before it is written, it
    judges some photos beside the model itself: those of --photos or, without them,
    the small OK photos in the model, each with and without a drawn defect. If
    a score differs by more than 0.01 %, or a verdict changes, nothing is written. With
    matrix instructions for bf16, scores may differ by 1 %.

    --to onnx writes part.onnx and part.npz, for a runtime of your own.

    Example: andon export bolt.safetensors -o bolt.andon --photos photos/bolt
    """
    from andon.models.trained import load_taught

    if to == "onnx" and photos is not None:
        raise InputError("--photos is for --to andon: a network in ONNX is held against the model without photos.")
    if to == "andon" and out.suffix.lower() == ".onnx":
        raise InputError(f"{out} is named as ONNX; add --to onnx, or give a name such as {out.stem}.andon with -o.")
    if out.exists() and out.samefile(model):
        raise InputError(f"{out} is the model itself; give another name with -o, such as {model.stem}.andon.")
    taught = load_taught(model, weights=weights)
    if to == "onnx":
        from andon.export.onnx import write_onnx

        network, rest = write_onnx(taught, out, overwrite=overwrite)
        typer.echo(f"Exported: {network} ({network.stat().st_size / 1e6:.1f} MB), with the rest in {rest}")
        return
    from andon.export.export import export

    certified = export(taught, out, photos=photos, keep_photos=keep_photos, overwrite=overwrite)
    for precision, off in certified.worst.items():
        does = "" if precision in certified.precisions else ", which is too far: it will not be used"
        typer.echo(f"{certified.probes} probe photos in {precision}: scores differ by {off:.1e} at most{does}")
    typer.echo(
        f"Exported: {out} ({out.stat().st_size / 1e6:.1f} MB). It inspects without torch: andon inspect {out} PHOTOS"
    )
