"""andon demo: from drawn photos to a report."""

from __future__ import annotations

import functools
import json
import shlex
from pathlib import Path

import pytest
from conftest import Command

from andon.drawn import fasteners as _synthetic


@pytest.mark.slow
def test_it_draws_trains_reports_and_says_what_to_try_next(
    andon_: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = functools.partial(_synthetic.draw_fasteners, n_train=2, n_calibration=2, n_test=2)
    monkeypatch.setattr(_synthetic, "draw_fasteners", few)
    folder = tmp_path / "Vorführung"
    ran = andon_("demo", folder)
    assert ran.code == 0
    *lines, following = ran.out.splitlines()
    report = folder / "report" / "report.html"
    assert lines[-1] == f"Report: {report}" and report.is_file()
    rates = ("Escape rate", "False-reject rate", "Review of good parts", "Review of defects")
    titles = (*rates, "Image AUROC", "Pixel AUROC", "AUPRO")
    assert [line.partition("  ")[0] for line in lines[-8:-1]] == list(titles)
    figures = json.loads((folder / "report" / "figures.json").read_text(encoding="utf-8"))
    assert (figures["n_ok"], figures["n_ng"]) == (1, 1)
    assert len(list((folder / "report" / "pictures").rglob("*.png"))) == 2
    assert (folder / "model.safetensors").is_file()
    words = shlex.split(following.removeprefix("Next: "))
    assert andon_(*words[words.index("inspect") :]).code == 0
    assert len((folder / "inspected" / "inspections.jsonl").read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.endurance
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("figure", "least"),
    [
        ("image_auroc", 0.97),
        pytest.param("pixel_auroc", 0.95, marks=pytest.mark.xfail(strict=True, reason="since dca2a1b it is 0.935")),
    ],
)
def test_the_whole_demo_reaches_its_figures(figure: str, least: float, andon_: Command, tmp_path: Path) -> None:
    assert andon_("demo", tmp_path).code == 0
    figures = json.loads((tmp_path / "report" / "figures.json").read_text(encoding="utf-8"))
    assert figures[figure] >= least


def test_a_place_that_cannot_be_written_is_refused_before_drawing(andon_: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = andon_("demo", tmp_path / "file" / "demo")
    assert ran.code == 2
    assert "cannot be written" in ran.err
