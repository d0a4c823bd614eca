"""What it costs to decode photos, by Pillow alone and as Andon does, in turns on one core.

    python benchmarks/decoding.py --photos DIR [DIR ...] [--most 40]

The files are in memory before. Each photo counts with its fastest of five times. "quick" are the photos that Pillow
need not decode (`images/quick.py`), "same" those with the same pixels either way.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from andon import images
from andon.images import quick
from andon.types import RgbImage

TURNS = 5
MOST_PIXELS = {"Pillow": 0, "Andon": quick.MAX_PIXELS}  # of the photos that Pillow does not decode


def timed(data: bytes, path: Path, by: str) -> tuple[float, RgbImage]:
    """Milliseconds, and the photo."""
    quick.MAX_PIXELS = MOST_PIXELS[by]
    started = time.perf_counter()
    photo = images.decode(data, path)
    return 1000 * (time.perf_counter() - started), photo


def main() -> None:
    """Print a line for each folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, nargs="+", required=True)
    parser.add_argument("--most", type=int, default=40, help="photos of each folder")
    options = parser.parse_args()
    print("photos                      n        size  Pillow ms  Andon ms  ratio  quick  same")
    for folder in options.photos:
        found = images.walk(folder).photos
        paths = found[:: max(1, len(found) // options.most)][: options.most]
        best: dict[str, float] = defaultdict(float)
        n_quick = n_same = 0
        for path in paths:
            data = images.read_bytes(path)
            turns = {by: [timed(data, path, by) for _ in range(TURNS)] for by in MOST_PIXELS}
            for by, results in turns.items():
                best[by] += min(milliseconds for milliseconds, _ in results) / len(paths)
            by_pillow, by_andon = (results[-1][1] for results in turns.values())
            n_same += np.array_equal(by_pillow, by_andon)
            n_quick += quick.decode_quickly(data, images.pillow.open_header(data)) is not None
        height, width = by_pillow.shape[:2]
        print(
            f"{str(folder)[-24:]:24} {len(paths):4} {f'{width} x {height}':>11} {best['Pillow']:10.2f} "
            f"{best['Andon']:9.2f} {best['Pillow'] / best['Andon']:5.1f}x {n_quick:6} {n_same:5}"
        )


if __name__ == "__main__":
    main()
