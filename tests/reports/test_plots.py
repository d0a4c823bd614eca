import re

import numpy as np
import pytest
from PIL import Image

from andon.reports.plots.confusion import confusion_plot
from andon.reports.plots.curves import precision_recall_plot, roc_plot
from andon.reports.plots.losses import loss_plot
from andon.reports.plots.operating_points import OperatingPoint, operating_plot
from andon.reports.plots.photo_colours import colour_plot, count_colours
from andon.reports.plots.scores import score_histogram
from andon.reports.plots.style import NG, OK, REVIEW

SCORES = np.array([1.0, 1.2, 1.3, 2.6, 2.8, 3.0, 1.1])
IS_ANOMALOUS = np.array([False, False, False, False, True, True, True])


def texts(svg):
    """What matplotlib wrote into the plot: it repeats each text in a comment beside its outlines."""
    return [line.strip()[5:-4] for line in svg.decode().splitlines() if line.strip().startswith("<!--")]


def test_the_histogram_names_classes_counts_and_threshold():
    written = texts(score_histogram(SCORES, IS_ANOMALOUS, 2.5))
    assert {"OK photos (4)", "NG photos (3)", "threshold 2.500", "image score"} <= set(written)


def test_the_histogram_names_where_review_begins():
    assert "review from 2.000, threshold 2.500" in texts(score_histogram(SCORES, IS_ANOMALOUS, 2.5, 2.0))


def rectangles(svg, colour):
    """(left, right, height) of the rectangles of a colour that can be seen."""
    corners = r'd="M ([\d.]+) ([\d.]+) \s*L ([\d.]+) [\d.]+ \s*L [\d.]+ ([\d.]+) \s*L [\d. ]+\s*z'
    found = re.findall(rf'{corners}\s*" clip-path="\S+" style="fill: {colour}', svg.decode())
    shapes = [(float(left), float(right), float(base) - float(top)) for left, base, right, top in found]
    return [shape for shape in shapes if shape[2] > 1]


@pytest.mark.parametrize("far", [1, 100])
def test_no_bar_of_the_histogram_lies_on_both_sides_of_the_threshold(far):
    """The review band ends at the threshold; one OK photo lies just below it, one just at it."""
    scores = np.array([0.8, 0.85, 0.9465, 0.947, 1.2 * far, 1.3 * far])
    svg = score_histogram(scores, np.array([0, 0, 0, 0, 1, 1], dtype=bool), 0.947, 0.9)
    (threshold,) = {right for _, right, _ in rectangles(svg, REVIEW)}
    bars = rectangles(svg, OK)
    tolerance = 1e-3
    assert all(right <= threshold + tolerance or left >= threshold - tolerance for left, right, _ in bars)
    assert bars[-1][0] >= threshold - tolerance > bars[-2][0]


@pytest.mark.parametrize(("scores", "is_above"), [([0.5, 0.5], [False]), ([0.5, 0.8], [False, True])])
def test_a_bar_lies_on_the_side_of_its_photos_where_scores_are_equal_or_at_the_threshold(scores, is_above):
    svg = score_histogram(np.array(scores), np.zeros(2, dtype=bool), 0.8, 0.7)
    (threshold,) = {right for _, right, _ in rectangles(svg, REVIEW)}
    bars = rectangles(svg, OK)
    assert [left >= threshold - 1e-3 for left, _, _ in bars] == is_above
    assert [right > threshold + 1e-3 for _, right, _ in bars] == is_above


@pytest.mark.parametrize("threshold", [-1.0, 0.5, 1.15, 50.0])
@pytest.mark.parametrize("highest", [44.0, 52.0])
def test_the_farthest_photo_is_in_the_histogram(highest, threshold):
    """44 is no more what its logarithm becomes again."""
    scores = np.array([1.0, 1.1, 1.2, highest])
    svg = score_histogram(scores, np.array([0, 0, 0, 1], dtype=bool), threshold)
    assert len(rectangles(svg, NG)) == 1


def test_invalid_photos_have_a_column_only_where_there_are_any():
    none = {truth: {"OK": 1, "review": 0, "NG": 1, "invalid": 0} for truth in ("OK", "NG")}
    some = none | {"OK": {"OK": 1, "review": 0, "NG": 1, "invalid": 7}}
    assert "invalid" not in texts(confusion_plot(none))
    assert {"invalid", "7"} <= set(texts(confusion_plot(some)))


