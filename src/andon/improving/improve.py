"""From a model and what people have said of its verdicts to a new version, and whether it may be offered."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import cast

from andon.errors import InputError, NotFoundError
from andon.images import OpenedPhotos
from andon.improving import golden
from andon.improving.choosing import Chosen, choose
from andon.improving.golden import OnGolden
from andon.improving.growing import RADIUS, Grown, grow
from andon.line.calibration import Calibration
from andon.models.file import ensure_writable
from andon.models.header import read_header
from andon.models.save import save
from andon.models.taught import Taught
from andon.models.trained import load_taught
from andon.store import PhotoStore, Store, StoredModel
from andon.types import ModelId, Precision

NO_GOLDEN_NG = (
    "The golden set has no NG photo, so nothing shows whether the new version would miss defects; review some."
)


OF_REVIEWS = "of_reviews"
"""Among a version's figures: the digest of the reviews that it was made of."""


class NothingNewError(InputError):
    """Nothing was reviewed since the version that these reviews were made into."""

    def __init__(self, known: StoredModel) -> None:
        super().__init__(
            f"Nothing was reviewed since version {known.sha256[:8]} was offered ({known.path}, "
            f"{known.added_at.astimezone():%Y-%m-%d %H:%M}); review more photos, or activate that version."
        )
        self.known = known


