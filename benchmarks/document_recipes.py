"""The documents' recipes `mvtec` and `fastener` beside `default`, on photo sets and on drawn parts with soft shadows.

    python benchmarks/document_recipes.py [--data DIR ...] [--seeds 2] [--size 256] [--set KEY=VALUE ...]

Every recipe sees the same photos at the same image size, and is trained and calibrated as by `andon train`. Of its
verdicts on the test photos: the share of OK parts that are rejected (NG or invalid), the share of all that go to
review, and the share of NG parts that escape.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from andon import datasets, recipes
from andon.drawn._solids import Kind
from andon.drawn.fasteners import draw_shadowed
from andon.teaching.train import teach
from andon.types import Inspection

RECIPES = ("default", "mvtec")
KINDS: tuple[Kind, ...] = ("screw", "nut", "bolt")


@dataclass(frozen=True)
class Row:
    """Shares in [0, 1]; `masked` are the test photos in which a part was isolated."""

    auroc: float
    rejected: float
    review: float
    escaped: float
    masked: float


def main() -> None:
    options = _options()
    print(f"{'':<24}{'recipe':<10}{'AUROC':>7}{'rejected':>10}{'review':>8}{'escaped':>9}{'masked':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name, data in itertools.chain(_drawn(Path(folder), options), ((path.name, path) for path in options.data)):
            for recipe in options.recipe:
                row = measure(recipe, data, options)
                shares = f"{row.rejected:>10.0%}{row.review:>8.0%}{row.escaped:>9.0%}{row.masked:>8.0%}"
                print(f"{name:<24}{recipe:<10}{row.auroc:>7.3f}{shares}", flush=True)


def _drawn(folder: Path, options: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    for kind, seed in itertools.product(KINDS, range(options.seeds)):
        name = f"{kind}s, seed {seed}"
        draw_shadowed(folder / name, kind=kind, ground=options.ground, n_test=50, seed=seed)
        yield name, folder / name


def measure(recipe: str, data: Path, options: argparse.Namespace) -> Row:
    """Train with the OK photos, and judge the test photos."""
    built = recipes.build(recipe, options.set, {"image_size": options.size})
    dataset = datasets.read(data, also_ng=built.data.ng_names)
    taught = teach(built, dataset, allow_duplicates=True)
    seen = set(taught.manifest.trained.names) | set(taught.manifest.calibrated.names)
    new = [sample for sample in dataset.samples if dataset.name_of(sample.path) not in seen]
    tested = [sample for sample in new if sample.is_anomalous is not None and sample.split in (None, "test")]
    judged = list(taught.pipeline.inspect_batch([sample.path for sample in tested], with_map=True))
    known = [(s, one) for s, one in zip(tested, judged, strict=True) if isinstance(one, Inspection)]
    return _row([bool(sample.is_anomalous) for sample, _ in known], [one for _, one in known])


def _row(is_ng: Sequence[bool], judged: Sequence[Inspection]) -> Row:
    ng = np.array(is_ng)
    verdicts = np.array([one.verdict for one in judged])
    return Row(
        auroc=float(roc_auc_score(ng, [one.score for one in judged])),
        rejected=float(np.isin(verdicts[~ng], ("NG", "invalid")).mean()),
        review=float((verdicts == "review").mean()),
        escaped=float((verdicts[ng] == "OK").mean()),
        masked=float(np.mean([one.roi is not None for one in judged])),
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="folders of photo sets")
    parser.add_argument("--seeds", type=int, default=2, help="of the drawn sets, so many of each kind; 0 for none")
    parser.add_argument("--ground", choices=["light", "dark"], default="light", help="of the drawn sets")
    parser.add_argument("--size", type=int, default=256, help="image size of all recipes, in pixels")
    parser.add_argument("--recipe", nargs="*", default=RECIPES)
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE for all recipes")
    return parser.parse_args()


if __name__ == "__main__":
    main()
