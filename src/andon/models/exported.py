"""A model that inspects without torch: what `andon export` writes.

It is a model file as any other, but for what its detector learned: in the place of that stand the converted networks,
the memory bank where there is one, and the certificate with its probe photos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from andon import images
from andon.config import from_dict, require_section, to_dict
from andon.errors import ConfigError, ImageError, ModelError
from andon.inference._openvino import ov
from andon.inference.compiled import Array, Size
from andon.inference.image_score import ImageScore
from andon.inference.memory_bank import MemoryBank
from andon.line.pipeline import Pipeline
from andon.models.assemble import calibrated
from andon.models.certificate import BOUND, Certificate
from andon.models.file import Arrays, Contents
from andon.models.header import Header
from andon.scorers.graph import GraphScorer
from andon.scorers.precision import settle
from andon.types import Mask, Precision, RgbImage

EXPORT, SCORE, CERTIFICATE = "export", "image_score", "certificate"
ANY_SIZE = "any"
BANK, ORIGIN, AROUND = "bank.rows", "bank.origin", "bank.around"


@dataclass(frozen=True, kw_only=True)
class Export:
    """The header's section of an exported model.

    Attributes:
        model_sha256: of the model that was exported, in hex.
        precisions: in which it keeps to its certificate.
        batch_size: how many photos at once it is fastest with.
    """

    model_sha256: str
    precisions: tuple[str, ...]
    batch_size: int


@dataclass(frozen=True, eq=False)
class Exported:
    """Everything that an exported model has beside a header.

    Attributes:
        graphs: layers and weights of the network for photos of each size, or for any.
        memory: None where the network gives scores.
        probes: the photos of the certificate, as PNG files; () where they were left out.
    """

    export: Export
    graphs: dict[str, tuple[bytes, bytes]]
    memory: MemoryBank | None
    certificate: Certificate
    probes: tuple[bytes, ...] = ()

    def to_tree(self) -> dict[str, Any]:
        """The part in the header."""
        score = None if self.memory is None else asdict(self.memory.image_score)
        return {EXPORT: to_dict(self.export), SCORE: score, CERTIFICATE: to_dict(self.certificate)}

    def to_arrays(self) -> dict[str, Array]:
        """The rest."""
        arrays: dict[str, Array] = {}
        for size, (layers, weights) in self.graphs.items():
            arrays |= {f"graph.{size}.xml": _as_array(layers), f"graph.{size}.bin": _as_array(weights)}
        if self.memory is not None:
            arrays |= {BANK: self.memory.bank, ORIGIN: self.memory.origin}
            if self.memory.around is not None:
                arrays[AROUND] = self.memory.around.astype(np.int32)
        return arrays | {f"probe.{number}": _as_array(photo) for number, photo in enumerate(self.probes)}


def name_of(size: Size) -> str:
    """How a graph for photos of (H, W) is called."""
    return f"{size[0]}x{size[1]}"


def is_exported(contents: Contents) -> bool:
    """Whether the file was written by `andon export`."""
    return EXPORT in contents.tree


def read_export(contents: Contents, path: Path) -> Exported:
    """What is in the file beside its header.

    Raises:
        ModelError: something is missing or of another kind, or the model was not exported.
    """
    tree, arrays = contents.tree, contents.arrays
    if not is_exported(contents):
        raise ModelError(f"{path} was not exported; make a file that was with: andon export {path} -o part.andon")
    try:
        for section in (EXPORT, CERTIFICATE):
            require_section(tree.get(section), section)
        export = from_dict(Export, tree[EXPORT], EXPORT)
        certificate = from_dict(Certificate, tree[CERTIFICATE], CERTIFICATE)
        score = tree.get(SCORE)
        memory = None if score is None else _memory(from_dict(ImageScore, score, SCORE), arrays)
        kept = range(len(certificate.names)) if "probe.0" in arrays else ()
        probes = tuple(arrays[f"probe.{number}"].tobytes() for number in kept)
        sizes = sorted(name.split(".")[1] for name in arrays if name.startswith("graph.") and name.endswith(".xml"))
        graphs = {size: (_bytes(arrays, f"{size}.xml"), _bytes(arrays, f"{size}.bin")) for size in sizes}
        if not graphs or not set(export.precisions) <= set(BOUND) or not export.precisions:
            raise ValueError("it has no network; export it again.")
    except KeyError as error:
        raise ModelError(f"{path} lacks {error}; export it again.") from None
    except (ConfigError, ValueError, TypeError) as error:
        raise ModelError(f"{path} is not a model that this Andon can use: {error}") from None
    return Exported(export, graphs, memory, certificate, probes)


def pipeline_of(contents: Contents, path: Path, precision: Precision = "auto") -> Pipeline:
    """The exported model, ready to inspect.

    Raises:
        ModelError: see `read_export`.
        ConfigError: it was not certified in the precision that is asked for.
    """
    header, exported = Header.of(contents, path), read_export(contents, path)
    certified = exported.export.precisions
    settled: str = settle(precision)
    if settled not in certified:
        if precision != "auto":
            raise ConfigError(
                f"{path} is certified for --precision {' and '.join(certified)} alone, not for {settled}; leave "
                "--precision out."
            )
        settled = certified[0]
    return calibrated(header, scorer_of(exported, contents.sha256, settled))


def scorer_of(exported: Exported, sha256: str, precision: str) -> GraphScorer:
    """What scores for an exported model in a file of that digest."""
    memory = exported.memory
    source = StoredGraphs(exported.graphs, sha256, None if memory is None else memory.bank.shape[1])
    return GraphScorer(source, memory, precision, exported.export.batch_size)


def probe_photos(exported: Exported) -> list[RgbImage]:
    """The photos of the certificate, (H, W, 3) uint8 RGB."""
    named = zip(exported.certificate.names, exported.probes, strict=True)
    return [images.decode(photo, Path(name)) for name, photo in named]


class StoredGraphs:
    """An `inference.graph.Source` of networks in a file.

    Args:
        sha256: of the file.
        dimensions: of the queries; None where the network gives scores.
    """

    def __init__(self, graphs: dict[str, tuple[bytes, bytes]], sha256: str, dimensions: int | None) -> None:
        self._graphs = graphs
        self._sha256 = sha256
        self._dimensions = dimensions

    def identity(self, size: Size) -> Sequence[str]:
        """That of the file."""
        return [self._sha256, str(size)]

    def network(self, size: Size) -> ov.Model:
        """As `Source.network`.

        Raises:
            ImageError: the file has no network for this size.
            ModelError: it has one that is none, or another one than the rest of the file needs.
        """
        layers, weights = self._graphs.get(name_of(size)) or self._graphs.get(ANY_SIZE) or (None, None)
        if layers is None:
            known = " and ".join(name.replace("x", " x ") for name in self._graphs)
            raise ImageError(
                f"This exported model has networks for photos of {known} (height x width, after its steps), and this "
                f"one is {size[0]} x {size[1]}; export it again with such a photo among --photos."
            )
        try:
            network = ov.Core().read_model(layers, weights)
            network.reshape({0: [1, *size, 3], 1: [1, *size]})
            outputs = [port.partial_shape for port in network.outputs]
        except (RuntimeError, TypeError) as error:
            raise ModelError(
                f"The exported model's network cannot be read ({_first_line(error)}); export it again."
            ) from None
        fits = len(outputs) == 3 if self._dimensions is None else [shape[-1] for shape in outputs] == [self._dimensions]
        if not fits:
            raise ModelError("The exported model's network is not the one that the rest of it needs; export it again.")
        return network

    def by_itself(self, photo: RgbImage, roi: Mask) -> list[Array]:
        """There is no other way to compute them."""
        raise ModelError("OpenVINO cannot compute this model's network; export it again with this OpenVINO.")


def _memory(score: ImageScore, arrays: Arrays) -> MemoryBank:
    bank, origin, around = arrays[BANK], arrays[ORIGIN], arrays.get(AROUND)
    if bank.ndim != 2 or bank.dtype != np.float32 or not len(bank) or origin.shape != (len(bank), 3):
        raise ValueError("its memory bank is of another kind; export it again.")
    is_table = around is None or (around.ndim == 2 and len(around) == len(bank))
    if not is_table or (around is not None and not ((around >= 0) & (around < len(bank))).all()):
        raise ValueError("its bank's neighbours do not fit it; export it again.")
    return MemoryBank(bank, origin, score, around)


def _bytes(arrays: Arrays, name: str) -> bytes:
    return arrays[f"graph.{name}"].tobytes()


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]


def _as_array(data: bytes) -> Array:
    return np.frombuffer(data, np.uint8)
