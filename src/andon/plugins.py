"""Parts that are found because their file is there: detectors, steps, layouts, metrics, commands.

A part is one module of a package; its file name is its name. Names that begin with an underscore are shared helpers,
not parts. Nothing is registered: to add a part, add its file.
"""

from __future__ import annotations

import difflib
import pkgutil
from importlib import import_module
from pathlib import Path
from types import ModuleType

from andon.errors import ConfigError


def names(package: ModuleType) -> list[str]:
    """The names of all parts of `package`, sorted, without importing any."""
    paths = [str(Path(path)) for path in package.__path__]
    return sorted(module.name for module in pkgutil.iter_modules(paths) if not module.name.startswith("_"))


def load(package: ModuleType, name: str) -> ModuleType:
    """Import the one part `name` of `package`.

    Raises:
        ConfigError: there is no such part; the message suggests the nearest name.
    """
    known = names(package)
    if name not in known:
        kind = package.__name__.rpartition(".")[2]
        raise ConfigError(f"There is no {name!r} in {kind}; {suggestion(name, known)}")
    return import_module(f"{package.__name__}.{name}")


def suggestion(name: str, known: list[str]) -> str:
    """The end of a sentence that helps after a misspelt name."""
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"choose one of: {', '.join(known)}."
