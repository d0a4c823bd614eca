"""The few files that pages need: read once, and given out by name. No path of a request is ever opened."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

from andon.server.errors import answer

FOLDER = Path(__file__).parent.parent / "static"
KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

router = APIRouter()


@router.get("/static/{name}")
def static(name: str) -> Response:
    """One of the files; everybody may have them."""
    found = _files().get(name)
    if found is None:
        return answer(404, f"There is no file {name!r}.")
    content, kind = found
    return Response(content, media_type=kind, headers={"cache-control": "no-cache"})


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    return {path.name: (path.read_bytes(), KINDS[path.suffix]) for path in FOLDER.iterdir() if path.suffix in KINDS}
