"""Which NG photos train, for a detector that learns from labelled OK and NG photos."""

from __future__ import annotations

import random
from collections.abc import Iterable

from andon.datasets._dataset import purpose
from andon.datasets._splits import Groups, Samples, grouped, hold_out, without_twins
from andon.errors import DatasetError
from andon.types import Sample


def ng_to_learn_from(
    samples: Iterable[Sample], share_of_test: float, seed: int, groups: Groups = ()
) -> tuple[Samples, str]:
    """The NG photos that train, and a sentence for the user on which they are.

    They are those of the training and calibration splits, except those with a twin that tests; and, where it is asked
    for, a share of the NG photos that would test, chosen by chance. None of them may be evaluated.

    Args:
        share_of_test: in [0, 1).
        groups: photos that must stay on one side, see `Duplicates.keep_together`.

    Raises:
        DatasetError: there is none.
    """
    ng = sorted((sample for sample in samples if sample.is_anomalous), key=lambda sample: sample.path)
    testing = [sample for sample in ng if purpose(sample) == "test"]
    given = without_twins([sample for sample in ng if sample not in testing], tuple(testing), groups)
    _, drawn = hold_out(grouped(testing, groups), int(share_of_test * len(testing)), random.Random(seed))
    if not given and not drawn:
        raise DatasetError(_none_found(len(testing), share_of_test))
    parts = []
    if given:
        parts.append(f"{len(given)} NG photos of the training and calibration splits")
    if drawn:
        parts.append(f"{len(drawn)} of the {len(testing)} NG test photos (seed {seed}), which are not evaluated,")
    return (*given, *drawn), f"{' and '.join(parts)} train beside the OK photos."


def _none_found(n_testing: int, share_of_test: float) -> str:
    learns = "This detector learns from labelled NG photos too, but"
    if share_of_test == 0 and n_testing > 1:
        return (
            f"{learns} all {n_testing} of them are test photos; put some into the training split, or set "
            "training.ng_from_test=0.5, which takes half of them away from testing."
        )
    return f"{learns} there are too few ({n_testing}); add photos of NG parts, or choose another detector."
