"""What several commands do with the photos that are named to them."""

from __future__ import annotations

from collections.abc import Iterable

import typer

from andon.images import Walk, expand, picture_names
from andon.rows import printable

__all__ = ["named_photos", "picture_names"]


def named_photos(arguments: Iterable[str]) -> Walk:
    """The photos that files, folders and globs name; standard error says in one line what was left out and why.

    Raises:
        DatasetError: a folder holds no photo or a glob matches none.
    """
    found = expand(arguments)
    if found.left_out:
        typer.echo(printable(found.summary()), err=True)
    return found
