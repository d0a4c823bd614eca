"""Centre and spread that a few odd values do not move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
TO_SIGMA = 1.4826  # from the median absolute deviation to the standard deviation of a normal distribution


def centre_and_spread(values: Values) -> tuple[Values, Values]:
    """The median of each column of `values` (n,) or (n, d), and the scaled median absolute deviation from it."""
    centre = np.median(values, axis=0)
    return centre, TO_SIGMA * np.median(np.abs(values - centre), axis=0)
