"""Photos: which files are photos, how they are read and written."""

from andon.images.arguments import expand
from andon.images.capture import capture_date
from andon.images.decode import Photo, check_array, decode, load, orientation, read
from andon.images.files import read_bytes, sha256
from andon.images.formats import SUFFIXES, is_image
from andon.images.masks import fit_mask, join_masks, read_mask
from andon.images.opened import Opened, OpenedPhotos
from andon.images.output import mark_output, picture_names, write
from andon.images.pillow import upright
from andon.images.scale import learn_scale
from andon.images.walk import LeftOut, Walk, in_natural_order, is_output, subfolders, walk, walk_folder

__all__ = [
    "SUFFIXES",
    "LeftOut",
    "Opened",
    "OpenedPhotos",
    "Photo",
    "Walk",
    "capture_date",
    "check_array",
    "decode",
    "expand",
    "fit_mask",
    "in_natural_order",
    "is_image",
    "is_output",
    "join_masks",
    "learn_scale",
    "load",
    "mark_output",
    "orientation",
    "picture_names",
    "read",
    "read_bytes",
    "read_mask",
    "sha256",
    "subfolders",
    "upright",
    "walk",
    "walk_folder",
    "write",
]
