"""One method on one round, in a process of its own: `python -m andon.comparison._trial teach|judge FOLDER`.

FOLDER holds job.json. Training leaves taught.json and the model behind; judging leaves judged.json, pixels.npz and a
picture of every photo. What went wrong is the "error" of the JSON file.
"""

from __future__ import annotations

import io
import json
import logging
import os
import statistics
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from andon.comparison._job import JOB, JUDGED, MODEL, PIXELS, TAUGHT, sample_of
from andon.datasets import Dataset
from andon.errors import AndonError
from andon.evaluation.inspect_labelled import inspect_labelled
from andon.evaluation.pixel_curves import PixelCurves
from andon.files import write_whole
from andon.line.pipeline import Pipeline
from andon.models.save import save
from andon.models.trained import load_taught
from andon.recipes import Recipe
from andon.reports.pictures.jpeg import to_jpeg
from andon.reports.pictures.views import views_of
from andon.teaching.train import teach
from andon.types import Failure, FloatMap, Inspection, Mask, Sample

N_TIMED = 20
EXIT_ORPHAN = 3
VIEW_SIDE = 200


def teach_one(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Train the method and save its model."""
    dataset = Dataset(Path(job["root"]), job["layout"], tuple(sample_of(values) for values in job["teach"]))
    started = time.perf_counter()
    taught = teach(Recipe.from_tree(job["recipe"]), dataset, allow_duplicates=True, precision=job["precision"])
    seconds = time.perf_counter() - started
    (folder / MODEL).unlink(missing_ok=True)
    save(taught, folder / MODEL)
    assert taught.calibration is not None
    return {
        "seconds": seconds,
        "model_bytes": (folder / MODEL).stat().st_size,
        "calibration": taught.calibration.describe(),
        "remarks": taught.manifest.remarks,
        "n_ng": len(taught.manifest.trained_ng),
    }


def judge_all(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Judge the round's photos with the saved model."""
    samples = [sample_of(values) for values in job["judge"]]
    taught = load_taught(folder / MODEL, precision=job["precision"])
    pipeline = taught.pipeline
    milliseconds = _latency(pipeline, [sample.path for sample in samples[: N_TIMED + 1]])
    learnt = set(taught.manifest.trained_ng.digests)
    photos: dict[str, Any] = {}
    histograms = []
    for number, (sample, result, mask) in enumerate(inspect_labelled(pipeline, samples)):
        if isinstance(result, Failure) or result.sha256 in learnt:
            why = result.error if isinstance(result, Failure) else "it learned from this photo."
            photos[result.path] = {"error": why}
            histograms.append(PixelCurves().coarse().astype(np.float32))
            continue
        assert result.anomaly_map is not None and pipeline.calibration is not None
        histograms.append(_pixels(sample, result.anomaly_map, mask))
        photos[result.path] = {"score": result.score, "verdict": result.verdict, "sigma": result.sigma}
        picture = _picture(result, pipeline.calibration.pixel_threshold)
        (folder / f"{number}.jpg").write_bytes(picture)
    _save_pixels(folder / PIXELS, np.stack(histograms))
    return {"milliseconds": milliseconds, "photos": photos}


def _latency(pipeline: Pipeline, photos: list[Path]) -> float:
    """The median time of a photo from file to verdict, one after another, the first left out."""
    times = []
    for photo in photos:
        started = time.perf_counter()
        pipeline.inspect(photo, with_map=False)
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times[1:] or times)


def _pixels(sample: Sample, anomaly_map: FloatMap, mask: Mask | None) -> np.ndarray[Any, np.dtype[np.float32]]:
    curves = PixelCurves()
    if mask is not None or not sample.is_anomalous:
        curves.update(anomaly_map, np.zeros(anomaly_map.shape, dtype=bool) if mask is None else mask)
    return curves.coarse().astype(np.float32)


def _save_pixels(path: Path, histograms: np.ndarray[Any, np.dtype[np.float32]]) -> None:
    """Only the bins from the first to the last that is used: nearly all are empty."""
    used = np.flatnonzero(histograms.any(axis=(0, 1)))
    first, last = (int(used[0]), int(used[-1])) if len(used) else (0, 0)
    data = io.BytesIO()
    np.savez_compressed(data, first=first, histograms=histograms[:, :, first : last + 1])
    write_whole(path, data.getvalue())


def _picture(inspection: Inspection, pixel_threshold: float) -> bytes:
    assert inspection.photo is not None  # `inspect_labelled` asks for it
    views = views_of(inspection.photo, inspection, pixel_threshold, side=VIEW_SIDE)
    return to_jpeg(views[1].picture)


def end_with_parent() -> None:
    """End this process as soon as its standard input ends: the parent holds it open while it lives."""

    def wait() -> None:
        while os.read(0, 1024):  # not through sys.stdin, whose lock the end of the interpreter wants
            pass
        os._exit(EXIT_ORPHAN)

    threading.Thread(target=wait, daemon=True).start()


def main(what: str, folder: Path) -> None:
    """Do it, and write down how it went."""
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    job = json.loads((folder / JOB).read_text(encoding="utf-8"))
    do, file = {"teach": (teach_one, TAUGHT), "judge": (judge_all, JUDGED)}[what]
    try:
        result = do(folder, job)
    except AndonError as error:
        result = {"error": str(error)}
    except Exception as error:  # whatever a method may raise, the others go on
        trace = folder / "traceback.txt"
        trace.write_text(traceback.format_exc(), encoding="utf-8")
        result = {"error": f"It stopped with {type(error).__name__} ({error}), which is a bug: see {trace}."}
    write_whole(folder / file, json.dumps(result).encode())


if __name__ == "__main__":
    end_with_parent()
    main(sys.argv[1], Path(sys.argv[2]))
