"""How long anomalib's PatchCore takes: `python benchmarks/peer_inspect.py JOB.json`, run by its own environment.

The job names a memory bank, a backbone's weights, a photo size and photos. The bank is ours, so that both search the
same one. The loop is anomalib's reading, transform and model with nothing around them: less than its engine does.
Prints one line of JSON: the seconds from files to scores, and the scores.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file


@torch.inference_mode()
def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    model, transform = patchcore_model(job)
    model.eval()
    model.memory_bank = torch.from_numpy(np.load(job["bank"]))
    model(next(read_batches(job, transform))[:1])
    turns = [run(job, model, transform) for _ in range(job["turns"])]
    print(json.dumps(min(turns, key=lambda turn: turn["seconds"])))


def run(job: dict[str, Any], model: Any, transform: Callable[[torch.Tensor], torch.Tensor]) -> dict[str, Any]:
    """From files to scores, once."""
    start, cpu = time.perf_counter(), time.process_time()
    scores = [score for batch in read_batches(job, transform) for score in model(batch).pred_score.flatten().tolist()]
    return {"scores": scores, "seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}


def patchcore_model(job: dict[str, Any]) -> tuple[Any, Callable[[torch.Tensor], torch.Tensor]]:
    """anomalib's model with the job's backbone and weights, and the transform of photos for it."""
    declare_operators()
    from anomalib.models import Patchcore

    patchcore = Patchcore(backbone=job["backbone"], layers=["layer2", "layer3"], pre_trained=False)
    patchcore.model.feature_extractor.feature_extractor.load_state_dict(load_file(job["weights"]), strict=False)
    return patchcore.model, Patchcore.configure_pre_processor(image_size=tuple(job["size"])).transform


def read_batches(job: dict[str, Any], transform: Callable[[torch.Tensor], torch.Tensor]) -> Iterator[torch.Tensor]:
    """The job's photos, read and transformed as anomalib does it."""
    from anomalib.data.utils import read_image

    photos, step = job["photos"], job["batch_size"]
    for i in range(0, len(photos), step):
        yield torch.stack([transform(read_image(photo, as_tensor=True)) for photo in photos[i : i + step]])


def declare_operators() -> None:
    """A torchvision that was built for CUDA misses the names of two operators beside a CPU-only torch."""
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


if __name__ == "__main__":
    main()
