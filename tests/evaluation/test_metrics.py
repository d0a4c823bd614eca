"""What every metric says of itself, and that nothing else has to know its name."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import andon
from andon.errors import ConfigError
from andon.evaluation import JudgedPhotos, Undefined, describe_metrics, metrics, summary
from andon.evaluation.burden import burden

PACKAGE = Path(andon.__file__).parent
NAMED_FOR_A_REASON = "evaluation/headlines.py"
OTHER_MEANINGS = {"precision", "recall", "accuracy", "false_reject_rate"}  # of networks, of calibration rules


def test_every_metric_says_what_it_is_in_words_that_fit_into_a_sentence() -> None:
    described = describe_metrics()
    assert list(described) == metrics.names()
    for name, words in described.items():
        title, meaning = words["title"], words["meaning"]
        assert not re.match("[A-Z][a-z]", title), f"{name}: as within a sentence, not {title!r}"
        assert meaning and not meaning.endswith("."), f"{name}: a few words, not {meaning!r}"
    titles = [words["title"] for words in described.values()]
    assert len(set(titles)) == len(titles)


def test_a_metric_is_named_in_its_file_and_nowhere_else() -> None:
    names = re.compile("|".join(rf'"{name}"' for name in set(metrics.names()) - OTHER_MEANINGS))
    offenders = {
        f"{path.relative_to(PACKAGE)}: {found.group()}"
        for path in PACKAGE.rglob("*.*")
        if path.suffix in (".py", ".html") and path.relative_to(PACKAGE).as_posix() != NAMED_FOR_A_REASON
        for found in names.finditer(path.read_text(encoding="utf-8"))
    }
    assert not offenders


def judged(*verdicts: str, n_ok: int) -> JudgedPhotos:
    n = len(verdicts)
    return JudgedPhotos(is_anomalous=np.arange(n) >= n_ok, scores=np.zeros(n), verdicts=np.array(verdicts))


def test_a_rate_says_which_photos_it_counts() -> None:
    photos = judged("OK", "NG", "review", "OK", "NG", "review", n_ok=3)
    assert metrics.cases("false_reject_rate", photos).tolist() == [False, True, False]
    assert metrics.cases("escape_rate", photos).tolist() == [True, False, False]
    assert metrics.cases("recall", photos).tolist() == [False, True, False]
    assert metrics.cases("precision", photos).tolist() == [False, True]
    assert metrics.cases("accuracy", photos).tolist() == [True, False, False, False, True, False]
    assert metrics.cases("review_rate", photos).tolist() == [False, False, True, False, False, True]
    assert metrics.cases("ok_review_rate", photos).tolist() == [False, False, True]
    assert metrics.cases("ng_review_rate", photos).tolist() == [False, False, True]
    with pytest.raises(Undefined, match="no NG photo"):
        metrics.cases("escape_rate", judged("OK", n_ok=1))


def test_an_invalid_photo_is_neither_rejected_nor_escaped_nor_right() -> None:
    photos = judged("invalid", "OK", "invalid", "NG", n_ok=2)
    for rate in ("false_reject_rate", "escape_rate", "ok_review_rate", "ng_review_rate"):
        assert not metrics.cases(rate, photos).any() and len(metrics.cases(rate, photos)) == 2
    assert metrics.cases("accuracy", photos).tolist() == [False, True, False, True]
    assert metrics.cases("invalid_rate", photos).tolist() == [True, False, True, False]


def test_the_burden_counts_review_and_invalid_half() -> None:
    assert burden(judged("OK", "NG", "OK", "NG", n_ok=2)) == 1 / 2 + 1 / 2
    assert burden(judged("OK", "review", "NG", "invalid", n_ok=2)) == 1 / 4 + 1 / 4
    same = [burden(judged(*[verdict] * 6, n_ok=2)) for verdict in ("OK", "review", "invalid", "NG")]
    assert same == [1, 1, 1, 1]
    assert burden(judged("OK", "NG", n_ok=2)) == 1 / 2


def test_a_name_that_the_figures_have_already_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "KEYS", frozenset({"accuracy"}))
    with pytest.raises(ConfigError, match="A metric is called 'accuracy', which stands for something else"):
        describe_metrics()


def test_an_unknown_metric_suggests_the_nearest() -> None:
    with pytest.raises(ConfigError, match="There is no metric 'image_auc'; did you mean 'image_auroc'"):
        metrics.describe("image_auc")
