"""andon audit and --exclude: which OK photos are unlike the others, why, and what they cost."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import plate_photos
import pytest
from conftest import Command

from andon import datasets, images, recipes
from andon.audit import Audit, audit
from andon.audit.report import write_folder
from andon.models.trained import load_taught
from andon.types import RgbImage

SETTINGS = ("steps.resize.image_size=96", "anomaly_map.sigma=1")
SET = [word for setting in SETTINGS for word in ("--set", setting)]


def glare(photo: RgbImage) -> RgbImage:
    """The part with a white glare on it."""
    return np.asarray(cv2.circle(photo.copy(), (100, 45), 14, (255, 255, 255), cv2.FILLED), dtype=np.uint8)


def blurred(photo: RgbImage) -> RgbImage:
    return np.asarray(cv2.GaussianBlur(photo, (0, 0), 2.5), dtype=np.uint8)


def spotted(photo: RgbImage) -> RgbImage:
    """The part with a small dark hole, no darker than the table."""
    return np.asarray(cv2.circle(photo.copy(), (100, 45), 6, (40, 40, 40), cv2.FILLED), dtype=np.uint8)


def moved(photo: RgbImage) -> RgbImage:
    return np.asarray(np.roll(photo, (20, 40), axis=(0, 1)))


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 sound parts, one of them twice, five odd photos among them, and 3 rusty parts to test."""
    root = tmp_path_factory.mktemp("audit") / "plates"
    good = root / "train" / "good"
    plate_photos.write_parts(good, range(20))
    images.write(good / "twin.png", np.clip(plate_photos.part(3).astype(int) + 2, 0, 255).astype(np.uint8))
    images.write(good / "glare.png", glare(plate_photos.part(50)))
    images.write(good / "blurred.png", blurred(plate_photos.part(51)))
    images.write(good / "spot.png", spotted(plate_photos.part(52)))
    images.write(good / "moved.png", moved(plate_photos.part(53)))
    images.write(good / "rusty.png", plate_photos.rusty(54)[0])
    for seed in range(300, 303):
        images.write(root / "test" / "rust" / f"{seed}.png", plate_photos.rusty(seed)[0])
    return root


@pytest.fixture(scope="module")
def found(parts: Path) -> Audit:
    return audit(recipes.build("default", SETTINGS), datasets.read(parts))


