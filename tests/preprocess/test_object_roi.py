"""object_roi finds an upright object on a cluttered desk, by spans, GrabCut or a tiny SAM, and says where not."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest

from andon import images
from andon.errors import AndonError, ConfigError, ImageError, MissingDependencyError, WeightsError
from andon.line.pipeline import Pipeline
from andon.preprocess import _grabcut, _object_rules, _sam, _spans
from andon.preprocess._edges import edge_energy, sharp_steps, sharpness, to_lab
from andon.preprocess._object_box import N_OUTLINES, Outline, coarse_box, expand, find_outlines
from andon.preprocess._object_rules import Limits, Scenery, best
from andon.preprocess._warp import Bounds
from andon.preprocess.object_roi import ObjectRoi
from andon.types import Failure, Frame, Mask, RgbImage

SIZE = (240, 180)
BOX = (30, 50, 210, 130)
INSET = (84, 74, 156, 106)


def bottle(size: tuple[int, int] = SIZE, lean: float = 0.0) -> Mask:
    """A body with a narrow neck, leaning by `lean` degrees."""
    height, width = size
    mask = np.zeros(size, np.uint8)
    scale = height / 240
    for x0, y0, x1, y1 in ((60, 90, 120, 200), (80, 60, 100, 90), (72, 45, 108, 60)):
        cv2.rectangle(mask, (round(x0 * scale), round(y0 * scale)), (round(x1 * scale), round(y1 * scale)), 1, -1)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), lean, 1)
    return cv2.warpAffine(mask, turn, (width, height)) > 0


def desk(mask: Mask) -> RgbImage:
    """The bottle, white with a dark cap and a label, among coloured blocks on a brown desk."""
    height, width = mask.shape
    image = np.full((height, width, 3), (110, 80, 55), np.uint8)
    image[: height // 3] = (150, 160, 165)
    scale = height / 240
    blocks = ((5, 120, 40, 160, (40, 60, 120)), (135, 60, 170, 110, (150, 40, 40)), (128, 205, 175, 225, (40, 90, 50)))
    for x0, y0, x1, y1, colour in blocks:
        cv2.rectangle(image, (round(x0 * scale), round(y0 * scale)), (round(x1 * scale), round(y1 * scale)), colour, -1)
    image[mask] = (228, 226, 220)
    rows, columns = np.indices(mask.shape)
    image[mask & (rows < 60 * scale)] = (60, 25, 25)
    image[mask & (rows > 120 * scale) & (rows < 150 * scale) & (columns > 75 * scale)] = (190, 170, 90)
    noise = np.random.default_rng(0).normal(0, 2, (height, width, 1))
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def overlap(roi: Mask, truth: Mask) -> float:
    return float((roi & truth).sum() / (roi | truth).sum())


@pytest.mark.parametrize("proposals", ["spans", "grabcut"])
@pytest.mark.parametrize("lean", [0, 4])
def test_finds_the_object_on_a_cluttered_desk(lean: float, proposals: Literal["spans", "grabcut"]) -> None:
    truth = bottle(lean=lean)
    frame = ObjectRoi(proposals=proposals)(Frame.whole(desk(truth)))
    assert overlap(frame.roi, truth) > 0.93
    assert frame.notes == ()


def test_upright_edges_beside_the_object_do_not_mislead() -> None:
    """The posts face each other over more rows than the two edges of the bottle do."""
    truth = bottle()
    image = desk(truth)
    image[20:230, 40:46] = image[20:230, 134:140] = 0
    across, _ = edge_energy(image)
    assert find_outlines(across)[0].half > 40
    assert overlap(ObjectRoi()(Frame.whole(image)).roi, truth) > 0.93


def test_a_large_photo_is_cut_in_its_own_pixels_and_the_roi_only_narrowed() -> None:
    truth = bottle((960, 720))
    frame = Frame.whole(desk(truth))
    frame.roi[:, :300] = False
    roi = ObjectRoi()(frame).roi
    assert roi.shape == (960, 720)
    assert not roi[:, :300].any()
    assert overlap(roi, truth & frame.roi) > 0.9


def test_the_box_holds_the_object_with_a_tenth_around_and_its_inset_lies_on_it() -> None:
    truth = bottle()
    across, down = edge_energy(desk(truth))
    outline = find_outlines(across)[0]
    assert abs(outline.axis - 90) <= 4 and abs(outline.half - 30) <= 4
    top, left, bottom, right = coarse_box(outline, np.hypot(across, down))
    assert top < 45 and left < 57 and bottom > 203 and right > 123
    inset = expand((top, left, bottom, right), -0.3, SIZE)
    assert truth[inset[0] : inset[2], inset[1] : inset[3]].mean() > 0.8


@pytest.mark.parametrize("noise", [0, 2])
def test_a_blank_photo_is_refused_after_a_second_look_in_a_larger_box(
    noise: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxes: list[Bounds] = []
    propose = _grabcut.proposals

    def noted(image: RgbImage, box: Bounds, inset: Bounds, outline: Outline) -> list[Mask]:
        boxes.append(box)
        return propose(image, box, inset, outline)

    monkeypatch.setattr(_grabcut, "proposals", noted)
    blank = 120 + np.random.default_rng(0).normal(0, noise, (120, 90, 3))
    with pytest.raises(ImageError, match="no object was found"):
        ObjectRoi(proposals="grabcut")(Frame.whole(blank.astype(np.uint8)))
    half = len(boxes) // 2
    for first, second in zip(boxes[:half], boxes[half:], strict=True):
        assert second[1] <= first[1] and second[3] >= first[3]
    assert boxes[:half] != boxes[half:]


@pytest.mark.parametrize("noise", [0, 2])
def test_no_span_stands_out_of_a_blank_photo(noise: float) -> None:
    blank = 120 + np.random.default_rng(0).normal(0, noise, (*SIZE, 3))
    with pytest.raises(ImageError, match="no object was found"):
        ObjectRoi()(Frame.whole(blank.astype(np.uint8)))


def test_colours_are_counted_for_each_height_by_itself() -> None:
    """A black foot costs less in the object than beside it, though most of what is black lies beside it further up."""
    body, black, desk_colour = 0, 1, 2
    colours = np.full((100, 60), desk_colour)
    colours[:, 20:40] = body
    colours[80:92, 20:40] = colours[:50, :20] = black
    trunk = np.zeros(colours.shape, bool)
    trunk[:, 20:40] = True
    costs = _spans._pixel_costs(colours, trunk)
    assert costs[85, 30] < -_spans.SURELY - 1
    assert costs[30, 10] > 1 and costs[70, 10] > 1


def test_the_mask_of_spans_is_the_cheapest_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a search through all masks of a small window."""
    monkeypatch.setattr(_spans, "BAND", 1.0)
    for seed in range(20):
        found, expected = cheapest_spans(np.random.default_rng(seed))
        np.testing.assert_array_equal(found, expected, err_msg=f"seed {seed}")


