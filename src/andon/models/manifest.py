"""Where a model comes from: versions, photos, and how its training went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from andon.config import Tree, from_dict

VERSION = 1
ABOUT_THRESHOLD = ("Calibrated again with ", "Each of the ", "These OK photos score unlike the others ")
"""How remarks on the threshold begin in models that do not keep them apart."""
BETWEEN_NAMES = "\0"  # the one character that no file name holds
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Photos:
    """Photos by their file within the data set, and the sha256 of each file in hex; a photo is a number into both."""

    names: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.names) != len(self.digests):
            raise ValueError(f"{len(self.names)} photos have {len(self.digests)} digests")

    def __len__(self) -> int:
        return len(self.names)

    def to_arrays(self, prefix: str) -> Arrays:
        """As bytes: a header of a million photos could not be read any more."""
        if not self.names:
            return {}
        names = BETWEEN_NAMES.join(self.names).encode("utf-8", "surrogateescape")
        digests = bytes.fromhex("".join(self.digests))
        return {
            f"{prefix}.names": np.frombuffer(names, np.uint8),
            f"{prefix}.sha256": np.frombuffer(digests, np.uint8).reshape(-1, 32),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], prefix: str) -> Self:
        """What `to_arrays` gave.

        Raises:
            ValueError: names and digests do not fit each other.
        """
        if f"{prefix}.names" not in arrays:
            return cls()
        names = arrays[f"{prefix}.names"].tobytes().decode("utf-8", "surrogateescape").split(BETWEEN_NAMES)
        return cls(tuple(names), tuple(row.tobytes().hex() for row in arrays[f"{prefix}.sha256"]))


@dataclass(frozen=True)
class Sessions:
    """Capture sessions of the OK photos that set the threshold.

    Attributes:
        numbers: of each calibration score, ascending, the number of its session in `names`; empty where sessions are
            not known.
    """

    names: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.numbers and not 0 <= min(self.numbers) <= max(self.numbers) < len(self.names):
            raise ValueError("its capture sessions do not fit its photos; copy it again or train it again.")


@dataclass(frozen=True, kw_only=True)
class Epochs:
    """How a training by gradient went.

    Attributes:
        best: the epoch that was kept, counted from 1.
        losses: by name, one mean per epoch.
    """

    best: int
    losses: Mapping[str, tuple[float, ...]]

    def to_tree(self) -> Tree:
        """Plain values."""
        return {"best": self.best, "losses": {name: list(values) for name, values in self.losses.items()}}


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Nothing in it depends on when or in which folder the model was trained.

    Attributes:
        version: of this record.
        versions: of Python and the packages that took part, by name.
        data: the data set in words.
        remarks: what a user of the model should know.
        threshold_remarks: those of the remarks that hold for the present threshold alone.
        precision: what the network computed in when the model was calibrated; None before.
        trained: the OK photos that trained it.
        trained_ng: the labelled NG photos that did.
        calibrated: the OK photos of a calibration split, or of `andon calibrate`, that set the threshold; where the
            training photos themselves did, each held out in turn, there are none.
        calibrated_ng: the labelled NG photos that had a say in the threshold.
        excluded: the photos of the data set that the user left out.
        epochs: None where it does not learn by gradient.
        facts: what the detector found while it was fitted, by name, such as the size and radius of a memory bank.
        sessions: of the photos that set the threshold, those of the training photos where these did.
    """

    version: int = VERSION
    versions: Mapping[str, str] = field(default_factory=dict)
    data: str = ""
    remarks: tuple[str, ...] = ()
    threshold_remarks: tuple[str, ...] = ()
    precision: str | None = None
    trained: Photos = Photos()
    trained_ng: Photos = Photos()
    calibrated: Photos = Photos()
    calibrated_ng: Photos = Photos()
    excluded: Photos = Photos()
    epochs: Epochs | None = None
    facts: Mapping[str, float] = field(default_factory=dict)
    sessions: Sessions = Sessions()

    @property
    def seen(self) -> frozenset[str]:
        """The sha256 of every photo that the model was trained or calibrated with, in hex."""
        return self.taught_by | self.set_threshold

    @property
    def taught_by(self) -> frozenset[str]:
        """The sha256 of every photo that it was trained with, OK and NG."""
        return frozenset((*self.trained.digests, *self.trained_ng.digests))

    @property
    def set_threshold(self) -> frozenset[str]:
        """The sha256 of every photo that is not trained with but had a say in the threshold, OK and NG."""
        return frozenset((*self.calibrated.digests, *self.calibrated_ng.digests))

    def with_threshold(self, *remarks: str) -> Manifest:
        """The same for another threshold: these remarks in place of those that hold for the old one."""
        kept = [
            remark
            for remark in self.remarks
            if remark not in self.threshold_remarks and not remark.startswith(ABOUT_THRESHOLD)
        ]
        return replace(self, remarks=(*kept, *remarks), threshold_remarks=remarks)

    def remarked(self, *remarks: str) -> Manifest:
        """The same with more remarks."""
        return replace(self, remarks=(*self.remarks, *remarks))

    def to_tree(self) -> Tree:
        """Everything but the photos, which are arrays."""
        return {
            "version": self.version,
            "versions": dict(self.versions),
            "data": self.data,
            "remarks": list(self.remarks),
            "threshold_remarks": list(self.threshold_remarks),
            "precision": self.precision,
            "epochs": None if self.epochs is None else self.epochs.to_tree(),
            "facts": dict(self.facts),
            **({"sessions": {"names": list(self.sessions.names)}} if self.sessions.names else {}),
        }

    def to_arrays(self) -> Arrays:
        """The photos."""
        arrays = {
            name: array for part, photos in self._photos() for name, array in photos.to_arrays(_key(part)).items()
        }
        if self.sessions.names:
            arrays[SESSIONS] = np.array(self.sessions.numbers, np.int32)
        return arrays

    def summary(self) -> Tree:
        """For people: numbers of photos instead of lists, losses of the best epoch alone."""
        tree = self.to_tree()
        del tree["threshold_remarks"]  # they are among the remarks
        tree.pop("sessions", None)
        tree |= {part: f"{len(photos)} photos" for part, photos in self._photos() if len(photos)}
        if self.epochs is not None:
            best = {name: losses[self.epochs.best - 1] for name, losses in self.epochs.losses.items()}
            number = max(map(len, self.epochs.losses.values()))
            tree["epochs"] = {"number": number, "best": self.epochs.best, "losses_in_best_epoch": best}
        tree["facts"] = {name: f"{value:.6g}" for name, value in self.facts.items()} or None
        return {name: value for name, value in tree.items() if value is not None}

    def photos(self) -> dict[str, dict[str, str]]:
        """Each part's photos with their digests, for a reader that wants to see them all."""
        return {part: dict(zip(those.names, those.digests, strict=True)) for part, those in self._photos()}

    def _photos(self) -> Iterator[tuple[str, Photos]]:
        for part in PARTS:
            yield part, getattr(self, part)

    @classmethod
    def from_tree(cls, tree: Tree, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `to_tree` and `to_arrays` gave.

        Raises:
            ConfigError: something is missing or of another type.
            ValueError: the photos' arrays do not fit each other.
        """
        photos: dict[str, Any] = {part: Photos.from_arrays(arrays, _key(part)) for part in PARTS}
        plain = from_dict(cls, tree, "manifest")
        numbers = tuple(arrays[SESSIONS].tolist()) if SESSIONS in arrays else ()
        return replace(plain, sessions=Sessions(plain.sessions.names, numbers), **photos)


SESSIONS = "sessions.numbers"
PARTS = ("trained", "trained_ng", "calibrated", "calibrated_ng", "excluded")


def _key(part: str) -> str:
    return f"photos.{part}"
