"""Parts that are found, not registered: detectors, steps, layouts, metrics and commands.

A part is one module. Andon's own parts are the files of one package each: the file's name is the part's name, and files
that begin with an underscore are helpers, not parts. Any installed package can bring more detectors, steps, layouts
and metrics by entry points that name its modules:

    [project.entry-points."andon.detectors"]
    brightness = "my_package.brightness"
"""

from __future__ import annotations

import difflib
import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

from andon.errors import ConfigError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


@dataclass(frozen=True)
class Parts:
    """All parts of one kind. None of them is imported before it is loaded by its name.

    Attributes:
        kind: what one of them is called, for messages.
        package: full name of the package whose files are Andon's own.
        must_have: what the module of each has to define.
        group: of the entry points that add others; None where other packages cannot add any.
    """

    kind: str
    package: str
    must_have: tuple[str, ...] = ()
    group: str | None = None

    def names(self) -> list[str]:
        """The names of all parts, sorted."""
        return sorted({*self._own(), *(entry.name for entry in self._from_others())})

    def load(self, name: str) -> ModuleType:
        """Import the part of that name.

        Raises:
            ConfigError: there is no such part, and the message suggests the nearest name; or two packages bring one;
                or what another package brings cannot be imported or is not a part.
        """
        others = [entry for entry in self._from_others() if entry.name == name]
        origins = ["Andon itself"] if name in self._own() else []
        origins += [f"the package {_package_of(entry)}" for entry in others]
        if not origins:
            raise ConfigError(f"There is no {self.kind} {name!r}; {suggestion(name, self.names())}")
        if len(origins) > 1:
            raise ConfigError(
                f"The {self.kind} {name!r} comes both from {origins[0]} and from {origins[1]}; a name must have one "
                "meaning, so uninstall one of them or rename its entry point."
            )
        return self._import_other(others[0]) if others else import_module(f"{self.package}.{name}")

    def _own(self) -> list[str]:
        spec = find_spec(self.package)
        places = None if spec is None else spec.submodule_search_locations
        return [module.name for module in pkgutil.iter_modules(places or []) if not module.name.startswith("_")]

    def _from_others(self) -> tuple[EntryPoint, ...]:
        return () if self.group is None else _entry_points(self.group)

    def _import_other(self, entry: EntryPoint) -> ModuleType:
        whose = f"The {self.kind} {entry.name!r} of the package {_package_of(entry)}"
        try:
            module: ModuleType = entry.load()
        except Exception as error:  # whatever somebody else's module may raise
            raise ConfigError(
                f"{whose} cannot be imported ({type(error).__name__}: {error}); fix or uninstall that package."
            ) from error
        missing = [wanted for wanted in self.must_have if not hasattr(module, wanted)]
        if missing:
            raise ConfigError(
                f"{whose} has no {' and no '.join(missing)} in {entry.value}; its entry point must name a module with "
                f"{', '.join(self.must_have)}: fix or uninstall that package."
            )
        return module


@cache  # every look-up reads the metadata of all installed packages
def _entry_points(group: str) -> tuple[EntryPoint, ...]:
    from importlib.metadata import entry_points

    return tuple(entry_points(group=group))


def _package_of(entry: EntryPoint) -> str:
    return entry.value if entry.dist is None else entry.dist.name


def suggestion(name: str, known: list[str]) -> str:
    """The end of a sentence that helps after a misspelt name."""
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"choose one of: {', '.join(known)}."
