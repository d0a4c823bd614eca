"""How long anomalib's PatchCore takes: `python benchmarks/peer_inspect.py JOB.json`, run by its own environment.

The job names a memory bank, a backbone's weights, a photo size and photos. The bank is ours, so that both search the
same one. The loop is anomalib's reading, transform and model with nothing around them: less than its engine does.
Prints one line of JSON: the seconds from files to scores, and the scores.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file


@torch.inference_mode()
def main() -> None:
    declare_operators()
    from anomalib.data.utils import read_image
    from anomalib.models import Patchcore

    job = json.loads(Path(sys.argv[1]).read_text())
    size = tuple(job["size"])
    transform = Patchcore.configure_pre_processor(image_size=size).transform
    patchcore = Patchcore(backbone=job["backbone"], layers=["layer2", "layer3"], pre_trained=False)
    model = patchcore.model.eval()
    model.feature_extractor.feature_extractor.load_state_dict(load_file(job["weights"]), strict=False)
    model.memory_bank = torch.from_numpy(np.load(job["bank"]))

    def scores(photos: list[str]) -> list[float]:
        batch = torch.stack([transform(read_image(photo, as_tensor=True)) for photo in photos])
        return model(batch).pred_score.flatten().tolist()

    photos, step = job["photos"], job["batch_size"]
    scores(photos[:1])
    start, cpu = time.perf_counter(), time.process_time()
    found = [score for i in range(0, len(photos), step) for score in scores(photos[i : i + step])]
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    print(json.dumps({"scores": found, "seconds": seconds, "cpu_seconds": cpu_seconds}))


def declare_operators() -> None:
    """A torchvision that was built for CUDA misses the names of two operators beside a CPU-only torch."""
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


if __name__ == "__main__":
    main()