def cheapest_spans(rng: np.random.Generator) -> tuple[Mask, Mask]:
    """The mask that is found in a window of drawn costs, and the cheapest of all."""
    height, width = 3, 4
    inside = rng.normal(0, 2, (height, width)).astype(np.float32)
    across = rng.uniform(0, 2, (height, width + 1)).astype(np.float32)
    down = rng.uniform(0, 2, (height + 1, width)).astype(np.float32)
    axis = rng.uniform(1, 3, height)

    def cost(spans: tuple[tuple[int, int], ...]) -> float:
        """Infinite where the rows with a span are not one run."""
        filled = [row for row, (left, right) in enumerate(spans) if left < right]
        if not filled or len(filled) != filled[-1] - filled[0] + 1:
            return float("inf")
        mask = np.zeros((height + 2, width))
        total = 0.0
        for row in filled:
            left, right = spans[row]
            mask[row + 1, left:right] = 1
            off_axis = abs((left + right) / 2 - axis[row])
            total += across[row, left] + across[row, right] + _spans.OFF_AXIS * off_axis
        return total + float((mask[1:-1] * inside).sum() + (np.abs(np.diff(mask, axis=0)) * down).sum())

    of_row = [(0, 0), *combinations(range(width + 1), 2)]
    cheapest = min(product(of_row, repeat=height), key=cost)
    expected = np.array([[left <= column < right for column in range(width)] for left, right in cheapest])
    return _spans.cheapest(inside, across, down, axis), expected


def test_only_an_edge_in_focus_is_sharp() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 20:] = 200
    blurred = np.asarray(cv2.GaussianBlur(image, (0, 0), 4), np.uint8)
    sharp, soft = (sharp_steps(to_lab(photo))[0] for photo in (image, blurred))
    assert sharp.shape == (40, 61)
    assert sharp[:, 20].min() > 70 and soft.max() < 0.1 * sharp[:, 20].min()
    assert np.delete(sharp, 20, axis=1).max() == 0


def test_symmetry_is_about_the_masks_own_axis() -> None:
    assert _object_rules.symmetry(bottle(lean=4)) > 0.9
    lopsided = bottle()
    lopsided[120:200, 90:] = False
    assert _object_rules.symmetry(lopsided) < 0.8
    assert _object_rules.symmetry(np.zeros(SIZE, bool)) == 0


