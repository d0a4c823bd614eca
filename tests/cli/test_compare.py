"""andon compare: the table, the folder with its page, going on, and methods that fail."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import plate_photos
import pytest
from conftest import Command

from andon import images
from andon.comparison import _attempt, _trial
from andon.comparison._process import FILES

SHARP = """
[steps.resize]
image_size = 64
[anomaly_map]
sigma = 1
"""
BLURRED = SHARP.replace("64", "16")
BROKEN = SHARP + '[backbone]\nweights = "gone.safetensors"\n'


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Trials run in this process, which is faster; their names are noted."""
    noted: list[str] = []

    def run_here(what: str, folder: Path) -> dict[str, object]:
        noted.append(f"{what} {folder.parent.name}")
        _trial.main(what, folder)
        file = folder / FILES[what]
        result = json.loads(file.read_text()) | {"memory_bytes": 100_000_000}
        file.write_text(json.dumps(result))
        return dict(result)

    monkeypatch.setattr(_attempt, "run", run_here)
    return noted


@pytest.fixture
def recipes(tmp_path: Path) -> Path:
    for name, text in (("sharp", SHARP), ("blurred", BLURRED), ("broken", BROKEN)):
        (tmp_path / f"{name}.toml").write_text(text)
    return tmp_path


def listed(folder: Path, *names: str) -> str:
    return ",".join(str(folder / f"{name}.toml") for name in names)


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_it_compares_on_the_same_photos_and_goes_on_where_it_was(
    andon_: Command, data: Path, recipes: Path, ran: list[str], tmp_path: Path
) -> None:
    photos = Path(shutil.copytree(data, tmp_path / "Platten"))
    out = tmp_path / "compared"
    words = ("compare", photos, "--recipe", listed(recipes, "sharp", "blurred"), "--out", out, "--json")
    first = andon_(*words)
    assert first.code == 0, first.err
    figures = json.loads(first.out)
    assert (figures["n_ok"], figures["n_ng"], figures["folds"]) == (2, 2, 1)
    assert {method["name"] for method in figures["methods"]} == {"sharp", "blurred"}
    assert figures["methods"][0]["image_auroc"] == 1.0
    assert all(method["pixel_auroc"] > 0.8 for method in figures["methods"])
    assert figures["recommended"] == figures["methods"][0]["name"]
    assert all(method["counts"]["escape_rate"][1] == 2 for method in figures["methods"])
    assert all("OK photos" in " ".join(method["remarks"]) for method in figures["methods"])
    assert [d["is_shown"] for d in figures["differences"] if d["figure"] == "image_auroc"] == [False]  # four photos
    assert json.loads((out / "comparison.json").read_text(encoding="utf-8")) == figures
    page = (out / "comparison.html").read_text(encoding="utf-8")
    assert "Platten: 2 methods compared" in page and "picked on the test set" in page
    assert len(ran) == 4

    again = andon_(*words)
    assert json.loads(again.out) == figures
    assert len(ran) == 4  # all was kept

    (out / "methods/blurred/1/judged.json").unlink()
    andon_(*words)
    assert ran[4:] == ["judge blurred"]
    (photos / "train" / "good" / "000.png").unlink()
    images.write(photos / "train" / "good" / "000.png", plate_photos.part(999))
    andon_(*words)
    assert ran[5:] == ["teach sharp", "judge sharp", "teach blurred", "judge blurred"]


@pytest.mark.slow
def test_a_method_that_fails_is_named_and_the_others_go_on(
    andon_: Command, data: Path, recipes: Path, ran: list[str]
) -> None:
    done = andon_("compare", data, "--recipe", listed(recipes, "broken", "sharp"))
    assert done.code == 2
    assert "broken could not be compared: " in done.out and "gone.safetensors" in done.out
    assert "0 of 2" in done.out.splitlines()[1]
    assert "Traceback" not in done.err


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_with_folds_the_methods_are_held_against_photos_that_none_has_seen(
    andon_: Command, data: Path, recipes: Path, ran: list[str], tmp_path: Path
) -> None:
    words = ("compare", data, "--recipe", listed(recipes, "sharp"), "--folds", "2", "--json", "--out", tmp_path / "out")
    done = andon_(*words)
    assert done.code == 0, done.err
    assert not list(tmp_path.rglob("*.safetensors"))  # nobody inspects with a fold's model
    assert andon_(*words).out == done.out and len(ran) == 4
    figures = json.loads(done.out)
    assert (figures["n_ok"], figures["n_ng"], figures["folds"]) == (14, 1, 2)
    assert len(figures["untouched"]) == 3
    assert figures["methods"][0]["image_auroc"] == 1.0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--detectors", "patchcor"), "did you mean 'patchcore'?"),
        (("--weights", "resnet18"), "write it as backbone=path"),
        (("--recipe", "default,default.toml"), "There is no recipe file default.toml; check the path"),
        (("--set", "detector.coreset=1"), "did you mean 'coreset_ratio'?"),
        (("--seed", "3", "--set", "training.seed=5"), "training.seed is set to 3 and to 5; give it once."),
    ],
)
def test_wrong_words_are_refused_before_any_work(
    words: tuple[str, ...], says: str, andon_: Command, data: Path, ran: list[str]
) -> None:
    done = andon_("compare", data, *words)
    assert done.code == 2
    assert says in done.err
    assert not ran


@pytest.mark.endurance
def test_each_method_has_processes_of_its_own(andon_: Command, data: Path, recipes: Path) -> None:
    done = andon_("compare", data, "--recipe", listed(recipes, "sharp"), "--json")
    assert done.code == 0, done.err
    (method,) = json.loads(done.out)["methods"]
    assert 100 < method["inspect_megabytes"] < 4000
    assert method["seconds_to_train"] > 0 and method["milliseconds_per_photo"] > 0
