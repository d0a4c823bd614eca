"""The model file: one .safetensors whose header holds everything but the tensors. Needs no torch to be read.

Nothing is ever unpickled.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from andon.errors import ArtefactError

FORMAT = 2
KEY = "andon"  # one metadata key with JSON in it: safetensors promises no order of several
PICKLES = frozenset({".pkl", ".pickle", ".pth", ".pt", ".joblib"})

Header = dict[str, Any]


def read_header(path: Path) -> Header:
    """Format, recipe, backbone, calibration and manifest of a model, without its tensors.

    Raises:
        ArtefactError: no such file, not a model of ours, cut short, or of another format.
    """
    if not path.is_file():
        raise ArtefactError(f"There is no model file {path}; teach one with: andon train PHOTOS -o {path}")
    if path.suffix.lower() in PICKLES:
        raise ArtefactError(
            f"{path} is a pickle, which can run any program when it is opened, so Andon never opens one; "
            "expected a .safetensors model made by 'andon train'."
        )
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
        header: Header = json.loads(metadata[KEY])
        found = int(header["format"])
    except KeyError:
        raise ArtefactError(
            f"{path} holds tensors but is no Andon model; expected one made by 'andon train'."
        ) from None
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise ArtefactError(
            f"{path} is damaged, cut short or no model ({error}); copy it again or teach it again."
        ) from None
    if found != FORMAT:
        do = "update Andon" if found > FORMAT else "teach it again"
        raise ArtefactError(f"{path} has model format {found}, but this Andon reads format {FORMAT}; {do}.")
    return header


def is_bundled(path: Path) -> bool:
    """Whether the model file holds its backbone's weights."""
    with safe_open(path, framework="numpy") as file:
        return any(name.startswith("backbone.") for name in file.keys())  # noqa: SIM118 - not a dict


def write(path: Path, data: bytes) -> None:
    """Write beside the target, then rename: nobody ever finds half a model.

    Raises:
        ArtefactError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            beside = Path(folder) / path.name
            beside.write_bytes(data)
            beside.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from None


def ensure_writable(path: Path) -> None:
    """Refuse, before any long work, a place that no model can be written to.

    Raises:
        ArtefactError: see `write`.
    """
    if path.suffix.lower() in PICKLES:
        raise ArtefactError(
            f"{path} is named like a pickle, which Andon never opens; let its name end in .safetensors."
        )
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise _cannot_write(path, error) from None


def _cannot_write(path: Path, error: OSError) -> ArtefactError:
    reason = error.strerror or str(error)
    return ArtefactError(f"{path} cannot be written ({reason}); choose a place with -o that you may write to.")
