"""Which photos play which part in a training, settled before any of them is embedded."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from andon import datasets, detectors
from andon.datasets import Dataset, Duplicates, Partition
from andon.detectors import Capabilities
from andon.errors import ConfigError
from andon.recipes import Recipe
from andon.types import Sample

LOG = logging.getLogger("andon")
FOLD_SCORES = (
    "These models were trained with fewer photos than the final one, so their scores are 2 to 6 % higher than its own: "
    "fewer good parts than promised are rejected, and a few more defects escape."
)


@dataclass(frozen=True)
class Plan:
    """Attributes:
    recipe: with all parameters of its detector.
    duplicates: of all photos of the data set.
    parts: the OK photos that can be read.
    ng: labelled NG photos to learn from; none for most detectors.
    notes: how the parts were found, in sentences.
    remarks: all that the user of the model should know so far, the notes included.
    """

    recipe: Recipe
    dataset: Dataset
    duplicates: Duplicates
    parts: Partition
    ng: Sequence[Sample]
    notes: Sequence[str]
    remarks: Sequence[str]

    @classmethod
    def of(cls, recipe: Recipe, dataset: Dataset, duplicates: Duplicates, *, allow_duplicates: bool = False) -> Self:
        """What follows from a data set whose photos were compared.

        Raises:
            ConfigError, DatasetError, NotCalibratedError: see `train`.
        """
        remarks = warn([*dataset.remarks, *datasets.check_leaks(duplicates, allow_duplicates)])
        remarks += warn(f"{path} is left out: {why}" for path, why in duplicates.unreadable.items())
        readable = [sample for sample in dataset.samples if sample.path not in duplicates.unreadable]
        parts = datasets.split(readable, recipe.training.seed, duplicates.keep_together, _folds(recipe))
        notes = [note for note in (dataset.session_note, parts.note, FOLD_SCORES if parts.folds else "") if note]
        for note in notes:
            LOG.info(note)
        ng, said = _ng_to_learn_from(recipe, readable, duplicates)
        plan = cls(recipe, dataset, duplicates, parts, ng, notes, [*remarks, *notes, *warn(said)])
        recipe.calibration.check(datasets.count_different(plan.calibrating, duplicates.keep_together))
        return plan

    @property
    def calibrating(self) -> Sequence[Sample]:
        """The photos whose scores set the threshold."""
        return self.parts.calibration or [sample for fold in self.parts.folds for sample in fold.held_out]

    def with_remarks(self, remarks: Iterable[str]) -> Self:
        """The same with more remarks."""
        return replace(self, remarks=[*self.remarks, *remarks])


def capabilities(recipe: Recipe) -> Capabilities:
    """Of the recipe's detector."""
    return detectors.detector_class(recipe.detector).capabilities


def warn(remarks: Iterable[str]) -> list[str]:
    """The remarks, which the user is told at once."""
    remarks = list(remarks)
    for remark in remarks:
        LOG.warning(remark)
    return remarks


def _ng_to_learn_from(
    recipe: Recipe, samples: Sequence[Sample], duplicates: Duplicates
) -> tuple[Sequence[Sample], list[str]]:
    """The NG photos that train, none for a detector that learns from OK photos alone; and what the user must know.

    Raises:
        ConfigError: the recipe takes NG photos away from testing for a detector that does not want them, or cuts the
            photos of one that does into tiles.
        DatasetError: the detector needs NG photos and there are none.
    """
    share = recipe.training.ng_from_test
    if not capabilities(recipe).needs_ng:
        if share > 0:
            raise ConfigError(
                f"training.ng_from_test is {share:g}, but the detector {recipe.detector} learns from OK photos alone; "
                "leave the setting out."
            )
        return (), []
    if recipe.tiling is not None:
        raise ConfigError(
            f"{recipe.detector} learns from whole photos, as most tiles of an NG photo show no defect; take 'tiling' "
            "out of the recipe."
        )
    ng, note = datasets.ng_to_learn_from(samples, share, recipe.training.seed, duplicates.keep_together)
    return ng, [
        note,
        f"{recipe.detector} is not an OK-only method: it knows the defects that it was shown, and may "
        "overlook every other kind.",
    ]


def _folds(recipe: Recipe) -> int:
    """How many models score photos that they have not seen; 1 where training takes long, and a fifth is held out."""
    return recipe.training.folds or (1 if capabilities(recipe).learns_by_gradient else datasets.FOLDS)
