"""The program as it runs where packages are not installed: `python without_packages.py NAME,NAME CODE [WORD...]`.

The names are those that are imported; the code runs with the words as `sys.argv[1:]`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import DistributionFinder, PathDistribution

MISSING = frozenset(sys.argv[1].split(",")) if __name__ == "__main__" else frozenset()


class WithoutSome(PathFinder):
    """Finds what is installed, except for what is to be missing."""

    @classmethod
    def find_spec(cls, fullname: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        return None if fullname in MISSING else PathFinder.find_spec(fullname, path)

    @classmethod
    def find_distributions(cls, context: DistributionFinder.Context | None = None) -> Iterable[PathDistribution]:
        found = PathFinder.find_distributions(context or DistributionFinder.Context())
        return (one for one in found if one.name not in MISSING)


if __name__ == "__main__":
    code = sys.argv[2]
    sys.argv[:] = ["andon", *sys.argv[3:]]
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not PathFinder] + [WithoutSome]
    exec(code)
