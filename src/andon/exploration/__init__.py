"""A first look at a data set, before anything is trained: what `andon explore` prints and writes."""

from andon.exploration.explore import Exploration, explore

__all__ = ["Exploration", "explore"]
