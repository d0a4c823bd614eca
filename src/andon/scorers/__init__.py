"""Scorers: a taught detector made ready to score numpy batches."""
