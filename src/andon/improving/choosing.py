"""Which reviewed photos may teach a model, and which are the golden set that judges it and never teaches.

Golden are the photos that were put into the golden set by hand, all reviewed NG, and every fifth reviewed OK by the
digest of its file: no chance and no record is needed, so it is the same fifth in every version, on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from andon import datasets
from andon.datasets import Duplicates
from andon.errors import InputError
from andon.images import OpenedPhotos
from andon.store import Filter, PhotoStore, Store, StoredInspection
from andon.store.records import Judgement
from andon.types import Sample

PROTECTED = 5
"""One of so many reviewed OK photos is golden."""


@dataclass(frozen=True)
class Reviewed:
    """A photo on which people's word is known.

    Attributes:
        inspection: the latest of this photo.
        path: where the photo is kept.
        kind: what people say, of the golden set or in a review.
    """

    inspection: StoredInspection
    path: Path
    kind: Judgement

    @property
    def name(self) -> str:
        """For people: the file that it came as, and the inspection."""
        return f"{Path(str(self.inspection.row['path'])).name} of inspection {self.inspection.inspection_id}"


@dataclass(frozen=True)
class Chosen:
    """Attributes:
    candidates: OK photos that may teach.
    golden: photos that judge; neither they nor their twins are among the candidates.
    twins: candidates that show the same picture, for whoever holds some of them out.
    remarks: what was left out, in sentences.
    """

    candidates: tuple[Reviewed, ...]
    golden: tuple[Reviewed, ...]
    twins: tuple[frozenset[Path], ...]
    remarks: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Of what people said, by which another choice of the same photos is known again."""
        lines = [f"teaches {one.inspection.photo_sha256}" for one in self.candidates]
        lines += [f"judges {one.inspection.photo_sha256} {one.kind}" for one in self.golden]
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def is_protected(sha256: str) -> bool:
    """Whether the photo of this digest is golden if it is reviewed OK."""
    return int(sha256[:8], 16) % PROTECTED == 0


def choose(store: Store, photos: PhotoStore, name: str, seen: Collection[str], opened: OpenedPhotos) -> Chosen:
    """Divide the reviewed photos that versions of the model called `name` have inspected.

    A photo that is OK in one review and NG in another is neither: people must agree first. One whose verdict was
    invalid does not teach, as the guard would not let it through any more than before.

    Args:
        seen: digests of the photos that trained or calibrated the model; these neither teach again nor judge.
        opened: keeps what is read.

    Raises:
        InputError: there is no inspection by that name, no review, or no photo of one.
    """
    said, latest = _said(store, name)
    explicit = {one.inspection.photo_sha256 for one in store.golden.photos(Filter(model_name=name))}
    kept = {sha256: latest[sha256] for sha256 in sorted(said) if photos.path(sha256).is_file()}
    remarks = _remark(len(said) - len(kept), "reviewed photo is", "reviewed photos are", "no longer kept")
    if not kept:
        raise InputError(
            f"None of the {len(said)} reviewed photos is kept in {photos.folder}; give the folder of --data."
        )
    agreed = {sha256 for sha256 in kept if len(said[sha256]) == 1}
    remarks += _remark(len(kept) - len(agreed), "photo is", "photos are", "OK in one review and NG in another")
    found = [Reviewed(kept[sha256], photos.path(sha256), *said[sha256]) for sha256 in kept if sha256 in agreed]
    samples = [Sample(one.path, is_anomalous=one.kind == "NG") for one in found]
    duplicates = datasets.find_duplicates(samples, opened)
    whole = [one for one in found if duplicates.sha256.get(one.path) == one.inspection.photo_sha256]
    remarks += _remark(len(found) - len(whole), "photo is", "photos are", "damaged")

    golden = [one for one in whole if _is_golden(one, explicit)]
    others = [one for one in whole if not _is_golden(one, explicit)]
    judges = [one for one in golden if one.inspection.photo_sha256 not in seen]
    remarks += _remark(len(golden) - len(judges), "golden photo has", "golden photos have", "taught this model already")
    new = [one for one in others if one.inspection.photo_sha256 not in seen]
    remarks += _remark(len(others) - len(new), "photo has", "photos have", "taught this model already")
    valid = [one for one in new if one.inspection.verdict != "invalid"]
    remarks += _remark(len(new) - len(valid), "photo was", "photos were", "invalid to the guard, which stays as it is")
    candidates = _without_twins(valid, golden, duplicates)
    remarks += _remark(len(valid) - len(candidates), "photo looks", "photos look", "like a golden one")
    return Chosen(tuple(candidates), tuple(judges), duplicates.keep_together, tuple(remarks))


def _said(store: Store, name: str) -> tuple[Mapping[str, set[Judgement]], Mapping[str, StoredInspection]]:
    """By digest: what people say of each photo, and its latest inspection.

    Raises:
        InputError: nobody has said anything.
    """
    said: dict[str, set[Judgement]] = {}
    latest: dict[str, StoredInspection] = {}
    golden = {one.inspection.inspection_id: one for one in store.golden.photos(Filter(model_name=name))}
    reviewed = store.inspections.each(Filter(model_name=name, reviewed=True))
    unreviewed = [one.inspection for one in golden.values() if one.inspection.reviewed_as is None]
    for one in (*unreviewed, *reviewed):
        kinds = (one.reviewed_as, golden[one.inspection_id].kind if one.inspection_id in golden else None)
        if one.photo_sha256:
            said.setdefault(one.photo_sha256, set()).update(kind for kind in kinds if kind)
            latest[one.photo_sha256] = max(latest.get(one.photo_sha256, one), one, key=lambda each: each.number)
    if not said:
        n = sum(store.inspections.counts(Filter(model_name=name)).values())
        if not n:
            raise InputError(
                f"{store} holds no inspection by a model called {name}; give the database of the station where it "
                "inspects, and with --name what it is called there."
            )
        raise InputError(f"None of the {n} inspections by {name} in {store} was reviewed yet; review some first.")
    return said, latest


def _is_golden(one: Reviewed, explicit: Collection[str]) -> bool:
    sha256 = one.inspection.photo_sha256
    return one.kind == "NG" or sha256 in explicit or is_protected(sha256)


def _without_twins(photos: Iterable[Reviewed], golden: Iterable[Reviewed], duplicates: Duplicates) -> list[Reviewed]:
    protected = {one.path for one in golden}
    twins = frozenset().union(*(group for group in duplicates.keep_together if not group.isdisjoint(protected)))
    return [one for one in photos if one.path not in twins]


def _remark(n: int, one: str, several: str, why: str) -> list[str]:
    return [f"{n} {one if n == 1 else several} {why}."] if n else []
