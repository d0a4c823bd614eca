"""The description of the API: FastAPI's, with the schema of rows in it, and without what cannot happen."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from andon.rows import Cells, schema
from andon.server.api.shapes import ROW

UNUSED = ("HTTPValidationError", "ValidationError")


def describe(app: FastAPI) -> Cells:
    """The description in OpenAPI 3.1, made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        described: Cells = _with_rows(made)
        schemas = described["components"]["schemas"]
        for name in UNUSED:
            schemas.pop(name, None)
        schemas["Row"] = {key: value for key, value in schema().items() if key != "$schema"}
        app.openapi_schema = described
    return app.openapi_schema


def _with_rows(node: Any) -> Any:
    """The same tree with a reference to the row's schema where one belongs."""
    if isinstance(node, list):
        return [_with_rows(one) for one in node]
    if not isinstance(node, dict):
        return node
    if node.get("title") == ROW:
        return {"$ref": "#/components/schemas/Row"}
    return {key: _with_rows(value) for key, value in node.items()}
