"""What the guard says of photos that show no part, of sound ones and of defects.

    python benchmarks/guard.py --data bottle/ metal_plate/

The guard is learnt from the OK photos that train and calibrate. Every OK test photo is then spoilt in some ways; photos
of the other sets stand for other products, as they are and disguised: cut to the format of the OK photos, with their
mean and deviation of L*a*b*, so that neither size nor light nor colour tells them.

No model is trained: of an NG photo it is counted whether the guard calls it invalid although its score is NG, and
whether it does where the score is not. With --sizes the guard is learnt from so many OK photos drawn at random, and the
others are the sound ones.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from andon import datasets, images, recipes
from andon.line.appearance import Appearance, appearance_of
from andon.line.guard import Guard, invalid_because, learn
from andon.types import RgbImage, Sample

REPEATS = 20
DISGUISED = 10  # photos of each other set


def blurred(photo: RgbImage) -> RgbImage:
    """A Gaussian of 1 % of the longer side."""
    return np.asarray(cv2.GaussianBlur(photo, (0, 0), 0.01 * max(photo.shape)), np.uint8)


def brighter(photo: RgbImage) -> RgbImage:
    """Exposed 1.8 times as long."""
    return np.asarray(np.clip(photo * 1.8, 0, 255), np.uint8)


def darker(photo: RgbImage) -> RgbImage:
    """Exposed 0.4 times as long."""
    return np.asarray(photo * 0.4, np.uint8)


def turned(photo: RgbImage) -> RgbImage:
    """A quarter turn, brought to the same size again."""
    return _resized(np.rot90(photo), photo)


def upside_down(photo: RgbImage) -> RgbImage:
    """A half turn."""
    return np.ascontiguousarray(photo[::-1, ::-1])


def cropped(photo: RgbImage) -> RgbImage:
    """The inner half of height and width, enlarged."""
    height, width = photo.shape[:2]
    return _resized(photo[height // 4 : height - height // 4, width // 4 : width - width // 4], photo)


def corner(photo: RgbImage) -> RgbImage:
    """The upper left quarter, enlarged."""
    return _resized(photo[: photo.shape[0] // 2, : photo.shape[1] // 2], photo)


def empty(photo: RgbImage) -> RgbImage:
    """Noise of the colour of the upper and lower edge."""
    edge = np.median(photo[[0, -1]].reshape(-1, 3), axis=0)
    return np.asarray(np.clip(edge + np.random.default_rng(0).normal(0, 3, photo.shape), 0, 255), np.uint8)


def grey(photo: RgbImage) -> RgbImage:
    """All 128."""
    return np.full_like(photo, 128)


def black(photo: RgbImage) -> RgbImage:
    """All 0."""
    return np.zeros_like(photo)


def white(photo: RgbImage) -> RgbImage:
    """All 255."""
    return np.full_like(photo, 255)


def disguised(photo: RgbImage, like: Sequence[RgbImage]) -> RgbImage:
    """Cut to the format of the first of `like`, with the mean and deviation of L*a*b* that all of those have."""
    height, width = like[0].shape[:2]
    scale = max(height / photo.shape[0], width / photo.shape[1])
    cut_height, cut_width = round(height / scale), round(width / scale)
    top, left = (photo.shape[0] - cut_height) // 2, (photo.shape[1] - cut_width) // 2
    colours = _lab(_resized(photo[top : top + cut_height, left : left + cut_width], like[0]))
    wanted = [_lab(one).reshape(-1, 3) for one in like]
    mean = np.mean([one.mean(axis=0) for one in wanted], axis=0)
    deviation = np.mean([one.std(axis=0) for one in wanted], axis=0)
    own = colours.reshape(-1, 3)
    matched = (colours - own.mean(axis=0)) / np.maximum(own.std(axis=0), 0.5) * deviation + mean
    rgb = cv2.cvtColor(matched.astype(np.float32), cv2.COLOR_LAB2RGB)
    return np.asarray(np.clip(255 * rgb, 0, 255), np.uint8)


SPOILT: Sequence[Callable[[RgbImage], RgbImage]] = (
    black,
    grey,
    white,
    empty,
    blurred,
    brighter,
    darker,
    turned,
    upside_down,
    cropped,
    corner,
)


def main() -> None:
    options = _options()
    cv2.setNumThreads(1)
    sets = {
        folder.name: datasets.read(folder, also_ng=recipes.build("fastener").data.ng_names).samples
        for folder in options.data
    }
    ok = {name: [s for s in samples if s.is_anomalous is False] for name, samples in sets.items()}
    seen = {name: [appearance_of(_read(s)) for s in photos] for name, photos in ok.items()}
    tests = {name: [s.split == "test" for s in photos] for name, photos in ok.items()}
    for name, samples in sets.items():
        known = [look for look, is_test in zip(seen[name], tests[name], strict=True) if not is_test]
        sound = [look for look, is_test in zip(seen[name], tests[name], strict=True) if is_test]
        guard = _learnt(known)
        print(f"\n{name}: {guard.describe()}")
        print(_line("sound test photos", guard, sound))
        print(_line("NG photos", guard, [appearance_of(_read(s)) for s in samples if s.is_anomalous]))
        spoil = [s for s, is_test in zip(ok[name], tests[name], strict=True) if is_test]
        for spoilt in SPOILT:
            print(_line(spoilt.__name__.replace("_", " "), guard, [appearance_of(spoilt(_read(s))) for s in spoil]))
        for other in sorted(sets.keys() - {name}):
            print(_line(f"photos of {other}", guard, seen[other]))
        like = [_read(s) for s, is_test in zip(ok[name], tests[name], strict=True) if not is_test][:DISGUISED]
        others = [sample for other in sorted(sets.keys() - {name}) for sample in _spread(ok[other], DISGUISED)]
        print(_line("others, disguised", guard, [appearance_of(disguised(_read(s), like)) for s in others]))
        for size in options.sizes:
            print(_resampled(size, seen[name]))
    print(f"\none photo of 512 x 512 pixels: {_milliseconds():.2f} ms")


def _line(what: str, guard: Guard, looks: Sequence[Appearance]) -> str:
    """How many are invalid where their score is not NG, and where it is."""
    found = [guard.oddities(look) for look in looks]
    mild, certain = (sum(bool(invalid_because(one, is_ok=is_ok)) for one in found) for is_ok in (True, False))
    return f"  {what:24}{mild:5} of {len(looks):4} invalid, {certain:4} although NG"


def _resampled(size: int, seen: Sequence[Appearance]) -> str:
    """How many sound photos are invalid by the guard of `size` others, over random draws."""
    if size > len(seen) - 5:
        return f"  {size} photos: too few in the set"
    rng = np.random.default_rng(0)
    alarms = [alarm for _ in range(REPEATS) for alarm in _alarms(rng.permutation(len(seen)), size, seen)]
    return f"  {size:4} photos: {np.mean(alarms):6.2%} of the other OK photos invalid ({REPEATS} draws)"


def _alarms(order: np.ndarray, size: int, seen: Sequence[Appearance]) -> Iterator[bool]:
    guard = _learnt([seen[index] for index in order[:size]])
    return (bool(guard.oddities(seen[index])) for index in order[size:])


def _learnt(looks: Sequence[Appearance]) -> Guard:
    guard = learn(looks)
    assert guard is not None, "too few OK photos"
    return guard


def _read(sample: Sample) -> RgbImage:
    return images.load(images.read_bytes(sample.path), sample.path).image


def _lab(photo: RgbImage) -> np.ndarray:
    return np.asarray(cv2.cvtColor(photo.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))


def _spread(samples: Sequence[Sample], most: int) -> list[Sample]:
    """At most so many of them, evenly."""
    return [samples[place] for place in np.linspace(0, len(samples) - 1, min(most, len(samples))).astype(int)]


def _resized(photo: RgbImage, like: RgbImage) -> RgbImage:
    return np.asarray(
        cv2.resize(np.ascontiguousarray(photo), like.shape[1::-1], interpolation=cv2.INTER_AREA), np.uint8
    )


def _milliseconds() -> float:
    photo = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    times = []
    for _ in range(100):
        started = time.perf_counter()
        appearance_of(photo)
        times.append(time.perf_counter() - started)
    return 1000 * min(times)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="data sets with test photos")
    parser.add_argument("--sizes", type=int, nargs="*", default=[], help="numbers of OK photos to learn from")
    return parser.parse_args()


if __name__ == "__main__":
    main()
