"""Everything about a data set that would make its figures wrong, or that its owner should know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Sized
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from andon import images
from andon.datasets._dataset import CLASSES, Dataset, class_name, purpose
from andon.datasets._duplicates import Duplicates, Group, find_duplicates
from andon.datasets._folders import photos_below
from andon.errors import ImageError


@dataclass(frozen=True)
class Finding:
    """One thing that was noticed.

    Attributes:
        is_problem: figures or training suffer from it; otherwise it is only good to know.
        what: what was found and how often.
        items: the files concerned, from the data set's folder.
    """

    is_problem: bool
    what: str
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verification:
    """What `verify` found in a data set; problems come first."""

    dataset: Dataset
    duplicates: Duplicates
    findings: tuple[Finding, ...]

    @property
    def is_clean(self) -> bool:
        """Whether there are no problems."""
        return not any(finding.is_problem for finding in self.findings)

    def counts(self) -> dict[str, dict[str, int]]:
        """Split -> class -> number of photos; the split is "-" where the layout does not say."""
        counts: dict[str, dict[str, int]] = {}
        for split in ("train", "calibration", "test", None):
            classes = Counter(class_name(sample) for sample in self.dataset.samples if sample.split == split)
            if classes:
                counts[split or "-"] = {name: classes[name] for name in CLASSES}
        return counts

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; sizes are (height, width)."""
        sizes = Counter(self.duplicates.sizes.values())
        return {
            "root": str(self.dataset.root),
            "layout": self.dataset.layout,
            "is_clean": self.is_clean,
            "counts": self.counts(),
            "sizes": [{"height": h, "width": w, "photos": n} for (h, w), n in sizes.most_common()],
            "identical": [self._names(group) for group in self.duplicates.identical],
            "near_identical": [self._names(group) for group in self.duplicates.near],
            "findings": [asdict(finding) for finding in self.findings],
        }

    def _names(self, group: Group) -> list[str]:
        return [_name(path, self.dataset.root) for path in group.paths]


def verify(dataset: Dataset) -> Verification:
    """Read every photo and mask of a data set and compare the photos with each other."""
    duplicates = find_duplicates(dataset.samples)
    findings = [*_photos(dataset, duplicates), *_repeated(dataset, duplicates), *_masks(dataset, duplicates)]
    return Verification(dataset, duplicates, tuple(sorted(findings, key=lambda finding: not finding.is_problem)))


def _photos(dataset: Dataset, duplicates: Duplicates) -> Iterator[Finding]:
    root = dataset.root
    if duplicates.unreadable:
        reasons = tuple(sorted(duplicates.unreadable.values()))
        yield Finding(True, f"{_n(reasons, 'photo')} cannot be read", reasons)
    if unlabelled := [_name(sample.path, root) for sample in dataset.samples if sample.is_anomalous is None]:
        what = f"{_n(unlabelled, 'photo')} labelled neither OK nor NG, therefore not used"
        yield Finding(False, what, tuple(unlabelled))
    used = {path for sample in dataset.samples for path in (sample.path, sample.mask_path)}
    if unused := [_name(path, root) for path in photos_below(root) if path not in used]:
        what = f"{_n(unused, 'picture')} without a place in the {dataset.layout} layout, therefore not used"
        yield Finding(False, what, tuple(unused))
    sizes = Counter(duplicates.sizes.values())
    if len(sizes) > 1:
        items = tuple(f"{_size(size)}: {n}" for size, n in sizes.most_common())
        yield Finding(False, f"{_n(sizes, 'different photo size')} (width x height)", items)


def _repeated(dataset: Dataset, duplicates: Duplicates) -> Iterator[Finding]:
    def finding(is_problem: bool, what: str, groups: Sequence[Group]) -> Iterator[Finding]:
        if groups:
            n_photos = sum(len(group.samples) for group in groups)
            items = tuple(" = ".join(_name(path, dataset.root) for path in group.paths) for group in groups)
            yield Finding(is_problem, f"{n_photos} photos in {_n(groups, 'group')} {what}", items)

    contradictions = [group for group in duplicates.all_groups if group.contradicts_itself]
    yield from finding(True, "show the same picture labelled both OK and NG", contradictions)
    for kind, groups in (("identical", duplicates.identical), ("near-identical", duplicates.near)):
        yield from finding(True, f"are {kind} across splits", [group for group in groups if group.spans_splits])
        yield from finding(False, f"are {kind} within a split", [group for group in groups if not group.spans_splits])


def _masks(dataset: Dataset, duplicates: Duplicates) -> Iterator[Finding]:
    """What is wrong with the masks of the NG photos that test."""
    root = dataset.root
    tested = [sample for sample in dataset.samples if sample.is_anomalous and purpose(sample) == "to test"]
    missing = [_name(sample.path, root) for sample in tested if sample.mask_path is None]
    if missing and len(missing) == len(tested):
        yield Finding(False, "The NG photos have no masks: whether the right place is found cannot be measured")
    elif missing:
        yield Finding(True, f"{_n(missing, 'NG photo')} without a mask, while others have one", tuple(missing))
    faults = [
        f"{_name(sample.mask_path, root)}: {fault}"
        for sample in tested
        if sample.mask_path and (fault := _mask_fault(sample.mask_path, duplicates.sizes.get(sample.path)))
    ]
    if faults:
        yield Finding(True, f"{_n(faults, 'mask')} of no use", tuple(faults))


def _mask_fault(path: Path, photo_size: tuple[int, int] | None) -> str:
    """What is wrong with a mask, empty if nothing is; the size is None where the photo cannot be read."""
    try:
        mask = images.read_mask(path)
    except ImageError as error:
        return str(error)
    if photo_size and mask.shape != photo_size:
        return f"{_size(mask.shape)} pixels, but its photo has {_size(photo_size)}"
    return "" if mask.any() else "marks no defect"


def _size(size: tuple[int, ...]) -> str:
    """Width x height, as people say it."""
    return f"{size[1]} x {size[0]}"


def _n(things: Sized, noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
