"""Names for the arrays that a memory bank is searched with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]
"""Of rows of the bank, counted from 0."""
