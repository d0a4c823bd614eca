"""What several commands do with the photos that are named to them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from andon.images import Walk, expand, picture_names
from andon.rows import printable

__all__ = ["named_photos", "photos_of_one_class", "picture_names"]


def named_photos(arguments: Iterable[str]) -> Walk:
    """The photos that files, folders and globs name; standard error says in one line what was left out and why.

    Raises:
        DatasetError: a folder holds no photo or a glob matches none.
    """
    found = expand(arguments)
    if found.left_out:
        typer.echo(printable(found.summary()), err=True)
    return found


def photos_of_one_class(place: Path, *, ng: bool) -> list[Path]:
    """The OK photos, or the NG photos, in a folder that may also hold others; or those that a file or pattern names.

    Raises:
        DatasetError: there are none.
    """
    from andon import datasets

    if not place.is_dir():
        return list(named_photos([str(place)]).photos)
    photos, remarks = datasets.photos_of_one_class(place, ng=ng)
    for remark in remarks:
        typer.echo(remark, err=True)
    return photos
