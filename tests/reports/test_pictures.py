from dataclasses import replace

import numpy as np
import pytest

from andon.reports.colours import MEASURED, VERDICT
from andon.reports.fonts import font, shorten
from andon.reports.number_format import number, percent, signed
from andon.reports.pictures.boxes import draw_boxes
from andon.reports.pictures.heatmap import colour_bar, overlay
from andon.reports.pictures.measurements import draw_measurements
from andon.reports.pictures.panel import MARGIN, panel
from andon.reports.pictures.views import views_of
from andon.types import Inspection, Line, Region, Verdict

SIZE = (60, 100)


def blue_photo(size=SIZE):
    return np.full((*size, 3), (20, 40, 200), dtype=np.uint8)


def inspection(anomaly_map=None, verdict="NG"):
    return Inspection(
        path="line 1/part_Ä.png",
        sha256="",
        score=3.21,
        threshold=2.5,
        verdict=verdict,
        p_value=0.019,
        sigma=4.1,
        confidence=1.0,
        anomaly_map=anomaly_map,
    )


def is_grey(pixels):
    return bool((np.ptp(pixels.astype(int), axis=-1) == 0).all())


def test_a_map_far_below_the_threshold_leaves_a_calm_grey_photo():
    assert is_grey(overlay(blue_photo(), np.full(SIZE, 0.9, dtype=np.float32), threshold=2.0))


def test_colours_depend_on_the_threshold_and_not_on_the_other_values_of_the_map():
    values = np.zeros(SIZE, dtype=np.float32)
    values[10:20, 10:30] = 3.0
    alone = overlay(blue_photo(), values, threshold=2.0)
    values[40:50, 60:80] = 50.0
    beside_a_peak = overlay(blue_photo(), values, threshold=2.0)
    assert not is_grey(alone[15, 20])
    assert (alone[15, 20] == beside_a_peak[15, 20]).all()
    assert (overlay(blue_photo(), values, threshold=3.0)[15, 20] != alone[15, 20]).any()


def test_a_white_line_runs_where_the_threshold_is_reached_and_only_there():
    values = np.full(SIZE, 1.9, dtype=np.float32)
    values[10:20, 10:30] = 2.0
    white = (overlay(blue_photo(), values, threshold=2.0) == 255).all(axis=2)
    outline = np.zeros(SIZE, dtype=bool)
    outline[10:20, 10:30] = True
    outline[11:19, 11:29] = False
    assert (white == outline).all()


def test_the_colour_bar_has_the_overlays_colours():
    bar = colour_bar((4, 201))
    assert bar.shape == (4, 201, 3)
    assert is_grey(bar[:, :50])
    middle = overlay(np.full((5, 9, 3), 154, dtype=np.uint8), np.full((5, 9), 2.0, dtype=np.float32), threshold=2.0)
    assert np.abs(bar[2, 100].astype(int) - middle[2, 4]).max() <= 3


@pytest.mark.parametrize(("verdict", "scale"), [("OK", 1.0), ("review", 1.0), ("NG", 0.5)])
def test_a_box_surrounds_its_region_in_the_verdicts_colour(verdict, scale):
    photo = blue_photo()
    untouched = photo.copy()
    x0, y0, x1, y1 = (int(edge * scale) for edge in (40, 30, 60, 50))
    picture = draw_boxes(photo, [Region((40, 30, 60, 50), 400, 4.2, 3.0)], verdict, scale)
    assert (photo == untouched).all()
    assert (picture[y0:y1, x0:x1] == untouched[y0:y1, x0:x1]).all()
    assert (picture[y0 - 1, x0:x1] == VERDICT[verdict]).all()
    assert (picture[y1, x0:x1] == VERDICT[verdict]).all()
    assert (picture[y0:y1, x0 - 1] == VERDICT[verdict]).all()
    assert (picture[y0:y1, x1] == VERDICT[verdict]).all()


def test_no_label_hides_a_region_at_the_upper_edge():
    picture = draw_boxes(blue_photo(), [Region((10, 0, 20, 12), 120, 4.2, 3.0)], "NG")
    assert (picture[2:10, 11:19] == blue_photo()[2:10, 11:19]).all()
    assert (picture[18:24, 10:14] == VERDICT["NG"]).all(axis=-1).any()


