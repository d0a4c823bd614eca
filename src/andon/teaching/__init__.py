"""From a recipe and photos to a trained, calibrated model."""
