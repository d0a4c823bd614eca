"""The empty folders that a new data set begins with."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from andon.errors import DatasetError

README = """\
# Photos of one kind of part

| folder | what goes in |
|---|---|
| `train/good` | photos of OK parts to learn from: 50 to 200, with all the variation that is still OK |
| `validation/good` | may stay empty: further OK photos, 20 or more, that set the threshold |
| `test/good` | further OK photos, to measure how many good parts would be rejected |
{test_rows}
| `ground_truth/<defect>` | may stay empty: masks of the NG photos, white where the defect is |

- Take all photos with the same camera, lens, light and distance as later on the line.
- One part, one photo. The same part must not be in two folders.
- A mask has its photo's size and is named after it: `ground_truth/{defect}/001_mask.png` for `test/{defect}/001.jpg`.
- Name the folders of test/ as you name the defects. PNG, JPEG, BMP, TIFF and WebP are read.

Then:

    andon data verify {folder}
    andon train {folder} -o part.safetensors
    andon evaluate part.safetensors {folder}
"""


def check_empty(root: Path) -> None:
    """Check that `root` is an empty folder or does not exist yet.

    Raises:
        DatasetError: it is a file, or a folder that is not empty.
    """
    if root.exists() and not root.is_dir():
        raise DatasetError(f"{root} is a file; give the name of a new folder.")
    if root.is_dir() and any(root.iterdir()):
        raise DatasetError(f"{root} is not empty; give the name of a new folder.")


def _check_names(defects: Sequence[str]) -> None:
    """Refuse, before anything is made, a kind of defect that cannot name a folder of its own."""
    for defect in defects:
        if defect != Path(defect).name or "\\" in defect or defect in ("", ".", ".."):
            raise DatasetError(f"{defect!r} cannot name a folder; name a defect by a plain word, such as scratch.")
        if defect.lower() == "good":
            raise DatasetError("'good' is the folder of the OK photos; name a kind of defect, such as scratch.")
    if len(set(defects)) < len(defects):
        raise DatasetError("A kind of defect is named twice; name each once.")


def create(root: Path, defects: Sequence[str]) -> None:
    """Make the empty folders of the mvtec layout for one's own parts, and a README.md that explains them.

    Raises:
        DatasetError: `root` is not empty or cannot be written.
    """
    check_empty(root)
    _check_names(defects)
    folders = ["train/good", "validation/good", "test/good"]
    folders += [f"{parent}/{defect}" for parent in ("test", "ground_truth") for defect in defects]
    rows = "\n".join(f"| `test/{defect}` | photos of parts with this defect |" for defect in defects)
    try:
        for folder in folders:
            (root / folder).mkdir(parents=True)
        readme = README.format(test_rows=rows, defect=defects[0], folder=shlex.quote(str(root)))
        (root / "README.md").write_text(readme, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise DatasetError(f"{root} cannot be made ({reason}); choose a folder that you may write to.") from None
