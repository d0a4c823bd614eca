"""The bytes of a model: one .safetensors whose header holds everything but the arrays. Needs no torch to be read.

Nothing is ever unpickled. A digest of all bytes stands in the header, so that not one of them changes unnoticed. What
was read is a copy: replacing the file changes no model that is in use.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from andon.config import Tree
from andon.errors import ModelError
from andon.files import keep_old, write_whole
from andon.images import sha256
from andon.models import format2

FORMAT = 3
KEY = "andon"  # of the safetensors header: JSON. It is the only key, since safetensors writes several in any order
DIGEST = "sha256"  # in that JSON: of the file with NO_DIGEST in its place
NO_DIGEST = "0" * 64
MOST_OF_HEADER = 2**16  # bytes; the key stands near its beginning
PICKLES = frozenset({".pkl", ".pickle", ".pth", ".pt", ".joblib"})

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Contents:
    """What a model file holds.

    Attributes:
        format: in which it was written; `tree` and `arrays` are as the newest format has them.
        sha256: of the file, in hex; of one in the newest format as its own header says.
    """

    format: int
    tree: Tree
    arrays: Arrays
    sha256: str


def read(path: Path) -> Contents:
    """Read and check the file.

    Raises:
        ModelError: no such file, not a model of ours, cut short, changed by even one byte, or of another format.
    """
    if path.is_dir():
        raise ModelError(f"{path} is a folder; give a model file made by: andon train PHOTOS -o part.safetensors")
    if not path.is_file():
        verb, of = ("export", "MODEL") if path.suffix.lower() == ".andon" else ("train", "PHOTOS")
        raise ModelError(f"There is no model file {path}; {verb} one with: andon {verb} {of} -o {path}")
    if path.suffix.lower() in PICKLES:
        raise ModelError(
            f"{path} is a pickle, which can run any program when it is opened, so Andon never opens one; "
            "expected a .safetensors model made by 'andon train'."
        )
    try:
        data = path.read_bytes()
        metadata = _metadata(data)
        arrays = load(data)
        tree = json.loads(metadata[KEY])
        found = tree["format"]
    except KeyError:
        raise ModelError(
            f"{path} is not an Andon model, although it holds arrays; expected one made by 'andon train'."
        ) from None
    except OSError as error:
        raise ModelError(f"{path} cannot be opened ({error.strerror}); check its permissions.") from None
    except UnicodeDecodeError:
        raise _damaged(path, "it does not begin as a model does") from None
    except (SafetensorError, ValueError, TypeError, RecursionError) as error:
        raise _damaged(path, str(error)) from None
    if not isinstance(found, int) or found < format2.FORMAT or found > FORMAT:
        do = "update Andon" if isinstance(found, int) and found > FORMAT else "train it again"
        raise ModelError(f"{path} has model format {found}, but this Andon reads 2 and {FORMAT}; {do}.")
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise _damaged(path, f"{name} holds values that are not numbers")
    digest = str(tree.pop(DIGEST, ""))
    must_fit = bool(digest) or found == FORMAT  # format 2 has no digest, unless it is a 3 with a changed byte
    if must_fit and sha256(data.replace(_field(digest), _field(NO_DIGEST), 1)) != digest:
        raise _damaged(path, "its bytes are not those that were saved")
    if found == format2.FORMAT:
        try:
            return Contents(found, *format2.upgraded(tree, arrays), sha256(data))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _damaged(path, f"its header lacks or misstates {error}") from None
    return Contents(found, tree, arrays, digest)


def to_bytes(tree: Tree, arrays: Arrays) -> tuple[bytes, str]:
    """The file, and the digest in its header. The same content gives the same bytes."""
    text = json.dumps({"format": FORMAT, DIGEST: NO_DIGEST, **tree})
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    data = save(contiguous, {KEY: text})
    digest = sha256(data)
    return data.replace(_field(NO_DIGEST), _field(digest), 1), digest


def contents_of(data: bytes, digest: str) -> Contents:
    """What `to_bytes` gave, as `read` gives it."""
    tree = json.loads(_metadata(data)[KEY])
    del tree[DIGEST]
    return Contents(FORMAT, tree, load(data), digest)


def _field(digest: str) -> bytes:
    """As it stands in the header, where JSON within JSON has its quotation marks escaped; its first is the file's."""
    return f'\\"{DIGEST}\\": \\"{digest}\\"'.encode()


def _metadata(data: bytes) -> dict[str, str]:
    """The strings in the header of a .safetensors: its length in 8 bytes, then JSON.

    Raises:
        ValueError: there is no such header.
    """
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    metadata = header.get("__metadata__", {}) if isinstance(header, dict) else {}
    return {str(key): str(value) for key, value in metadata.items()}


def _damaged(path: Path, reason: str) -> ModelError:
    short = reason.partition("\n")[0][:200]
    do = "export" if path.suffix == ".andon" else "train"
    return ModelError(f"{path} is damaged, cut short or not a model ({short}); copy it again or {do} it again.")


def write(path: Path, data: bytes, *, overwrite: bool) -> None:
    """Write the whole file or nothing. A model that is replaced is kept beside the new one.

    Raises:
        ModelError: see `ensure_writable`.
    """
    _require_new(path, overwrite)
    try:
        keep_old(path)
        write_whole(path, data)
    except OSError as error:
        raise _cannot_write(path, error) from None


def ensure_writable(path: Path, *, overwrite: bool) -> None:
    """Refuse, before any long work, a place where no model can be written.

    Raises:
        ModelError: no file can be written there, or there is one already that may not be replaced.
    """
    if path.suffix.lower() in PICKLES:
        raise ModelError(f"{path} is named like a pickle, which Andon never opens; let its name end in .safetensors.")
    _require_new(path, overwrite)
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise _cannot_write(path, error) from None


def _require_new(path: Path, overwrite: bool) -> None:
    if not path.is_file():
        return
    if not _is_model(path):
        raise ModelError(f"{path} is there and is not a model, so it is not written over; give another name with -o.")
    if not overwrite:
        raise ModelError(
            f"{path} exists already; give another name with -o, or --overwrite, which keeps the old model beside it."
        )


def _is_model(path: Path) -> bool:
    """Whether the file begins as a model does, however damaged the rest may be."""
    with path.open("rb") as opened:
        start = opened.read(MOST_OF_HEADER)
    return f'"{KEY}"'.encode() in start


def _cannot_write(path: Path, error: OSError) -> ModelError:
    reason = error.strerror or str(error)
    return ModelError(f"{path} cannot be written ({reason}); choose a place with -o that you may write to.")
