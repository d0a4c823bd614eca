"""Plots as SVG or PNG bytes."""
