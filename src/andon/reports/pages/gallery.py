"""The photos of a report: reduced pictures of each, in groups by what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import NamedTuple

from andon.reports.number_format import number
from andon.reports.outcomes import BADGES, Outcome, outcome_of
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
        reasons: for its verdict, in sentences.
        likenesses: regions beside the patches of OK photos that they look most like, where these were asked for.
        large: of the picture that shows it large, the file relative to the page; "" for none.
    """

    name: str
    is_anomalous: bool
    defect: str | None
    verdict: Verdict
    score: float
    sigma: float
    p_value: float
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    likenesses: tuple[Picture, ...] = ()
    large: str = ""

    @property
    def outcome(self) -> Outcome:
        """What became of it."""
        return outcome_of(self.is_anomalous, self.verdict)

    @property
    def badge(self) -> str:
        """Its verdict in a word, or what a wrong verdict did."""
        return BADGES[self.outcome]

    @property
    def small(self) -> Picture | None:
        """The one picture for a place with room for one: the regions, or the photo where none is marked."""
        place = 0 if self.outcome in ("escaped", "invalid") else len(self.pictures) - 1 - self.has_truth
        return self.pictures[place] if self.pictures else None

    @property
    def has_truth(self) -> bool:
        """Whether the last picture is the ground truth."""
        return bool(self.pictures) and self.pictures[-1].caption == "Ground truth"

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
    large: str = "",
) -> Photo:
    """The photo with its pictures reduced to some 40 kB in all.

    Args:
        photo: (H0, W0, 3) uint8 RGB.
        mask: (H0, W0) the ground truth, where there is one.
        large: see `Photo`.
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
        reasons=inspection.reasons,
        notes=inspection.notes,
        pictures=tuple(Picture(view.caption, to_jpeg(view.picture)) for view in views),
        likenesses=tuple(
            Picture(f"looks most like {like.photo}, at {number(like.distance)}", to_jpeg(region_beside_nearest(like)))
            for like in explained[:MAX_LIKENESSES]
        ),
        large=large,
    )


class Group(NamedTuple):
    """Photos of one outcome, the most worrying first."""

    outcome: Outcome
    heading: str
    meaning: str
    photos: list[Photo]

    @property
    def is_miss(self) -> bool:
        """Whether the verdicts are wrong."""
        return self.outcome in ("escaped", "rejected")

    @property
    def is_urgent(self) -> bool:
        """Whether somebody should look at its photos before anything else."""
        return self.outcome not in ("caught", "passed")


HEADINGS: dict[Outcome, tuple[str, str]] = {
    "escaped": ("Escaped defects", "defective, but called OK"),
    "rejected": ("Rejected good parts", "good, but called NG"),
    "review": ("For review", "set aside for a person, the defective ones first"),
    "invalid": ("Invalid photos", "unlike the photos of OK parts, so without a verdict"),
    "caught": ("Rightly called NG", "lowest score first"),
    "passed": ("Rightly called OK", "highest score first"),
}


def groups_of(photos: Iterable[Photo]) -> list[Group]:
    """The misses first; in each group NG photos by rising score, then OK photos by falling score."""
    groups = {outcome: Group(outcome, *words, []) for outcome, words in HEADINGS.items()}
    for photo in sorted(photos, key=_least_sure_first):
        groups[photo.outcome].photos.append(photo)
    return [group for group in groups.values() if group.photos]


def _least_sure_first(photo: Photo) -> tuple[bool, float]:
    return (False, photo.score) if photo.is_anomalous else (True, -photo.score)
