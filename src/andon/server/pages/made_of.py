"""What pages are made of. One that is open in a browser while another Andon takes the server's place notices it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

TEMPLATES = Path(__file__).parent
STATIC = TEMPLATES.parent / "static"
DIGITS = 16
HEADER = "andon-pages"
"""Of every answer; the script loads its page again where that is made of something else."""


@cache
def made_of() -> str:
    """A digest of all that pages are made of: templates, style and script."""
    digest = hashlib.sha256()
    for path in sorted([*TEMPLATES.glob("*.html"), *STATIC.iterdir()], key=lambda path: path.name):
        if path.is_file():
            digest.update(f"{path.name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:DIGITS]
