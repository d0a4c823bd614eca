"""How long teaching anomalib's PatchCore takes: `python benchmarks/peer_teach.py JOB.json`, run by its own environment.

The job names a backbone's weights, a photo size, photos and the share of their patches to keep. The loop is anomalib's
reading, transform, model and sampler with nothing around them: less than its engine does. Prints one line of JSON.
"""

import json
import sys
import time
from pathlib import Path

import torch
from peer_coreset import MORE, seconds_for
from peer_inspect import patchcore_model, read_batches


@torch.no_grad()
def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    model, transform = patchcore_model(job)
    model.train()
    start = time.perf_counter()
    patches = torch.cat([model(batch) for batch in read_batches(job, transform)])
    embed_s = time.perf_counter() - start
    model.embedding_store.clear()
    coreset_s = seconds_for(patches, int(job["ratio"] * len(patches)))
    figures = {"embed_s": embed_s, "coreset_s": coreset_s, "seconds": embed_s + coreset_s, "centres_timed": MORE}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
