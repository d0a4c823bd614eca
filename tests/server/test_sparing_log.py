"""What happens again and again does not fill the log."""

from __future__ import annotations

import logging

import pytest

from andon.server.sparing_log import SparingLog

LOG = logging.getLogger("andon")


def test_the_same_sentence_is_logged_once_a_minute_with_how_often_it_came(caplog: pytest.LogCaptureFixture) -> None:
    seconds = iter([0.0, 10.0, 59.0, 60.0, 119.0, 121.0])
    log = SparingLog(LOG, now=lambda: next(seconds))
    for _ in range(6):
        log.error("The disk is full.")
    assert [record.message for record in caplog.records] == [
        "The disk is full.",
        "The disk is full. (Times it came since it was last logged: 2.)",
        "The disk is full. (Times it came since it was last logged: 1.)",
    ]


def test_another_sentence_is_logged_at_once(caplog: pytest.LogCaptureFixture) -> None:
    log = SparingLog(LOG, now=lambda: 0.0)
    for sentence in ("The disk is full.", "The disk has gone.", "The disk is full."):
        log.error(sentence)
    assert [record.message for record in caplog.records] == ["The disk is full.", "The disk has gone."]


def test_many_sentences_do_not_fill_the_memory(caplog: pytest.LogCaptureFixture) -> None:
    """It forgets them, so the first is logged again."""
    log = SparingLog(LOG, now=lambda: 0.0)
    for number in [*range(200), 0]:
        log.error(f"Photo {number} is lost.")
    assert [record.message for record in caplog.records].count("Photo 0 is lost.") == 2
