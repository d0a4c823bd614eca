"""andon info: everything that a model file says of itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from andon.cli import _options as options

if TYPE_CHECKING:
    from andon.line.sessions import OfSession
    from andon.models.header import Header

INDENT = "  "


def command(
    model: options.AnyModel,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON, photo digests included.")] = False,
) -> None:
    """Print a model's recipe, calibration and origin, without loading the model.

    Example: andon info bolt.safetensors
    """
    from andon.models.header import read_header

    header = read_header(model)
    if as_json:
        typer.echo(json.dumps(everything(header), indent=2, ensure_ascii=False))
        return
    typer.echo(f"{model}: {model.stat().st_size / 1e6:.1f} MB")
    for line in outline(everything(header) | {"manifest": header.manifest.summary()}):
        typer.echo(line)


def everything(header: Header) -> dict[str, Any]:
    """The header as plain values, each photo with its digest."""
    calibration = header.calibration
    thumbnails = {
        "photos": len(header.thumbnails),
        "megabytes": round(sum(len(one.jpeg) for one in header.thumbnails) / 1e6, 2),
    }
    return {
        "format": header.format,
        "sha256": header.model_id.sha256,
        "recipe": header.recipe.to_tree(),
        "backbone": header.backbone,
        "calibration": calibration and calibration.summary(),
        "guard": header.guard and header.guard.summary(),
        "white": header.white,
        "sessions": sessions_of(header),
        "manifest": header.manifest.to_tree() | header.manifest.photos(),
        "thumbnails": thumbnails,
        **({} if header.export is None else {"export": header.export}),
    }


def sessions_of(header: Header) -> dict[str, Any]:
    """What the threshold does to each capture session, and what that says of another day."""
    from andon.line.sessions import by_session, in_words

    known = header.manifest.sessions
    if header.calibration is None:
        return {}
    rows = by_session(header.calibration, known.names, known.numbers)
    return {"in_words": in_words(rows), **{row.name: of_session(row) for row in rows}}


def of_session(row: OfSession) -> dict[str, Any]:
    """One session as plain values."""
    values = {"n": row.n, "median_score": round(row.median, 4), "rejected": row.rejected}
    return values | {"rejected_by_threshold_of_others": row.rejected_by_others}


def outline(tree: dict[str, Any], depth: int = 0) -> list[str]:
    """Nested values as indented "name: value" lines."""
    lines = []
    for name, value in tree.items():
        if isinstance(value, dict):
            lines += [f"{INDENT * depth}{name}:", *outline(value, depth + 1)]
        elif isinstance(value, list) and value and isinstance(value[0], str):
            lines += [f"{INDENT * depth}{name}:", *(f"{INDENT * (depth + 1)}- {item}" for item in value)]
        else:
            lines.append(f"{INDENT * depth}{name}: {value}")
    return lines
