"""Thresholds for scores of your own: the public names of `line.calibration`."""

from andon.line.calibration import Calibration, CalibrationRule, calibrate

__all__ = ["Calibration", "CalibrationRule", "calibrate"]
