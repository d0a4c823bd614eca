"""andon doctor: what this machine offers, and whether Andon works on it."""

from __future__ import annotations

import platform
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from andon.cli import _options as options
from andon.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from andon.line.scorer import Scorer
    from andon.types import Mask, Precision

PACKAGES = ("andon", "openvino", "numpy", "opencv-python-headless", "pillow", "kornia_rs")
LARGEST = 3
EXIT_PROBLEM = 1


def command(
    part: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Exported model, whose certificate of verdicts is to be tried here."),
    ] = None,
    precision: options.Precision = "auto",
) -> None:
    """Say which versions and devices are here, how much is installed, and try out the embedded model.

    The embedded model is tried out where there is torch; inspecting needs none. With
    an exported model, the photos in it are judged here and held against what the
    model itself said of them where it was exported.

    Exit code: 0 everything works, 1 a planted defect was not found, or the
    exported model does not keep to its certificate on this machine.

    Example: andon doctor part.andon
    """
    from andon import resources

    if part is not None:
        _judge_certificate(part, precision)
        return
    _say("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    _say_packages()
    _say_sizes()
    if find_spec("torch") is None:
        _say("CPU", f"{resources.cpus()} cores")
        typer.echo("Nothing was trained and tried out: that needs torch, which is not installed.")
        return
    _say_devices(resources.cpus())
    _say_speed_and_parity()
    if not _finds_planted_defect():
        typer.echo("PROBLEM  A model trained on this machine does not find a planted defect; reinstall Andon.")
        raise typer.Exit(EXIT_PROBLEM)
    typer.echo("A model trained on this machine finds a planted defect: everything works.")


def _judge_certificate(part: Path, precision: Precision) -> None:
    """Judge the photos in an exported model again, and say how far the scores are from the certified ones."""
    from andon.models.certificate import BOUND, compare, worst
    from andon.models.exported import pipeline_of, probe_photos, read_export
    from andon.models.file import read

    contents = read(part)
    exported = read_export(contents, part)
    if not exported.probes:
        raise InputError(f"{part} holds no photos to judge; export it again without --no-keep-photos.")
    pipeline = pipeline_of(contents, part, precision)
    findings = compare(pipeline, exported.certificate, probe_photos(exported))
    computed = pipeline.scorer.precision
    _say("probe photos", f"{len(findings)}, judged in {computed}")
    _say("largest difference", f"{worst(findings):.1e} of the score; {BOUND[computed]:g} is allowed")
    lost = [finding for finding in findings if not finding.is_kept]
    for finding in lost:
        typer.echo(f"PROBLEM  {finding.in_words()}")
    if lost:
        typer.echo("This machine does not judge as the model itself did; do not inspect with it here.")
        raise typer.Exit(EXIT_PROBLEM)
    typer.echo(f"{part} judges all of them as the model itself did: its verdicts hold on this machine.")


def _say(what: str, value: str) -> None:
    typer.echo(f"{what:24} {value}")


def _say_packages() -> None:
    """The version of each package, or the extra that brings it."""
    from importlib.metadata import PackageNotFoundError, version

    from andon.extras import OPTIONAL

    extras = dict(OPTIONAL.values())
    for package in (*PACKAGES, *extras):
        try:
            _say(package, version(package))
        except PackageNotFoundError:
            how = f"; pip install 'andon[{extras[package]}]' adds it" if package in extras else ""
            _say(package, f"not installed{how}")


def _say_sizes() -> None:
    """How much of the disk is taken by what inspects, and by what the extras bring beside it."""
    from andon.cli._installed import installed_sizes

    inspects, everything = installed_sizes(with_extras=False), installed_sizes(with_extras=True)
    _say("installed size", _size(inspects))
    if len(everything) > len(inspects):
        _say("with extras", _size(everything))


def _size(sizes: dict[str, int]) -> str:
    largest = ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in list(sizes.items())[:LARGEST])
    return f"{sum(sizes.values()) / 1e9:.2f} GB, of which {largest}"


def _say_devices(cores: int) -> None:
    import torch

    _say("CPU", f"{cores} cores, {torch.backends.cpu.get_cpu_capability()}")
    _say("CUDA", torch.cuda.get_device_name() if torch.cuda.is_available() else "none")


def _say_speed_and_parity() -> None:
    """Score noise with OpenVINO and with torch: how fast each is here, and how far their scores are apart."""
    import numpy as np
    import torch

    from andon import backbones, detectors
    from andon.scorers.choose import fastest_scorer, reference_scorer

    generator = np.random.default_rng(0)
    photos, roi = generator.integers(0, 256, (2, 8, 256, 256, 3), np.uint8), np.ones((8, 256, 256), dtype=bool)
    detector = detectors.create("patchcore", backbones.create(backbones.BackboneConfig()), {"coreset_ratio": 0.1})
    detector.fit([(torch.from_numpy(photos[0]).permute(0, 3, 1, 2) / 255, torch.from_numpy(roi))], seed=0)
    x = photos[1]
    fastest, reference = fastest_scorer(detector), reference_scorer(detector)
    scores, expected = fastest(x, roi).image, reference(x, roi).image
    engine = "GPU" if torch.cuda.is_available() else "OpenVINO"
    _say(f"{engine}, {fastest.precision}", f"{_milliseconds(fastest, x, roi):.1f} ms to score a 256 x 256 photo")
    _say("torch, f32", f"{_milliseconds(reference, x, roi):.1f} ms")
    _say("largest difference", f"{np.max(np.abs(scores / expected - 1)):.1e} of the score")


def _milliseconds(scorer: Scorer, x: NDArray[np.uint8], roi: Mask, repeats: int = 3) -> float:
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
