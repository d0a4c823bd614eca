"""andon batch: verdicts of very many photos, on several processes or computers."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from andon.cli import _options as options
from andon.errors import InputError
from andon.rows import VERDICTS, printable

if TYPE_CHECKING:
    from andon.batch.counting import Count

CORES = 4  # of a worker: one process with more threads gains little
LARGEST_SHARD = 1_000_000  # photos, whose rows a worker holds
MOST_MEMORY = 1_000_000  # GB


def command(
    model: options.AnyModel,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="Folder, list of photos (.txt, .csv), or URL such as s3://bucket/photos."
        ),
    ],
    out: Annotated[str, typer.Option("--out", "-o", help="Folder or URL for the verdicts, as Parquet.")],
    engine: Annotated[Literal["local", "ray"], typer.Option(help="What runs the workers.")] = "local",
    address: Annotated[str | None, typer.Option(help="Of the Ray cluster; without it, one on this computer.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that inspect; without it, as many as there are cores for.")
    ] = None,
    cores: Annotated[int | None, typer.Option(min=1, help=f"Of each worker; {CORES} at most unless given.")] = None,
    memory: Annotated[
        float, typer.Option(min=0.1, max=MOST_MEMORY, metavar="GB", help="That each worker may hold.")
    ] = 2.0,
    shard: Annotated[
        int | None,
        typer.Option(
            min=1, max=LARGEST_SHARD, help="Photos per part; 1000 unless given, fewer where there are few photos."
        ),
    ] = None,
    max_failures: Annotated[
        str, typer.Option(metavar="SHARE", help="Stop where more of the photos cannot be inspected.")
    ] = "1 %",
    retry_failures: Annotated[
        bool, typer.Option("--retry-failures", help="Inspect again the shards that hold failures.")
    ] = False,
    keep_maps: Annotated[bool, typer.Option("--keep-maps", help="Keep the anomaly maps, 256 pixels wide.")] = False,
    part_id_from: options.PartIdFrom = None,
    no_guard: options.NoGuard = False,
    precision: options.Precision = "auto",
) -> None:
    """Inspect very many photos: as many verdicts and listed failures as photos, counted at the end.

    The photos are written down first, in a manifest, and inspected in shards. A
    run that was stopped anywhere goes on when the same command is given again,
    with the other engine, too; two at once share the work. A photo that cannot
    be inspected is a row with the verdict error, and stands in failures.csv. A
    page, summary.html, shows the verdicts over time and the hundred worst photos.

    Exit code: 0 all photos have a row, 2 bad input, or more photos failed than
    --max-failures allows.

    Example: andon batch part.andon s3://plant/november -o s3://plant/verdicts --engine ray --address head:6379
    """
    from andon import resources
    from andon.batch.engine import Settings
    from andon.batch.place import Place
    from andon.batch.plan import Job, begin
    from andon.batch.run import FAILURES, inspect_all
    from andon.batch.source import Source
    from andon.batch.summary import write_summary
    from andon.models.load import load

    cap = _share(max_failures)
    if address is not None and engine != "ray":
        raise InputError("--address is of a Ray cluster; add --engine ray.")
    place = Place.at(out)
    photos = Source(source, options.part_id_pattern(part_id_from))
    pipeline = load(model, precision=precision)
    if no_guard:
        pipeline = replace(pipeline, guard=None)
    cores = cores or max(1, min(CORES, resources.cpus() // (workers or 1)))
    settings = Settings(workers=workers, cores=cores, memory=int(memory * 1e9), address=address)
    job = Job(model=model, pipeline=pipeline, source=photos, shard_size=shard, keep_maps=keep_maps)
    manifest = begin(place, job, workers)
    if photos.remarks:
        typer.echo(printable(photos.remarks), err=True)
    typer.echo(f"{_many(manifest.photos, 'photo')} in {_many(manifest.shards, 'shard')}", err=True)
    started = time.perf_counter()
    found = inspect_all(place, manifest, engine, settings, max_failures=cap, retry_failures=retry_failures)
    typer.echo(_where_time_went(found, time.perf_counter() - started), err=True)
    typer.echo(_counted(found))
    failures = f"; failures and why: {place.url}/{FAILURES}" if found.failures else ""
    typer.echo(f"Rows: {place.url}/parts{failures}", err=True)
    typer.echo(printable(f"Summary: {write_summary(place, manifest, found, pipeline)}"), err=True)


def _share(text: str) -> float:
    """Of "1 %", "1%" or "0.01".

    Raises:
        InputError: it is none of these.
    """
    try:
        share = Decimal(text.replace("%", "").strip()) / (100 if "%" in text else 1)
        is_share = 0 <= share <= 1
    except ArithmeticError:  # no number, or "nan"
        is_share = False
    if not is_share:
        raise InputError(f"--max-failures {text!r} is no share of the photos; give one such as '1 %' or 0.01.")
    return float(share)


def _counted(found: Count) -> str:
    judged = found.photos - found.failures
    counts = [(name, found.verdicts.get(name, 0)) for name in VERDICTS if name != "error"]
    verdicts = ", ".join(f"{n:,} {name}" for name, n in counts if n)
    return (
        f"Counted: {_many(found.photos, 'photo')} = {_many(judged, 'verdict')}{f' ({verdicts})' if verdicts else ''} + "
        f"{_many(found.failures, 'failure')}"
    )


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _where_time_went(found: Count, seconds: float) -> str:
    stages = ", ".join(f"{stage} {milliseconds:.1f} ms" for stage, milliseconds in found.stages.items())
    return f"{seconds:.1f} s{f'; per photo, stages overlapping: {stages}' if stages else ''}"
