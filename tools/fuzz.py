"""Damage models and photos at random, seeded, and count what Andon makes of them: `make fuzz`.

A damaged file must be refused in a sentence (an AndonError). Everything else is counted as a fault: another error, a
model that is accepted although a byte of it changed, or work that does not end.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import random
import resource
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from andon import images
from andon.drawn.fasteners import draw_fastener
from andon.errors import AndonError
from andon.line.pipeline import Pipeline
from andon.models import file
from andon.models.load import load
from andon.models.save import save
from andon.teaching.train import train
from andon.types import RgbImage

SECONDS = 20  # that one file may take
MEMORY = 12 * 2**30
FAST = ("steps.resize.image_size=64", "detector.target_dim=12", "anomaly_map.sigma=1")
HOSTILE: tuple[Any, ...] = (
    None, True, -1, 0, 2**70, 1e308, -1e308, 1e-300, "", "nan", "x" * 5000, "../../x", [], [1], [[]], {}, {"a": 1}
)  # fmt: skip
FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF")


class HungError(Exception):
    """It took too long."""


@contextmanager
def limited() -> Iterator[None]:
    """At most so many seconds."""

    def stop(*_: object) -> None:
        raise HungError

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


def outcome(act: Callable[[], str]) -> str:
    """ "refused", "hung", "traceback", or what `act` says."""
    try:
        with limited():
            return act()
    except AndonError:
        return "refused"
    except HungError:
        return "hung"
    except Exception:
        traceback.print_exc()
        return "traceback"


def flipped(data: bytes, rng: random.Random) -> bytes:
    """One byte changed."""
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ rng.randrange(1, 256)]) + data[place + 1 :]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Bytes changed, cut out, doubled or cut off."""
    kind = rng.randrange(4)
    if kind == 0:
        for _ in range(rng.choice((1, 4, 32))):
            data = flipped(data, rng)
        return data
    first, last = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    if kind == 1:
        return data[:first] + data[last:]
    if kind == 2:
        return data[:last] + data[first:]
    return data[: max(1, first)]


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in nested dictionaries and lists."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


def hostile(tree: dict[str, Any], arrays: file.Arrays, rng: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and arrays with one to three things in them that do not belong there."""
    tree, changed = copy.deepcopy(tree), dict(arrays)
    for _ in range(rng.randrange(1, 4)):
        if rng.random() < 0.3:
            name = rng.choice(sorted(changed))
            array = changed[name]
            changed[name] = rng.choice((
                lambda a: a.astype(np.int32),
                lambda a: a.reshape(-1)[: max(1, a.size // 2)],
                lambda a: a[None],
                lambda a: np.zeros((0, 3), np.float32),
                lambda a: np.full_like(a, np.iinfo(a.dtype).max) if a.dtype.kind in "iu" else np.full_like(a, np.nan),
            ))(array)  # fmt: skip
        else:
            *way, last = rng.choice(list(places(tree)))
            holder = tree
            for key in way:
                holder = holder[key]
            if rng.random() < 0.2 and isinstance(holder, dict):
                del holder[last]
            else:
                holder[last] = rng.choice(HOSTILE)
    return tree, changed


def _accepted(path: Path) -> str:
    load(path)
    return "accepted"


def flips(model: bytes, folder: Path, count: int, rng: random.Random) -> Iterator[str]:
    for _ in range(count):
        path = folder / "flipped.safetensors"
        path.write_bytes(flipped(model, rng))
        yield outcome(partial(_accepted, path))


def headers(model: Path, folder: Path, photo: RgbImage, count: int, rng: random.Random) -> Iterator[str]:
    contents = file.read(model)
    for _ in range(count):
        tree, arrays = hostile(contents.tree, contents.arrays, rng)
        path = folder / "hostile.safetensors"

        def act(tree: dict[str, Any] = tree, arrays: dict[str, Any] = arrays, path: Path = path) -> str:
            path.write_bytes(file.to_bytes(tree, arrays)[0])
            load(path, precision="f32").inspect(photo)
            return "harmless"

        yield outcome(act)


def photos(pipeline: Pipeline, folder: Path, photo: RgbImage, count: int, rng: random.Random) -> Iterator[str]:
    for number in range(count):
        kind = FORMATS[number % len(FORMATS)]
        data = io.BytesIO()
        Image.fromarray(photo).save(data, kind)
        path = folder / f"mutated.{kind.lower()}"
        path.write_bytes(mutated(data.getvalue(), rng))

        def act(path: Path = path) -> str:
            pipeline.inspect(path)
            return "inspected"

        yield outcome(act)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--flips", type=int, default=2000)
    parser.add_argument("--headers", type=int, default=200)
    parser.add_argument("--photos", type=int, default=2000)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(8):
            picture = draw_fastener(np.random.default_rng(number), kind="nut", defect=None, setting=0)[0]
            images.write(folder / "ok" / f"{number}.png", picture)
        model = folder / "model.safetensors"
        save(train(folder / "ok", settings=FAST, precision="f32"), model)
        photo = images.read(folder / "ok" / "0.png")
        faults = 0
        for what, outcomes, wrong in (
            ("one byte of a model changed", flips(model.read_bytes(), folder, options.flips, rng), {"accepted"}),
            ("hostile headers and arrays", headers(model, folder, photo, options.headers, rng), set[str]()),
            ("mutated photos", photos(load(model, precision="f32"), folder, photo, options.photos, rng), set[str]()),
        ):
            counts = Counter(outcomes)
            bad = sum(counts[kind] for kind in {"hung", "traceback", *wrong})
            faults += bad
            print(f"{what}: {sum(counts.values())} tried, {json.dumps(dict(sorted(counts.items())))}, {bad} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
