"""A model in ONNX, and the reader for people with a runtime of their own: onnxruntime says what Andon says."""

from __future__ import annotations

import json
import logging
import runpy
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import plate_photos
import pytest
import torch
import without_packages
from conftest import Command, TinyBackbone
from detectors.test_contract import fitted
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument
from PIL import Image
from torch import Tensor

from andon import detectors
from andon.backbones import Backbone
from andon.cli import main
from andon.detectors import Batch, Capabilities, Detector
from andon.errors import ConfigError, ModelError, NotCalibratedError
from andon.export.onnx import write_onnx
from andon.inference.image_score import ImageScore
from andon.inference.memory_bank import MemoryBank
from andon.inference.patches import patches_in_roi
from andon.models.taught import Taught, assemble
from andon.models.trained import load_taught
from andon.scorers.convert import FromPhoto

ROOT = Path(__file__).parent.parent.parent
READER = ROOT / "examples" / "inspect_with_onnx.py"
WITHOUT_ANDON = """
import runpy, sys
sys.modules.update(dict.fromkeys(("andon", "torch", "openvino", "matplotlib")))  # as if they were not installed
sys.argv[:] = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
Array = NDArray[Any]
Read = Callable[..., list[tuple[str, float]]]


class OfOneSize(TinyBackbone):
    """A backbone that is settled on one size of photos, as a ViT is."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int, int]] = []

    def for_size(self, height: int, width: int) -> Backbone:
        self.asked.append((height, width))
        return TinyBackbone()