def test_the_operating_points_have_a_named_row_each():
    point = OperatingPoint("dfr", 0.1, 0.2, (0.0, 0.3), (0.1, 0.4), 0.05, 0.2)
    written = texts(operating_plot([point, point._replace(name="padim")]))
    assert {"dfr", "padim", "good parts rejected", "defective parts escaped", "for review"} <= set(written)


def test_the_histogram_turns_logarithmic_when_ng_scores_are_far_out():
    far = np.where(IS_ANOMALOUS, SCORES * 100, SCORES)
    assert "image score, logarithmic" in texts(score_histogram(far, IS_ANOMALOUS, 2.5))


@pytest.mark.parametrize("present", [False, True])
def test_the_histogram_of_one_class_has_no_empty_row(present):
    chosen = IS_ANOMALOUS if present else ~IS_ANOMALOUS
    written = texts(score_histogram(SCORES[chosen], IS_ANOMALOUS[chosen], 2.5))
    assert not any("(0)" in text for text in written)


def test_equal_scores_can_be_drawn():
    written = texts(score_histogram(np.ones(3), np.zeros(3, dtype=bool), 1.0))
    assert {"OK photos (3)", "threshold 1.000", "image score"} <= set(written)


def test_the_curves_tell_the_working_point_and_their_area():
    roc = texts(roc_plot(SCORES, IS_ANOMALOUS, 2.6, 0.667, (0.2, 0.9)))
    assert {"25.0\N{NO-BREAK SPACE}% rejected", "66.7\N{NO-BREAK SPACE}% caught", "AUROC 0.667"} <= set(roc)
    assert any("0.200 to 0.900" in text for text in roc)
    right = texts(precision_recall_plot(SCORES, IS_ANOMALOUS, 2.6, 0.75))
    assert {"66.7\N{NO-BREAK SPACE}% caught", "66.7\N{NO-BREAK SPACE}% right", "average precision 0.750"} <= set(right)
    nothing_called = texts(precision_recall_plot(SCORES, IS_ANOMALOUS, 99.0, 0.75))
    assert not any("caught" in text and "%" in text for text in nothing_called)


def test_the_confusion_matrix_has_a_review_column_only_if_it_is_used():
    confusion = {"OK": {"OK": 25, "review": 0, "NG": 1}, "NG": {"OK": 0, "review": 0, "NG": 71}}
    written = texts(confusion_plot(confusion))
    assert {"25", "1", "0", "71", "called OK", "called NG", "96.2\N{NO-BREAK SPACE}%"} <= set(written)
    assert "for review" not in written
    confusion["NG"] = {"OK": 0, "review": 2, "NG": 69}
    assert "for review" in texts(confusion_plot(confusion))


def test_colours_are_counted_per_channel():
    photo = np.zeros((4, 6, 3), dtype=np.uint8)
    photo[..., 2] = 200
    photo[0, 0] = (255, 7, 0)
    counts = count_colours(photo)
    assert counts.shape == (3, 256)
    assert (counts.sum(axis=1) == 24).all()
    assert (counts[0, 255], counts[1, 7], counts[2, 200]) == (1, 1, 23)
    assert b"OK photos" in colour_plot(counts, counts * 0)


def test_the_same_plot_is_the_same_file_and_png_can_be_had(tmp_path):
    assert score_histogram(SCORES, IS_ANOMALOUS, 2.5) == score_histogram(SCORES, IS_ANOMALOUS, 2.5)
    file = tmp_path / "roc.png"
    file.write_bytes(roc_plot(SCORES, IS_ANOMALOUS, 2.5, 0.667, file="png"))
    with Image.open(file) as picture:
        assert picture.size[0] > 600


def test_each_loss_has_its_name_and_the_best_epoch_is_said():
    losses = {"contextual": [0.5, 0.3, 0.2], "held-out": [0.6, 0.3, 0.4]}
    assert {"contextual", "held-out", "epoch (dotted: 2, the best)"} <= set(texts(loss_plot(losses, 2)))
    assert "epoch (dotted: 1, the best)" in texts(loss_plot({"held-out": [0.0]}, 1))
