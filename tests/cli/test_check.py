"""andon check: is the promise kept on another day."""

from __future__ import annotations

import json
from pathlib import Path

import plate_photos
from conftest import Command

from andon import images


def write_dark(folder: Path, seeds: range) -> None:
    """Sound parts that look like damaged ones, as on a day with another lamp."""
    for seed in seeds:
        images.write(folder / f"{seed}.png", plate_photos.rusty(seed)[0])


def test_photos_that_are_all_rejected_break_the_promise_and_are_listed(
    andon_: Command, model: Path, tmp_path: Path
) -> None:
    write_dark(tmp_path / "ok", range(600, 608))
    ran = andon_("check", model, tmp_path / "ok")
    assert ran.code == 1
    assert ran.out.startswith("8 of 8 OK photos are rejected, 100 % (95 % interval 63.1 % to 100 %)")
    assert "The promise is broken" in ran.out
    assert ran.out.count("Rejected, to be looked at: ") == 8
    assert f"andon calibrate {model} {tmp_path / 'ok'}" in ran.out


def test_few_good_photos_are_too_few_to_tell(andon_: Command, model: Path, tmp_path: Path) -> None:
    plate_photos.write_parts(tmp_path / "ok", range(400, 403))
    ran = andon_("check", model, tmp_path / "ok")
    assert ran.code == 0
    assert "of 3 OK photos are rejected" in ran.out and "too few to tell" in ran.out


def test_as_json_it_gives_numbers_and_copies_count_once(andon_: Command, model: Path, tmp_path: Path) -> None:
    write_dark(tmp_path / "ok", range(600, 604))
    (tmp_path / "ok" / "copy.png").write_bytes((tmp_path / "ok" / "600.png").read_bytes())
    ran = andon_("check", model, tmp_path / "ok", "--json")
    figures = json.loads(ran.out)
    assert (figures["n"], figures["rejected"], figures["outcome"]) == (4, 4, "broken")
    assert figures["verdicts"] == {"NG": 4} and len(figures["rejected_photos"]) == 4
    assert ran.code == 1


def test_photos_that_the_model_knows_are_refused(andon_: Command, model: Path, data: Path) -> None:
    for known in ("train", "validation"):
        ran = andon_("check", model, data / known / "good")
        assert ran.code == 2 and "trained or calibrated this model" in ran.err


def test_a_photo_that_cannot_be_read_is_named(andon_: Command, model: Path, tmp_path: Path) -> None:
    plate_photos.write_parts(tmp_path / "ok", range(400, 403))
    (tmp_path / "ok" / "torn.png").write_bytes((tmp_path / "ok" / "400.png").read_bytes()[:200])
    ran = andon_("check", model, tmp_path / "ok")
    assert ran.code == 2 and "torn.png" in ran.err and "of 3 OK photos" in ran.out