class Darkness(Detector[None]):
    """How dark each pixel is, with no memory bank."""

    capabilities = Capabilities(exports=True)

    def _fit(self, batches: Iterable[Batch], generator: torch.Generator) -> None:
        """It learns nothing."""

    def _score(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        dark = (1 - x.mean(dim=1)) * roi
        return dark.amax(dim=(1, 2)), dark


class DarknessOrNone(Darkness):
    """The same of dark photos alone: no converter can follow what depends on the photo."""

    def _score(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        image, patch = super()._score(x, roi)
        return (image, patch) if float(image) > 0.5 else (0 * image, 0 * patch)


class OtherwiseInExport(Darkness):
    """The same, but darker where it is converted."""

    def _score(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        return super()._score(x * 0.99 if torch.compiler.is_exporting() else x, roi)


def with_detector(taught: Taught, name: str, detector: Detector[Any]) -> Taught:
    recipe = replace(taught.recipe, detector=name)
    assert taught.calibration is not None
    return Taught(recipe, detector, assemble(recipe, detector)).calibrated(taught.calibration)


@pytest.fixture(scope="module")
def exported(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network of `model`, as the command writes it, its .npz beside it. Read only."""
    network = tmp_path_factory.mktemp("onnx") / "part.onnx"
    words = ["andon", "export", str(model), "-o", str(network), "--to", "onnx"]
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as said, warnings.catch_warnings():
        patch.setattr(sys, "argv", words)
        assert main() == 0
    logging.captureWarnings(False)
    size, rest = network.stat().st_size / 1e6, network.with_suffix(".npz")
    assert said.getvalue() == f"Exported: {network} ({size:.1f} MB), with the rest in {rest}\n"
    assert sorted(network.parent.iterdir()) == [rest, network]
    return network


@pytest.fixture(scope="module")
def small(taught: Taught) -> Taught:
    """PatchCore on a tiny network, which is made for photos of one size."""
    x = torch.rand(6, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    detector = detectors.create("patchcore", OfOneSize()).fit([(x, torch.ones(6, 64, 96, dtype=torch.bool))], 0)
    return with_detector(taught, "patchcore", detector)


@pytest.fixture(scope="module")
def small_exported(small: Taught, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network of `small`. Read only."""
    folder = tmp_path_factory.mktemp("small")
    for name in ("model.onnx", "model.npz"):
        (folder / name).write_text(name)
    network, _ = write_onnx(small, folder, overwrite=True)
    assert network == folder / "model.onnx"
    return network


@pytest.fixture(scope="module")
def photos(data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Sound and rusty ones as the model knows them, and some that are padded above or beside, enlarged or turned."""
    folder = tmp_path_factory.mktemp("photos")
    high, small, grey, turned = (folder / name for name in ("high.png", "small.png", "grey.png", "turned.jpg"))
    Image.fromarray(plate_photos.rusty(400, size=(150, 97))[0]).save(high)
    Image.fromarray(plate_photos.part(401, size=(31, 90))).save(small)
    Image.fromarray(plate_photos.part(402)).convert("L").save(grey)
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(plate_photos.rusty(403)[0]).rotate(90, expand=True).save(turned, exif=exif)
    return [*sorted((data / "test").rglob("*.png")), high, small, grey, turned]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Read:
    """The reader in this process: verdict and score of each photo."""

    def run(*words: Path) -> list[tuple[str, float]]:
        monkeypatch.setattr(sys, "argv", [str(READER), *map(str, words)])
        runpy.run_path(str(READER), run_name="__main__")
        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert [Path(path) for _, _, path in lines] == list(words[1:])
        return [(verdict, float(score)) for verdict, score, _ in lines]

    return run


def about(network: Path) -> dict[str, Any]:
    with np.load(network.with_suffix(".npz")) as npz:
        return dict(json.loads(str(npz["about"])))


def changed(network: Path, folder: Path, **values: Any) -> Path:
    """A copy whose .npz says other things."""
    copy = folder / network.name
    copy.write_bytes(network.read_bytes())
    with np.load(network.with_suffix(".npz")) as npz:
        np.savez(copy.with_suffix(".npz"), bank=npz["bank"], about=json.dumps(about(network) | values))
    return copy


def run_network(network: Path, photo: Array, roi: Array) -> list[Array]:
    return list(onnxruntime.InferenceSession(network).run(None, {"photo": photo[None], "roi": roi[None]}))


def of_torch(photo: Array, roi: Array) -> tuple[Tensor, Tensor]:
    """x and roi, as a detector takes them."""
    return torch.from_numpy(photo).permute(2, 0, 1)[None].float() / 255, torch.from_numpy(roi)[None] > 0.5


def test_the_reader_is_short_enough_to_be_read() -> None:
    assert len(READER.read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.slow
def test_the_reader_judges_as_andon_does(exported: Path, model: Path, photos: list[Path], andon_: Command) -> None:
    command = [sys.executable, "-c", WITHOUT_ANDON, READER, exported, *photos]
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True)
    lines = [line.split(maxsplit=2) for line in ran.stdout.splitlines()]
    said = andon_("inspect", model, *photos, "--json", "--no-guard", "--precision", "f32").out.splitlines()
    rows = [json.loads(line) for line in said]
    assert [(verdict, path) for verdict, _, path in lines] == [(row["verdict"], row["path"]) for row in rows]
    np.testing.assert_allclose([float(score) for _, score, _ in lines], [row["score"] for row in rows], rtol=1e-5)
    assert {row["verdict"] for row in rows} == {"OK", "NG"}


@pytest.mark.slow
def test_a_score_in_the_review_band_is_for_review(
    small_exported: Path, photos: list[Path], tmp_path: Path, read: Read
) -> None:
    (_, score), *_ = read(small_exported, photos[0])
    for bar, verdict in ((score - 1e-3, "review"), (score + 1e-3, "OK"), (None, "OK")):
        network = changed(small_exported, tmp_path, threshold=score + 2e-3, review_threshold=bar)
        assert read(network, photos[0])[0][0] == verdict


@pytest.mark.slow
@pytest.mark.parametrize(
    "rule",
    [
        ImageScore(image_score="percentile", percentile=90.0),
        ImageScore(image_score="top_k_mean", top_k=7),
        ImageScore(image_score="top_share_mean", top_share=0.2),
        ImageScore(image_score="top_share_mean", top_share=1e-6),
        ImageScore(),
        ImageScore(num_neighbors=9),
    ],
)
def test_the_reader_knows_every_rule_for_the_image_score(
    rule: ImageScore, small_exported: Path, small: Taught, photos: list[Path], tmp_path: Path, read: Read
) -> None:
    network = changed(small_exported, tmp_path, image_score=vars(rule))
    frame = small.pipeline.prepare(photos[-4]).frame
    queries, inside = run_network(network, frame.image, frame.roi.astype(np.float32))
    memory = small.detector.memory()
    assert memory is not None
    expected, _ = MemoryBank(memory.bank, memory.origin, rule).score(queries[0], inside[0])
    assert read(network, photos[-4])[0][1] == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(64, 96), (96, 64), (80, 208)])
def test_the_network_takes_photos_of_any_size(size: tuple[int, int], exported: Path, taught: Taught) -> None:
    photo, roi = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8), np.ones(size, np.float32)
    roi[: size[0] // 3, 5:] = 0
    queries, inside = run_network(exported, photo, roi)
    with torch.inference_mode():
        x, mask = of_torch(photo, roi)
        expected = taught.detector.queries(x * mask, mask).numpy()
    np.testing.assert_allclose(queries, expected, atol=1e-5)
    assert np.array_equal(inside[0], patches_in_roi(roi > 0, queries.shape[1:3]))
    assert about(exported)["any_size"] is True


def test_what_lies_beside_the_network(exported: Path, model: Path, taught: Taught) -> None:
    said, calibration, memory = about(exported), taught.calibration, taught.detector.memory()
    assert calibration is not None and memory is not None
    assert (said["model"], said["model_sha256"]) == (model.stem, load_taught(model).pipeline.model_id.sha256)
    assert said["steps"] == {"resize": {"image_size": 64, "canvas": [64, 96]}}
    assert (said["size"], said["tiling"], said["precision"], said["map_sigma"]) == ([64, 96], None, "f32", 1.0)
    assert (said["threshold"], said["review_threshold"]) == (calibration.threshold, calibration.review_threshold)
    with np.load(exported.with_suffix(".npz"), allow_pickle=False) as npz:
        assert np.array_equal(npz["bank"], memory.bank)


def test_no_path_of_this_computer_is_in_the_network(exported: Path) -> None:
    data = exported.read_bytes()
    assert str(ROOT).encode() not in data and b"site-packages" not in data and b".py" not in data


def test_a_network_for_one_size_takes_photos_of_that_size_alone(small: Taught, small_exported: Path) -> None:
    assert vars(small.detector.backbone)["asked"] == [(64, 96)]
    assert (about(small_exported)["any_size"], about(small_exported)["size"]) == (False, [64, 96])
    photo, roi = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8), np.ones((64, 96), np.float32)
    with torch.inference_mode():
        expected = small.detector.queries(*of_torch(photo, roi)).numpy()
    np.testing.assert_allclose(run_network(small_exported, photo, roi)[0], expected, atol=1e-5)
    with pytest.raises(InvalidArgument, match="invalid dimensions"):
        run_network(small_exported, photo[:48], roi[:48])


@pytest.mark.slow
def test_without_a_bank_the_network_gives_the_scores(
    taught: Taught, tmp_path: Path, read: Read, photos: list[Path]
) -> None:
    model = with_detector(taught, "darkness", Darkness(None, TinyBackbone()))
    network, _ = write_onnx(model, tmp_path / "part.onnx", overwrite=False)
    photo, roi = np.full((48, 80, 3), 102, np.uint8), np.ones((48, 80), np.float32)
    roi[:, :9], photo[7, 20], photo[7, 5] = 0, 51, 0
    image, patches = run_network(network, photo, roi)
    assert image == pytest.approx(0.8)
    assert patches[0, 7, [5, 20, 21]] == pytest.approx([0, 0.8, 0.6])
    assert about(network)["image_score"] is None
    with pytest.raises(SystemExit, match="models with a memory bank"):
        read(network, photos[0])


@pytest.mark.endurance
@pytest.mark.parametrize(
    "name", [name for name in detectors.names() if detectors.detector_class(name).capabilities.exports]
)
def test_every_detector_that_exports_is_the_same_in_onnx(name: str, taught: Taught, tmp_path: Path) -> None:
    model = with_detector(taught, name, fitted(name, TinyBackbone()))
    network, _ = write_onnx(model, tmp_path / "part.onnx", overwrite=False)
    rng, roi = np.random.default_rng(0), np.ones((64, 96), np.float32)
    photo = rng.integers(0, 256, (64, 96, 3), np.uint8)
    roi[:, :40] = 0
    with torch.inference_mode():
        outputs = FromPhoto(model.detector)(torch.from_numpy(photo)[None], torch.from_numpy(roi)[None])
    expected = [part.numpy() for part in (outputs if isinstance(outputs, tuple) else [outputs]) if part.numel()]
    for one, other in zip(run_network(network, photo, roi), expected, strict=False):  # a bank has `inside`, too
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * np.abs(other).max())


def test_a_detector_that_does_not_export_is_refused(taught: Taught, tmp_path: Path) -> None:
    model = with_detector(taught, "padim", detectors.create("padim", TinyBackbone()))
    with pytest.raises(ConfigError, match="The detector padim cannot be exported"):
        write_onnx(model, tmp_path / "part.onnx", overwrite=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("detector", [DarknessOrNone, OtherwiseInExport])
def test_what_is_not_the_same_in_onnx_is_refused_and_nothing_is_written(
    detector: type[Darkness], taught: Taught, tmp_path: Path
) -> None:
    model = with_detector(taught, "darkness", detector(None, OfOneSize()))
    with pytest.raises(ConfigError, match=r"^What the detector darkness computes cannot be expressed in ONNX; train"):
        write_onnx(model, tmp_path / "folder" / "part.onnx", overwrite=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_package_that_is_missing_is_told_with_its_extra(model: Path, tmp_path: Path) -> None:
    program = "from andon.__main__ import main; main()"
    words = [
        without_packages.__file__,
        "onnxscript",
        program,
        "export",
        model,
        "-o",
        tmp_path / "part.onnx",
        "--to",
        "onnx",
    ]
    ran = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, check=False)
    sentence = "Error: This needs onnxscript, which is not installed; run: pip install 'andon[onnx]'\n"
    assert (ran.returncode, ran.stdout, ran.stderr, list(tmp_path.iterdir())) == (2, "", sentence, [])


def test_photos_are_refused_as_the_network_is_held_against_the_model_without(
    andon_: Command, model: Path, data: Path, tmp_path: Path
) -> None:
    ran = andon_("export", model, "-o", tmp_path / "part.onnx", "--to", "onnx", "--photos", data)
    assert (ran.code, list(tmp_path.iterdir())) == (2, []) and "--photos is for --to andon" in ran.err


@pytest.mark.parametrize("name", ["part.onnx", "part.npz"])
def test_a_file_that_is_there_is_kept(name: str, taught: Taught, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(ModelError, match=f"{name} exists already; give another name with -o, or --overwrite"):
        write_onnx(taught, tmp_path / "part.onnx", overwrite=False)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_overwrite_keeps_the_old_files_beside(small_exported: Path) -> None:
    kept = {path.name: path.read_text() for path in small_exported.parent.glob("*.old.*")}
    assert kept == {"model.old.onnx": "model.onnx", "model.old.npz": "model.npz"}


def test_other_names_and_models_without_a_threshold_are_refused(taught: Taught, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"part\.andon is not named as ONNX"):
        write_onnx(taught, tmp_path / "part.andon", overwrite=False)
    with pytest.raises(NotCalibratedError, match="no threshold yet"):
        write_onnx(replace(taught, pipeline=replace(taught.pipeline, calibration=None)), tmp_path, overwrite=False)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"steps": {"resize": {}, "clahe": {}}}, "with the step resize alone"),
        ({"steps": {}}, "with the step resize alone"),
        ({"tiling": {"size": 64}}, "without tiles"),
        ({"size": None}, "with the step resize alone"),
        ({"network_sha256": "0" * 64}, "are not of one export"),
    ],
)
def test_the_reader_refuses_what_it_does_not_know(
    values: dict[str, Any], sentence: str, small_exported: Path, photos: list[Path], tmp_path: Path, read: Read
) -> None:
    with pytest.raises(SystemExit, match=sentence):
        read(changed(small_exported, tmp_path, **values), photos[0])


@pytest.mark.parametrize("mode", ["I;16", "RGBA", "CMYK"])
def test_the_reader_refuses_photos_that_it_would_read_otherwise(
    mode: str, small_exported: Path, tmp_path: Path, read: Read
) -> None:
    photo = tmp_path / f"photo.{'tif' if mode == 'CMYK' else 'png'}"
    Image.new(mode, (144, 96)).save(photo)
    with pytest.raises(SystemExit, match="neither grey nor RGB of 8 bits"):
        read(small_exported, photo)
