"""Watched folders of a station: what comes into them goes the way of every other photo."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from andon.errors import ImageError, InputError
from andon.line.pipeline import part_id_of
from andon.ordered_map import ordered_map
from andon.server.desk import BusyError, Incoming, TooLateError
from andon.server.station import Station, TooLargeError
from andon.store import NewDelivery, NewInspection
from andon.types import Failure
from andon.watching import Arrived, Folder, Watcher, Written, afterwards

AT_ONCE = 16


@dataclass(frozen=True, kw_only=True)
class WatchedFolder:
    """Attributes:
    model: the name of the one that judges its photos; None for the only one.
    """

    path: Path
    model: str | None = None


@dataclass(frozen=True, kw_only=True)
class Watching:
    """How folders are watched.

    Attributes:
        recursive, pattern, settle, patience: see `watching.Folder`.
        afterwards: what becomes of a photo that was inspected: "leave", "tag" or "move:DIR".
        part_id_from: finds the part id in a photo's file name, see `line.pipeline.part_id_of`.
        every: seconds between two looks into a folder.
    """

    recursive: bool = False
    pattern: str = "*"
    afterwards: str = "leave"
    part_id_from: re.Pattern[str] | None = None
    every: float = 1.0
    settle: float = 1.0
    patience: float = 30.0


USUAL = Watching()


def check(folders: Sequence[WatchedFolder], watching: Watching) -> None:
    """See that what is to become of the photos can be done in all folders.

    Raises:
        InputError: it cannot, or a folder would be watched twice.
    """
    places = [folder.path.resolve() for folder in folders]
    for folder, place in zip(folders, places, strict=True):
        afterwards(watching.afterwards, folder.path)
        others = places.copy()
        others.remove(place)
        if place in others or (watching.recursive and any(other in place.parents for other in others)):
            raise InputError(f"{folder.path} would be watched twice; give each folder once, and none below another.")


class Folders:
    """Watches folders. A helper of a station.

    Args:
        name: of the station, for the rows.
        watching: how.
        deliveries: what is to be sent of a photo that cannot be inspected; of the others, the station knows.

    Raises:
        InputError: see `check`.
    """

    def __init__(
        self,
        folders: Sequence[WatchedFolder],
        name: str,
        watching: Watching = USUAL,
        *,
        deliveries: Sequence[NewDelivery] = (),
    ) -> None:
        check(folders, watching)
        self._folders = folders
        self._name = name
        self._watching = watching
        self._deliveries = deliveries
        self._watchers: list[Watcher] = []

    def start(self, station: Station) -> None:
        """Begin.

        Raises:
            AndonError: there is no such model.
        """
        for folder in self._folders:
            station.desks.of(folder.model)
            self._watchers.append(self._watcher(folder, station))
        for watcher in self._watchers:
            watcher.start()

    def stop(self) -> None:
        """End, when what was taken is finished."""
        for watcher in self._watchers:
            watcher.stop()
        for watcher in self._watchers:
            watcher.join()

    def _watcher(self, folder: WatchedFolder, station: Station) -> Watcher:
        how = self._watching
        put_away = afterwards(how.afterwards, folder.path)
        inspector = StationInspector(station, folder.model, self._name, self._deliveries, how.part_id_from)
        watched = Folder(
            folder.path,
            recursive=how.recursive,
            pattern=how.pattern,
            settle=how.settle,
            patience=how.patience,
            without=put_away.folder,
        )
        return Watcher(watched, station.store, inspector, afterwards=put_away, every=how.every)


class StationInspector:
    """Has a station inspect what came into a folder; see `watching.Inspector`."""

    def __init__(
        self,
        station: Station,
        model: str | None,
        name: str,
        deliveries: Sequence[NewDelivery],
        part_id_from: re.Pattern[str] | None,
    ) -> None:
        self._station = station
        self._model = model
        self._name = name
        self._deliveries = deliveries
        self._part_id_from = part_id_from

    def inspect(self, photos: Sequence[Arrived]) -> Iterator[Written | None]:
        """Several at once, so that the station can make batches of them."""
        return ordered_map(self._inspect, photos, workers=AT_ONCE, ahead=AT_ONCE)

    def fail(self, photo: Arrived, error: str) -> Written:
        """A row with the verdict "error"."""
        model = self._station.desks.of(self._model).pipeline.model_id
        row = Failure(photo.name, error, self._part_id(photo), model).to_row()
        new = NewInspection(row=row, station=self._name, deliveries=self._deliveries, watched=photo.watched)
        return Written(row, self._station.store.inspections.add(new))

    def _inspect(self, photo: Arrived) -> Written | None:
        incoming = Incoming(
            data=photo.content,
            name=photo.name,
            part_id=self._part_id(photo),
            station=self._name,
            watched=photo.watched,
        )
        try:
            answer = self._station.inspect(incoming, self._model)
        except (BusyError, TooLateError):
            return None
        except (ImageError, TooLargeError) as error:
            return self.fail(photo, str(error))
        return Written(answer.row, answer.added)

    def _part_id(self, photo: Arrived) -> str | None:
        return part_id_of(photo.name, self._part_id_from)
