"""Finding one upright object in an uncontrolled photo: proposals of its mask, and rules that judge them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import cv2
import numpy as np

from andon.errors import ConfigError, ImageError
from andon.preprocess import _grabcut, _sam, _spans
from andon.preprocess._base import Step
from andon.preprocess._edges import edge_energy, sharp_steps, sharpness, to_lab
from andon.preprocess._object_box import Outline, coarse_box, expand, find_outlines
from andon.preprocess._object_rules import Found, Limits, Scenery, best
from andon.preprocess._warp import Bounds
from andon.types import FloatMap, Frame, RgbImage

Proposals = Literal["spans", "grabcut", "sam"]

WORKING_SIDE = 320  # the object is looked for on a photo shrunk to this long side
SHORTEST = 40  # pixels of that photo's short side: an object in less has no outline to speak of
HANDICAP = 0.97  # what each outline's mask counts, against that of the one before: the outlines come best first
RETRY = 0.25  # where nothing was found, the box grows by this share on each side


@dataclass(frozen=True, kw_only=True)
class ObjectRoi(Step):
    """Narrows the ROI to the upright object near the photo's middle, whatever lies around it.

    A few coarse boxes come from edge energy. Masks are proposed within each; the rules in `_object_rules` mend and
    judge them, and the one with the sharpest and most even outline is taken. Where no proposal passes, the largest
    piece is used, and else the box; a note says so.

    Attributes:
        proposals: "spans" cuts row by row along edges in focus (`_spans`) and needs no download, nor does "grabcut";
            "sam" is Segment Anything (Kirillov et al. 2023).
        model: for "sam", a name on the hub such as facebook/sam-vit-base, or a folder; giving one implies "sam".
        fg_inset: this share of the box is left out on each side; what remains surely shows the object.
        vbridge_frac: gaps up to this share of the box's height are bridged along the object's axis.
        area_frac_lo: share of the photo that the object covers at least.
        area_frac_hi: and at most.
    """

    proposals: Proposals = "spans"
    model: str | None = None
    fg_inset: float = 0.30
    vbridge_frac: float = 0.12
    area_frac_lo: float = 0.02
    area_frac_hi: float = 0.85

    @property
    def needs_torch(self) -> bool:
        return self.proposals == "sam"

    def __post_init__(self) -> None:
        if self.proposals not in get_args(Proposals):
            raise ConfigError(f"object_roi.proposals is {self.proposals!r}; choose spans, grabcut or sam.")
        if self.proposals == "sam" and not self.model:
            raise ConfigError("object_roi.proposals is 'sam'; name its model too, such as facebook/sam-vit-base.")
        if not 0 < self.fg_inset < 0.5:
            raise ConfigError(f"object_roi.fg_inset is {self.fg_inset}; choose a share from 0.28 to 0.34.")
        if not 0 <= self.vbridge_frac < 1:
            raise ConfigError(f"object_roi.vbridge_frac is {self.vbridge_frac}; choose a share from 0.10 to 0.14.")
        if not 0 <= self.area_frac_lo < self.area_frac_hi <= 1:
            raise ConfigError(
                f"object_roi.area_frac_lo is {self.area_frac_lo} and area_frac_hi {self.area_frac_hi}; "
                "choose shares with 0 <= area_frac_lo < area_frac_hi <= 1."
            )

    def __call__(self, frame: Frame) -> Frame:
        """Raises:
        ImageError: the photo shows no object, or is too small or too narrow to show one.
        WeightsError: the model of "sam" cannot be loaded.
        MissingDependencyError: "sam" is asked for and transformers is not installed.
        """
        small = _shrink(frame.image)
        if min(small.shape[:2]) < SHORTEST:
            height, width = frame.size
            raise ImageError(
                f"no object can be found in {width} x {height} pixels: both sides must have {SHORTEST} or more, "
                f"and neither may be over {WORKING_SIDE / SHORTEST:g} times the other."
            )
        across, down = edge_energy(small)
        outlines, energy = find_outlines(across), np.hypot(across, down)
        boxes = [coarse_box(outline, energy) for outline in outlines]
        found = self._find(small, energy, outlines, boxes)
        if found is None:
            frame = frame.with_note("no object was found at first: looked for in a larger box")
            found = self._find(small, energy, outlines, [expand(box, RETRY, energy.shape) for box in boxes])
        if found is None:
            raise ImageError(
                "no object was found, not even in a larger box: expected one upright object near the middle; retake it."
            )
        height, width = frame.size
        roi = cv2.resize(found.mask.astype(np.uint8) * 255, (width, height), interpolation=cv2.INTER_LINEAR) > 127
        frame = replace(frame, roi=frame.roi & roi)
        return frame.with_note(found.note) if found.note else frame

    def _find(self, image: RgbImage, energy: FloatMap, outlines: list[Outline], boxes: list[Bounds]) -> Found | None:
        """The mask that fits best of those proposed for all boxes; None where nothing stands out."""
        insets = [expand(box, -self.fg_inset, energy.shape) for box in boxes]
        lab = to_lab(image)
        steps = sharp_steps(lab)
        if self.model is not None:
            proposed = _sam.proposals(image, boxes, self.model)
        elif self.proposals == "grabcut":
            proposed = [_grabcut.proposals(image, *where) for where in zip(boxes, insets, outlines, strict=True)]
        else:
            proposed = [[mask] for mask in _spans.proposals(lab, steps, boxes, outlines)]
        sharp = sharpness(*steps)
        limits = Limits(vbridge_frac=self.vbridge_frac, area_lo=self.area_frac_lo, area_hi=self.area_frac_hi)
        chosen, chosen_is = None, (False, 0.0)
        for number, (masks, box, inset) in enumerate(zip(proposed, boxes, insets, strict=True)):
            scenery = Scenery(lightness=lab[:, :, 0], energy=energy, sharpness=sharp, box=box, inset=inset)
            found = best(masks, scenery, limits)
            if found is not None:
                found_is = not found.note, HANDICAP**number * found.looks
                if found_is > chosen_is:
                    chosen, chosen_is = found, found_is
        return chosen


def _shrink(image: RgbImage) -> RgbImage:
    height, width = image.shape[:2]
    scale = min(1.0, WORKING_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


STEP = ObjectRoi
