"""Which version of a model judges, and that a change of it loses nothing and mixes nothing."""

from __future__ import annotations

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import plate_photos
import pytest
from numpy.typing import NDArray
from numpy_scorer import Orangeness, orange_pipeline
from PIL import Image
from serving import NG_PHOTO, OK_PHOTO, PART, SETTINGS, Served, Versions, served, sha

from andon.line.pipeline import Pipeline, Prepared, Scored
from andon.server import versions as versions_of_files
from andon.store import Store
from andon.types import Mask, Scores

SECOND = Path("part.2")


class Harsh(Orangeness):
    """To it, every part is NG."""

    def __call__(self, photos: NDArray[np.uint8], roi: Mask) -> Scores:
        scores = super().__call__(photos, roi)
        return Scores(scores.image + 1, scores.patch + 1, scores.terms)


@pytest.fixture
def two(versions: Versions) -> Versions:
    """Version 2 rejects what version 1 accepts."""
    versions[sha(2)] = replace(orange_pipeline(), scorer=Harsh())
    return versions


def add(store: Store, number: int) -> None:
    store.models.add(sha(number), name="part", path=f"part.{number}", by="test")


def activate(running: Served, number: int) -> Any:
    return running.client.post("/v1/models/part/activate", json={"sha256": sha(number)})


def model_of(running: Served) -> Any:
    (model,) = running.client.get("/v1/models").json()["models"]
    return model


def test_a_version_judges_from_its_activation_on_until_it_is_rolled_back(plain: Served, two: Versions) -> None:
    add(plain.station.store, 2)
    assert plain.inspect().json()["model"]["sha256"] == sha(1)
    assert activate(plain, 2).json()["what"] == "activate"
    row = plain.inspect().json()
    assert (row["model"], row["verdict"]) == ({"name": "part", "sha256": sha(2)}, "NG")
    assert plain.client.post("/v1/models/part/rollback").json()["sha256"] == sha(1)
    assert plain.inspect().json()["verdict"] == "OK"
    model = model_of(plain)
    assert model["judges"] == sha(1)
    assert [(change["sha256"], change["what"]) for change in model["activations"]] == [
        (sha(1), "roll back"),
        (sha(2), "activate"),
        (sha(1), "activate"),
    ]
    assert plain.client.post("/v1/models/part/rollback").status_code == 409


def test_a_version_that_cannot_be_used_changes_nothing(plain: Served, two: Versions) -> None:
    add(plain.station.store, 3)
    answer = activate(plain, 3)
    assert (answer.status_code, answer.json()) == (409, {"error": "This version cannot be used."})
    assert activate(plain, 4).status_code == 404
    assert model_of(plain)["judges"] == sha(1)
    assert [change["sha256"] for change in model_of(plain)["activations"]] == [sha(1)]


def test_a_change_under_load_loses_no_photo_and_mixes_no_answer(plain: Served, two: Versions) -> None:
    """Each row has the verdict that its version gives, and after the change's answer only the new one judges."""
    add(plain.station.store, 2)
    verdicts = {(sha(1), "OK"), (sha(2), "NG")}
    seen: list[tuple[str, str]] = []
    is_over = threading.Event()

    def client() -> int:
        sent = 0
        while not is_over.is_set():
            answer = plain.inspect()
            assert answer.status_code == 200
            seen.append((answer.json()["model"]["sha256"], answer.json()["verdict"]))
            sent += 1
        return sent

    with ThreadPoolExecutor(4) as clients:
        sent = [clients.submit(client) for _ in range(4)]
        for number in (2, 1, 2, 1, 2):
            time.sleep(0.1)
            assert activate(plain, number).status_code == 200
            assert plain.inspect().json()["model"]["sha256"] == sha(number)
        is_over.set()
        total = sum(one.result() for one in sent)
    assert set(seen) == verdicts
    assert sum(plain.station.store.inspections.counts().values()) == total + 5


