"""What all HTML pages share: their templates and what these know."""

from __future__ import annotations

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from andon.reports.colours import VERDICT, hex_code
from andon.reports.number_format import number, percent, signed


def template(name: str) -> Template:
    """The template of that file name; `colours` and the filters for figures and pictures are known to it."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, number=number, signed=signed, data_uri=_data_uri)
    environment.globals["colours"] = {verdict: hex_code(colour) for verdict, colour in VERDICT.items()}
    return environment.get_template(name)


def _data_uri(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
