"""What the commands do with a photo that shows no part."""

import json

import numpy as np
import pytest
from plate_photos import FAST, part, write_data

from andon import images

SETTINGS = [word for setting in FAST for word in ("--set", setting)]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A sound plate and a grey frame."""
    folder = tmp_path_factory.mktemp("photos")
    images.write(folder / "1_part.png", part(900))
    images.write(folder / "2_grey.png", np.full((96, 144, 3), 128, np.uint8))
    return folder


def test_a_grey_frame_is_a_row_without_a_verdict_and_no_success(andon_, model, photos):
    ran = andon_("inspect", model, photos, "--json")
    sound, grey = (json.loads(line) for line in ran.out.splitlines())
    assert (sound["verdict"], grey["verdict"]) == ("OK", "invalid")
    assert grey["regions"] == [] and "less contrast" in " ".join(grey["reasons"])
    assert ran.code == 2
    assert "2 photos: 1 OK, 1 invalid" in ran.err


def test_the_reasons_stand_in_the_text_and_in_csv(andon_, model, photos):
    assert "less contrast" in andon_("inspect", model, photos).out
    assert "less contrast" in andon_("inspect", model, photos, "--csv").out


def test_a_picture_of_it_says_so(andon_, model, photos, tmp_path):
    assert andon_("inspect", model, photos / "2_grey.png", "--out", tmp_path, "--visualize").code == 2
    assert (tmp_path / "2_grey.png").is_file()


def test_no_guard_judges_every_photo(andon_, model, photos):
    ran = andon_("inspect", model, photos, "--json", "--no-guard")
    assert "invalid" not in {json.loads(line)["verdict"] for line in ran.out.splitlines()}
    assert ran.code == 0


def test_a_model_trained_without_a_guard_has_none(andon_, data, photos, tmp_path):
    model = tmp_path / "unguarded.safetensors"
    assert andon_("train", data, "-o", model, "--no-guard", *SETTINGS).code == 0
    assert json.loads(andon_("info", model, "--json").out)["guard"] is None
    assert "invalid" not in andon_("inspect", model, photos).out


def test_info_says_what_is_allowed_and_calibrate_keeps_it(andon_, data, model, tmp_path):
    said = json.loads(andon_("info", model, "--json").out)["guard"]
    assert "brightness (mean grey value)" in said["allowed"] and "OK photos" in said["in_words"]
    again = tmp_path / "again.safetensors"
    assert andon_("calibrate", model, data / "test" / "good", "-o", again).code == 0
    assert json.loads(andon_("info", again, "--json").out)["guard"] == said


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_an_evaluation_counts_them_apart(andon_, model, tmp_path):
    data = write_data(tmp_path / "data")
    images.write(data / "test" / "rust" / "grey.png", np.full((96, 144, 3), 128, np.uint8))
    ran = andon_("evaluate", model, data, "--json", "--out", tmp_path / "out")
    figures = json.loads(ran.out)
    assert figures["confusion"]["NG"]["invalid"] == 1 and figures["confusion"]["NG"]["OK"] == 0
    assert figures["counts"]["invalid_rate"][0] == 1
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Invalid photos" in page and "verdict invalid" in page and "less contrast" in page
    judged = json.loads(andon_("evaluate", model, data, "--json", "--no-guard").out)
    assert judged["counts"]["invalid_rate"][0] == 0
