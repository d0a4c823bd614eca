"""Ground-truth masks: which belong to a photo, wherever they lie, and all that is known of a photo as one mask."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from andon import images
from andon.datasets._tree import MASK_NAMES, PLAIN_NAMES, SPLIT_NAMES, PhotoTree
from andon.datasets._words import words_of
from andon.errors import ImageError
from andon.types import Mask, Outline, Sample

MARK = re.compile(
    r"(?P<stem>.+?)[ ._-]+(?P<mark>mask|gt|ground[ _-]?truth|seg|segmentation|label|labels|annotation)s?([ ._-]?\d+)?",
    re.IGNORECASE,
)
"""How masks are named after their photo: 001_mask, 001_mask_2, Part0_label, 10301_GT."""
SURE_MARKS = frozenset({"mask", "gt", "groundtruth", "seg", "segmentation"})
MASK_SHARE = 0.97  # of a mask's pixels lies near its darkest and brightest value, JPEG's ripples included
MASK_TOLERANCE = 24


class MaskFinder:
    """Knows which pictures of a folder are masks, and of which photos.

    A mask lies beside its photo and is marked in its name (Part0.jpg, Part0_label.bmp), or has its name and another
    ending; or it lies in a folder of masks, under the photo's name with or without a mark, or in a folder of the
    photo's name, that may hold several. A photo never gets a mask that may be another's.
    """

    def __init__(self, tree: PhotoTree) -> None:
        self._by_stem: dict[Path, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
        others: dict[Path, list[Path]] = defaultdict(list)
        for picture in tree.pictures:
            if tree.meaning(picture).is_masks:
                for stem in {picture.stem, _unmarked(picture.stem)}:
                    self._by_stem[picture.parent][stem].append(picture)
            else:
                others[picture.parent].append(picture)
        self._roots = _mask_roots(tree.root, self._by_stem)
        self._beside: dict[Path, list[Path]] = defaultdict(list)
        masks = {mask: photo for inner in others.values() for mask, photo in _beside(inner).items()}
        for mask, photo in masks.items():
            self._beside[photo].append(mask)
        self.photos = tuple(p for p in tree.pictures if p not in masks and not tree.meaning(p).is_masks)
        """The pictures that are not masks."""
        self._of_name = Counter(photo.stem for photo in self.photos if tree.meaning(photo).says_ng is not False)

    def beside(self, photo: Path) -> tuple[Path, ...]:
        """The masks that lie beside the photo."""
        return tuple(self._beside.get(photo, ()))

    def of(self, photo: Path) -> tuple[Path, ...]:
        """All masks of the photo: those beside it, or else those of the nearest folder of masks that has any."""
        found = (self._in_root(photo, root) for root in self._roots if root.parent in photo.parents)
        return self.beside(photo) or next(filter(None, found), ())

    def _in_root(self, photo: Path, root: Path) -> tuple[Path, ...]:
        """Those in the photo's own folders of masks; those elsewhere only if no other photo has its name."""
        inner = photo.parent.relative_to(root.parent).parts
        telling = tuple(name for name in inner if "".join(words_of(name)) not in SPLIT_NAMES.keys() | PLAIN_NAMES)
        places = [inner, telling]
        if self._of_name[photo.stem] < 2:
            places += [telling[:1], telling[-1:], ()]
        found = (self._in_folder(photo.stem, root.joinpath(*place)) for place in places)
        return next(filter(None, found), ())

    def _in_folder(self, stem: str, folder: Path) -> tuple[Path, ...]:
        """Those of that name in the folder, and all in its folder of that name."""
        named = self._by_stem.get(folder, {}).get(stem, [])
        within = [mask for masks in self._by_stem.get(folder / stem, {}).values() for mask in masks]
        return tuple(sorted({*named, *within}))


@lru_cache(maxsize=1)
def finder_of(tree: PhotoTree) -> MaskFinder:
    """The finder of a folder, kept because several layouts ask for it in turn."""
    return MaskFinder(tree)


