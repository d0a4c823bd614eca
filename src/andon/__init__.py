"""Andon learns what a good part looks like from photos of good parts alone."""