@dataclass(frozen=True, eq=False)
class Improvement:
    """A new version that is not written yet.

    Attributes:
        parent: the version that it was made from.
        name: what its versions are called in the store.
        chosen: the photos that taught, and those that judged.
        before, after: the thresholds.
        rows: of the memory bank, before and after.
        golden: what both versions say of each golden photo.
    """

    parent: ModelId
    name: str
    chosen: Chosen
    grown: Grown
    before: Calibration
    after: Calibration
    rows: tuple[int, int]
    golden: tuple[OnGolden, ...]

    @property
    def model(self) -> Taught:
        """The new version."""
        return self.grown.model

    @cached_property
    def objections(self) -> tuple[str, ...]:
        """Why it is not offered, in sentences; () where it is."""
        lost = sum(one.is_lost for one in self.golden)
        photos = "golden NG photo passes that was" if lost == 1 else "golden NG photos pass that were"
        missed = f"{lost} {photos} caught before." if lost else ""
        broken = golden.broken_promise(self.golden, self.after.rejects.on_average)
        return tuple(why for why in (missed, broken) if why)

    @property
    def is_offered(self) -> bool:
        """Whether the promise holds and every golden NG photo that was caught is still caught."""
        return not self.objections

    @property
    def against(self) -> tuple[OnGolden, ...]:
        """The golden photos that stand against it: NG that are lost; where the promise is broken, OK that are NG."""
        broken = bool(golden.broken_promise(self.golden, self.after.rejects.on_average))
        return tuple(one for one in self.golden if one.is_lost or (broken and one.is_newly_rejected))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What its user should know, in sentences."""
        has_ng = any(one.photo.kind == "NG" for one in self.golden)
        return (*self.chosen.remarks, *(() if has_ng else (NO_GOLDEN_NG,)))


def improve(
    path: Path, store: Store, photos: PhotoStore, *, name: str | None = None, weights: Path | None = None
) -> Improvement:
    """Make a better version of the model at `path` from the reviewed photos in the store. Nothing is written.

    Args:
        name: what its versions are called in the store. None is the name that the store knows it by, or its file's.

    Raises:
        ModelError: it is no model, was exported, or cannot be improved.
        InputError: there are no reviewed photos of it, or none that may teach.
        NothingNewError: the very same photos have taught and judged a version that was offered and is still there.
        DatasetError: the reviewed photos seem to show another part.
        ImageError: a photo cannot be used.
    """
    header = read_header(path)
    model = load_taught(path, weights=weights, precision=cast(Precision, header.manifest.precision or "auto"))
    before = _require_growing(model, path)
    name = name or _name(store, header.model_id)
    opened = OpenedPhotos(model.pipeline.white)
    chosen = choose(store, photos, name, model.manifest.seen, opened)
    if not chosen.candidates:
        raise InputError(
            " ".join([f"No reviewed OK photo of {name} is there to learn from; review more.", *chosen.remarks])
        )
    _require_news(store, name, header.model_id, chosen)
    grown = grow(model, before, chosen.candidates, chosen.twins, opened)
    after = cast(Calibration, grown.model.calibration)
    manifest = grown.model.manifest.remarked(
        f"Improved from the version {header.model_id.sha256} with {len(chosen.candidates)} reviewed OK photos."
    )
    grown = replace(grown, model=replace(grown.model, manifest=manifest))
    judged = golden.judge(chosen.golden, model.pipeline, grown.model.pipeline)
    rows = _rows(model), _rows(grown.model)
    return Improvement(header.model_id, name, chosen, grown, before, after, rows, judged)


def offer(improvement: Improvement, path: Path, store: Store, *, by: str) -> StoredModel:
    """Write the new version, and make it known to the store as a version of the same name. It is not activated.

    Raises:
        InputError: it is not to be offered.
        ModelError: the file is there already, or cannot be written.
    """
    if not improvement.is_offered:
        raise InputError(" ".join(["This version is not better.", *improvement.objections]))
    save(improvement.model, path, bundle_backbone=improvement.model.is_bundled)
    sha256 = read_header(path).model_id.sha256
    store.models.add(
        sha256,
        name=improvement.name,
        path=str(path.resolve()),
        by=by,
        parent_sha256=improvement.parent.sha256,
        origin=f"{len(improvement.chosen.candidates)} reviewed OK photos beside those of the version before",
        promise=improvement.after.describe(),
    )
    figures = {"golden": golden.to_tree(improvement.golden), OF_REVIEWS: improvement.chosen.digest}
    store.models.set_figures(sha256, figures)  # also where the same photos have taught, and others judge now
    return store.models.get(sha256)


def free_name(path: Path) -> Path:
    """A file beside a model that is not there yet: part-2.safetensors of part.safetensors, part-3 of part-2."""
    stem = re.sub(r"-\d+$", "", path.stem)
    return next(one for n in count(2) if not (one := path.with_name(f"{stem}-{n}{path.suffix}")).exists())


def ensure_new(path: Path) -> None:
    """Refuse, before any long work, a place where there is a file already or where none can be written.

    Raises:
        InputError: there is a file.
        ModelError: none can be written.
    """
    if path.exists():
        raise InputError(f"{path} is there already, and no model is overwritten; give another name with -o.")
    ensure_writable(path, overwrite=False)


def _require_growing(model: Taught, path: Path) -> Calibration:
    """What the model knows of OK scores.

    Raises:
        InputError: it cannot be improved.
    """
    calibration = model.calibration
    if not model.detector.capabilities.grows or RADIUS not in model.manifest.facts:
        raise InputError(
            f"{path} is a model of {model.recipe.detector} that cannot take in more photos; train it again with the "
            "new photos beside the old ones."
        )
    if calibration is None:
        raise InputError(f"{path} has no threshold yet; run: andon calibrate {path} OK_DIR")
    if calibration.rule.method == "target-recall":
        raise InputError(
            f"The threshold of {path} catches a share of NG photos (target-recall), which are not at hand to be scored "
            "again; calibrate it with another --method first, or train it again."
        )
    return calibration


def _require_news(store: Store, name: str, parent: ModelId, chosen: Chosen) -> None:
    for version in store.models.versions(name):
        is_same = version.parent_sha256 == parent.sha256 and version.figures.get(OF_REVIEWS) == chosen.digest
        if is_same and Path(version.path).is_file():
            raise NothingNewError(version)


def _name(store: Store, model: ModelId) -> str:
    try:
        return store.models.get(model.sha256).name
    except NotFoundError:
        return model.name


def _rows(model: Taught) -> int:
    return int(model.manifest.facts["bank_rows"])
