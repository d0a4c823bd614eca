"""Options that several commands share, each declared once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from andon.errors import InputError

Model = Annotated[Path, typer.Argument(help="Model file made by andon train.", metavar="MODEL")]
AnyModel = Annotated[Path, typer.Argument(help="Model file made by andon train or andon export.", metavar="MODEL")]
AllowDuplicates = Annotated[bool, typer.Option(help="Go on even where a test photo is identical to a training photo.")]
Weights = Annotated[Path | None, typer.Option(help="The backbone's weights, where they have moved.")]
Precision = Annotated[
    Literal["auto", "f32", "bf16"], typer.Option(help="What the network computes in; auto: bf16 where it is fast.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="SECTION.NAME=VALUE", help="section.name=value, in place of the recipe's value. Repeatable."
    ),
]
NoGuard = Annotated[
    bool, typer.Option("--no-guard", help="Judge every photo, whatever it shows; none is then invalid.")
]
Seed = Annotated[int | None, typer.Option(help="The same photos and seed give the same result.")]
FalseRejectRate = Annotated[
    float | None, typer.Option(help="Promise this false-reject rate (conformal), for example 0.01.")
]
Review = Annotated[
    bool | None,
    typer.Option("--review/--no-review", help="Whether scores just below the threshold get the verdict review."),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace a model of that name; the old one is kept beside it as NAME.old.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")]
Explain = Annotated[
    bool, typer.Option("--explain", help="Name the OK photo that each region looks most like, and show it.")
]
PartIdFrom = Annotated[
    str | None,
    typer.Option(
        metavar="REGEX", help="Pattern for the part id in a photo's file name: its first group, or the whole match."
    ),
]


def promise(false_reject_rate: float | None) -> dict[str, object]:
    """What --false-reject-rate lays over a recipe."""
    if false_reject_rate is None:
        return {}
    return {"calibration.method": "conformal", "calibration.false_reject_rate": false_reject_rate}


def part_id_pattern(text: str | None) -> re.Pattern[str] | None:
    """The regular expression, or None where none was given.

    Raises:
        InputError: it is not a regular expression.
    """
    try:
        return None if text is None else re.compile(text)
    except re.error as error:
        raise InputError(
            f"--part-id-from {text!r} is not a regular expression ({error}); for example '(.+)_cam1' takes what stands "
            "before _cam1."
        ) from None