def test_starting_again_changes_no_version(tmp_path: Path, two: Versions) -> None:
    """But a file that is new to the database is a new version."""
    with served(tmp_path, [PART]) as running:
        assert running.inspect().json()["verdict"] == "OK"
    with served(tmp_path, [SECOND]) as running:
        assert running.inspect().json()["verdict"] == "NG"
    with served(tmp_path, [PART]) as running:
        assert running.inspect().json()["verdict"] == "NG"
        assert len(model_of(running)["activations"]) == 2


def test_what_another_process_activates_is_taken_up(plain: Served, two: Versions) -> None:
    with Store.open(None, plain.station.data) as other:
        add(other, 2)
        other.models.activate("part", sha(2), by="andon improve")
    for _ in range(100):
        if plain.inspect().json()["model"]["sha256"] == sha(2):
            return
        time.sleep(0.05)
    raise AssertionError("the version was not taken up")


def test_a_real_file_is_tried_before_it_judges(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has been replaced is not the version any more, and one that fails on a photo is not used."""
    with Store.open(None, tmp_path) as store:
        version, is_new = versions_of_files.make_known(store, model, "test")
        assert is_new
        assert versions_of_files.make_known(store, model, "test") == (version, False)
        assert versions_of_files.ready(version).model_id.name == "plates"
        with pytest.raises(Exception, match="is not the version"):
            versions_of_files.ready(replace(version, sha256=sha(7)))

        def broken(self: Pipeline, batch: list[Prepared]) -> list[Scored]:
            if len(batch) == self.scorer.batch_size > 1:  # as many as a line under load sends
                raise RuntimeError("broken")
            return []

        monkeypatch.setattr(Pipeline, "score", broken)
        with pytest.raises(RuntimeError):
            versions_of_files.ready(version)


def test_an_exported_model_must_judge_as_certified(
    model: Path, data: Path, tmp_path: Path, andon_: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported = tmp_path / "plates.andon"
    assert andon_("export", model, "-o", exported, "--photos", data).code == 0
    with Store.open(None, tmp_path) as store:
        version, _ = versions_of_files.make_known(store, exported, "test")
        assert versions_of_files.ready(version).model_id.name == "plates"
        inspect = Pipeline.inspect

        def a_little_off(self: Pipeline, *args: Any, **options: Any) -> Any:
            found = inspect(self, *args, **options)
            return replace(found, score=found.score * 1.05)

        monkeypatch.setattr(Pipeline, "inspect", a_little_off)
        with pytest.raises(Exception, match="does not judge here as it did"):
            versions_of_files.ready(version)


def alpha_of(png: bytes) -> NDArray[np.uint8]:
    picture = Image.open(io.BytesIO(png))
    assert (picture.mode, picture.size) == ("RGBA", plate_photos.SIZE[::-1])
    return np.asarray(picture)[..., 3]


def test_pictures_are_those_of_the_version_that_judged(plain: Served, two: Versions) -> None:
    """Also after another one has taken its place."""
    found = plain.inspect(NG_PHOTO).json()["inspection_id"]
    add(plain.station.store, 2)
    activate(plain, 2)
    again = plain.inspect(NG_PHOTO).json()["inspection_id"]
    first, second = (plain.client.get(f"/v1/inspections/{one}/heatmap") for one in (found, again))
    opaque = [float((alpha_of(answer.content) > 0).mean()) for answer in (first, second)]
    assert opaque[0] < 0.5
    assert opaque[1] == 1.0  # to the second, every part deviates all over


def test_an_old_version_whose_file_is_gone_has_no_pictures(tmp_path: Path, two: Versions) -> None:
    with served(tmp_path, [PART], settings=SETTINGS) as running:
        found = running.inspect(OK_PHOTO).json()["inspection_id"]
    with served(tmp_path, [SECOND]) as running:
        del two[sha(1)]
        answer = running.client.get(f"/v1/inspections/{found}/heatmap")
        assert answer.status_code == 409
        assert "cannot be used any more" in answer.json()["error"]
        assert running.client.get(f"/v1/inspections/{found}/photo").content == OK_PHOTO
