"""andon schema: what stands in a row."""

from __future__ import annotations

import json

import typer


def command() -> None:
    """Print the JSON Schema of the rows that inspect and evaluate write.

    Example: andon schema > row.schema.json
    """
    from andon.rows import schema

    typer.echo(json.dumps(schema(), indent=2, ensure_ascii=False))