def _mask_roots(root: Path, folders: Iterable[Path]) -> list[Path]:
    """The outermost folders of masks, the deepest first."""
    roots = set()
    for folder in folders:
        for place in (folder, *folder.parents):
            if place == root:
                break
            if "".join(words_of(place.name)) in MASK_NAMES:
                roots.add(place)
    return sorted(roots, key=lambda place: (-len(place.parts), place))


def _unmarked(stem: str) -> str:
    found = MARK.fullmatch(stem)
    return found["stem"] if found else stem


def _beside(pictures: Sequence[Path]) -> dict[Path, Path]:
    """Mask -> photo, of the pictures of one folder."""
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for picture in pictures:
        by_stem[picture.stem.casefold()].append(picture)
    found = {}
    for picture in pictures:
        marked = MARK.fullmatch(picture.stem)
        photos = by_stem.get(marked["stem"].casefold(), []) if marked else []
        if marked and photos and (_is_sure(marked["mark"]) or looks_like_mask(picture)):
            found[picture] = photos[0]
    for same in by_stem.values():
        masks = [picture for picture in same if looks_like_mask(picture)] if len(same) > 1 else []
        if len(masks) == 1 and masks[0] not in found:
            found[masks[0]] = next(picture for picture in same if picture != masks[0])
    return found


def _is_sure(mark: str) -> bool:
    return re.sub(r"[ _-]", "", mark.lower()) in SURE_MARKS


def looks_like_mask(path: Path) -> bool:
    """Whether a picture holds little but two values of grey, or one; False where it cannot be read."""
    try:
        photo = images.read(path)
    except ImageError:
        return False
    if photo.shape[0] > 1 and np.ptp(photo.astype(np.int16), axis=2).max() > MASK_TOLERANCE:
        return False
    grey = photo[:, :, 1]
    low, high = int(grey.min()), int(grey.max())
    return bool(((grey <= low + MASK_TOLERANCE) | (grey >= high - MASK_TOLERANCE)).mean() >= MASK_SHARE)


def read_mask(sample: Sample, photo_size: tuple[int, int]) -> tuple[Mask | None, tuple[str, ...]]:
    """All ground truth of a photo joined, (H, W) bool, True = defect; and remarks on what was done to its masks.

    The mask is None where nobody has marked anything.

    Args:
        photo_size: (H, W) of the photo, upright. Masks of another size and the same shape are scaled.

    Raises:
        ImageError: a mask cannot be read or is not of its photo's shape.
    """
    if not sample.has_truth:
        return None, ()
    masks = [outlined(sample.outlines, photo_size)]
    remarks: list[str] = []
    for path in sample.masks:
        mask = images.read_mask(path)
        orientation = 1 if mask.shape == photo_size else images.orientation(sample.path)
        fitted, said = images.fit_mask(mask, photo_size, orientation)
        masks.append(fitted)
        remarks += said
    return images.join_masks(masks), tuple(dict.fromkeys(remarks))


def outlined(outlines: Sequence[Outline], size: tuple[int, int]) -> Mask:
    """The outlines filled: (H, W) bool, True where a pixel's centre lies within one of them."""
    mask = np.zeros(size, dtype=bool)
    for outline in outlines:
        _fill(mask, np.array(outline, dtype=np.float64) * (size[1], size[0]))
    return mask


def _fill(mask: Mask, corners: NDArray[np.float64]) -> None:
    """Row by row, between where the row's middle enters the polygon (n, 2) and where it leaves it."""
    x, y = corners.T
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    first, last = np.clip(np.ceil(np.array([y.min(), y.max()]) - 0.5), 0, len(mask)).astype(int)
    for row in range(first, last):
        crosses = (y <= row + 0.5) != (next_y <= row + 0.5)
        share = (row + 0.5 - y[crosses]) / (next_y - y)[crosses]
        borders = np.sort(x[crosses] + share * (next_x - x)[crosses])
        for left, right in np.ceil(borders - 0.5).clip(0, mask.shape[1]).astype(int).reshape(-1, 2):
            mask[row, left:right] = True
