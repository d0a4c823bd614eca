"""Drawn photo sets with exact ground truth. Nothing is downloaded and nothing was photographed."""
