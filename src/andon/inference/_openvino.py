"""OpenVINO, silenced: its telemetry would look up an analytics host and write an identity into the user's home.

Its converter is imported only where it is used: that takes as long as a photo.
"""

from __future__ import annotations

import sys
from typing import Any

CONVERTER = "openvino.tools.ovc"

if "openvino" not in sys.modules:  # as if they were not installed
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    sys.modules.setdefault(CONVERTER, None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402

if sys.modules.get(CONVERTER, ov) is None:
    del sys.modules[CONVERTER]

__all__ = ["convert_model", "ov"]


def convert_model(network: object, **options: Any) -> ov.Model:
    """OpenVINO's own function of this name."""
    from openvino.tools.ovc import convert_model as convert

    return convert(network, **options)
