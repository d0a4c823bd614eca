"""andon train: a model from OK photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from andon.cli import _options as options
from andon.cli._dataset import NONE_GIVEN, DatasetOptions, Exclude, SessionFrom, takes_dataset

if TYPE_CHECKING:
    from andon.datasets import Dataset
    from andon.models.taught import Taught
    from andon.recipes import Recipe
    from andon.types import Precision

MODEL = Path("model.safetensors")


@takes_dataset
def command(
    data: Annotated[
        Path | None, typer.Argument(metavar="DATA", help="Folder that holds the photos of OK parts.")
    ] = None,
    model: Annotated[Path, typer.Option("-o", "--output", help="Model file to write.")] = MODEL,
    recipe: Annotated[str, typer.Option(help="Name of a recipe, or a .toml file.")] = "default",
    detector: Annotated[str | None, typer.Option(help="Detector in place of the recipe's.")] = None,
    backbone: Annotated[
        str | None, typer.Option(help="'embedded', 'efficientnet_lite0', or any CNN or ViT of timm by name.")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="The backbone's weights: .safetensors or .pth.")] = None,
    coreset_ratio: Annotated[float | None, typer.Option(help="Largest share of patches in the bank.")] = None,
    target_dim: Annotated[int | None, typer.Option(help="Dimensions of an embedding.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Photos that the network sees at once.")] = None,
    image_size: Annotated[
        str | None, typer.Option(help="Size of the preprocessed photo in pixels, or 'auto'.", metavar="auto|N")
    ] = None,
    tile: Annotated[int | None, typer.Option(help="Cut the preprocessed photo into tiles of this side.")] = None,
    false_reject_rate: options.FalseRejectRate = None,
    review: options.Review = None,
    settings: options.Settings = None,
    thumbnails: Annotated[
        bool | None, typer.Option(help="Keep small pictures of the OK photos in the model, for inspect --explain.")
    ] = None,
    guard: Annotated[
        bool | None, typer.Option(help="Learn what photos of the part look like; anything else is then invalid.")
    ] = None,
    overwrite: options.Overwrite = False,
    preprocess_only: Annotated[
        Path | None, typer.Option(help="Write before/after sheets into this folder and train nothing.")
    ] = None,
    seed: options.Seed = None,
    which: DatasetOptions = NONE_GIVEN,
    exclude: Exclude = None,
    session_from: SessionFrom = None,
    allow_duplicates: options.AllowDuplicates = False,
    precision: options.Precision = "auto",
    bundle_backbone: Annotated[
        bool, typer.Option(help="Put the backbone's weights into the model file, for a computer without them.")
    ] = False,
    engine: Annotated[
        Literal["local", "ray"] | None,
        typer.Option(help="Look at the photos shard by shard, in this process or on a Ray cluster."),
    ] = None,
    address: Annotated[str | None, typer.Option(help="Of the Ray cluster; without it, one on this computer.")] = None,
    shard: Annotated[
        int | None, typer.Option(min=1, help="Photos of a shard, with --engine; 500 unless given.")
    ] = None,
) -> None:
    """Learn what a good part looks like from the OK photos in DATA.

    OK photos that the model has not seen set the threshold; test photos are
    never used. The model is one .safetensors file.

    Example: andon train photos/bolt -o bolt.safetensors --recipe fastener
    """
    from andon import datasets, recipes
    from andon.config import parse_value
    from andon.models.file import ensure_writable
    from andon.models.save import save
    from andon.teaching.thresholds import UNLIKE
    from andon.teaching.train import teach

    given = {
        "detector.name": detector,
        "backbone.name": backbone,
        "backbone.weights": None if weights is None else str(weights),
        "tiling.size": tile,
        "detector.coreset_ratio": coreset_ratio,
        "detector.target_dim": target_dim,
        "calibration.review": review,
        "training.batch_size": batch_size,
        "training.seed": seed,
        "training.thumbnails": thumbnails,
        "training.guard": guard,
        "image_size": None if image_size is None else parse_value(image_size),
    }
    plan = recipes.build(recipe, settings or (), given | options.promise(false_reject_rate))
    dataset = which.read(data, also_ng=plan.data.ng_names)
    dataset = datasets.with_sessions(datasets.excluding(dataset, exclude), session_from)
    if preprocess_only is not None:
        write_sheets(plan, dataset, preprocess_only)
        return
    checkpoint = model.with_suffix(".checkpoint.safetensors")
    overwrite = overwrite or checkpoint.exists()  # the model there is of a training that was cut off
    ensure_writable(model, overwrite=overwrite)
    if engine is None:
        _require_engine(address, shard)
        taught = teach(plan, dataset, allow_duplicates=allow_duplicates, precision=precision, checkpoint=checkpoint)
    else:
        taught = in_shards(plan, dataset, engine, address, shard, allow_duplicates, precision)
    save(taught, model, bundle_backbone=bundle_backbone, overwrite=overwrite)
    history = taught.detector.history
    if history is None or not history.interrupted:
        checkpoint.unlink(missing_ok=True)
    pictures = sum(len(thumbnail.jpeg) for thumbnail in taught.pipeline.thumbnails) / 1e6
    of_which = f", of which {pictures:.1f} MB are thumbnails of the OK photos" if pictures else ""
    if any(remark.startswith(UNLIKE) for remark in taught.manifest.threshold_remarks):
        photos = which.as_words(data)
        of_recipe = "" if recipe == "default" else f" --recipe {recipe}"
        typer.echo(f"To see which OK photos are unlike the others, and why: andon audit {photos}{of_recipe}")
    typer.echo(f"Model: {model} ({model.stat().st_size / 1e6:.1f} MB{of_which})")


def in_shards(
    recipe: Recipe,
    dataset: Dataset,
    engine: str,
    address: str | None,
    shard_size: int | None,
    allow_duplicates: bool,
    precision: Precision,
) -> Taught:
    """The model of a data set, its photos looked at in shards by an engine."""
    from andon import engines
    from andon.teaching.shards.teach import SHARD_SIZE, require_shards, teach

    require_shards(recipe)
    with engines.opened(engine, address) as opened:
        return teach(
            recipe,
            dataset,
            opened,
            shard_size=shard_size or SHARD_SIZE,
            allow_duplicates=allow_duplicates,
            precision=precision,
        )


def _require_engine(address: str | None, shard: int | None) -> None:
    from andon.errors import ConfigError

    for option, value in (("--address", address), ("--shard", shard)):
        if value is not None:
            raise ConfigError(
                f"{option} is for photos that are looked at shard by shard; add --engine ray, or leave it out."
            )


def write_sheets(recipe: Recipe, dataset: Dataset, folder: Path) -> None:
    """One sheet per photo of `dataset`: the photo, and what each step of `recipe` made of it."""
    from andon import datasets, images
    from andon.errors import ImageError
    from andon.line.pipeline import run_steps
    from andon.progress import track
    from andon.reports.pictures.before_after import before_after
    from andon.teaching.photos import settle_steps
    from andon.types import Frame

    images.mark_output(folder)
    opened = images.OpenedPhotos()
    unreadable = datasets.find_duplicates(dataset.samples, opened).unreadable
    for why in unreadable.values():
        typer.echo(f"Error: {why}", err=True)
    readable = [sample for sample in dataset.samples if sample.path not in unreadable]
    steps = settle_steps(recipe.steps, [s.path for s in readable if s.is_anomalous is False], opened)
    paths = [sample.path for sample in readable]
    for path, name in track(zip(paths, images.picture_names(paths), strict=True), "Preprocessing", len(paths)):
        photo = opened.open(path).image
        frame, stages = Frame.whole(photo), []
        try:
            for step_name, step in steps.items():
                frame = run_steps([step], frame, path)
                stages.append((step_name, frame))
        except ImageError as error:
            typer.echo(f"Error: {error}", err=True)
        images.write(folder / name, before_after(photo, stages))
    typer.echo(f"Before/after sheets: {folder}")
