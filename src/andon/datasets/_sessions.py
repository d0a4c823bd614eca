"""Capture sessions: which photos were taken in one go.

A promise made from photos of one day says nothing of the next: light, dirt and the camera's place change. Where
sessions are known, whole ones are held out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path, PurePosixPath

from andon import images
from andon.datasets._dataset import Dataset, purpose
from andon.errors import DatasetError, ImageError, InputError
from andon.types import Sample

FOLDER, DATE, NONE = "folder", "date", "none"
DAY = re.compile(r"(\d{4})[-_.]?(\d{2})[-_.]?(\d{2})(?!\d)")
NUMBERED = re.compile(r"(day|session|shift|tag|schicht|sitzung)[-_ ]?\d+$", re.IGNORECASE)
UNKNOWN = (
    "Nothing says which photos were taken in one go, so nothing is known of another day; name capture sessions with "
    "--session-from, or check the model on the first morning of another day: andon check MODEL OK_DIR."
)

Names = Mapping[Path, str]


def with_sessions(dataset: Dataset, session_from: str | None = None) -> Dataset:
    """The same data set, each OK photo that trains or calibrates with its capture session, and a sentence on them.

    Args:
        session_from: "folder" takes the topmost level of folders at which the photos to learn from differ; "date" the
            day in their EXIF data; "none" nothing; anything else is a regular expression that is searched in each file
            name, of which the first group, or the whole match, is the session. None takes folders whose names are dates
            or such as day2 or session-3, else EXIF dates where all photos have one, else nothing.

    Raises:
        DatasetError: photos have no such session, or nearly each has one of its own.
        InputError: the regular expression is wrong.
    """
    learning = [sample.path for sample in dataset.samples if purpose(sample) in ("train", "calibrate")]
    names, source = _named(dataset, learning, session_from) if session_from else _recognised(dataset, learning)
    if not names:
        return replace(dataset, session_note=UNKNOWN)
    n = len(set(names.values()))
    if session_from and n > 1 and n > len(learning) / 2:
        raise DatasetError(
            f"--session-from {session_from} makes {n} sessions of {len(learning)} photos; a session is what was "
            "photographed in one go, so choose what many photos share."
        )
    samples = tuple(replace(sample, session=names.get(sample.path)) for sample in dataset.samples)
    return replace(dataset, samples=samples, session_note=_sentence(source, list(names.values())))


def sessions_of(samples: Sequence[Sample]) -> dict[str, list[Sample]]:
    """The samples by session, sorted by name; empty where one has none."""
    if any(sample.session is None for sample in samples):
        return {}
    by_name: dict[str, list[Sample]] = {}
    for sample in samples:
        by_name.setdefault(str(sample.session), []).append(sample)
    return dict(sorted(by_name.items()))


def _named(dataset: Dataset, photos: Sequence[Path], session_from: str) -> tuple[Names, str]:
    """The sessions that the user asked for, and what they are in words."""
    if session_from == NONE:
        return {}, ""
    if session_from == FOLDER:
        return _complete(_folders(dataset, photos), photos, "no folder that tells it from the others"), "folders"
    if session_from == DATE:
        return _complete(_dates(photos), photos, "no capture date in its EXIF data"), "capture dates in the EXIF data"
    try:
        pattern = re.compile(session_from)
    except re.error as error:
        raise InputError(
            f"--session-from {session_from!r} is not a regular expression ({error}); for example '_(\\d{{6}})_' takes "
            "six digits between underscores; 'folder' and 'date' need no pattern."
        ) from None
    found = {photo: match for photo in photos if (match := pattern.search(photo.name))}
    names = {photo: (match[1] if pattern.groups else match[0]) or "" for photo, match in found.items()}
    lacks = f"nothing in its name that '{session_from}' matches"
    return _complete(names, photos, lacks), f"'{session_from}' in file names"


def _recognised(dataset: Dataset, photos: Sequence[Path]) -> tuple[Names, str]:
    """Sessions that need no question."""
    folders = _folders(dataset, photos)
    if len(folders) == len(photos) and all(_is_session(name) for name in folders.values()):
        return folders, "folders"
    dates = _dates(photos)
    return (dates, "capture dates in the EXIF data") if len(dates) == len(photos) else ({}, "")


def _complete(names: Names, photos: Sequence[Path], lacks: str) -> Names:
    missing = [photo for photo in photos if not names.get(photo)]
    if missing:
        raise DatasetError(
            f"{len(missing)} of {len(photos)} OK photos belong to no session, {missing[0]} for one: it has {lacks}; "
            "choose another --session-from, or leave it out."
        )
    return names


def _folders(dataset: Dataset, photos: Sequence[Path]) -> Names:
    """By the topmost level of folders at which the photos to learn from differ; empty where all lie in one folder."""
    parents = {photo: PurePosixPath(dataset.name_of(photo)).parent.parts for photo in photos}
    learning = {sample.path for sample in dataset.samples if purpose(sample) == "train"}
    for level in range(max(map(len, parents.values()), default=0)):
        if len({parts[level : level + 1] for photo, parts in parents.items() if photo in learning}) > 1:
            return {photo: parts[level] for photo, parts in parents.items() if len(parts) > level}
    return {}


def _dates(photos: Sequence[Path]) -> Names:
    """The day of each photo up to the first that has none."""
    days: dict[Path, str] = {}
    for photo in photos:
        try:
            day = images.capture_date(photo)
        except ImageError:  # it is named and left out when it is opened
            day = "unreadable"
        if day is None:
            break
        days[photo] = day
    return days


def _is_session(name: str) -> bool:
    """Whether a folder's name is a date, or a day or session by number."""
    day = DAY.match(name)
    if day is None:
        return NUMBERED.match(name) is not None
    try:
        date(*map(int, day.groups()))
    except ValueError:
        return False
    return True


def _sentence(source: str, names: Sequence[str]) -> str:
    different = sorted(set(names))
    if len(different) == 1:
        return (
            f"All OK photos are of one capture session, {different[0]} (by {source}), so nothing is known of another "
            "day; check the model on its first morning: andon check MODEL OK_DIR."
        )
    first, last = different[0], different[-1]
    return f"Capture sessions are taken from {source}: {len(different)} of them, {first} to {last}."
