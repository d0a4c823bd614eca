"""Model format 2, as Andon 0.1 wrote it until November 2026: what it said in other places than format 3 does.

Its manifest was a dictionary with the photos in it, and the number of a photo was its place among the JSON keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from andon.config import Tree
from andon.models.manifest import Manifest, Photos
from andon.models.names import TERMS

FORMAT = 2
PLAIN = ("versions", "data", "remarks")
CALIBRATION = ("rule", "threshold", "review_threshold", "pixel_threshold")

Arrays = dict[str, NDArray[Any]]


def upgraded(tree: Tree, arrays: Mapping[str, NDArray[Any]]) -> tuple[Tree, Arrays]:
    """Header and arrays as format 3 has them.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: something is missing or of another kind.
    """
    old = tree["manifest"]
    photos = Manifest(
        trained=_photos(old.get("training_sha256", {})),
        trained_ng=_photos(old.get("training_ng_sha256", {})),
        calibrated=_photos(old.get("calibration_sha256", {})),
    )
    manifest = {name: old[name] for name in PLAIN if name in old} | {
        "precision": old.get("calibration_precision"),
        "epochs": {"best": old["best_epoch"], "losses": old["losses"]} if "losses" in old else None,
    }
    calibration = tree["calibration"] and {name: tree["calibration"][name] for name in CALIBRATION}
    errors = {TERMS: np.array(old["held_out_errors"], np.float64)} if "held_out_errors" in old else {}
    new = {"recipe": tree["recipe"], "backbone": tree["backbone"], "calibration": calibration, "manifest": manifest}
    return new, {**arrays, **photos.to_arrays(), **errors}


def _photos(digests: Mapping[str, str]) -> Photos:
    return Photos(tuple(digests), tuple(digests.values()))
