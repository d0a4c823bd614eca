"""andon doctor: versions, devices, and whether a planted defect is found."""

from __future__ import annotations

import pytest
from conftest import Command

from andon.cli import doctor


@pytest.mark.slow
def test_it_says_what_is_here_and_that_everything_works(andon_: Command) -> None:
    ran = andon_("doctor")
    assert ran.code == 0
    for what in ("python", "torch", "openvino", "CPU", "CUDA", "largest difference"):
        assert any(line.startswith(f"{what} ") for line in ran.out.splitlines())
    assert ran.out.endswith("A model trained on this machine finds a planted defect: everything works.\n")


def test_a_machine_that_does_not_find_the_defect_is_told(andon_: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_finds_planted_defect", lambda: False)
    for what in ("_say_sizes", "_say_speed_and_parity"):  # which take seconds
        monkeypatch.setattr(doctor, what, lambda: None)
    ran = andon_("doctor")
    assert ran.code == 1
    assert "does not find a planted defect" in ran.out
