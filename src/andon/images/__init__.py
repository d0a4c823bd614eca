"""Photos: which files are photos, how they are read and written."""

from andon.images.decode import (
    SUFFIXES,
    check_array,
    decode,
    is_image,
    list_images,
    read,
    read_bytes,
    read_mask,
    sha256,
    write,
)

__all__ = [
    "SUFFIXES",
    "check_array",
    "decode",
    "is_image",
    "list_images",
    "read",
    "read_bytes",
    "read_mask",
    "sha256",
    "write",
]
