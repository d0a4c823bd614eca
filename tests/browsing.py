"""A real browser for tests of pages, which does what a person does."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import plate_photos
import pytest
from numpy.typing import NDArray
from numpy_scorer import BLOCK, Orangeness, orange_pipeline
from receivers import wait_until
from serving import png

from andon.line.nearest_ok import Thumbnail, thumbnail
from andon.line.pipeline import Pipeline
from andon.types import Mask, Nearest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM = os.environ.get("ANDON_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
LINE_SCREEN = (1280, 800)
PHONE = (390, 844)
SECONDS_TO_REST = 5.0
MOST_MS = 30_000
"""For whatever is waited for; a machine that does much else takes its time."""
SHADES = 255


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, once for all tests."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import expect, sync_playwright  # only tests with a browser need it

    expect.set_options(timeout=MOST_MS)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Person:
    """Somebody with a browser of their own. What their pages complain of must be nothing at the end."""

    context: BrowserContext
    complaints: list[str] = field(default_factory=list)

    def open(self, address: str) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(MOST_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self._note(said.type, said.text))
        page.goto(address)
        return page

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "Failed to load resource" not in text and "ERR_" not in text:
            self.complaints.append(text)


@pytest.fixture
def person(browser: Browser) -> Iterator[Person]:
    """Somebody before the screen of a line."""
    yield from _person(browser)


@pytest.fixture
def somebody_else(browser: Browser) -> Iterator[Person]:
    """A second person, who knows nothing of the first one's browser."""
    yield from _person(browser)


def _person(browser: Browser) -> Iterator[Person]:
    with browser.new_context(viewport={"width": LINE_SCREEN[0], "height": LINE_SCREEN[1]}) as context:
        somebody = Person(context)
        yield somebody
        assert somebody.complaints == []


def fits_a_phone(page: Page) -> bool:
    """Whether nothing has to be scrolled sideways, as soon as the page has come to rest."""
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.wait_for_load_state("load")
    deadline = time.monotonic() + SECONDS_TO_REST
    while int(page.evaluate("document.documentElement.scrollWidth")) > PHONE[0]:
        if time.monotonic() > deadline:
            return False
        page.wait_for_timeout(100)
    return True


def waits_for(page: Page, expression: str) -> None:
    """Until this JavaScript is true of the page.

    Not `page.wait_for_function`: the pages forbid `eval`, which it needs from its second look on.

    Raises:
    AssertionError: it is not true in the end.
    """
    wait_until(lambda: bool(page.evaluate(expression)), MOST_MS / 1000)


@dataclass(frozen=True)
class Remembering(Orangeness):
    """Says of every patch that it looks most like the middle of the only OK photo."""

    def most_like(self, photos: NDArray[np.uint8], roi: Mask) -> Nearest:
        grid = (len(photos), photos.shape[1] // BLOCK, photos.shape[2] // BLOCK)
        origin = np.broadcast_to(np.array([0, 0.5, 0.5], np.float32), (*grid, 3))
        return Nearest(np.full(grid, 0.25, np.float32), origin)


def remembering_pipeline() -> Pipeline:
    """`orange_pipeline` with a review band from 0.05 to 0.1, and an OK photo to look like."""
    plain = orange_pipeline()
    assert plain.calibration is not None
    calibration = replace(plain.calibration, threshold=0.1, review_threshold=0.05)
    ok = Thumbnail("ok.png", thumbnail(plate_photos.part(1)))
    return replace(plain, scorer=Remembering(), calibration=calibration, thumbnails=(ok,))


def orange(score: float, seed: int = 1) -> bytes:
    """The file of a photo that gets this score, 0 to 0.5."""
    photo = plate_photos.part(seed).copy()
    photo[48:64, 96:112] = (100 + round(SHADES * score), 100, 100)
    return png(photo)
