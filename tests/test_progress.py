"""What long work says of itself, on a terminal and elsewhere."""

from __future__ import annotations

import io
import re
import sys

import pytest

from andon import progress
from andon.progress import counted, measured, track, whole
from andon.work import Phase


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Lines without waiting for ten seconds."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", -1.0)
    caplog.set_level("INFO", logger="andon")
    return caplog


def test_work_by_itself_counts_its_items(every_step: pytest.LogCaptureFixture) -> None:
    assert list(track("abc", "Scoring", 3)) == ["a", "b", "c"]
    assert [line.partition(", about")[0] for line in every_step.messages] == [f"Scoring: {n} of 3" for n in (1, 2, 3)]
    assert every_step.messages[-1] == "Scoring: 3 of 3"


def test_within_a_whole_every_line_counts_all_of_it(every_step: pytest.LogCaptureFixture) -> None:
    phases = [Phase("Looking", 3, 1e-9), Phase("choosing", 1, 1e-9), Phase("Epoch", 2, 1e-9)]
    with whole(phases):
        list(track("abc", "Looking", 3))
        with measured("choosing") as tell:
            tell(0.5, "7 of about 14 patches")
        with counted("Epoch", 2) as step:
            step("loss 1")
            step("loss 0.5")
    said = [re.sub(r"^\d+ % of all, |^\d+% of all, |, about.*", "", line) for line in every_step.messages]
    assert said == [
        *(f"Looking: {n} of 3" for n in (1, 2, 3)),
        "choosing: 7 of about 14 patches",
        "choosing: done",
        "Epoch 1 of 2: loss 1",
        "Epoch 2 of 2: loss 0.5",
    ]
    shares = [int(line.partition("%")[0]) for line in every_step.messages]
    assert shares[0] < 100
    assert shares[-1] == 100


def test_the_share_of_a_whole_never_falls(every_step: pytest.LogCaptureFixture) -> None:
    with whole():
        list(track("abcd", "Looking", 4))  # all that is known of
        progress.expect([Phase("choosing", 4, 10.0)])
        list(track("abcd", "choosing", 4))
    shares = [int(line.partition("%")[0]) for line in every_step.messages]
    assert shares == sorted(shares) and shares[3] > 0


def test_behind_a_whole_work_is_by_itself_again(every_step: pytest.LogCaptureFixture) -> None:
    with pytest.raises(KeyError), whole([Phase("Looking", 3, 1.0)]):
        raise KeyError
    list(track("a", "Scoring", 1))
    assert every_step.messages[0].startswith("Scoring: 1 of 1")


def test_phases_that_end_in_any_order_leave_the_terminal_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with whole([Phase("reading", 2, 1.0), Phase("scoring", 2, 1.0)]):
        outer, inner = track("ab", "reading", 2), track("cd", "scoring", 2)
        next(outer)
        next(inner)
        assert list(outer) == ["b"]
        assert list(inner) == ["d"]
    written = terminal.getvalue()
    assert "scoring: 2 of 2" in written and "about 0 s left" not in written
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h")  # the cursor is hidden, and comes back


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "0 s"), (99, "99 s"), (101, "2 min"), (5000, "83 min"), (9000, "2.5 h")]
)
def test_a_time_is_said_as_exactly_as_it_is_known(seconds: float, said: str) -> None:
    assert progress.in_words(seconds) == said
