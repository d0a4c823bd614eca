"""The desks of a station, and which version of its model each judges with."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import RLock

from andon.errors import AndonError, InputError, NotFoundError
from andon.line.pipeline import Pipeline
from andon.server.desk import Desk
from andon.server.versions import make_known, ready
from andon.store import Activation, Store, StoredModel

LOG = logging.getLogger("andon")
COMMAND_LINE = "andon serve"
TRY_AGAIN_AFTER = 30.0
MakeDesk = Callable[[str, Pipeline], Desk]


class Desks:
    """One desk per model's name. Any thread may ask; versions change one after the other.

    Args:
        make_desk: of a name and the version to begin with.
    """

    def __init__(self, store: Store, make_desk: MakeDesk) -> None:
        self._store = store
        self._make_desk = make_desk
        self._desks: dict[str, Desk] = {}
        self._changing = RLock()
        self._troubles: dict[str, str] = {}
        self._seen = -1
        self._tried_at = 0.0

    def open(self, paths: Sequence[Path]) -> None:
        """Make a desk for each model file.

        A file that the store does not know yet is a new version, and becomes the active one. Where it knows the file,
        the version that was activated last is used, so that starting again changes nothing.

        Raises:
            InputError: two files have one name.
            AndonError: a version cannot be used; see `versions.ready`.
        """
        for path in paths:
            version, is_new = make_known(self._store, path, COMMAND_LINE)
            if version.name in self._desks:
                raise InputError(
                    f"{path} is called {version.name}, as another model is; give each model a name of its own, and "
                    "each file once."
                )
            if version.name != path.stem:
                LOG.warning(f"{path} is known as {version.name} already, and is served under that name.")
            active = self._store.models.active(version.name)
            if is_new or active is None:
                pipeline = ready(version)
                self._store.models.activate(version.name, version.sha256, by=COMMAND_LINE)
            else:
                pipeline = ready(active)
                if active.sha256 != version.sha256:
                    LOG.warning(f"{path} is not the active version of {version.name}, which is {active.path}.")
            self._desks[version.name] = self._make_desk(version.name, pipeline)

    def all(self) -> list[Desk]:
        """All desks, in the order of the command line."""
        return list(self._desks.values())

    def of(self, name: str | None) -> Desk:
        """The desk of that name; the only one where no name is given.

        Raises:
            NotFoundError: there is none.
            InputError: there are several, and no name is given.
        """
        if name is None:
            if len(self._desks) > 1:
                raise InputError(f"There are several models; say which with ?model=NAME: {', '.join(self._desks)}.")
            return next(iter(self._desks.values()))
        if name not in self._desks:
            raise NotFoundError(f"There is no model {name!r} here; there are: {', '.join(self._desks)}.")
        return self._desks[name]

    def activate(self, name: str, sha256: str, *, by: str) -> Activation:
        """Judge with this version from the next photo on.

        Raises:
            NotFoundError: there is no desk of that name, or no such version of it.
            AndonError: the version cannot be used; then nothing has changed.
        """
        with self._changing:
            desk, version = self.of(name), self._store.models.get(sha256)
            if version.name != name:
                raise NotFoundError(f"{sha256[:12]} is a version of {version.name}, not of {name}.")
            pipeline = self._pipeline(desk, version)
            activation = self._store.models.activate(name, sha256, by=by)
            desk.pipeline = pipeline
        return activation

    def roll_back(self, name: str, *, by: str) -> Activation:
        """Judge with the version before from the next photo on.

        Raises:
            NotFoundError: there is no desk of that name.
            InputError: there is no version before.
            AndonError: the version cannot be used; then nothing has changed.
        """
        with self._changing:
            desk = self.of(name)
            pipeline = self._pipeline(desk, self._store.models.before(name))
            activation = self._store.models.roll_back(name, by=by)
            desk.pipeline = pipeline
        return activation

    @property
    def troubles(self) -> list[str]:
        """Which versions that are active cannot be used here, and why, in sentences."""
        return list(self._troubles.values())

    def follow(self) -> list[str]:
        """Take up what another process has activated in the same database.

        A version that cannot be used is tried again after half a minute: its file may be on its way.

        Returns:
            The digests of the versions of which something new is to be told.
        """
        newest = self._store.models.last_activation()
        is_due = self._troubles and time.monotonic() - self._tried_at >= TRY_AGAIN_AFTER
        if newest == self._seen and not is_due:
            return []
        with self._changing:
            found = [sha256 for desk in self.all() if (sha256 := self._follow(desk)) is not None]
            self._seen, self._tried_at = newest, time.monotonic()
        return found

    def close(self) -> None:
        """End all desks. Nothing may be under way."""
        for desk in self.all():
            desk.close()

    def _follow(self, desk: Desk) -> str | None:
        """The version that it should judge with, where something is new about that."""
        active, before = self._store.models.active(desk.name), desk.pipeline.model_id.sha256
        if active is None or active.sha256 == before:
            self._troubles.pop(desk.name, None)
            return None
        try:
            desk.pipeline = ready(active)
        except Exception as error:  # whatever it is, the version before judges on
            sentence = (
                f"{desk.name} still judges with version {before[:8]}, as version {active.sha256[:8]}, which is active, "
                f"cannot be used here: {error}"
            )
            if sentence == self._troubles.get(desk.name):
                return None
            self._troubles[desk.name] = sentence
            LOG.error(sentence, exc_info=not isinstance(error, AndonError))
        else:
            self._troubles.pop(desk.name, None)
            LOG.info(f"{desk.name} judges with version {active.sha256[:8]} from now on.")
        return active.sha256

    def _pipeline(self, desk: Desk, version: StoredModel) -> Pipeline:
        return desk.pipeline if desk.pipeline.model_id.sha256 == version.sha256 else ready(version)
