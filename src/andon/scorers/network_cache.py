"""Networks as OpenVINO takes them, kept in a cache, since converting one takes longer than inspecting a photo."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import openvino as ov
import torch

from andon.backbones import Backbone

BACKBONE_CODE = sorted((Path(__file__).parent.parent / "backbones").glob("*.py"))


def convert(backbone: Backbone, size: tuple[int, int]) -> Path | ov.Model | None:
    """The network as an OpenVINO file from the cache, or as a model where no cache can be written; None: impossible."""
    folder = cache_folder() / _key(backbone, size)
    file = folder / "network.xml"
    if file.exists():
        return file
    shape = (1, 3, *size)
    network = backbone.built().for_size(*size)
    try:
        with _quiet_converter():
            model = ov.convert_model(network, example_input=torch.zeros(shape), input=[shape])
    except Exception:  # the converter raises whatever its parts raise, and has said what it is
        return None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as unfinished:
            half = Path(unfinished) / folder.name
            ov.save_model(model, half / file.name, compress_to_fp16=False)
            with suppress(OSError):  # another process was faster
                half.rename(folder)
    except (OSError, RuntimeError):
        return model
    return file


@contextmanager
def _quiet_converter() -> Iterator[None]:
    """Undo what the converter does to the root logger, and hide that it uses torch's tracer, which is deprecated."""
    root = logging.getLogger()
    level, filters, handlers = root.level, root.filters[:], root.handlers[:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            root.setLevel(level)
            root.filters[:], root.handlers[:] = filters, handlers


def _key(backbone: Backbone, size: tuple[int, int]) -> str:
    """Changes whenever the converted network would: with weights, layers, code, versions and the photo's size."""
    parts = [str(backbone.identity()), ov.__version__, torch.__version__, str(size)]
    digest = hashlib.sha256("\n".join(parts).encode())
    for path in BACKBONE_CODE:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def cache_folder() -> Path:
    """Where compiled networks are kept; everything in it can be deleted."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "andon" / "networks"
