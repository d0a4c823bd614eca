"""andon info: everything that a model file says of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

INDENT = "  "


def command(
    model: Annotated[Path, typer.Argument(help="Model file made by andon train.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON, photo digests included.")] = False,
) -> None:
    """Print a model's recipe, calibration and origin, without loading the model.

    Example: andon info bolt.safetensors
    """
    from andon.models.header import read_header

    header = read_header(model)
    if as_json:
        typer.echo(json.dumps(header, indent=2, ensure_ascii=False))
        return
    manifest = header["manifest"]
    header["manifest"] = {
        name: f"{len(value)} photos" if name.endswith("_sha256") else value for name, value in manifest.items()
    }
    if "losses" in manifest:
        best = manifest["best_epoch"] - 1
        del header["manifest"]["losses"]
        header["manifest"]["losses_in_best_epoch"] = {name: losses[best] for name, losses in manifest["losses"].items()}
    typer.echo(f"{model}: {model.stat().st_size / 1e6:.1f} MB")
    for line in outline(header):
        typer.echo(line)


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
