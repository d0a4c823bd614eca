"""andon doctor: what this machine offers, and whether Andon works on it."""

from __future__ import annotations

import platform
import time
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from andon.line.scorer import Scorer
    from andon.types import Mask

PACKAGES = (
    "andon",
    "torch",
    "openvino",
    "numpy",
    "opencv-python-headless",
    "scikit-learn",
    "timm",
    "torchvision",
)
EXIT_PROBLEM = 1


def command() -> None:
    """Say which versions and devices are here, and try out the embedded model.

    Exit code: 0 everything works, 1 a planted defect was not found.

    Example: andon doctor
    """
    import torch

    from andon import resources

    _say("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for package in PACKAGES:
        _say(package, _version(package))
    _say("CPU", f"{resources.cpus()} cores, {torch.backends.cpu.get_cpu_capability()}")
    _say("CUDA", torch.cuda.get_device_name() if torch.cuda.is_available() else "none")
    _say_speed_and_parity()
    if not _finds_planted_defect():
        typer.echo("PROBLEM  A model trained on this machine does not find a planted defect; reinstall Andon.")
        raise typer.Exit(EXIT_PROBLEM)
    typer.echo("A model trained on this machine finds a planted defect: everything works.")


def _say(what: str, value: str) -> None:
    typer.echo(f"{what:24} {value}")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _say_speed_and_parity() -> None:
    """Score noise with OpenVINO and with torch: how fast each is here, and how far their scores are apart."""
    import numpy as np
    import torch

    from andon import backbones, detectors
    from andon.scorers.choose import fastest_scorer, reference_scorer

    generator = np.random.default_rng(0)
    x, roi = generator.random((8, 3, 256, 256), dtype=np.float32), np.ones((8, 256, 256), dtype=bool)
    detector = detectors.create("patchcore", backbones.create(backbones.BackboneConfig()), {"coreset_ratio": 0.1})
    detector.fit([(torch.from_numpy(x), torch.from_numpy(roi))], seed=0)
    x = generator.random(x.shape, dtype=np.float32)
    fastest, reference = fastest_scorer(detector), reference_scorer(detector)
    scores, expected = fastest(x, roi).image, reference(x, roi).image
    engine = "GPU" if torch.cuda.is_available() else "OpenVINO"
    _say(f"{engine}, {fastest.precision}", f"{_milliseconds(fastest, x, roi):.1f} ms to score a 256 x 256 photo")
    _say("torch, f32", f"{_milliseconds(reference, x, roi):.1f} ms")
    _say("largest difference", f"{np.max(np.abs(scores / expected - 1)):.1e} of the score")


def _milliseconds(scorer: Scorer, x: NDArray[np.float32], roi: Mask, repeats: int = 3) -> float:
    """Milliseconds per photo, the best of some runs."""

    def seconds() -> float:
        started = time.perf_counter()
        scorer(x, roi)
        return time.perf_counter() - started

    return 1000 * min(seconds() for _ in range(repeats)) / len(x)


def _finds_planted_defect() -> bool:
    """Train on six noisy plates and look for a bright square on a seventh."""
    import torch

    from andon import backbones, detectors

    detector = detectors.create("patchcore", backbones.create(backbones.BackboneConfig()))
    x = 0.5 + 0.02 * torch.randn(8, 3, 96, 128, generator=torch.Generator().manual_seed(0))
    x[7, :, 32:64, 48:80] += 0.4
    roi = torch.ones(8, 96, 128, dtype=torch.bool)
    with torch.inference_mode():
        image, patches = detector.fit([(x[:6], roi[:6])], seed=0)(x[6:], roi[6:])
    row, column = divmod(int(patches[1].argmax()), patches.shape[2])
    return bool(image[1] > 2 * image[0]) and 3 <= row <= 8 and 5 <= column <= 10
