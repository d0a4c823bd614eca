"""A copy of a model file with other thresholds; all else in it stays, and torch is not needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from andon.config import Tree, from_dict, to_dict
from andon.errors import ModelError
from andon.line.by_hand import REMARK, given
from andon.line.calibration import Calibration
from andon.models import file
from andon.models.certificate import Certificate
from andon.models.exported import CERTIFICATE, is_exported
from andon.models.header import Header
from andon.rows import PART_VERDICTS


def with_thresholds(path: Path, target: Path, threshold: float, review_threshold: float | None) -> Header:
    """Write the model at `path` to `target` with these thresholds, and say what it says of itself.

    An exported model is certified anew: its scores stay as they were, and their verdicts follow the thresholds.

    Args:
        review_threshold: None for no review band.

    Raises:
        InputError: see `line.by_hand.given`.
        ModelError: it is no model, has no threshold yet, or the copy cannot be written.
    """
    contents = file.read(path)
    header = Header.of(contents, path)
    if header.calibration is None:
        raise ModelError(f"{path} has no threshold yet; run: andon calibrate {path} OK_DIR")
    calibration = given(header.calibration, threshold, review_threshold, review=review_threshold is not None)
    tree = {
        **contents.tree,
        "recipe": replace(header.recipe, calibration=calibration.rule).to_tree(),
        "calibration": calibration.to_tree(),
        "manifest": header.manifest.with_threshold(REMARK).to_tree(),
    }
    tree.pop("format", None)
    if is_exported(contents):
        tree[CERTIFICATE] = _certified(tree[CERTIFICATE], calibration)
    data, digest = file.to_bytes(tree, contents.arrays)
    file.write(target, data, overwrite=False)
    return Header.of(file.contents_of(data, digest), target)


def _certified(tree: Tree, calibration: Calibration) -> Tree:
    certificate = from_dict(Certificate, tree, CERTIFICATE)
    verdicts = tuple(
        calibration.verdict(score) if verdict in PART_VERDICTS else verdict
        for verdict, score in zip(certificate.verdicts, certificate.scores, strict=True)
    )
    return to_dict(replace(certificate, verdicts=verdicts))
