"""Plots and contact sheets of a data set's classes."""

from __future__ import annotations

import numpy as np
import pytest

from andon.reports.pictures.contact_sheet import GAP, SIDE, contact_sheet
from andon.reports.plots.class_colours import ClassColours, class_colours_plot, count_lab
from andon.reports.plots.class_distances import ClassDistances, class_distances_plot
from andon.reports.plots.photo_colours import count_colours
from andon.types import RgbImage

RED, GREY = (200, 30, 30), (128, 128, 128)


def texts(svg: bytes) -> list[str]:
    """What matplotlib wrote into the plot: it repeats each text in a comment beside its outlines."""
    return [line.strip()[5:-4] for line in svg.decode().splitlines() if line.strip().startswith("<!--")]


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (30, 50)) -> RgbImage:
    return np.full((*size, 3), colour, np.uint8)


def colours_of(name: str, colour: tuple[int, int, int]) -> ClassColours:
    return ClassColours(name, 3, count_colours(plain(colour)), count_lab(plain(colour)))


def test_grey_has_no_chroma_and_red_has() -> None:
    grey, red = count_lab(plain(GREY)), count_lab(plain(RED))
    assert grey.shape == (3, 256) and grey.sum() == 3 * 30 * 50
    assert grey[:, 128].tolist()[1:] == [1500, 1500]
    assert red[1].argmax() > 128 + 40 and red[2].argmax() > 128 + 20


def test_every_class_has_its_row_a_black_one_too() -> None:
    classes = [colours_of("OK", GREY), colours_of("rust & dirt", RED), colours_of("dark", (0, 0, 0))]
    written = texts(class_colours_plot(classes))
    assert {"OK (3)", "rust &amp; dirt (3)", "dark (3)", "red", "L*", "a*", "b*"} <= set(written)


def test_distances_are_drawn_with_their_remark_and_counts() -> None:
    near, far = np.array([2.0, 2.5, 3.0]), np.array([40.0, 60.0])
    rows = [
        ClassDistances("OK", near, False, ""),
        ClassDistances("rust", far, True, "1.000"),
        ClassDistances("x", near, None, ""),
    ]
    written = texts(class_distances_plot(rows))
    assert {"OK (3)", "rust (2)", "x (3)", "1.000", "10"} <= set(written)


def test_a_contact_sheet_shows_each_photo_whole_in_reading_order() -> None:
    photos = [(f"{number}.png", plain(RED if number == 7 else GREY, (60, 100))) for number in range(8)]
    page = contact_sheet(photos)
    assert page.dtype == np.uint8 and page.shape[1] == 6 * (SIDE + GAP) + GAP
    is_red = (page == RED).all(axis=2)
    rows, columns = np.nonzero(is_red)
    assert columns.max() - columns.min() + 1 == SIDE - 2  # the second photo of the second row
    assert GAP + SIDE + GAP < columns.min() < columns.max() < 2 * (GAP + SIDE) + GAP
    assert rows.min() > GAP + SIDE
    assert (rows.max() - rows.min() + 1) / (columns.max() - columns.min() + 1) == pytest.approx(0.6, abs=0.02)
