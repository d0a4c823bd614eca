"""How far the colours of photos are from those of the OK photos, measured by models that have not seen them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold
from torch import Tensor

from andon.detectors._gaussians import Gaussians

FOLDS = 5

Distances = NDArray[np.float64]


def colour_distances(histograms: Mapping[str, Tensor], groups: Sequence[int], n_pixels: int) -> dict[str, Distances]:
    """Mahalanobis distance of each photo's histogram, as the detector `histogram` takes it.

    Each of five models knows four fifths of the OK photos. An OK photo is measured by the one that knows neither it nor
    a photo of its group; any other by all five, of which it gets the mean.

    Args:
        histograms: class -> (n, D); "OK" is among them.
        groups: (n,) a number per OK photo, the same for near-identical ones; at least two different numbers.
        n_pixels: that each histogram counts.

    Returns:
        class -> (n,).
    """
    ok = histograms["OK"]
    n_folds = min(FOLDS, len(set(groups)))
    distances = {name: np.zeros(len(of_class)) for name, of_class in histograms.items()}
    for train, held_out in GroupKFold(n_folds).split(ok, groups=groups):
        gaussians = Gaussians()
        gaussians.fit(ok[train], components=1, least_variance=1 / (4 * n_pixels), seed=0)
        for name, of_class in histograms.items():
            if name == "OK":
                distances[name][held_out] = gaussians(of_class[held_out]).numpy()
            else:
                distances[name] += gaussians(of_class).numpy() / n_folds
    return distances
