"""PNG and TIFF files of any depth and layout, byte by byte, as cameras and programs write them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

SHORT, LONG, FLOAT = 3, 4, 11
CODES = {SHORT: "H", LONG: "I", FLOAT: "f"}
Tags = Mapping[int, tuple[int, list[Any]]]


def tiff(
    values: NDArray[Any],
    tags: Tags | None = None,
    *,
    bits: int = 0,
    white_is_0: bool = False,
    planes: bool = False,
    order: Literal["<", ">"] = "<",
) -> bytes:
    """One strip without compression: (H, W) or (H, W, C); `bits` packs values into fewer than their type has.

    Args:
        tags: further ones, number -> (type, values).
    """
    height, width = values.shape[:2]
    channels = 1 if values.ndim == 2 else values.shape[2]
    stored = np.moveaxis(values, 2, 0) if planes else values
    data = packed(values, bits) if bits else stored.astype(values.dtype.newbyteorder(order)).tobytes()
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    strips = channels if planes else 1
    entries: dict[int, tuple[int, list[Any]]] = {
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [bits or 8 * values.dtype.itemsize] * channels),
        259: (SHORT, [1]),
        262: (SHORT, [2 if channels > 2 else 0 if white_is_0 else 1]),
        273: (LONG, [8 + strip * len(data) // strips for strip in range(strips)]),
        277: (SHORT, [channels]),
        278: (LONG, [height]),
        279: (LONG, [len(data) // strips] * strips),
        284: (SHORT, [2 if planes else 1]),
        339: (SHORT, [kind] * channels),
    }
    if channels in (2, 4):
        entries[338] = (SHORT, [2])
    entries |= dict(tags or {})
    directory, beyond = b"", b""
    end = 8 + len(data) + 2 + 12 * len(entries) + 4
    for tag, (code, numbers) in sorted(entries.items()):
        raw = struct.pack(f"{order}{len(numbers)}{CODES[code]}", *numbers)
        directory += struct.pack(f"{order}HHI", tag, code, len(numbers))
        directory += raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack(f"{order}I", end + len(beyond))
        beyond += raw if len(raw) > 4 else b""
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8 + len(data))
    return head + data + struct.pack(f"{order}H", len(entries)) + directory + bytes(4) + beyond


def packed(values: NDArray[Any], bits: int) -> bytes:
    """Rows of values of `bits` bits each, the highest first."""
    rows = values.reshape(values.shape[0], -1, 1)
    singles = (rows >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(singles.reshape(len(rows), -1).astype(np.uint8), axis=1).tobytes()


def png(values: NDArray[np.uint16], **chunks: bytes) -> bytes:
    """A PNG of 16 bits: (H, W) or (H, W, C); `chunks` stand before the pixels."""
    height, width = values.shape[:2]
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[1 if values.ndim == 2 else values.shape[2]]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    content = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0))]
    content += [(name.encode(), data) for name, data in chunks.items()]
    content += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    chunk = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in content
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk)