def test_what_is_seen_only_in_the_larger_box_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = bottle()
    masks = iter([[np.zeros(SIZE, bool)]] * N_OUTLINES)
    monkeypatch.setattr(_grabcut, "proposals", lambda *_: next(masks, [truth]))
    frame = ObjectRoi(proposals="grabcut")(Frame.whole(desk(truth)))
    assert frame.notes == ("no object was found at first: looked for in a larger box",)
    assert overlap(frame.roi, truth) > 0.95


def scenery_of(image: RgbImage) -> Scenery:
    lab = to_lab(image)
    sharp = sharpness(*sharp_steps(lab))
    return Scenery(lightness=lab[:, :, 0], energy=np.hypot(*edge_energy(image)), sharpness=sharp, box=BOX, inset=INSET)


def judged(*proposals: Mask, lo: float = 0.02) -> tuple[Mask, str]:
    """What the rules make of proposals for the photo of `bottle`."""
    found = best(proposals, scenery_of(desk(bottle())), Limits(vbridge_frac=0.12, area_lo=lo, area_hi=0.85))
    assert found is not None
    return found.mask, found.note


def test_a_proposal_whose_outline_lies_on_no_edges_is_no_object() -> None:
    limits = Limits(vbridge_frac=0.12, area_lo=0.02, area_hi=0.85)
    grain = (120 + np.random.default_rng(0).normal(0, 3, (*SIZE, 3))).astype(np.uint8)
    assert best([bottle()], scenery_of(grain), limits) is None
    assert best([np.zeros(SIZE, bool)], scenery_of(desk(bottle())), limits) is None


def test_of_several_proposals_the_one_that_fits_best_is_taken() -> None:
    whole, cap = bottle(), bottle().copy()
    cap[70:] = False
    assert overlap(judged(cap, whole)[0], whole) > 0.97


def test_a_gap_at_the_neck_is_bridged_and_holes_are_filled() -> None:
    split = bottle()
    split[70:82] = False
    split[120:150, 80:110] = False
    mask, note = judged(split)
    assert note == ""
    assert mask[45:60, 80:100].all() and mask[120:150, 80:110].all()
    assert cv2.connectedComponents(mask.astype(np.uint8))[0] == 2


def test_what_lies_beside_is_dropped_and_what_lies_outside_the_box_too() -> None:
    messy = bottle()
    messy[100:140, 5:62] = True  # leaks from the body through the box's side
    messy[195:209, 123:129] = True  # a scrap in its corner
    mask, _ = judged(messy)
    assert not mask[:, : BOX[1]].any() and not mask[195:209, 123:129].any()
    assert overlap(mask, bottle()) > 0.92


def test_a_proposal_of_the_background_is_turned_over() -> None:
    mask, note = judged(~bottle())
    assert overlap(mask, bottle()) > 0.95
    assert note == ""


def test_where_no_piece_goes_through_the_middle_the_largest_is_used_and_told() -> None:
    beside = bottle()
    beside[:, :104] = False
    mask, note = judged(beside)
    assert note == "no proposal fits an upright object: its largest piece is used"
    assert overlap(mask, beside) > 0.9


def test_where_everything_is_too_small_the_box_is_used_and_told() -> None:
    mask, note = judged(bottle(), lo=0.5)
    assert note == "no proposal fits an object: the box around it is used"
    assert mask[30:210, 50:130].all() and mask.sum() == 180 * 80


def test_a_photo_without_an_object_is_a_failure_that_names_the_file(pipeline: Pipeline, tmp_path: Path) -> None:
    images.write(tmp_path / "blank.png", np.full((*SIZE, 3), 120, np.uint8))
    with_roi = replace(pipeline, steps=(ObjectRoi(), *pipeline.steps))
    (failure,) = with_roi.inspect_batch([tmp_path / "blank.png"])
    assert isinstance(failure, Failure)
    assert failure.error.startswith(f"{tmp_path / 'blank.png'}: no object was found")


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"proposals": "yolo"}, "proposals"),
        ({"proposals": "sam"}, "model"),
        ({"fg_inset": 0.5}, "fg_inset"),
        ({"vbridge_frac": 1.0}, "vbridge_frac"),
        ({"area_frac_lo": 0.9}, "area_frac_lo"),
    ],
)
def test_a_wrong_parameter_is_refused_in_one_sentence(parameters: dict[str, object], name: str) -> None:
    with pytest.raises(ConfigError, match=rf"object_roi\..*{name}.* choose|name its model"):
        ObjectRoi(**parameters)  # type: ignore[arg-type]


