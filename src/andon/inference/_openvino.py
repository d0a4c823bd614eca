"""OpenVINO, silenced: its telemetry would look up an analytics host and write an identity into the user's home."""

from __future__ import annotations

import sys

if "openvino" not in sys.modules:
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # as if it were not installed

import openvino as ov

__all__ = ["ov"]
