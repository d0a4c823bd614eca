"""Everything about a data set that would make its figures wrong, or that its owner should know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Sized
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from andon.datasets._dataset import CLASSES, Dataset, class_name, purpose
from andon.datasets._duplicates import Duplicates, Group, find_duplicates
from andon.datasets._masks import read_mask
from andon.datasets._same_picture import contradictions
from andon.errors import ImageError
from andon.types import Sample


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
        return [self.dataset.name_of(path) for path in group.paths]


def verify(dataset: Dataset) -> Verification:
    """Read every photo and mask of a data set and compare the photos with each other."""
    duplicates = find_duplicates(dataset.samples)
    findings = [*_photos(dataset, duplicates), *_repeated(dataset, duplicates), *_masks(dataset, duplicates)]
    return Verification(dataset, duplicates, tuple(sorted(findings, key=lambda finding: not finding.is_problem)))


def _photos(dataset: Dataset, duplicates: Duplicates) -> Iterator[Finding]:
    if duplicates.unreadable:
        reasons = tuple(sorted(duplicates.unreadable.values()))
        yield Finding(True, f"{_n(reasons, 'photo')} cannot be read", reasons)
    if unlabelled := [dataset.name_of(sample.path) for sample in dataset.samples if sample.is_anomalous is None]:
        what = f"{_n(unlabelled, 'photo')} labelled neither OK nor NG, and so not used"
        yield Finding(False, what, tuple(unlabelled))
    if dataset.unused:
        yield Finding(False, dataset.unused_in_words(), tuple(map(dataset.name_of, dataset.unused)))
    for remark in dataset.remarks:
        if remark != dataset.unused_in_words():
            yield Finding(False, remark)
    sizes = Counter(duplicates.sizes.values())
    if len(sizes) > 1:
        items = tuple(f"{_size(size)}: {n}" for size, n in sizes.most_common())
        yield Finding(False, f"{_n(sizes, 'different photo size')} (width x height)", items)


def _repeated(dataset: Dataset, duplicates: Duplicates) -> Iterator[Finding]:
    def finding(is_problem: bool, what: str, groups: Sequence[Sequence[Path]]) -> Iterator[Finding]:
        if groups:
            n_photos = sum(map(len, groups))
            items = tuple(" = ".join(map(dataset.name_of, group)) for group in groups)
            yield Finding(is_problem, f"{n_photos} photos in {_n(groups, 'group')} {what}", items)

    contradicting = {group: contradictions(group) for group in duplicates.all_groups if group.has_both_labels}
    same = [pair for pairs in contradicting.values() for pair in pairs]
    alike = [group.paths for group, pairs in contradicting.items() if not pairs]
    yield from finding(True, "show the same picture labelled both OK and NG", same)
    yield from finding(False, "look alike, and some are labelled OK and others NG", alike)
    for kind, groups in (("are identical", duplicates.identical), ("look alike", duplicates.near)):
        across = [group.paths for group in groups if group.spans_splits]
        yield from finding(True, f"{kind} across splits", across)
        yield from finding(False, f"{kind} within a split", [g.paths for g in groups if not g.spans_splits])


def _masks(dataset: Dataset, duplicates: Duplicates) -> Iterator[Finding]:
    """What is wrong with the masks of the NG photos that test."""
    tested = [sample for sample in dataset.samples if sample.is_anomalous and purpose(sample) == "test"]
    missing = [dataset.name_of(sample.path) for sample in tested if not sample.has_truth]
    if missing and len(missing) == len(tested):
        yield Finding(False, "The NG photos have no masks: whether the right place is found cannot be measured")
    elif missing:
        yield Finding(True, f"{_n(missing, 'NG photo')} without a mask, while others have one", tuple(missing))
    faults, remarks = [], []
    for sample in tested:
        size = duplicates.sizes.get(sample.path)
        if sample.has_truth and size is not None:
            name = dataset.name_of(sample.masks[0] if sample.masks else sample.path)
            fault, said = _mask_fault(sample, size)
            faults += [f"{name}: {fault}"] if fault else []
            remarks += [f"{name}: {'; '.join(said)}"] if said and not fault else []
    if faults:
        yield Finding(True, f"{_n(faults, 'mask')} that cannot be used", tuple(faults))
    if remarks:
        yield Finding(False, f"{_n(remarks, 'mask')} to look at", tuple(remarks))


def _mask_fault(sample: Sample, photo_size: tuple[int, int]) -> tuple[str, tuple[str, ...]]:
    """Why a photo's ground truth cannot be used, empty if it can; and remarks on it."""
    try:
        mask, remarks = read_mask(sample, photo_size)
    except ImageError as error:
        return str(error), ()
    return "" if mask is not None and mask.any() else "marks no defect", remarks


def _size(size: tuple[int, ...]) -> str:
    """Width x height, as people say it."""
    return f"{size[1]} x {size[0]}"


def _n(things: Sized, noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
