"""The button Improve: a new version of the one that judges, offered or refused, in words for its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from andon import progress
from andon.errors import AndonError, InputError
from andon.models import exported
from andon.models.file import read
from andon.server.background import Task
from andon.server.station import Station
from andon.server.versions import FOLDER
from andon.store import StoredModel
from andon.work import Work

KIND = "improve"
NO_TORCH = (
    "To improve it, run andon improve with its original on a computer with torch (pip install 'andon[serve,train]'), "
    "export the new version, and give that file to andon serve."
)
EXPORTED = (
    "It was exported, and only its original can be improved: run andon improve ORIGINAL --name {name}, export the new "
    "version, and give that file to andon serve."
)


@dataclass(frozen=True)
class Against:
    """A golden photo that stands against the new version.

    Attributes:
        name: of its part, or of the file that came in.
        kind: what people call it.
        old, new: what the versions say of it.
    """

    inspection_id: str
    name: str
    kind: str
    old: str
    new: str


@dataclass(frozen=True)
class Improved:
    """What came of it.

    Attributes:
        verdict: offered or refused, and why, in words.
        sentences: what was done.
        counts: of the golden set; see `improving.golden.counts`.
        version: the new one; None where it is refused.
    """

    verdict: str
    sentences: tuple[str, ...]
    counts: Mapping[str, Mapping[str, int]]
    against: tuple[Against, ...]
    version: StoredModel | None

    @property
    def because(self) -> str:
        """The verdict without its first word."""
        why = self.verdict.partition(": ")[2]
        return why[:1].upper() + why[1:]


class _UntilTheEnd(Work):
    """Ends where the task does."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self._task = task

    def advance(self, name: str, done: float, items: float) -> None:
        """As of `Work`; the task tells of it."""
        super().advance(name, done, items)
        self._task.tell(f"{name}, {self.done(name):.0f} of {items:.0f}")


def why_not(version: StoredModel) -> str:
    """What to do instead, in one sentence, where this version cannot be improved here; "" where it may be."""
    try:
        if _is_exported(version.path, version.sha256):
            return EXPORTED.format(name=version.name)
    except AndonError as error:
        return str(error)
    return "" if find_spec("torch") else NO_TORCH


def improved(station: Station, version: StoredModel, task: Task) -> Improved:
    """Make a better version of this one, and write it where it may be offered. It judges only once it is activated.

    Raises:
        AndonError: it cannot be improved, or there are no photos to learn from.
        EndedError: the station ends.
    """
    from andon.improving import free_name, improve, offer, words  # needs torch, and takes a while
    from andon.improving.golden import counts, says

    path = Path(version.path)
    if read(path).sha256 != version.sha256:
        raise InputError(f"{path} is not the version {version.sha256[:8]} any more; put that file back.")
    task.check()
    with progress.whole(work=_UntilTheEnd(task)):
        found = improve(path, station.store, station.photos, name=version.name)
    offered = None
    if found.is_offered:
        folder = station.data / FOLDER
        folder.mkdir(exist_ok=True)
        offered = offer(found, free_name(folder / path.name), station.store, by=task.by)
    against = [
        Against(
            one.photo.inspection.inspection_id,
            one.photo.inspection.name,
            one.photo.kind,
            says(one.old),
            says(one.new),
        )
        for one in found.against
    ]
    return Improved(words.verdict(found), tuple(words.sentences(found)), counts(found.golden), tuple(against), offered)


@lru_cache(64)
def _is_exported(path: str, sha256: str) -> bool:
    return exported.is_exported(read(Path(path)))
