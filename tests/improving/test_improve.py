"""A new version learns what people call OK, and is offered only where it loses nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import plate_photos
import pytest
from stations import Station, digest, free, rusty, stamped

from andon.errors import InputError
from andon.improving import Improvement, OnGolden, free_name, improve, offer
from andon.improving.golden import broken_promise, counts
from andon.improving.words import verdict
from andon.models.load import load
from andon.models.trained import load_taught
from andon.types import Inspection


def test_good_parts_of_a_new_lot_are_no_longer_rejected_and_no_defect_is_lost(improved: Improvement) -> None:
    assert improved.is_offered and improved.against == ()
    figures = counts(improved.golden)
    n_ok = figures["OK photos passed"]["new"]
    assert figures == {
        "NG photos caught": {"old": 4, "new": 4},
        "OK photos passed": {"old": 0, "new": n_ok},
        "OK photos rejected": {"old": n_ok, "new": 0},
    }
    assert improved.rows[0] < improved.rows[1] == len(improved.model.detector.learned()["bank_"])
    assert 0 < len(improved.grown.joined) <= len(improved.chosen.candidates)


def test_the_model_knows_what_it_learned(improved: Improvement, station: Station) -> None:
    old, new = station.pipeline, improved.model
    digests = [one.inspection.photo_sha256 for one in improved.chosen.candidates]
    trained = new.manifest.trained
    assert list(trained.digests[8:]) == digests and len(new.pipeline.thumbnails) == len(trained) == 8 + len(digests)
    assert [one.photo for one in new.pipeline.thumbnails] == list(trained.names)
    assert not {one.photo.inspection.photo_sha256 for one in improved.golden} & set(trained.digests)
    assert old.model_id.sha256 in new.manifest.remarks[-1]
    photo = stamped(450)
    photo[40:70, 90:120] = plate_photos.ORANGE  # a region, so that there is something to explain
    explained = replace(new.pipeline, calibration=replace(improved.after, pixel_threshold=0.2)).inspect(
        photo, explain=True
    )
    names = {region.looks_like.photo for region in explained.regions if region.looks_like}
    assert names & {one.name for one in improved.grown.joined}


def test_thresholds_follow_from_old_and_new_held_out_scores_by_the_same_rule(improved: Improvement) -> None:
    new = [one.score for one in improved.grown.held_out]
    assert len(new) == len(improved.chosen.candidates)
    scores = np.sort([*improved.before.ok_scores, *new])
    after = improved.after
    assert after.ok_scores.tolist() == scores.tolist() and after.rule == improved.before.rule
    assert after.threshold == after.rule.threshold(scores)
    assert after.pixel_threshold == improved.before.pixel_threshold
    assert improved.model.recipe.calibration == after.rule


def test_a_new_photo_is_scored_by_a_bank_that_has_not_seen_it(station: Station, model: Path) -> None:
    first, second = (stamped(seed) for seed in free(range(400, 420))[:2])
    station.inspect(first, "OK")
    of_first = improve(model, station.store, station.photos)
    assert of_first.grown.held_out[0].score == pytest.approx(station.pipeline.inspect(first).score)
    station.inspect(second, "OK")
    of_both = {one.sha256: one.score for one in improve(model, station.store, station.photos).grown.held_out}
    assert of_both[digest(second)] == pytest.approx(of_first.model.pipeline.inspect(second).score)
    assert of_both[digest(second)] > of_first.model.pipeline.inspect(first).score


def test_a_golden_defect_that_would_be_lost_refuses(reviewed: Station, model: Path, tmp_path: Path) -> None:
    reviewed.inspect_all((rusty(seed) for seed in range(510, 516)), "OK")  # somebody was wrong
    refused = improve(model, reviewed.store, reviewed.photos)
    lost = [one for one in refused.golden if one.is_lost]
    assert lost and not refused.is_offered and refused.against == tuple(lost)
    assert "caught before" in refused.objections[0] and lost[0].photo.kind == "NG"
    with pytest.raises(InputError, match="This version is not better"):
        offer(refused, tmp_path / "new.safetensors", reviewed.store, by="test")
    assert not (tmp_path / "new.safetensors").exists() and reviewed.store.models.versions() == []


def test_there_and_back(improved: Improvement, reviewed: Station, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "plates-2.safetensors"
    stored = offer(improved, path, reviewed.store, by="test")
    read, photo = load(path), stamped(460)
    assert read.inspect(photo).score == improved.model.pipeline.inspect(photo).score
    assert read.inspect(photo).verdict == "OK" != load(model).inspect(photo).verdict
    assert (stored.name, stored.parent_sha256) == ("plates", load(model).model_id.sha256)
    assert stored.figures["golden"]["counts"]["NG photos caught"] == {"old": 4, "new": 4}
    assert load_taught(path).manifest.facts["bank_rows"] == improved.rows[1]
    with pytest.raises(InputError, match="No reviewed OK photo of plates is there to learn from"):
        improve(path, reviewed.store, reviewed.photos)  # it knows them all
    reviewed.inspect(stamped(free(range(470, 480))[0]), "OK")
    assert len(improve(path, reviewed.store, reviewed.photos).chosen.candidates) == 1


def test_a_promise_that_no_golden_photo_tests_is_not_said_to_hold(improved: Improvement) -> None:
    only_ng = replace(improved, golden=tuple(one for one in improved.golden if one.photo.kind == "NG"))
    assert verdict(improved).startswith("Offered: the promise holds, ")
    assert verdict(only_ng).startswith("Offered: ") and "no golden OK photo tests the promise" in verdict(only_ng)


def test_what_breaks_the_promise(improved: Improvement) -> None:
    one = next(one for one in improved.golden if one.photo.kind == "OK")
    assert isinstance(one.new, Inspection)
    ok, ng = replace(one.new, verdict="OK"), replace(one.new, verdict="NG")

    def golden(n_old: int, n_new: int, n: int = 20) -> list[OnGolden]:
        return [OnGolden(one.photo, ng if i < n_old else ok, ng if i < n_new else ok) for i in range(n)]

    assert broken_promise(golden(0, 4), 0.01).startswith("It rejects 4 of the 20 golden OK photos, the old version 0")
    assert broken_promise(golden(4, 4), 0.01) == broken_promise(golden(20, 5), 0.01) == ""  # no worse than before
    assert broken_promise(golden(0, 1), 0.01) == ""  # of one in a hundred that may well be
    assert broken_promise(golden(0, 4), 0.1) == "" and broken_promise([], 0.01) == ""
    broken = replace(improved, golden=tuple(golden(0, 20)))
    assert not broken.is_offered and len(broken.against) == 20


def test_names_count_up(tmp_path: Path) -> None:
    part = tmp_path / "part.safetensors"
    assert free_name(part).name == "part-2.safetensors"
    (tmp_path / "part-2.safetensors").touch()
    assert free_name(part).name == free_name(tmp_path / "part-2.safetensors").name == "part-3.safetensors"
