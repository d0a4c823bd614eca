"""The packages that only some work needs, and which extra of Andon brings each.

Inspecting needs none of them. They are imported where they are used, and a package that is not there is told of in one
place: the command line, and `andon.__getattr__`, pass its error through `missing`.
"""

from __future__ import annotations

from typing import NamedTuple

from andon.errors import MissingDependencyError


class Optional(NamedTuple):
    """A package as pip calls it, and the extra that brings it."""

    package: str
    extra: str


OPTIONAL = {
    "torch": Optional("torch", "train"),
    "sklearn": Optional("scikit-learn", "train"),
    "scipy": Optional("scipy", "train"),
    "matplotlib": Optional("matplotlib", "report"),
    "jinja2": Optional("jinja2", "report"),
    "timm": Optional("timm", "backbones"),
    "torchvision": Optional("torchvision", "backbones"),
    "onnx": Optional("onnx", "onnx"),
    "onnxscript": Optional("onnxscript", "onnx"),
    "transformers": Optional("transformers", "sam"),
    "sqlalchemy": Optional("sqlalchemy", "serve"),
    "alembic": Optional("alembic", "serve"),
    "httpx": Optional("httpx", "serve"),
    "paho": Optional("paho-mqtt", "serve"),
    "fastapi": Optional("fastapi", "serve"),
    "starlette": Optional("starlette", "serve"),
    "uvicorn": Optional("uvicorn", "serve"),
    "prometheus_client": Optional("prometheus_client", "serve"),
    "psycopg": Optional("psycopg", "postgres"),
    "pyarrow": Optional("pyarrow", "parquet"),
    "fsspec": Optional("fsspec", "batch"),
    "ray": Optional("ray[data]", "ray"),
    "pillow_heif": Optional("pillow-heif", "heic"),
}
"""By the name that is imported."""


def missing(error: ModuleNotFoundError) -> MissingDependencyError | None:
    """What to tell of a package that could not be imported; None of one that no extra brings, which is a bug."""
    optional = OPTIONAL.get(error.name or "")
    if optional is None:
        return None
    return MissingDependencyError(
        f"This needs {optional.package}, which is not installed; run: pip install 'andon[{optional.extra}]'"
    )
