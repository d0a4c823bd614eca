"""Parts of other packages: found by their entry points, used by name like Andon's own, and refused in one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import plate_photos
import pytest
from conftest import Command

from andon import images, plugins
from andon.errors import ConfigError
from andon.plugins import Parts

DETECTOR = '''
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from andon.detectors._base import Detector, patches_in_roi


@dataclass(frozen=True, kw_only=True)
class Config:
    quantile: float = 0.99


class Redness(Detector[Config]):
    """How much redder than the mean OK photo."""

    Config = Config
    mean_: torch.Tensor

    def __init__(self, config, backbone):
        super().__init__(config, backbone)
        self.register_buffer("mean_", None)

    def _fit(self, batches, generator):
        photos = torch.cat([x * roi.unsqueeze(1) for x, roi in batches])
        self.mean_ = redness(photos).mean(dim=0)

    def _score(self, x, roi):
        patches = (redness(x) - self.mean_).abs()
        patches = patches * patches_in_roi(roi, patches.shape[1:])
        return patches.flatten(1).quantile(self.config.quantile, dim=1), patches


def redness(x):
    pooled = F.avg_pool2d(x, 8)
    return pooled[:, 0] - pooled[:, 2]


DETECTOR = Redness
'''

STEP = """
from dataclasses import dataclass, replace

from andon.preprocess import Step


@dataclass(frozen=True, kw_only=True)
class Stamp(Step):
    times: int = 1

    def __call__(self, frame):
        return frame.with_note(f"stamped {self.times} times")


STEP = Stamp
"""

LAYOUT = """
from andon.types import Sample

LOOKS_LIKE = "photos called OK_*.png and NG_*.png"
SPECIFICITY = 9


def recognises(tree):
    return any(path.name.startswith("OK_") for path in tree.pictures)


def read(tree):
    test = {path for path in tree.pictures if "test" in path.name}
    return [
        Sample(path, path.name.startswith("NG_"), split="test" if path in test else "train") for path in tree.pictures
    ]
"""

METRIC = """
TITLE = "margin"
MEANING = "between the lowest NG score and the highest OK score"
UNIT = "score"
BETTER = "higher"


def compute(results):
    results.require_both()
    return float(results.scores[results.is_anomalous].min() - results.scores[~results.is_anomalous].max())
"""

MODULES = {"redness": DETECTOR, "stamp": STEP, "flat": LAYOUT, "margin": METRIC, "broken": "import no_such_library\n"}
ENTRY_POINTS = """
[andon.detectors]
redness = tiny_parts.redness
broken = tiny_parts.broken

[andon.steps]
stamp = tiny_parts.stamp

[andon.layouts]
flat = tiny_parts.flat

[andon.metrics]
margin = tiny_parts.margin
"""


def install(folder: Path, package: str, entry_points: str, modules: dict[str, str]) -> Path:
    """What an installer leaves behind in a folder of `sys.path`."""
    info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points)
    code = folder / package.replace("-", "_")
    code.mkdir()
    (code / "__init__.py").touch()
    for name, text in modules.items():
        (code / f"{name}.py").write_text(text)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("site"), "tiny-parts", ENTRY_POINTS, MODULES)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in no layout that Andon knows itself."""
    root = tmp_path_factory.mktemp("photos")
    for seed in range(30):
        images.write(root / f"OK_{seed:02d}.png", plate_photos.part(seed))
    for seed in (50, 51):
        images.write(root / f"OK_test_{seed}.png", plate_photos.part(seed))
        images.write(root / f"NG_test_{seed}.png", plate_photos.rusty(seed)[0])
    return root


def andon(site: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own, with the package of `site` installed."""
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "andon", *map(str, words)]
    environment = os.environ | {"PYTHONPATH": path}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_each_kind_of_part_of_another_package_works_like_andons_own(
    site: Path,
    photos: Path,
    tmp_path: Path,
    andon_: Command,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(plugins, "_entry_points", plugins._entry_points.__wrapped__)  # not those of before
    model, out = tmp_path / "m.safetensors", tmp_path / "out"
    steps = ("--set", "steps.resize.image_size=64", "--set", "steps.stamp.times=2")
    trained = andon_("train", photos, "-o", model, "--detector", "redness", "--set", "detector.quantile=1.0", *steps)
    assert trained.code == 0, trained.err
    assert "Layout flat: " in caplog.text  # the layout that recognised the folder

    ran = andon_("evaluate", model, photos, "--layout", "flat", "--out", out)
    assert ran.code == 0, ran.err
    (line,) = [line for line in ran.out.splitlines() if line.startswith("Margin ")]
    assert line.endswith("between the lowest NG score and the highest OK score")
    figures = json.loads((out / "figures.json").read_text())
    assert figures["margin"] > 0 and figures["image_auroc"] == 1
    assert figures["metrics"]["margin"]["title"] == "margin"
    page = (out / "report.html").read_text()
    assert "Margin<small>between the lowest NG score" in page and "redness" in page
    assert "stamped 2 times" in (out / "inspections.csv").read_text()


@pytest.mark.slow
def test_a_broken_package_is_one_sentence_and_only_where_it_is_used(site: Path, photos: Path) -> None:
    ran = andon(site, "train", photos, "--detector", "broken")
    assert ran.returncode == 2
    assert ran.stderr.strip().splitlines()[-1] == (
        "Error: The detector 'broken' of the package tiny-parts cannot be imported (ModuleNotFoundError: No module "
        "named 'no_such_library'); fix or uninstall that package."
    )
    assert "Traceback" not in ran.stderr


def parts(group: str) -> Parts:
    return Parts("step", "andon.preprocess", ("STEP",), group=group)


def test_names_are_listed_without_importing_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = "[test.listed]\nnewest = not_imported_parts.newest\n"
    monkeypatch.syspath_prepend(str(install(tmp_path, "not-imported-parts", entries, {"newest": "1 / 0"})))
    names = parts("test.listed").names()
    assert names == sorted(names) and {"newest", "resize"} <= set(names) and not any(n.startswith("_") for n in names)
    assert "not_imported_parts" not in sys.modules
    with pytest.raises(ConfigError, match="There is no step 'newset'; did you mean 'newest'"):
        parts("test.listed").load("newset")


def test_a_name_that_two_packages_bring_is_refused_and_both_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = "[test.clash]\nresize = {0}.resize\ntwice = {0}.twice\n"
    for package in ("first-parts", "second-parts"):
        modules = {"resize": "STEP = None", "twice": "STEP = None"}
        place = install(tmp_path / package, package, entries.format(package.replace("-", "_")), modules)
        monkeypatch.syspath_prepend(str(place))
    with pytest.raises(ConfigError, match=r"'resize' comes both from Andon itself and from the package \w+-parts;"):
        parts("test.clash").load("resize")
    with pytest.raises(
        ConfigError, match=r"'twice' comes both from the package \w+-parts and from the package \w+-parts"
    ):
        parts("test.clash").load("twice")
    assert parts("test.clash").load("crop_to_roi").STEP  # what does not clash goes on


def test_a_module_that_is_no_part_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = "[test.empty]\nempty = empty_parts.empty\n"
    monkeypatch.syspath_prepend(str(install(tmp_path, "empty-parts", entries, {"empty": ""})))
    with pytest.raises(ConfigError, match=r"'empty' of the package empty-parts has no STEP in empty_parts\.empty;"):
        parts("test.empty").load("empty")
