"""Ways to find the nearest row of a memory bank, on one core, for the patches of a photo.

    python benchmarks/search.py --photos bottle/train/good

Banks are greedy coresets of the photos' own patches; other photos are looked up. The ways take turns, and the median
turn of each counts. Beside the milliseconds stands the share of patches for which the same row is found as by float64.
NumKong's packed products come without picking the nearest, and only where it is installed.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

os.environ["OMP_NUM_THREADS"] = os.environ["ANDON_THREADS"] = "1"  # read when the libraries are loaded

import faiss
import numpy as np
import torch
from numpy.typing import NDArray

from andon import backbones, images, resources
from andon.detectors._coreset import coreset_and_radius
from andon.detectors._embedding import embed, random_orthogonal
from andon.detectors._scoring import nearest
from andon.inference.bank_search import BankSearch
from andon.preprocess.resize import Resize
from andon.teaching.photos import to_tensors
from andon.types import Frame

Floats = NDArray[np.float32]
Way = Callable[[Floats], NDArray[Any] | None]
TURNS, LOOKED_UP = 12, 4


def ways(bank: Floats) -> dict[str, Way]:
    """By name, what gives the row of each query."""
    tensor, flat = torch.from_numpy(bank), faiss.IndexFlatL2(bank.shape[1])
    flat.add(bank)
    ours, in_float32 = BankSearch(bank), BankSearch(bank)
    in_float32._requests = in_float32._compiled(in_8_bits=False)
    found: dict[str, Way] = {
        "ours, 8 bits" if resources.has_8_bit_products() else "ours": lambda queries: ours.nearest(queries)[1],
        "ours, float32 products": lambda queries: in_float32.nearest(queries)[1],
        "torch, float32 tiles": lambda queries: nearest(torch.from_numpy(queries), tensor)[1].numpy(),
        "faiss, IndexFlatL2": lambda queries: flat.search(queries, 1)[1][:, 0],
    }
    try:
        import numkong
    except ModuleNotFoundError:
        return found
    codes = np.round(bank / np.abs(bank).max() * 127).astype(np.int8)
    packed, packed_codes = numkong.dots_pack(bank), numkong.dots_pack(codes)

    def products(queries: Floats) -> None:
        numkong.dots_packed(queries, packed)

    def products_in_8_bits(queries: Floats) -> None:
        numkong.dots_packed(np.round(queries / np.abs(bank).max() * 127).astype(np.int8), packed_codes)

    return found | {"NumKong, float32 products": products, "NumKong, 8-bit products": products_in_8_bits}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--rows", type=int, nargs="+", default=[2_500, 5_500, 26_000])
    parser.add_argument("--dimensions", type=int, default=128)
    options = parser.parse_args()
    backbone = backbones.create(backbones.BackboneConfig())
    space = random_orthogonal(sum(backbone.channels), options.dimensions, torch.Generator().manual_seed(0))
    steps, paths = Resize(image_size=options.size), images.walk_folder(options.photos).photos
    wanted = LOOKED_UP + -(-max(options.rows) // (options.size // 8) ** 2) * 4
    with torch.inference_mode():
        patches = []
        for path in paths[:wanted]:
            x, _ = to_tensors([steps(Frame.whole(images.read(path)))])
            patches.append((embed(backbone, x).permute(0, 2, 3, 1) @ space).flatten(0, 2))
    known = torch.cat(patches[LOOKED_UP:])
    print(f"{len(patches[0])} patches x {options.dimensions} of a photo, one core, ms")
    for rows in options.rows:
        indices, _ = coreset_and_radius(known, rows, start=0)
        _print(rows, known[indices].numpy(), [queries.numpy() for queries in patches[:LOOKED_UP]])


def _print(rows: int, bank: Floats, photos: list[Floats]) -> None:
    found = ways(bank)
    exact = nearest(torch.from_numpy(photos[0]).double(), torch.from_numpy(bank).double())[1].numpy()
    took: dict[str, list[float]] = {name: [] for name in found}
    for turn in range(TURNS + 1):
        for name, way in found.items():
            start = time.perf_counter()
            way(photos[turn % len(photos)])
            took[name].append(time.perf_counter() - start)
    for name, way in found.items():
        index = way(photos[0])
        same = "" if index is None else f"{(index == exact).mean():9.2%}"
        print(f"{rows:8,}  {name:<26}{1000 * median(took[name][1:]):8.1f}{same}")


if __name__ == "__main__":
    main()
