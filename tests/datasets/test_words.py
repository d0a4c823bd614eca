"""What names mean."""

from __future__ import annotations

import pytest

from andon.datasets import ClassNames

OK = [
    "OK",
    "ok_front",
    "pass_2024",
    "OkFront",
    "OKs",
    "good",
    "Gut",
    "i.O.",
    "iO",
    "conforme",
    "no_defects",
    "defect-free",
    "bueno",
    "良品",
    "良品画像",
    "양품",
    "годен",
    "○",
]
NG = [
    "NG",
    "NOK",
    "not_OK",
    "NotOK",
    "def_front",
    "n.i.O.",
    "niO",
    "fail",
    "Schlecht",
    "défaut",
    "malo",
    "zły",
    "不良品",
    "NG品",
    "불량",
    "брак",
    "abnormal",
    "×",
]
NEITHER = [
    "lot 2",
    "unsorted",
    "labels",
    "io_board",
    "ok_and_ng",
    "2024-11-25",
    "scratch_head",
    "bolt",
    "写真",
    "goodyear",
]
PHRASES = {"ohne Fehler": False, "sin defecto": False, "pas bon": True, "no good": True, "non conforme": True}


def test_usual_words() -> None:
    names = ClassNames()
    assert [name for name in OK if names.says_ng(name) is not False] == []
    assert [name for name in NG if names.says_ng(name) is not True] == []
    assert [name for name in NEITHER if names.says_ng(name) is not None] == []
    assert {name: names.says_ng(name) for name in PHRASES} == PHRASES


@pytest.mark.parametrize(
    ("name", "says_ng"),
    [
        ("Rust_2024", True),
        ("rusty", None),
        ("non-rust", None),
        ("lot1", False),
        ("lot 1 b", False),
        ("lot10", None),
        ("good", False),
        ("good enough", True),
    ],
)
def test_names_of_ones_own_match_from_the_beginning_word_by_word(name: str, says_ng: bool | None) -> None:
    assert ClassNames(ok=("lot1",), ng=("rust", "good enough")).says_ng(name) is says_ng


def test_names_of_a_recipe_need_not_match() -> None:
    names = ClassNames(also_ng=("Corroded",))
    assert names.says_ng("Corroded-Bolt") is True and names.says_ng("Non-corroded Nut") is None
    names.check_used(["ok"], "folder")
