"""A server of its own, for tests that end it: prints its address, and takes a while for each batch.

slow_server.py DATA SECONDS
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from numpy_scorer import Orangeness, orange_pipeline
from serving import PART, SETTINGS, sha, stand_in

from andon.server.running import Address, serve
from andon.server.station import Station
from andon.store import Store
from andon.types import Mask, Scores


@dataclass(frozen=True)
class Slow(Orangeness):
    """Takes its time."""

    seconds: float = 0.0

    def __call__(self, photos: NDArray[np.uint8], roi: Mask) -> Scores:
        time.sleep(self.seconds)
        return super().__call__(photos, roi)


def say(url: str) -> None:
    """To whoever started it."""
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()


def main(data: Path, seconds: float) -> None:
    """Serve until a signal comes."""
    scorer = Slow(batch_size=1, seconds=seconds)
    stand_in({sha(1): replace(orange_pipeline(), scorer=scorer)}, pytest.MonkeyPatch())
    with Store.open(None, data) as store:
        station = Station(store, data, replace(SETTINGS, grace=0.5))
        serve(station, [PART], Address(port=0), on_start=say)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
