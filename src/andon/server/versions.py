"""Versions of models: loaded, tried on photos whose answer is known, and only then put to use."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from andon.errors import ImageError, ModelError
from andon.line.pipeline import Pipeline, Scored
from andon.models import exported
from andon.models.certificate import compare
from andon.models.file import read
from andon.models.header import Header
from andon.models.load import load
from andon.store import Store, StoredModel
from andon.types import ModelId, RgbImage

NOISE = (384, 512, 3)
FOLDER = "models"
"""Under the data folder: for versions that are made on pages."""


def make_known(store: Store, path: Path, by: str, *, name: str | None = None) -> tuple[StoredModel, bool]:
    """Write the model file into the store, and say whether it is new there.

    Args:
        name: of the model that it is a version of; the file's name without its ending unless given.

    Raises:
        ModelError: it is no model, or has no thresholds yet.
    """
    contents = read(path)
    header = Header.of(contents, path)
    if header.calibration is None:
        raise ModelError(f"{path} has no threshold yet; run: andon calibrate {path} OK_DIR")
    is_new = contents.sha256 not in {version.sha256 for version in store.models.versions()}
    version = store.models.add(
        contents.sha256,
        name=name or path.stem,
        path=str(path.resolve()),
        by=by,
        origin=header.manifest.data,
        promise=header.calibration.describe(),
    )
    return version, is_new


def ready(version: StoredModel) -> Pipeline:
    """The version, loaded and tried: what comes back inspects, and its rows bear the name that the store knows.

    An exported model must judge its certificate's photos as certified; another one must get through photos of noise.

    Raises:
        ModelError: its file is gone or another one, or it does not judge as certified.
        AndonError: it cannot be loaded.
    """
    path = Path(version.path)
    contents = read(path)
    pipeline = load(path)
    if not contents.sha256 == pipeline.model_id.sha256 == version.sha256:
        raise ModelError(
            f"{path} is not the version {version.sha256[:12]} of {version.name} any more; put that file back, or start "
            "andon serve with the new one."
        )
    if pipeline.calibration is None:
        raise ModelError(f"{path} has no threshold yet; run: andon calibrate {path} OK_DIR")
    probes = exported.read_export(contents, path) if exported.is_exported(contents) else None
    if probes is not None and probes.probes:
        _try_as_certified(pipeline, probes, path)
        _try_a_batch(pipeline, exported.probe_photos(probes)[0])
    else:
        _try_a_batch(pipeline, np.random.default_rng(0).integers(0, 256, NOISE, dtype=np.uint8))
    return replace(pipeline, model_id=ModelId(version.name, version.sha256))


def _try_as_certified(pipeline: Pipeline, export: exported.Exported, path: Path) -> None:
    for finding in compare(pipeline, export.certificate, exported.probe_photos(export)):
        if not finding.is_kept:
            raise ModelError(
                f"{path} does not judge here as it did where it was exported ({finding.in_words()}); export it again."
            )


def _try_a_batch(pipeline: Pipeline, photo: RgbImage) -> None:
    """Judge as many photos at once as a line under load sends, so that nothing is compiled while its parts wait.

    Whatever the verdict is. A step that finds no part in noise is right.
    """
    with suppress(ImageError):
        prepared = pipeline.prepare(photo)
        for size in (1, pipeline.scorer.batch_size):
            for result in pipeline.score([prepared] * size):
                if isinstance(result, Scored):
                    pipeline.judge(result, with_map=False)
