"""Comparing methods: which photos do what, what is run again, and what becomes of a method that fails."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import plate_photos
import pytest

from andon import datasets
from andon.comparison import _process, _trial, plan
from andon.comparison._job import JOB, TAUGHT
from andon.comparison.methods import methods
from andon.errors import ConfigError, DatasetError


def paths(samples):
    return {sample.path for sample in samples}


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """20 OK photos to learn from, 4 OK and 8 rusty ones to test."""
    root = plate_photos.write_data(tmp_path_factory.mktemp("many") / "plates", n_train=20, n_calibration=0, n_test=8)
    return datasets.read(root)


def test_without_folds_the_test_photos_judge_and_the_page_says_what_that_means(many):
    todo = plan(many, None, 0)
    (one,) = todo.rounds
    assert paths(one.judge) == {s.path for s in many.samples if s.split == "test"}
    assert todo.is_test and not todo.untouched
    assert "picked on the test set" in todo.in_words and "--folds 3" in todo.in_words


def test_with_folds_each_photo_is_judged_once_by_a_model_that_has_not_seen_it(many):
    todo = plan(many, 3, 0)
    judged = [sample.path for one in todo.rounds for sample in one.judge]
    assert len(judged) == len(set(judged)) == 20 + 4
    for one in todo.rounds:
        assert paths(one.teach).isdisjoint(paths(one.judge))
        assert {s.is_anomalous for s in one.judge} == {True, False}
        assert len(one.teach) + len(one.judge) == 24


def test_with_folds_no_test_photo_that_is_left_untouched_has_a_part_in_it(many):
    todo = plan(many, 3, 0)
    used = {path for one in todo.rounds for path in paths(one.teach) | paths(one.judge)}
    assert len(todo.untouched) == 8 + 4  # half of the NG photos had to help
    assert paths(todo.untouched).isdisjoint(used)
    assert "8 OK and 4 NG photos are left untouched" in todo.in_words
    assert not todo.is_test


def test_ng_photos_outside_the_test_split_spare_those_in_it(many):
    rusty = [s for s in many.samples if s.is_anomalous]
    moved = [replace(s, split="train") for s in rusty[:5]]
    samples = [s for s in many.samples if s.path not in paths(moved)] + moved
    todo = plan(datasets.Dataset(many.root, many.layout, tuple(samples)), 2, 0)
    assert paths(s for s in todo.judged if s.is_anomalous) == paths(moved)
    assert {s.path for s in samples if s.split == "test"} == paths(todo.untouched)


def test_twins_are_never_taught_and_judged(many, tmp_path):
    root = Path(shutil.copytree(many.root, tmp_path / "plates"))
    for number in range(4):
        shutil.copy(root / "train/good/000.png", root / f"train/good/copy{number}.png")
    twins = {f"{name}.png" for name in ("000", *(f"copy{number}" for number in range(4)))}
    rounds = plan(datasets.read(root), 3, 0).rounds
    judged = [{path.name for path in paths(one.judge)} & twins for one in rounds]
    assert judged.count(twins) == 1 and judged.count(set()) == len(rounds) - 1


def test_settings_and_options_reach_every_method() -> None:
    chosen = methods("default,mvtec", None, None, (), ["training.seed=5"], {"training.seed": None})
    assert [(method.name, method.recipe.training.seed) for method in chosen] == [("default", 5), ("mvtec", 5)]
    chosen = methods("default", "patchcore,padim", None, (), ["training.batch_size=3"], {"training.seed": 7})
    assert [method.recipe.detector for method in chosen] == ["patchcore", "padim"]
    assert {(method.recipe.training.seed, method.recipe.training.batch_size) for method in chosen} == {(7, 3)}


def test_a_setting_may_name_the_detector_unless_an_option_names_another() -> None:
    (method,) = methods("default", None, None, (), ["detector.name=padim"], {})
    assert method.recipe.detector == "padim"
    with pytest.raises(ConfigError, match=r"^detector\.name is set to 'patchcore' and to 'padim'; give it once\.$"):
        methods("default", "patchcore", None, (), ["detector.name=padim"], {})
    with pytest.raises(ConfigError, match=r"^training\.seed is set to 3 and to 5; give it once\.$"):
        methods("default", None, None, (), ["training.seed=5"], {"training.seed": 3})


def test_too_few_photos_for_the_folds_are_refused(data):
    with pytest.raises(DatasetError, match="14 OK photos are too few for 8 folds"):
        plan(datasets.read(data), 8, 0)


def module(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """A trial of another kind, that knows its folder."""
    (folder / "trial.py").write_text(f"import os, pathlib, sys, time\nfolder = pathlib.Path(sys.argv[2])\n{body}")
    monkeypatch.setattr(_process, "TRIAL", "trial")
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_the_peak_memory_of_a_trial_is_its_own(tmp_path, monkeypatch):
    body = "block = b'x' * 200_000_000\ntime.sleep(0.5)\n(folder / 'taught.json').write_text('{}')"
    module(tmp_path, monkeypatch, body)
    result = _process.run("teach", tmp_path)
    assert 200e6 < result["memory_bytes"] < 260e6
    assert json.loads((tmp_path / TAUGHT).read_text()) == result


def test_a_trial_that_is_killed_says_so_and_leaves_nothing_finished(tmp_path, monkeypatch):
    module(tmp_path, monkeypatch, "os.kill(os.getpid(), 9)")
    (tmp_path / TAUGHT).write_text("{}")  # of an earlier time
    assert "memory runs out" in _process.run("teach", tmp_path)["error"]
    assert not (tmp_path / TAUGHT).exists()


def test_a_bug_in_a_method_is_one_sentence_and_the_traceback_is_kept(tmp_path):
    (tmp_path / JOB).write_text(json.dumps({"teach": [{"bad": "sample"}], "root": ".", "layout": "folder"}))
    _trial.main("teach", tmp_path)
    error = json.loads((tmp_path / TAUGHT).read_text())["error"]
    assert "is a bug: see" in error and "\n" not in error
    assert "Traceback" in (tmp_path / "traceback.txt").read_text()
