"""andon doctor: what this machine offers, and whether Andon works on it."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version

import typer

PACKAGES = (
    "andon",
    "torch",
    "openvino",
    "numpy",
    "opencv-python-headless",
    "scikit-learn",
    "faiss-cpu",
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

    _say("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for package in PACKAGES:
        _say(package, _version(package))
    _say("CPU", f"{os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}")
    _say("CUDA", torch.cuda.get_device_name() if torch.cuda.is_available() else "none")
    _say("embedded backbone", f"{_milliseconds():.1f} ms per 256 x 256 photo (torch, f32)")
    if not _finds_planted_defect():
        typer.echo("PROBLEM  A model taught on this machine does not find a planted defect; install Andon anew.")
        raise typer.Exit(EXIT_PROBLEM)
    typer.echo("A model taught on this machine finds a planted defect: everything works.")


def _say(what: str, value: str) -> None:
    typer.echo(f"{what:24} {value}")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _milliseconds(repeats: int = 5) -> float:
    import torch

    from andon import backbones

    backbone = backbones.create(backbones.BackboneConfig())
    x = torch.rand(8, 3, 256, 256)
    with torch.inference_mode():
        backbone(x)
        started = time.perf_counter()
        for _ in range(repeats):
            backbone(x)
    return 1000 * (time.perf_counter() - started) / (repeats * len(x))


def _finds_planted_defect() -> bool:
    """Teach on six noisy plates and look for a bright square on a seventh."""
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
