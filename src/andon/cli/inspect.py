"""andon inspect: a verdict for every photo."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from andon.cli import _options as options
from andon.errors import ImageError, InputError

if TYPE_CHECKING:
    from andon.line.pipeline import Pipeline
    from andon.reports.row_files import Format
    from andon.types import Inspection

EXIT_NG = 1
EXIT_INPUT = 2


def command(
    model: options.AnyModel,
    photos: Annotated[list[str], typer.Argument(metavar="PATH", help="Photos, folders, or globs such as 'a/*.png'.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line and photo.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values with a header line.")] = False,
    excel: Annotated[
        bool, typer.Option("--excel", help="Begin CSV with the byte order mark by which Excel recognises UTF-8.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for inspections.csv, inspections.jsonl and the pictures.")
    ] = None,
    visualize: Annotated[
        bool, typer.Option("--visualize", help="Write pictures into --out; of isolated parts also into its parts/.")
    ] = False,
    explain: options.Explain = False,
    part_id_from: options.PartIdFrom = None,
    fail_on_ng: Annotated[bool, typer.Option("--fail-on-ng", help="Exit code 1 if any photo is NG.")] = False,
    no_guard: options.NoGuard = False,
    weights: options.Weights = None,
    precision: options.Precision = "auto",
) -> None:
    """Say of each photo: OK, review or NG, where it deviates, and how sure it is.

    A photo that is not like those of OK parts, such as one of an empty fixture,
    is invalid: it gets no verdict on the part, but the reasons.

    Rows appear in the order of the photos, each as soon as it is known. A photo
    that cannot be read is a row of its own; the others are inspected. At the
    end, standard error says how many of each there were and where the time went.

    Exit code: 0 all inspected, 1 some are NG (with --fail-on-ng), 2 bad input:
    at least one photo could not be inspected or is invalid.

    Example: andon inspect bolt.safetensors new_photos/ --json
    """
    from andon.cli._photos import named_photos, picture_names
    from andon.files import locked
    from andon.images import mark_output
    from andon.models.load import load
    from andon.reports.row_files import BYTE_ORDER_MARK, RESULT_FILES, RowFile, csv_line, echo
    from andon.rows import CSV_COLUMNS, VERDICTS, printable
    from andon.types import Failure

    if as_json and as_csv:
        raise InputError("--json and --csv exclude each other; choose one.")
    if visualize and out is None:
        raise InputError("--visualize needs a folder for the pictures; give --out DIR.")
    found = named_photos(photos)
    paths = found.photos
    if visualize and out is not None:
        mark_output(out)
    pattern = options.part_id_pattern(part_id_from)
    pipeline = load(model, weights=weights, precision=precision)
    if no_guard:
        pipeline = replace(pipeline, guard=None)
    how: Format = "json" if as_json else "csv" if as_csv else "text"
    verdicts, stages = Counter[str](), Counter[str]()
    started, unwritten, with_part_id = time.perf_counter(), 0, 0
    with ExitStack() as stack:
        if out is not None:
            stack.enter_context(locked(out))
        files = [] if out is None else [stack.enter_context(RowFile(out / name, excel=excel)) for name in RESULT_FILES]
        if as_csv:
            typer.echo((BYTE_ORDER_MARK if excel else "") + csv_line(CSV_COLUMNS))
        results = pipeline.inspect_batch(paths, part_id_from=pattern, with_map=visualize, explain=explain)
        for name, result in zip(picture_names(paths), results, strict=True):
            row = result.to_row()
            verdicts[row["verdict"]] += 1
            with_part_id += row["part_id"] is not None
            for file in files:
                file.write(row)
            echo(row, how)
            if isinstance(result, Failure):
                typer.echo(printable(f"Error: {result.error}"), err=True)
                continue
            stages.update(result.milliseconds)
            if out is not None and visualize:
                try:
                    _write_pictures(pipeline, result, out, name)
                except ImageError as error:  # its row is out; the others follow
                    typer.echo(printable(f"Error: {error}"), err=True)
                    unwritten += 1
    counts = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in VERDICTS if verdicts[verdict])
    typer.echo(f"{len(paths)} {'photo' if len(paths) == 1 else 'photos'}: {counts}", err=True)
    if pattern is not None and not with_part_id:
        typer.echo(f"No row has a part id: --part-id-from {part_id_from!r} matches none of the file names.", err=True)
    if stages:
        typer.echo(_where_time_went(stages, len(paths), time.perf_counter() - started), err=True)
    if out is not None:
        typer.echo(printable(f"Rows{' and pictures' if visualize else ''}: {out}"), err=True)
    if verdicts["error"] or verdicts["invalid"] or unwritten or any(left.is_unreadable for left in found.left_out):
        raise typer.Exit(EXIT_INPUT)
    if fail_on_ng and verdicts["NG"]:
        raise typer.Exit(EXIT_NG)


def _where_time_went(stages: Counter[str], photos: int, seconds: float) -> str:
    """The stages overlap, so their times add up to more than the time per photo."""
    per_stage = ", ".join(f"{stage} {milliseconds / photos:.1f} ms" for stage, milliseconds in stages.items())
    return f"{photos / seconds:.1f} photos per second; per photo, stages overlapping: {per_stage}"


def _write_pictures(pipeline: Pipeline, inspection: Inspection, out: Path, name: Path) -> None:
    """The panel, and in parts/ the part beside its boxes where a step told it from the rest of the photo."""
    from andon import images
    from andon.reports.pictures.panel import panel
    from andon.reports.pictures.part_and_regions import part_and_regions

    assert pipeline.calibration is not None and inspection.photo is not None  # inspect_batch saw to it
    photo = inspection.photo
    images.write(out / name, panel(photo, inspection, pixel_threshold=pipeline.calibration.pixel_threshold))
    if inspection.roi is not None and inspection.roi.any():
        images.write(out / "parts" / name, part_and_regions(photo, inspection, inspection.roi))
