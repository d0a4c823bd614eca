"""What is a photo of the part and what is none, on drawn plates."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy_scorer import orange_pipeline
from plate_photos import part, rusty

from andon.errors import ConfigError
from andon.line.appearance import FEATURES, appearance_of
from andon.line.guard import Guard, invalid_because, learn

SIZE = (96, 144)
N_OK = 40


@pytest.fixture(scope="module")
def guard() -> Guard:
    learnt = learn([appearance_of(part(seed)) for seed in range(N_OK)])
    assert learnt is not None
    return learnt


def empty_fixture() -> np.ndarray:
    """The dark table alone."""
    return np.clip(40 + np.random.default_rng(0).normal(0, 6, (*SIZE, 3)), 0, 255).astype(np.uint8)


def other_product() -> np.ndarray:
    """A bright ring on the same table."""
    photo = empty_fixture()
    cv2.circle(photo, (72, 48), 40, (220, 220, 220), 16)
    return photo


def crop() -> np.ndarray:
    return np.asarray(cv2.resize(part(99)[20:68, 10:82], (144, 96), interpolation=cv2.INTER_LINEAR), np.uint8)


NO_PARTS = {
    "grey": (np.full((*SIZE, 3), 128, np.uint8), "less contrast"),
    "black": (np.zeros((*SIZE, 3), np.uint8), "under-exposed"),
    "white": (np.full((*SIZE, 3), 255, np.uint8), "over-exposed"),
    "empty": (empty_fixture(), "less contrast"),
    "other": (other_product(), "another scene"),
    "blurred": (cv2.GaussianBlur(part(99), (0, 0), 3), "is blurred"),
    "too bright": (np.clip(part(99).astype(int) + 110, 0, 255).astype(np.uint8), "is brighter"),
    "turned": (np.ascontiguousarray(np.rot90(part(99))), "is narrower"),
    "cropped": (crop(), "another scene"),
    "small": (part(99)[20:68, 10:82].copy(), "is smaller"),
}


@pytest.mark.parametrize("name", NO_PARTS)
def test_what_is_no_photo_of_the_part_is_invalid_and_says_why(guard, name):
    photo, why = NO_PARTS[name]
    reasons = invalid_because(guard.oddities(appearance_of(photo)), is_ok=True)
    assert why in " ".join(reasons)
    assert all(reason.endswith(".") for reason in reasons)


def test_a_reason_gives_the_value_and_what_is_allowed(guard):
    (reason, *_) = invalid_because(guard.oddities(appearance_of(part(99) // 4)), is_ok=True)
    assert "unlike OK photos (" in reason and "allowed" in reason


def test_no_share_below_0_or_above_100_percent_and_no_grey_value_beyond_255_is_said_to_be_allowed(guard):
    wide = replace(guard, limits=guard.limits * 1000)
    allowed = wide.summary()["allowed"]
    assert allowed["underexposed (share of black pixels)"] == "0% to 100%"
    assert allowed["overexposed (share of white pixels)"] == "0% to 100%"
    assert allowed["brightness (mean grey value)"] == "0 to 255"


def test_good_and_rusty_parts_are_photos_of_the_part(guard):
    odd = sum(bool(guard.oddities(appearance_of(part(seed)))) for seed in range(1000, 1200))
    assert odd <= 2  # the promise of 1 %
    assert not any(guard.oddities(appearance_of(rusty(seed)[0])) for seed in range(1000, 1020))


def test_a_part_that_is_somewhat_odd_stays_ng_and_a_blank_frame_does_not(guard):
    mild, blank = (guard.oddities(appearance_of(photo)) for photo in (part(99) // 2 + 20, NO_PARTS["grey"][0]))
    assert mild and invalid_because(mild, is_ok=True)
    assert not invalid_because(mild, is_ok=False)
    assert invalid_because(blank, is_ok=False)


def test_no_defect_blurs_a_photo_so_a_blurred_one_is_invalid_whatever_its_score(guard):
    assert invalid_because(guard.oddities(appearance_of(NO_PARTS["blurred"][0])), is_ok=False)


def test_one_odd_photo_among_many_does_not_widen_the_limits(guard):
    photos = [appearance_of(part(seed)) for seed in range(N_OK - 1)]
    with_blank = learn([*photos, appearance_of(NO_PARTS["grey"][0])])
    assert with_blank is not None and with_blank.n_outside == 1
    assert with_blank.limits == pytest.approx(guard.limits, rel=0.3)


def test_a_spread_that_the_ok_photos_show_is_allowed():
    lamps = np.random.default_rng(0).uniform(0.5, 1.5, 60)
    photos = [np.clip(part(seed) * lamp, 0, 255).astype(np.uint8) for seed, lamp in enumerate(lamps)]
    learnt = learn([appearance_of(photo) for photo in photos])
    assert learnt is not None
    assert not learnt.oddities(appearance_of(np.clip(part(99) * 0.6, 0, 255).astype(np.uint8)))


def test_copies_are_held_out_together():
    """Each photo shows other blocks, so that only its own copy is near it."""
    blocks = np.random.default_rng(0).integers(0, 256, (8, 12, 12, 3), dtype=np.uint8)
    seen = [appearance_of(photo.repeat(8, axis=0).repeat(12, axis=1)) for photo in blocks for _ in range(2)]
    apart, together = learn(seen), learn(seen, [number // 2 for number in range(16)])
    assert apart is not None and together is not None
    assert together.layout_spread > 3 * apart.layout_spread


def test_too_few_photos_make_no_guard():
    assert learn([appearance_of(part(seed)) for seed in range(4)]) is None


def test_a_guard_is_read_as_it_was_written(guard):
    again = Guard.from_tree(guard.to_tree(), guard.layouts)
    assert again.to_tree() == guard.to_tree()
    assert (again.layouts == guard.layouts).all()


def test_a_feature_that_the_model_did_not_know_has_no_limit(guard):
    tree = guard.to_tree()
    del tree["features"]["brightness"]
    names = [odd.name for odd in Guard.from_tree(tree, guard.layouts).oddities(appearance_of(NO_PARTS["white"][0]))]
    assert "brightness" not in names and "overexposed" in names


@pytest.mark.parametrize(
    ("change", "layouts"),
    [
        ({"layout": [8.0]}, True),
        ({"features": {"brightness": [1.0, 0.0, 4.0]}}, True),
        ({"features": {"beauty": [1.0, 1.0, 4.0]}}, True),
        ({"n_photos": "many"}, True),
        ({}, False),
    ],
)
def test_a_damaged_guard_is_refused(guard, change, layouts):
    with pytest.raises((ConfigError, ValueError)):
        Guard.from_tree(guard.to_tree() | change, guard.layouts if layouts else None)


def test_the_summary_names_every_feature_and_says_how_often_it_errs(guard):
    summary = guard.summary()
    assert len(summary["allowed"]) == len(FEATURES)
    assert "40 OK photos" in summary["in_words"]


def test_a_pipeline_says_invalid_without_regions_and_judges_parts_as_before(guard):
    pipeline = replace(orange_pipeline(), guard=guard)
    blank = pipeline.inspect(NO_PARTS["grey"][0])
    assert (blank.verdict, blank.regions) == ("invalid", ())
    assert blank.reasons and blank.to_row()["verdict"] == "invalid"
    assert pipeline.inspect(part(99)).verdict == "OK"
    assert pipeline.inspect(rusty(99)[0]).verdict == "NG"


def test_an_ng_part_that_looks_odd_stays_ng_and_says_so(guard):
    photo = rusty(99)[0].astype(int)
    odd = replace(orange_pipeline(), guard=guard).inspect(np.clip(photo + 30, 0, 255).astype(np.uint8))
    assert odd.verdict == "NG" and odd.regions
    assert "is brighter" in " ".join(odd.notes)


def test_a_photo_without_a_guard_is_judged_whatever_it_shows():
    assert orange_pipeline().inspect(NO_PARTS["grey"][0]).verdict == "OK"
