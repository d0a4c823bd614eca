"""andon plan: photos for a promise, what the present ones promise, and the cheapest thresholds."""

from __future__ import annotations

import re
from pathlib import Path

import plate_photos
import pytest
from conftest import Command

from andon import images


def rows(text: str) -> dict[str, list[str]]:
    """The first cell of each line -> the others."""
    split = (re.split(r" {2,}", line.strip()) for line in text.splitlines() if line)
    return {cells[0]: cells[1:] for cells in split}


def test_it_says_how_many_photos_both_promises_take_and_what_the_present_ones_promise(andon_: Command) -> None:
    ran = andon_("plan", "--n-ok", 99, "--n-ng", 20)
    assert ran.code == 0, ran.err
    table = rows(ran.out)
    assert table["1 % of good parts rejected, NG above every OK photo"] == ["99 OK", "299 OK"]
    assert table["1 % of good parts rejected, one OK photo above NG"] == ["199 OK", "473 OK"]
    assert table["5 % of defects escape, threshold at the lowest NG photo"] == ["19 NG", "59 NG"]
    assert table["99 OK: good parts rejected, NG above every OK photo"] == ["1 %", "3 %"]
    assert table["20 NG: defects that escape, if none of them does"] == ["4.8 %", "13.9 %"]
    assert table["99 OK: good parts for review or rejected"][0] == "6 %"


@pytest.mark.slow
def test_with_ng_photos_and_prices_it_names_the_cheapest_thresholds_and_how_to_take_them(
    andon_: Command, model: Path, tmp_path: Path
) -> None:
    plate_photos.write_parts(tmp_path / "ok", range(400, 412))
    for seed in range(500, 504):
        images.write(tmp_path / "ng" / f"{seed}.png", plate_photos.rusty(seed)[0])
    known, new = tmp_path / "known.safetensors", tmp_path / "new.safetensors"
    percentile = ("--ng", tmp_path / "ng", "--method", "percentile")
    assert andon_("calibrate", model, tmp_path / "ok", *percentile, "-o", known).code == 0
    prices = ("--price-escape", 500, "--price-reject", 1, "--share-ng", 0.1)
    ran = andon_("plan", known, *prices)
    assert ran.code == 0, ran.err
    table = rows(ran.out)
    assert table["0 of 4 NG photos escape: defects"][0] == "20 %"
    now, best = (
        float(table[name][-1].replace(",", "")) for name in ("the model's thresholds", "cheapest without review")
    )
    assert best <= now
    take = ran.out.splitlines()[-1]
    if "To take them" in take:
        words = take.split("andon ")[1].replace("MODEL", str(known)).replace("NEW", str(new)).split()
        assert andon_(*words).code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--false-reject-rate", 2), "--false-reject-rate is 2; give a share"),
        (("--price-escape", 2), "What a choice costs depends on a model's scores"),
        (("MODEL", "--price-escape", 2), "Costs need both prices"),
        (("MODEL", "--price-escape", 2, "--price-reject", 1), "The model knows no NG photos"),
    ],
)
def test_what_cannot_be_said_is_refused(words: tuple[object, ...], sentence: str, andon_: Command, model: Path) -> None:
    ran = andon_("plan", *(model if word == "MODEL" else word for word in words))
    assert ran.code == 2 and ran.err.startswith(f"Error: {sentence}")