@pytest.fixture(scope="module")
def audited(parts: Path, found: Audit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an audit of `parts`."""
    out = tmp_path_factory.mktemp("audited") / "audit"
    images.mark_output(out)
    assert write_folder(out, datasets.read(parts), found)
    return out


@pytest.fixture(scope="module")
def figures(audited: Path) -> dict[str, Any]:
    return json.loads((audited / "audit.json").read_text())


def of(figures: dict[str, Any], name: str) -> dict[str, Any]:
    return next(photo for photo in figures["photos"] if photo["photo"] == f"train/good/{name}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("glare.png", "Light"),
        ("blurred.png", "Sharpness"),
        ("rusty.png", "Colour"),
        ("moved.png", "Pose"),
        ("spot.png", "Spot"),
    ],
)
def test_an_odd_photo_comes_first_with_its_reason(figures: dict[str, Any], name: str, kind: str) -> None:
    assert of(figures, name)["reason"]["kind"] == kind
    assert name in {Path(photo["photo"]).name for photo in figures["photos"][:6]}


@pytest.mark.slow
def test_photos_come_the_most_unlike_first(figures: dict[str, Any]) -> None:
    scores = [photo["score"] for photo in figures["photos"]]
    assert len(scores) == 26 and scores == sorted(scores, reverse=True)
    middle = np.median(scores)
    assert all((photo["deviations"] > 0) == (photo["score"] > middle) for photo in figures["photos"][:5])


def test_maps_are_drawn_by_models_that_have_not_seen_the_photo(found: Audit) -> None:
    assert len(found.shown) == 6
    for photo in found.shown:
        assert photo.look is not None
        assert photo.look.photo.score == pytest.approx(photo.score, rel=1e-4)
        near = [*(one.caption for one in photo.look.photo.likenesses), *(name for name, _ in photo.look.nearest)]
        assert len(photo.look.nearest) == 3 and not any(photo.name in caption for caption in near)


def test_twins_are_named(figures: dict[str, Any]) -> None:
    assert figures["twins"] == [["train/good/003.png", "train/good/twin.png"]]
    assert of(figures, "twin.png")["twins"] == ["train/good/003.png"]


def test_without_the_highest_the_threshold_falls(figures: dict[str, Any]) -> None:
    now, first, last = figures["now"], figures["photos"][0], figures["photos"][-1]
    scores = sorted((photo["score"] for photo in figures["photos"]), reverse=True)
    assert now["threshold"] == pytest.approx(scores[1], rel=1e-5)  # one photo lies above
    assert first["without"]["threshold"] == pytest.approx(scores[2], rel=1e-5)
    second = figures["photos"][1]
    assert second["without_it_and_those_above"]["threshold"] == pytest.approx(scores[3], rel=1e-5)
    assert last["without"]["threshold"] == pytest.approx(now["threshold"])
    assert first["without"]["n_ok"] == now["n_ok"] - 1 == 24  # of the twins one counts
    assert now["n_ng"] == 3 and now["escaped"] >= figures["without_those_that_stand_out"]["escaped"]


class Page(HTMLParser):
    """Collects the pictures, and whether each tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.pictures.append(dict(attrs)["src"] or "")
        elif tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_opens_and_holds_its_pictures(audited: Path) -> None:
    text = (audited / "audit.html").read_text()
    page = Page()
    page.feed(text)
    assert page.open == []
    assert len(page.pictures) > 6 * 3
    for source in page.pictures:
        kind, data = re.fullmatch(r"data:image/(jpeg|png);base64,(.+)", source).groups()  # type: ignore[union-attr]
        assert images.load(base64.b64decode(data), Path(f"picture.{kind}"), min_side=1).image.size
    assert text.index("glare.png") < text.index("Twins") < text.index("Every OK photo")
    assert "http" not in text


def test_the_proposed_file_leaves_nothing_out_as_it_is(audited: Path) -> None:
    lines = (audited / "exclude.txt").read_text().splitlines()
    assert all(line.startswith("#") for line in lines if line)
    assert "# train/good/glare.png" in lines


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_the_command_keeps_an_edited_proposal(andon_: Command, parts: Path, tmp_path: Path) -> None:
    first = andon_("audit", parts, "-o", tmp_path / "out", *SET)
    assert first.code == 0, first.err
    assert "glare.png" in first.out and "Proposed for --exclude" in first.out
    proposal = tmp_path / "out" / "exclude.txt"
    proposal.write_text(proposal.read_text().replace("# train/good/glare.png", "train/good/glare.png"))
    second = andon_("audit", parts, "-o", tmp_path / "out", "--exclude", proposal, "--json", *SET)
    assert "is kept as it is" in second.err
    assert "1 photo is left out, as exclude.txt says: train/good/glare.png." in second.err
    assert "\ntrain/good/glare.png\n" in proposal.read_text()
    assert len(json.loads(second.out)["photos"]) == 25


@pytest.mark.slow
def test_a_model_says_what_was_left_out_and_an_evaluation_does_not_test_it(
    andon_: Command, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plate_photos.write_parts(tmp_path / "set" / "ok", range(12))
    images.write(tmp_path / "set" / "ok" / "odd.png", glare(plate_photos.part(50)))
    images.write(tmp_path / "set" / "ng" / "rusty.png", plate_photos.rusty(60)[0])
    (tmp_path / "set" / "exclude.txt").write_text("odd.png\nnot there.png\n")
    model = tmp_path / "model.safetensors"
    assert andon_("train", tmp_path / "set", "-o", model, *SET).code == 0
    assert "1 photo is left out, as exclude.txt says: ok/odd.png." in caplog.messages
    assert any("'not there.png' is no photo of the data set" in message for message in caplog.messages)
    manifest = load_taught(model).manifest
    assert manifest.excluded.names == ("ok/odd.png",)
    assert "ok/odd.png" not in manifest.trained.names
    assert any("left out, as exclude.txt says" in remark for remark in manifest.remarks)
    assert "excluded: 1 photos" in andon_("info", model).out
    assert andon_("evaluate", model, tmp_path / "set").code == 0
    said = "1 photos are not evaluated, as they were left out of the training by hand."
    assert any(said in message for message in caplog.messages)


@pytest.mark.slow
def test_training_says_what_the_threshold_would_be_without_odd_photos(
    andon_: Command, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "my plates"
    plate_photos.write_parts(folder, range(20))
    for seed in (50, 51):
        images.write(folder / f"odd{seed}.png", glare(plate_photos.part(seed)))
    ran = andon_("train", folder, "-o", tmp_path / "model.safetensors", *SET)
    (remark,) = [line for line in caplog.messages if line.startswith("These OK photos score unlike")]
    then, now = map(float, re.search(r"would be about (\S+) instead of (\S+),", remark).groups())  # type: ignore[union-attr]
    model = load_taught(tmp_path / "model.safetensors")
    assert model.calibration is not None and now == pytest.approx(model.calibration.threshold, rel=1e-3)
    assert then < now
    assert f"andon audit '{folder}'" in ran.out
