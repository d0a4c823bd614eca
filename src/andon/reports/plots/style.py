"""What all plots share: the colours of their lines, their style, and how they become a file."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from typing import Literal

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from andon.reports.colours import INK, LINE, MUTED, TRUTH, VERDICT, hex_code

PlotFormat = Literal["svg", "png"]
Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]

OK, NG, REVIEW = hex_code(VERDICT["OK"]), hex_code(VERDICT["NG"]), hex_code(VERDICT["review"])
INVALID = hex_code(VERDICT["invalid"])
CURVE, DARK, PALE = hex_code(TRUTH), hex_code(INK), hex_code(MUTED)
FAR_OUT = 8.0
"""An axis turns logarithmic where values are this many times the median of the OK photos."""


def style() -> AbstractContextManager[None]:
    """The style of every plot, for a `with`."""
    return mpl.rc_context(
        {
            "font.family": "DejaVu Sans",
            "font.size": 10,
            "text.color": DARK,
            "axes.labelcolor": DARK,
            "axes.edgecolor": PALE,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlelocation": "left",
            "axes.titlesize": 10,
            "xtick.color": PALE,
            "ytick.color": PALE,
            "grid.color": hex_code(LINE),
            "legend.frameon": False,
            "svg.hashsalt": "andon",  # the same plot is the same file
        }
    )


def save(figure: Figure, file: PlotFormat) -> bytes:
    """The figure as a file: the same plot is the same bytes."""
    data = io.BytesIO()
    figure.savefig(data, format=file, dpi=160, metadata={"Date": None} if file == "svg" else None)
    return data.getvalue()
