"""Everything about a data set that would make its figures wrong, or that its owner should know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from andon import images
from andon.datasets._dataset import CLASSES, Dataset, class_name, purpose
from andon.datasets._duplicates import Duplicates, Group, find_duplicates
from andon.datasets._folders import photos_below
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
    """What `verify` found in a data set."""

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
    findings = [
        *_unreadable(dataset, duplicates),
        *_repeated(dataset, duplicates),
        *_masks(dataset, duplicates),
        *_remarks(dataset, duplicates),
    ]
    return Verification(dataset, duplicates, tuple(finding for finding in findings if finding.items))


def _unreadable(dataset: Dataset, duplicates: Duplicates) -> list[Finding]:
    reasons = tuple(sorted(duplicates.unreadable.values()))
    return [Finding(True, f"{len(reasons)} photos cannot be read", reasons)]


def _repeated(dataset: Dataset, duplicates: Duplicates) -> list[Finding]:
    findings = []
    contradictions = [group for group in duplicates.all_groups if group.contradicts_itself]
    findings.append(_group_finding(dataset, True, "show the same picture labelled both OK and NG", contradictions))
    for kind, groups in (("identical", duplicates.identical), ("near-identical", duplicates.near)):
        across = [group for group in groups if group.spans_splits]
        within = [group for group in groups if not group.spans_splits]
        findings.append(_group_finding(dataset, True, f"are {kind} across splits", across))
        findings.append(_group_finding(dataset, False, f"are {kind} within a split", within))
    return findings


def _group_finding(dataset: Dataset, is_problem: bool, what: str, groups: Sequence[Group]) -> Finding:
    n_photos = sum(len(group.samples) for group in groups)
    items = tuple(" = ".join(_name(path, dataset.root) for path in group.paths) for group in groups)
    return Finding(is_problem, f"{n_photos} photos in {len(groups)} groups {what}", items)


def _masks(dataset: Dataset, duplicates: Duplicates) -> list[Finding]:
    """What is wrong with the masks of the NG photos that test."""
    root = dataset.root
    tested = [sample for sample in dataset.samples if sample.is_anomalous and purpose(sample) == "to test"]
    missing = tuple(_name(sample.path, root) for sample in tested if sample.mask_path is None)
    none_at_all = len(missing) == len(tested)
    wrong = [(sample, fault) for sample in tested if (fault := _mask_fault(sample, duplicates.sizes))]
    lacking = "NG photos have no mask" + (": where they deviate cannot be measured" if none_at_all else "")
    return [
        Finding(not none_at_all, f"{len(missing)} {lacking}", missing),
        Finding(
            True,
            f"{len(wrong)} masks do not fit their photo",
            tuple(f"{_name(sample.mask_path or sample.path, root)}: {fault}" for sample, fault in wrong),
        ),
    ]


def _mask_fault(sample: Sample, sizes: dict[Path, tuple[int, int]]) -> str:
    """Why the photo's mask is of no use; empty where it is, or where there is nothing to compare."""
    if sample.mask_path is None:
        return ""
    try:
        mask = images.read_mask(sample.mask_path)
    except ImageError as error:
        return str(error)
    size = sizes.get(sample.path, mask.shape)
    if mask.shape != size:
        return f"{_size(mask.shape)} pixels, but the photo has {_size(size)}"
    return "" if mask.any() else "marks no defect"


def _remarks(dataset: Dataset, duplicates: Duplicates) -> list[Finding]:
    root = dataset.root
    used = {path for sample in dataset.samples for path in (sample.path, sample.mask_path)}
    unused = tuple(_name(path, root) for path in photos_below(root) if path not in used)
    unlabelled = tuple(_name(sample.path, root) for sample in dataset.samples if sample.is_anomalous is None)
    sizes = Counter(duplicates.sizes.values()).most_common()
    mixed = tuple(f"{_size(size)}: {n} photos" for size, n in sizes) if len(sizes) > 1 else ()
    return [
        Finding(False, f"{len(unlabelled)} photos are labelled neither OK nor NG and are not used", unlabelled),
        Finding(False, f"{len(unused)} pictures have no place in the {dataset.layout} layout and are not used", unused),
        Finding(False, f"The photos have {len(mixed)} different sizes (width x height)", mixed),
    ]


def _size(size: tuple[int, ...]) -> str:
    """Width x height, as people say it."""
    return f"{size[1]} x {size[0]}"


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
