"""Photos: which files are photos, how they are read and written."""

from andon.images.arguments import expand
from andon.images.decode import check_array, decode, read, read_bytes, read_mask, sha256, write
from andon.images.formats import SUFFIXES, is_image
from andon.images.output import mark_output, picture_names
from andon.images.walk import LeftOut, Walk, in_natural_order, is_output, subfolders, walk, walk_folder

__all__ = [
    "SUFFIXES",
    "LeftOut",
    "Walk",
    "check_array",
    "decode",
    "expand",
    "in_natural_order",
    "is_image",
    "is_output",
    "mark_output",
    "picture_names",
    "read",
    "read_bytes",
    "read_mask",
    "sha256",
    "subfolders",
    "walk",
    "walk_folder",
    "write",
]
