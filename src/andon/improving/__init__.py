"""A better version of a model from photos that people have reviewed, offered only where it loses nothing.

Needs the extras `train` and `serve`.
"""

from andon.improving.choosing import Chosen, Reviewed, choose, is_protected
from andon.improving.golden import OnGolden
from andon.improving.improve import Improvement, free_name, improve, offer

__all__ = [
    "Chosen",
    "Improvement",
    "OnGolden",
    "Reviewed",
    "choose",
    "free_name",
    "improve",
    "is_protected",
    "offer",
]
