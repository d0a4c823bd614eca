"""How much of the disk Andon takes, with all that it needs: what pip wrote down of each package."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import andon


def installed_sizes(*, with_extras: bool) -> dict[str, int]:
    """Bytes of each installed package that Andon requires, directly or through others, Andon included; largest first.

    Args:
        with_extras: count what Andon's extras bring, too, where it is installed; not what only its developers need.
    """
    sizes: dict[str, int] = {}
    to_visit = ["andon"]
    while to_visit:
        name = _normal(to_visit.pop())
        try:
            found = distribution(name)
        except PackageNotFoundError:  # of an extra, or for another system or version of Python
            continue
        if name not in sizes:
            sizes[name] = _bytes_of_andon() if name == "andon" else _bytes(found)
            to_visit += _required(found, with_extras=with_extras and name == "andon")
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def _required(package: Distribution, *, with_extras: bool) -> list[str]:
    """The names of what a package requires."""
    names = []
    for line in package.requires or ():
        extra = re.search(r"\bextra\s*==\s*[\"'](.+?)[\"']", line)
        if extra is None or (with_extras and extra[1] != "dev"):
            names.append(re.split(r"[^\w.-]", line, maxsplit=1)[0])  # "scipy" of "scipy>=1.14; extra == 'train'"
    return names


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _bytes(package: Distribution) -> int:
    files = (Path(str(package.locate_file(file))) for file in package.files or ())
    return sum(file.stat().st_size for file in files if file.is_file())


def _bytes_of_andon() -> int:
    """The folder itself, as pip's list has none of its files where it is installed as a checkout."""
    return sum(file.stat().st_size for file in Path(andon.__file__).parent.rglob("*") if file.is_file())
