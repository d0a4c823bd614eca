"""Proposals of an object's mask by GrabCut (Rother, Kolmogorov & Blake, SIGGRAPH 2004)."""

from __future__ import annotations

import cv2
import numpy as np

from andon.preprocess._object_box import Outline
from andon.preprocess._warp import Bounds
from andon.types import Mask, RgbImage

ROUNDS = 4
SEED = 0  # of the clustering that GrabCut starts from
SHARES = (0.85, 0.5)  # of the outline's width that is taken for object at first: one proposal each
END = 0.1  # of the box's height: its padding, above and below the object


def proposals(image: RgbImage, box: Bounds, inset: Bounds, outline: Outline) -> list[Mask]:
    """Masks (H, W) of the object in `box`, from seeds along the axis of its outline and in the inset."""
    lab = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), dtype=np.uint8)
    end = round(END * (box[2] - box[0]))
    rows = slice(box[0] + end, box[2] - end)
    masks = []
    for share in SHARES:
        seeds = np.zeros(image.shape[:2], dtype=np.bool_)
        seeds[rows] = outline.between(share, (image.shape[0], image.shape[1]))[rows]
        seeds[inset[0] : inset[2], inset[1] : inset[3]] = True
        masks.append(_cut(lab, box, seeds))
    return masks


def _cut(lab: RgbImage, box: Bounds, seeds: Mask) -> Mask:
    """Outside the box is background for sure; the seeds are object, the rest is background, until colours say else."""
    state = np.full(lab.shape[:2], cv2.GC_BGD, np.uint8)
    inside = slice(box[0], box[2]), slice(box[1], box[3])
    state[inside] = np.where(seeds[inside], cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    if not ((state == cv2.GC_PR_FGD).any() and (state == cv2.GC_PR_BGD).any()):
        return np.zeros(lab.shape[:2], dtype=np.bool_)  # a photo too small to tell them apart
    cv2.setRNGSeed(SEED)
    cv2.grabCut(lab, state, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.isin(state, (cv2.GC_FGD, cv2.GC_PR_FGD))
