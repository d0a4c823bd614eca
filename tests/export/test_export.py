"""An exported model judges as the model does, without torch; and one that does not is not written."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import plate_photos
import pytest
import torch
import without_packages
from conftest import Ran

from andon import images, resources
from andon.errors import ModelError
from andon.export.export import export
from andon.export.probes import probes_of, with_defect
from andon.inference.compiled import config_of
from andon.inference.memory_bank import MemoryBank
from andon.models import exported as exported_models
from andon.models.certificate import BOUND, compare
from andon.models.copy import with_thresholds
from andon.models.exported import probe_photos, read_export
from andon.models.file import contents_of, read, to_bytes
from andon.models.load import load
from andon.models.taught import Taught
from andon.models.trained import load_taught
from andon.scorers import convert
from andon.server.improver import why_not
from andon.store import Store
from andon.teaching.train import train

EXTRAS = "torch,torchvision,timm,transformers,sklearn,scipy,matplotlib,jinja2"


@pytest.fixture(scope="module")
def part(model: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`model`, exported. Read only."""
    out = tmp_path_factory.mktemp("exported") / "plates.andon"
    export(load_taught(model), out, photos=data)
    return out


def without_extras(*words: str) -> subprocess.CompletedProcess[str]:
    """The command line as it runs where no extra is installed."""
    code = "from andon.cli import main; import sys; code = main(); print(*sys.modules, file=sys.stderr); sys.exit(code)"
    command = [sys.executable, without_packages.__file__, EXTRAS, code, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def rows(ran: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in ran.splitlines()]


@pytest.mark.slow
@pytest.mark.precision
def test_it_inspects_as_the_model_does_where_no_extra_is_installed(part: Path, model: Path, data: Path) -> None:
    ran = without_extras("inspect", str(part), str(data / "test"), "--json")
    assert ran.returncode == 0, ran.stderr
    found = rows(ran.stdout)
    photos = sorted((data / "test").rglob("*.png"))
    expected = [load(model).inspect(photo) for photo in photos]
    assert [row["verdict"] for row in found] == [one.verdict for one in expected]
    assert {"OK", "NG"} <= {str(row["verdict"]) for row in found}
    assert [row["score"] for row in found] == pytest.approx([one.score for one in expected], rel=1e-4)
    assert [row["regions"] for row in found] == [one.to_row()["regions"] for one in expected]
    assert found[0]["model"] == {"name": "plates", "sha256": read(part).sha256}
    imported = set(ran.stderr.splitlines()[-1].split())
    assert not imported & set(EXTRAS.split(",")) and "openvino" in imported


@pytest.mark.slow
def test_it_explains_and_draws_as_the_model_does(
    part: Path, model: Path, tmp_path: Path, andon_: Callable[..., Ran]
) -> None:
    images.write(tmp_path / "rusty.png", plate_photos.rusty(71)[0])
    for name, file in (("one", part), ("other", model)):
        ran = andon_("inspect", file, tmp_path / "rusty.png", "--explain", "--visualize", "--out", tmp_path / name)
        assert ran.code == 0, ran.err
    ours, reference = (images.read(tmp_path / name / "rusty.png") for name in ("one", "other"))
    assert ours.shape == reference.shape and (ours != reference).mean() < 0.02


@pytest.mark.parametrize("size", [(64, 96), (120, 88)])
def test_a_network_for_any_size_takes_photos_of_any_size(size: tuple[int, int], part: Path, model: Path) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    scorer, reference = load(part, precision="f32").scorer, load(model, precision="f32").scorer
    inputs = photo[None], np.ones((1, *size), bool)
    np.testing.assert_allclose(scorer(*inputs).patch, reference(*inputs).patch, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_a_recipe_that_reweights_carries_the_neighbours_of_its_bank(data: Path, tmp_path: Path) -> None:
    settings = [*plate_photos.FAST, "detector.image_score=maximum", "detector.reweight=true"]
    taught = train(data, settings=settings)
    export(taught, tmp_path / "part.andon")
    scorer = load(tmp_path / "part.andon", precision="f32").scorer
    memory = scorer.memory  # type: ignore[attr-defined]
    assert isinstance(memory, MemoryBank) and memory.around is not None and memory.around.shape[1] == 9
    photo = plate_photos.rusty(71)[0]
    assert load(tmp_path / "part.andon", precision="f32").inspect(photo).score == pytest.approx(
        taught.pipeline.inspect(photo).score, rel=1e-2 if resources.has_amx() else 1e-4
    )


def test_the_certificate_is_tried_again_by_doctor(part: Path, andon_: Callable[..., Ran]) -> None:
    ran = andon_("doctor", part)
    assert ran.code == 0, ran.err
    assert "14, judged in" in ran.out and "its verdicts hold on this machine" in ran.out
    names = read(part).tree["certificate"]["names"]
    assert sum(name.endswith("with a drawn defect") for name in names) == 4
    assert any(name.startswith("NG ") for name in names)


FAULTS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "a wrong mean": lambda photo: (photo.float() + 3).clamp(0, 255),
    "swapped channels": lambda photo: photo.flip(3),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_converted_network_is_found_and_nothing_is_written(
    fault: str, taught: Taught, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = convert.FromPhoto.forward

    def faulty(self: convert.FromPhoto, photo: torch.Tensor, roi: torch.Tensor) -> object:
        return forward(self, FAULTS[fault](photo), roi)

    monkeypatch.setattr(convert.FromPhoto, "forward", faulty)
    with pytest.raises(ModelError, match=r"judges \d+ of \d+ probe photos in another way .* nothing was written; OK "):
        export(taught, tmp_path / "part.andon")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_half_precision_where_float32_was_promised_is_found(
    taught: Taught, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("andon.inference.compiled.config_of", lambda _, streams: config_of("bf16", streams))
    with pytest.raises(ModelError, match="nothing was written"):
        export(taught, tmp_path / "part.andon")


def test_a_bank_that_lost_half_its_precision_fails_its_certificate(part: Path, tmp_path: Path) -> None:
    contents = read(part)
    arrays = dict(contents.arrays)
    bank = arrays[exported_models.BANK]
    arrays[exported_models.BANK] = bank.astype(np.float16).astype(np.float32) + np.float32(0.02 * bank.std())
    data, digest = to_bytes(contents.tree, arrays)
    spoiled = contents_of(data, digest)
    found = exported_models.read_export(spoiled, part)
    pipeline = exported_models.pipeline_of(spoiled, part)
    findings = compare(pipeline, found.certificate, exported_models.probe_photos(found))
    assert any(not finding.is_kept for finding in findings)


@pytest.mark.slow
def test_bf16_that_loses_too_much_is_left_out(
    taught: Taught, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, andon_: Callable[..., Ran]
) -> None:
    monkeypatch.setitem(BOUND, "bf16", 1e-9)
    certified = export(taught, tmp_path / "part.andon")
    assert certified.precisions == ("f32",) and certified.worst["bf16"] > 1e-9
    monkeypatch.setenv("ANDON_PRECISION", "bf16")
    assert load(tmp_path / "part.andon").scorer.precision == "f32"
    ran = andon_("inspect", tmp_path / "part.andon", data, "--precision", "bf16")
    assert ran.code == 2 and "is certified for --precision f32 alone" in ran.err


def test_doctor_says_which_photos_are_judged_in_another_way(
    part: Path, tmp_path: Path, andon_: Callable[..., Ran]
) -> None:
    contents = read(part)
    scores = contents.tree["certificate"]["scores"]
    scores[0] *= 1.05
    (tmp_path / "part.andon").write_bytes(to_bytes(contents.tree, contents.arrays)[0])
    ran = andon_("doctor", tmp_path / "part.andon")
    assert ran.code == 1
    assert ran.out.count("PROBLEM") == 1 and "do not inspect with it here" in ran.out


@pytest.mark.slow
def test_without_its_photos_it_says_that_doctor_has_nothing_to_judge(
    taught: Taught, tmp_path: Path, andon_: Callable[..., Ran]
) -> None:
    export(taught, tmp_path / "part.andon", keep_photos=False)
    ran = andon_("doctor", tmp_path / "part.andon")
    assert ran.code == 2 and "holds no photos to judge; export it again without --no-keep-photos" in ran.err


def test_what_is_not_an_exported_model_and_what_needs_one_that_is_not(
    part: Path, model: Path, data: Path, andon_: Callable[..., Ran]
) -> None:
    assert "was not exported; make a file that was with: andon export" in andon_("doctor", model).err
    for command in (("calibrate", part, data), ("evaluate", part, data), ("export", part, "-o", "again.andon")):
        ran = andon_(*command)
        assert ran.code == 2 and "was exported, so it inspects and nothing else" in ran.err


def test_options_that_do_not_fit_an_exported_model_are_refused(
    part: Path, model: Path, data: Path, tmp_path: Path, andon_: Callable[..., Ran]
) -> None:
    ran = andon_("inspect", part, data / "test", "--weights", tmp_path / "gone.safetensors")
    assert ran.code == 2 and "holds its network; leave the weights out" in ran.err
    ran = andon_("export", model, "-o", tmp_path / "part.onnx")
    assert ran.code == 2 and "add --to onnx, or give a name such as part.andon" in ran.err
    assert not (tmp_path / "part.onnx").exists()
    ran = andon_("inspect", tmp_path / "gone.andon", data / "test")
    assert ran.code == 2 and "export one with: andon export MODEL -o" in ran.err


@pytest.mark.slow
def test_a_model_without_photos_is_held_against_noise_and_says_so(
    taught: Taught, data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bare = replace(taught, pipeline=replace(taught.pipeline, thumbnails=()))
    export(bare, tmp_path / "noise.andon")
    assert "on noise alone; give photos of the part with --photos" in caplog.text
    caplog.clear()
    probes_of(bare, data)
    probes_of(taught, None)
    assert "noise" not in caplog.text


def test_a_full_disk_under_the_temporary_files_is_one_sentence(taught: Taught, tmp_path: Path) -> None:
    limits = pytest.importorskip("resource")
    soft, hard = limits.getrlimit(limits.RLIMIT_FSIZE)
    limits.setrlimit(limits.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(ModelError, match=r"folder for temporary files .*; free some space there"):
            export(taught, tmp_path / "part.andon")
    finally:
        limits.setrlimit(limits.RLIMIT_FSIZE, (soft, hard))


def test_one_changed_byte_of_an_exported_model_is_noticed(part: Path, tmp_path: Path) -> None:
    data = part.read_bytes()
    for place in range(1000, len(data), len(data) // 7):
        (tmp_path / "part.andon").write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(ModelError, match="copy it again"):
            load(tmp_path / "part.andon")


@pytest.mark.parametrize(
    "hostile", ["no layers", "no weights", "another network", "no bank", "a bank of another width"]
)
def test_a_file_that_was_put_together_wrongly_is_one_sentence(
    hostile: str, part: Path, data: Path, tmp_path: Path, andon_: Callable[..., Ran]
) -> None:
    contents = read(part)
    arrays, layers = dict(contents.arrays), "graph.any.xml"
    bank = arrays[exported_models.BANK]
    if hostile == "no layers":
        arrays[layers] = arrays[layers][::-1]
    elif hostile == "no weights":
        arrays["graph.any.bin"] = arrays["graph.any.bin"][:1000]
    elif hostile == "another network":
        xml = arrays[layers].tobytes().replace(b'type="Convolution"', b'type="Relu"', 1)
        arrays[layers] = np.frombuffer(xml, np.uint8)
    elif hostile == "no bank":
        del arrays[exported_models.BANK]
    else:
        arrays[exported_models.BANK] = np.ascontiguousarray(bank[:, :-1])
    (tmp_path / "part.andon").write_bytes(to_bytes(contents.tree, arrays)[0])
    ran = andon_("inspect", tmp_path / "part.andon", data / "test")
    assert ran.code == 2 and "export it again" in ran.err and "bug" not in ran.err


@pytest.mark.slow
def test_a_file_that_is_there_is_not_overwritten_unasked(
    part: Path, model: Path, tmp_path: Path, andon_: Callable[..., Ran]
) -> None:
    out = tmp_path / "part.andon"
    before = part.read_bytes()
    out.write_bytes(before)
    ran = andon_("export", model, "-o", out)
    assert ran.code == 2 and "exists already" in ran.err and out.read_bytes() == before
    assert andon_("export", model, "-o", out, "--overwrite").code == 0
    ran = andon_("export", model, "-o", model, "--overwrite")
    assert ran.code == 2 and "is the model itself; give another name" in ran.err


def test_no_precision_that_is_certified_is_warned_of(part: Path, caplog: pytest.LogCaptureFixture) -> None:
    for precision in ("f32", "bf16"):
        load(part, precision=precision)
    assert not caplog.messages


def test_info_says_what_was_exported(part: Path, model: Path, andon_: Callable[..., Ran]) -> None:
    export = json.loads(andon_("info", part, "--json").out)["export"]
    assert export["model_sha256"] == read(model).sha256 and "f32" in export["precisions"]


def test_a_model_without_a_threshold_cannot_be_certified(taught: Taught, tmp_path: Path) -> None:
    bare = replace(taught, pipeline=replace(taught.pipeline, calibration=None))
    with pytest.raises(Exception, match="has no threshold yet"):
        export(bare, tmp_path / "part.andon")


def test_a_defect_is_drawn_where_the_part_is_and_a_large_photo_is_reduced(taught: Taught, tmp_path: Path) -> None:
    photo = np.full((100, 150, 3), 90, np.uint8)
    changed = (with_defect(photo, seed=1) != photo).any(axis=2)
    assert 10 < changed.sum() < 1500 and changed[10:90, 15:135].sum() == changed.sum()
    for number in range(2):
        images.write(tmp_path / f"{number}.png", np.full((1500, 2000, 3), 90 + number, np.uint8))
    probes = probes_of(taught, tmp_path)
    assert [probe.image.shape for probe in probes] == [(1061, 1414, 3)] * 4


def test_an_exported_model_with_other_thresholds_keeps_to_its_certificate(part: Path, tmp_path: Path) -> None:
    contents = read(part)
    highest = max(read_export(contents, part).certificate.scores)
    made = with_thresholds(part, tmp_path / "new.andon", 0.99 * highest, None)
    contents = read(tmp_path / "new.andon")
    exported = read_export(contents, part)
    assert "NG" in exported.certificate.verdicts
    findings = compare(load(tmp_path / "new.andon"), exported.certificate, probe_photos(exported))
    assert findings and all(finding.is_kept for finding in findings)
    assert made.model_id.sha256 == contents.sha256


def test_a_station_says_what_to_do_instead_of_improving_it(part: Path, model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "by-hand.safetensors"  # as the page Threshold writes it
    with_thresholds(part, copy, 1.0, None)
    with Store.open(None, tmp_path) as store:
        versions = [store.models.add(read(one).sha256, name="p", path=str(one), by="") for one in (part, copy, model)]
    instead = [why_not(version) for version in versions]
    assert "run andon improve ORIGINAL --name p, export the new version" in instead[0]
    assert instead == [instead[0], instead[0], ""]
