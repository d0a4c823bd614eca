"""Thresholds for scores of one's own: the public door to `line.calibration`."""

from andon.line.calibration import Calibration, CalibrationRule, calibrate

__all__ = ["Calibration", "CalibrationRule", "calibrate"]
