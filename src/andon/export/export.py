"""Export a model, and hold what was exported against the reference."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from andon.errors import ConfigError, ModelError
from andon.export.probes import Probe, probes_of
from andon.images import sha256
from andon.inference.compiled import Size
from andon.line.pipeline import Pipeline
from andon.models import file
from andon.models.certificate import BOUND, Finding, certify, compare, worst
from andon.models.exported import ANY_SIZE, Export, Exported, name_of, read_export, scorer_of
from andon.models.save import header_arrays, header_tree
from andon.models.taught import Taught
from andon.scorers.choose import reference_scorer
from andon.scorers.convert import as_files, converted
from andon.types import Frame, RgbImage

LOG = logging.getLogger("andon")
PRECISIONS = ("f32", "bf16")


@dataclass(frozen=True)
class Certified:
    """What an export found.

    Attributes:
        worst: by precision, the largest share by which a score differs from the reference's.
        probes: how many photos were judged.
    """

    precisions: tuple[str, ...]
    worst: dict[str, float]
    probes: int


def export(
    model: Taught, out: Path, *, photos: Path | None = None, keep_photos: bool = True, overwrite: bool = False
) -> Certified:
    """Write the model as a file that inspects without torch, once it judges probe photos as the reference does.

    Args:
        photos: a folder of photos to probe with, see `probes_of`.
        keep_photos: put them into the file, so that `andon doctor` can judge them again where it is used.
        overwrite: as of `models.save`.

    Raises:
        ConfigError: the detector or a step cannot be exported.
        ModelError: the file cannot be written; or a score or a verdict differs from the reference's, and nothing was
            written.
        NotCalibratedError: the model has no threshold.
    """
    require_exportable(model)
    file.ensure_writable(out, overwrite=overwrite)
    probes = probes_of(model, photos)
    reference = replace(model.pipeline, scorer=reference_scorer(model.detector))
    exported = _exported(model, reference, probes, keep_photos=keep_photos)
    found = _judged(model, exported, reference, probes)
    kept = tuple(precision for precision, findings in found.items() if all(one.is_kept for one in findings))
    if "f32" not in kept:
        raise ModelError(_refusal(found["f32"]))
    if len(kept) < len(found):
        lost = _first_lost(found["bf16"])
        LOG.warning(f"In bf16 it does not keep to its certificate, so it will compute in f32: {lost}.")
    data, _ = _to_bytes(model, replace(exported, export=replace(exported.export, precisions=kept)))
    file.write(out, data, overwrite=overwrite)
    return Certified(kept, {precision: worst(findings) for precision, findings in found.items()}, len(probes))


def require_exportable(model: Taught) -> None:
    """Refuse what needs torch.

    Raises:
        ConfigError: the detector, or a step, cannot be exported.
    """
    if not model.detector.capabilities.exports:
        raise ConfigError(
            f"The detector {model.recipe.detector} cannot be exported, as parts of it run in torch alone; inspect with "
            "the model itself, or train with a detector that can be, such as patchcore."
        )
    for name, step in model.recipe.steps.items():
        if step.needs_torch:
            raise ConfigError(
                f"The step {name} needs torch as it is set up, so the model cannot be exported; train with another "
                "step, or inspect with the model itself."
            )


def _exported(model: Taught, reference: Pipeline, probes: Sequence[Probe], *, keep_photos: bool) -> Exported:
    memory = model.detector.memory()
    images, files = [probe.image for probe in probes], tuple(probe.png for probe in probes)
    return Exported(
        Export(
            model_sha256=model.pipeline.model_id.sha256,
            precisions=PRECISIONS,
            batch_size=model.pipeline.scorer.batch_size,
        ),
        _graphs(model, reference, images),
        None if memory is None else memory.with_neighbours(),
        certify(reference, [probe.name for probe in probes], map(sha256, files), images),
        files if keep_photos else (),
    )


def _graphs(model: Taught, reference: Pipeline, photos: Sequence[RgbImage]) -> dict[str, tuple[bytes, bytes]]:
    """The converted networks: one for photos of any size, or one for each size that the photos have after the steps."""
    detector = model.detector
    if detector.capabilities.has_bank and detector.backbone.local:
        sizes: dict[str, Size | None] = {ANY_SIZE: None}
    else:
        frames = (reference.prepare(photo).frame for photo in photos)
        sizes = {name_of(part.size): part.size for frame in frames for part in _parts(model, frame)}
    return {name: _graph(model, size) for name, size in sizes.items()}


def _graph(model: Taught, size: Size | None) -> tuple[bytes, bytes]:
    network = converted(model.detector, size)
    if network is None:
        backbone = model.recipe.backbone.name
        raise ConfigError(f"OpenVINO cannot convert the network {backbone}; train with another backbone.")
    return as_files(network)


def _parts(model: Taught, frame: Frame) -> list[Frame]:
    """What the network sees of a photo: its tiles, or all of it."""
    tiling = model.recipe.tiling
    return [frame] if tiling is None else [tile.frame for tile in tiling.cut(frame)]


def _to_try(model: Taught) -> tuple[str, ...]:
    """Scores that a network makes by itself stay in float32: what follows it in the same graph would lose too much."""
    return PRECISIONS if model.detector.capabilities.has_bank else PRECISIONS[:1]


def _to_bytes(model: Taught, exported: Exported) -> tuple[bytes, str]:
    tree, arrays = header_tree(model), header_arrays(model)
    return file.to_bytes(tree | exported.to_tree(), arrays | exported.to_arrays())


def _judged(
    model: Taught, exported: Exported, reference: Pipeline, probes: Sequence[Probe]
) -> dict[str, list[Finding]]:
    """By precision, how the exported model, read back from its bytes, judges the probe photos."""
    again = file.contents_of(*_to_bytes(model, exported))
    read, photos = read_export(again, Path("the exported model")), [probe.image for probe in probes]
    pipelines = {
        precision: replace(reference, scorer=scorer_of(read, again.sha256, precision)) for precision in _to_try(model)
    }
    return {precision: compare(each, exported.certificate, photos) for precision, each in pipelines.items()}


def _refusal(findings: Sequence[Finding]) -> str:
    lost = sum(not one.is_kept for one in findings)
    return (
        f"The exported model judges {lost} of {len(findings)} probe photos in another way than the model itself, whose "
        f"scores it must meet to {BOUND['f32']:g} of their size, so nothing was written; {_first_lost(findings)}."
    )


def _first_lost(findings: Sequence[Finding]) -> str:
    return max((one for one in findings if not one.is_kept), key=lambda one: one.off).in_words()