def test_a_single_hot_pixel_survives_the_reduction_of_a_large_photo():
    size = (900, 1600)
    values = np.zeros(size, dtype=np.float32)
    values[437, 1201] = 9
    mask = values > 0
    views = views_of(blue_photo(size), inspection(values), 2.0, mask, side=100)
    pictures = {view.caption: view.picture for view in views}
    assert list(pictures) == ["Photo", "Anomaly map", "Regions", "Ground truth"]
    assert {picture.shape for picture in pictures.values()} == {(75, 133, 3)}
    assert (pictures["Anomaly map"] == 255).all(axis=2).any()  # its white outline
    assert not is_grey(pictures["Ground truth"])


def test_without_map_and_mask_there_is_no_empty_view():
    assert [view.caption for view in views_of(blue_photo(), inspection(), 2.0)] == ["Photo", "Regions"]


@pytest.mark.parametrize("size", [(16, 20), (60, 100), (1500, 100), (100, 1500), (1500, 2100)])
def test_photos_of_every_shape_and_size_keep_their_proportion_on_a_panel_of_handy_size(size):
    values = np.ones(size, dtype=np.float32)
    height, width = views_of(blue_photo(size), inspection(values), 2.0)[0].picture.shape[:2]
    assert width / height == pytest.approx(size[1] / size[0], rel=0.02)
    picture = panel(blue_photo(size), inspection(values), pixel_threshold=2.0, mask=values > 2, label="rust")
    assert picture.dtype == np.uint8
    assert height < picture.shape[0] <= 1600
    assert width < picture.shape[1] <= 2200


def test_wide_photos_stand_one_below_the_other():
    wide = panel(blue_photo((100, 500)), inspection(), pixel_threshold=2.0)
    tall = panel(blue_photo((500, 100)), inspection(), pixel_threshold=2.0)
    assert wide.shape[0] > 84 + 2 * 100
    assert wide.shape[1] < 2 * 500
    assert tall.shape[0] < 2 * 500


def test_the_panel_shows_its_verdict_in_colour_an_escaped_defect_in_red_and_the_ground_truth_in_a_view_of_its_own():
    values = np.ones((300, 400), dtype=np.float32)
    for verdict in ("OK", "review", "NG", "invalid"):
        picture = panel(blue_photo((300, 400)), inspection(values, verdict=verdict), pixel_threshold=2.0)
        assert (picture[16, MARGIN + 2] == VERDICT[verdict]).all()
    cases: tuple[tuple[Verdict, bool, Verdict], ...] = (("OK", True, "NG"), ("OK", False, "OK"))
    for verdict, is_anomalous, colour in (*cases, ("review", True, "review")):
        said = inspection(values, verdict=verdict)
        picture = panel(blue_photo((300, 400)), said, pixel_threshold=2.0, is_anomalous=is_anomalous)
        assert (picture[16, MARGIN + 2] == VERDICT[colour]).all()
    with_mask = panel(blue_photo((300, 400)), inspection(values), pixel_threshold=2.0, mask=values > 0)
    assert with_mask.shape[1] > picture.shape[1] + 400


def test_long_names_keep_both_ends():
    name = "camera2_2026-11-22_part_0000012345_left_station_17.png"
    short = shorten(name, 150, font(14))
    assert font(14).getlength(short) <= 150
    assert short.startswith("camera")
    assert short.endswith("17.png")
    assert shorten("a.png", 150, font(14)) == "a.png"


def test_numbers_read_as_people_write_them():
    assert [number(value) for value in (2.72, 0.0, 123.45, 1234.5, 123456.7)] == [
        "2.720",
        "0.000",
        "123.5",
        "1234",
        "123,457",
    ]
    assert [signed(value) for value in (2.345, -0.61, -0.01)] == ["+2.3", "−0.6", "+0.0"]
    assert percent(0.0385) == "3.9\N{NO-BREAK SPACE}%"


def test_measured_lines_are_drawn_where_they_were_measured_and_a_deviation_gets_a_ring():
    photo = np.zeros((90, 120, 3), np.uint8)
    lines = [Line((10, 5, 10, 40)), Line((40, 30, 44, 30), deviates=True)]
    marked = (draw_measurements(photo, lines, scale=2.0) == MEASURED).all(axis=2)
    assert marked[12:79, 20:22].any(axis=1).all()
    assert not marked[:, 24:66].any()
    assert marked[60, 81:88].all()
    ring = marked.copy()
    ring[55:66, 78:92] = False
    assert ring[60, 68:74].any() and ring[60, 95:102].any() and ring[44:50, 84].any()
    assert not draw_measurements(photo, []).any()


def test_the_picture_shows_measured_lines_and_says_so():
    lines = (Line((10, 5, 10, 40)),)
    view = views_of(blue_photo(), replace(inspection(), lines=lines), 1.0)[-1]
    assert "measured" in view.caption
    assert (view.picture == MEASURED).all(axis=2).any()