def test_a_missing_transformers_is_said_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    _sam._load.cache_clear()
    with pytest.raises(MissingDependencyError, match=r"pip install 'andon\[sam\]'"):
        ObjectRoi(model="facebook/sam-vit-base")(Frame.whole(desk(bottle())))


@pytest.fixture(scope="module")
def tiny_sam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A randomly initialised SAM of the real classes, in a folder as the hub has them."""
    pytest.importorskip("transformers", reason="the extra 'sam' is not installed")
    import torch

    from andon.torchvision_operators import declare_operators

    declare_operators()
    from transformers import SamConfig, SamImageProcessor, SamModel, SamProcessor

    folder = tmp_path_factory.mktemp("sam")
    hidden, side = 32, 64
    vision: dict[str, object] = {
        "hidden_size": hidden,
        "output_channels": hidden,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    vision |= {"image_size": side, "patch_size": 16, "window_size": 2, "mlp_dim": 32, "global_attn_indexes": [1]}
    prompt: dict[str, object] = {"hidden_size": hidden, "image_size": side, "patch_size": 16, "image_embedding_size": 4}
    decoder = {"hidden_size": hidden, "num_hidden_layers": 1, "num_attention_heads": 2, "mlp_dim": 32}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = SamModel(
            SamConfig(
                vision_config=vision | {"num_pos_feats": hidden // 2},
                prompt_encoder_config=prompt | {"mask_input_channels": 4},
                mask_decoder_config=decoder | {"iou_head_hidden_dim": 16, "iou_head_depth": 2},
            )
        )
    network.save_pretrained(folder)
    sizes = {"size": {"longest_edge": side}, "pad_size": {"height": side, "width": side}}
    SamProcessor(
        SamImageProcessor(**sizes, mask_size={"longest_edge": 16}, mask_pad_size={"height": 16, "width": 16})
    ).save_pretrained(folder)
    return folder


@pytest.mark.endurance
def test_sam_proposes_several_masks_in_the_photos_own_pixels(tiny_sam: Path) -> None:
    image = desk(bottle())
    masks, moved = _sam.proposals(image, [BOX, (0, 0, 100, 60)], str(tiny_sam))
    assert len(masks) == len(moved) == 3
    assert all(mask.shape == SIZE and mask.dtype == np.bool_ for mask in masks)
    assert any((one != other).any() for one, other in zip(masks, moved, strict=True))


@pytest.mark.endurance
def test_a_model_alone_makes_the_step_use_sam(tiny_sam: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(_object_rules, "stands_out", lambda *_: True)
    propose = _sam.proposals

    def noted(image: RgbImage, boxes: Sequence[Bounds], model: str) -> list[list[Mask]]:
        asked.append(model)
        return propose(image, boxes, model)

    monkeypatch.setattr(_sam, "proposals", noted)
    frame = ObjectRoi(model=str(tiny_sam))(Frame.whole(desk(bottle())))
    assert asked == [str(tiny_sam)]
    assert frame.roi.any() and frame.roi.shape == SIZE


@pytest.mark.endurance
@pytest.mark.usefixtures("tiny_sam")
@pytest.mark.parametrize("where", ["facebook/no-such-sam", "empty"])
def test_a_sam_that_cannot_be_had_is_one_sentence(where: str, tmp_path: Path) -> None:
    model = str(tmp_path) if where == "empty" else where
    with pytest.raises(AndonError) as error:
        ObjectRoi(model=model)(Frame.whole(desk(bottle())))
    assert isinstance(error.value, WeightsError)
    assert str(error.value).startswith(f"The SAM model {model!r} cannot be loaded (")


@pytest.mark.parametrize("size", [(300, 30), (39, 60), (2000, 200)])
def test_a_photo_too_small_or_too_narrow_is_refused(size: tuple[int, int]) -> None:
    photo = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
    with pytest.raises(
        ImageError, match=rf"^no object can be found in {size[1]} x {size[0]} pixels: both sides must have .*\.$"
    ):
        ObjectRoi()(Frame.whole(photo))


@pytest.mark.parametrize("fg_inset", [0.01, 0.45])
def test_the_smallest_photos_are_looked_at(fg_inset: float) -> None:
    for height, width in ((40, 40), (40, 300), (225, 50)):
        photo = np.full((height, width, 3), 40, np.uint8)
        photo[height // 2 : height // 2 + 2] = 220
        try:
            assert 0 < ObjectRoi(fg_inset=fg_inset)(Frame.whole(photo)).roi.sum() < height * width
        except ImageError as error:
            assert str(error).startswith("no object was found, not even in a larger box")  # not too small
