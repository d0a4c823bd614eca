"""What stands after the question mark of an address."""

from __future__ import annotations

from typing import get_origin

from fastapi import Request
from fastapi.exceptions import RequestValidationError


def only_declared(request: Request) -> None:
    """A dependency of routes: a name that is misspelt or given twice is told, as its value would be lost in silence.

    Raises:
        RequestValidationError: there is such a name.
    """
    declared = {field.alias: field for field in request.scope["route"].dependant.query_params}
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in declared:
            raise _wrong(name, f"expected one of {', '.join(declared)}" if declared else "expected none")
        if given.count(name) > 1 and get_origin(declared[name].field_info.annotation) is not list:
            raise _wrong(name, "expected it once")


def _wrong(name: str, expected: str) -> RequestValidationError:
    return RequestValidationError([{"type": "parameter", "loc": ("query", name[:100]), "msg": expected}])
