"""What a station keeps of how a photo looks, beside its row: drift is seen by it."""

from __future__ import annotations

from dataclasses import replace

from andon.line.appearance import appearance_of
from andon.line.pipeline import Prepared

MEASURES = ("brightness", "sharpness")
"""By their names in `line.appearance.FEATURES`."""


def looked_at(prepared: Prepared) -> Prepared:
    """The photo with its appearance, whether there is a guard or not, and without its image, which is large.

    Args:
        prepared: with `keep_image`.
    """
    assert prepared.image is not None
    return replace(prepared, image=None, appearance=prepared.appearance or appearance_of(prepared.image))


def measures_of(prepared: Prepared) -> dict[str, float]:
    """The figures of a photo that was looked at."""
    assert prepared.appearance is not None
    return {name: prepared.appearance[name] for name in MEASURES}
