"""From a recipe and photos to a taught, calibrated model."""
