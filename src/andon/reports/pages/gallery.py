"""The photos of a report: reduced pictures of each, in groups by what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import NamedTuple

from andon.reports.number_format import number
from andon.reports.pictures.jpeg import to_jpeg
from andon.reports.pictures.nearest_ok import region_beside_nearest
from andon.reports.pictures.views import views_of
from andon.types import Inspection, Mask, RgbImage, Verdict

VIEW_SIDE = 256
MAX_LIKENESSES = 3  # of a photo


class Picture(NamedTuple):
    """A JPEG and its caption."""

    caption: str
    jpeg: bytes


@dataclass(frozen=True, kw_only=True)
class Photo:
    """One inspected photo as the report shows it; `photo_of` makes it.

    Attributes:
        name: of the file, with its folder.
        defect: its kind, None for an OK photo or where it has no name.
        likenesses: regions beside the patches of OK photos that they look most like, where these were asked for.
    """

    name: str
    is_anomalous: bool
    defect: str | None
    verdict: Verdict
    score: float
    sigma: float
    p_value: float
    notes: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    likenesses: tuple[Picture, ...] = ()

    @property
    def label(self) -> str:
        """What the photo is known to be."""
        return known_as(self.is_anomalous, self.defect)


def known_as(is_anomalous: bool | None, defect: str | None) -> str:
    """The ground truth of a labelled photo in a word: its kind of defect, "defective" or "good"."""
    return defect or ("defective" if is_anomalous else "good")


def photo_of(
    photo: RgbImage,
    inspection: Inspection,
    *,
    pixel_threshold: float,
    is_anomalous: bool,
    defect: str | None = None,
    mask: Mask | None = None,
) -> Photo:
    """The photo with its pictures reduced to some 40 kB in all.

    Args:
        photo: (H0, W0, 3) uint8 RGB.
        mask: (H0, W0) the ground truth, where there is one.
    """
    views = views_of(photo, inspection, pixel_threshold, mask, VIEW_SIDE)
    explained = [region.looks_like for region in inspection.regions if region.looks_like is not None]
    return Photo(
        name="/".join(PurePath(inspection.path).parts[-2:]),
        is_anomalous=is_anomalous,
        defect=defect,
        verdict=inspection.verdict,
        score=inspection.score,
        sigma=inspection.sigma,
        p_value=inspection.p_value,
        notes=(*(inspection.reasons if inspection.verdict == "invalid" else ()), *inspection.notes),
        pictures=tuple(Picture(view.caption, to_jpeg(view.picture)) for view in views),
        likenesses=tuple(
            Picture(f"looks most like {like.photo}, at {number(like.distance)}", to_jpeg(region_beside_nearest(like)))
            for like in explained[:MAX_LIKENESSES]
        ),
    )


class Group(NamedTuple):
    """Photos of one outcome, the most worrying first."""

    heading: str
    meaning: str
    photos: list[Photo]
    is_miss: bool = False


def groups_of(photos: Iterable[Photo]) -> list[Group]:
    """The misses first; in each group NG photos by rising score, then OK photos by falling score."""
    escaped = Group("Escapes", "defective, but called OK", [], is_miss=True)
    rejected = Group("False rejects", "good, but called NG", [], is_miss=True)
    review = Group("For review", "set aside for a person", [])
    invalid = Group("Invalid", "unlike the photos of OK parts, so without a verdict", [])
    caught = Group("Rightly called NG", "lowest score first", [])
    passed = Group("Rightly called OK", "highest score first", [])
    for photo in sorted(photos, key=_least_sure_first):
        if photo.verdict == "review":
            review.photos.append(photo)
        elif photo.verdict == "invalid":
            invalid.photos.append(photo)
        elif photo.is_anomalous:
            (caught if photo.verdict == "NG" else escaped).photos.append(photo)
        else:
            (passed if photo.verdict == "OK" else rejected).photos.append(photo)
    return [group for group in (escaped, rejected, review, invalid, caught, passed) if group.photos]


def _least_sure_first(photo: Photo) -> tuple[bool, float]:
    return (False, photo.score) if photo.is_anomalous else (True, -photo.score)
