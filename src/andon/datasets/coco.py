"""COCO annotations: a photo that has any is NG, and their polygons and boxes are its ground truth.

The file lies beside the photos (`_annotations.coco.json`), above them, or in a folder `annotations`. A category that is
called OK marks no defect. A photo that the file lists without annotations is OK; one that it does not list is what its
folder says.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from andon.datasets._dataset import Reading
from andon.datasets._labels import IGNORE, Label, labelled, outline_of
from andon.datasets._masks import finder_of
from andon.datasets._photo_index import PhotoIndex
from andon.datasets._run_lengths import outlines_of_runs
from andon.datasets._tables import texts
from andon.datasets._tree import PhotoTree
from andon.datasets._vocabulary import listed
from andon.datasets._words import ClassNames, some, words_of
from andon.errors import DatasetError
from andon.types import Outline

LOOKS_LIKE = "photos and _annotations.coco.json beside them"
SPECIFICITY = 5

Json = dict[str, Any]
KEYS = ("images", "annotations")
NAME_WORDS = listed("coco annotations annotation instances")


def recognises(tree: PhotoTree) -> bool:
    """Whether there is such a file."""
    return bool(_files(tree))


def read(tree: PhotoTree) -> Reading:
    """The photos with their labels.

    Raises:
        DatasetError: a file lacks something, lists none of the photos, or contradicts the folders; or a name that was
            given matches no category.
    """
    finder = finder_of(tree)
    index = PhotoIndex(tree.root, finder.photos)
    labels: dict[Path, Label] = {}
    categories: list[str] = []
    notes = []
    for file, content in _files(tree).items():
        try:
            found, names, missing = _labels(file, content, index, tree.names)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, ZeroDivisionError) as error:
            raise DatasetError(
                f"{file} is not a valid COCO file ({type(error).__name__}: {error}); export it again, or {IGNORE}."
            ) from None
        if not found:
            raise DatasetError(f"{file} lists none of the photos in {tree.root}; correct the names in it, or {IGNORE}.")
        labels |= found
        categories += names
        n_ng = sum(bool(label.is_anomalous) for label in found.values())
        notes.append(f"{file.name}: {n_ng} of {len(found)} photos are annotated and read as NG.")
        if missing:
            notes.append(f"{file.name} lists {len(missing)} photos that are not there: {some(missing)}.")
    tree.names.check_used(categories, f"category of {tree.root}")
    return Reading(labelled(tree, labels), tuple(notes))


@lru_cache(maxsize=1)  # whether it is COCO is known only when it has been read
def _files(tree: PhotoTree) -> dict[Path, Json]:
    found = {}
    for file in tree.label_files:
        if file.suffix.lower() == ".json" and (content := _content(file)) is not None:
            found[file] = content
    return found


def _content(file: Path) -> Json | None:
    """What the file holds; None if it is not a COCO file.

    Raises:
        DatasetError: it has the name of one but cannot be read as one.
    """
    is_called_so = not NAME_WORDS.isdisjoint(words_of(file.name))
    try:
        text = next(iter(texts(file)))
        if not is_called_so and not all(f'"{key}"' in text for key in KEYS):
            return None
        content = json.loads(text)
        if not isinstance(content, dict) or not all(isinstance(content.get(key), list) for key in KEYS):
            raise ValueError(f"it holds no {' and '.join(KEYS)}")
    except (DatasetError, ValueError, RecursionError) as error:
        if is_called_so:
            raise DatasetError(f"{file} cannot be read as COCO ({error}); export it again, or {IGNORE}.") from None
        return None
    return cast(Json, content)


def _labels(
    file: Path, content: Json, index: PhotoIndex, names: ClassNames
) -> tuple[dict[Path, Label], list[str], list[str]]:
    """The labels of the photos, the names of the categories that are used, the photos that are not there."""
    categories = {one["id"]: str(one.get("name", one["id"])) for one in content.get("categories", ())}
    of_photo: dict[Any, list[Json]] = defaultdict(list)
    for annotation in content["annotations"]:
        of_photo[annotation["image_id"]].append(annotation)
    is_ng = {key: _is_ng(name, names, list(categories.values())) for key, name in categories.items()}
    times = Counter(Path(image["file_name"]).name for image in content["images"])
    labels: dict[Path, Label] = {}
    missing = []
    for image in content["images"]:
        name = str(image["file_name"])
        photo = index.find(name, file, whole=times[Path(name).name] > 1)
        if photo is None:
            missing.append(name)
            continue
        marks = [one for one in of_photo[image["id"]] if is_ng.get(one.get("category_id"), True)]
        kinds = dict.fromkeys(categories.get(one.get("category_id"), "annotated") for one in marks)
        outlines = tuple(outline for one in marks for outline in _outlines(one, image))
        labels[photo] = Label(bool(marks), file.name, " + ".join(kinds) or None, outlines=outlines)
    used = [categories[one["category_id"]] for one in content["annotations"] if one.get("category_id") in categories]
    return labels, [*categories.values(), *used], missing


def _is_ng(category: str, names: ClassNames, all_of_them: list[str]) -> bool:
    """Whether a category marks defects: all do, except those that are called OK and, where names of NG were given,
    those that none of the names matches."""
    says_ng = names.says_ng(category)
    if says_ng is not None:
        return says_ng
    return not any(names.says_ng(other) and names.is_own(other) for other in all_of_them)


def _outlines(annotation: Json, image: Json) -> list[Outline]:
    """Where an annotation lies: its polygons, its runs of pixels, or else its box."""
    width, height = float(image["width"]), float(image["height"])
    shape = annotation.get("segmentation")
    if isinstance(shape, dict):
        return outlines_of_runs(shape)
    polygons = [points for points in shape or () if len(points) >= 6]
    if not polygons and "bbox" in annotation:
        x, y, w, h = map(float, annotation["bbox"])
        polygons = [[x, y, x + w, y, x + w, y + h, x, y + h]]
    return [
        outline_of((float(x) / width, float(y) / height) for x, y in zip(points[::2], points[1::2], strict=True))
        for points in polygons
    ]
