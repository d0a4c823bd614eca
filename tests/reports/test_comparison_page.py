"""The page of a comparison, and what it concludes."""

from __future__ import annotations

import io

from PIL import Image

from andon.reports.pages.comparison import ComparisonPage, Disputed, Said
from andon.reports.pages.conclusions import conclusions


def method(name, image_auroc, milliseconds=30.0, pixel_auroc=None, escape_rate=0.1):
    undefined = {"aupro": "no mask"} | ({"pixel_auroc": "no mask"} if pixel_auroc is None else {})
    return {
        "name": name,
        "image_auroc": image_auroc,
        "pixel_auroc": pixel_auroc,
        "aupro": None,
        "false_reject_rate": 0.02,
        "escape_rate": escape_rate,
        "ok_review_rate": 0.0,
        "ng_review_rate": 0.25,
        "counts": {
            "escape_rate": [round(71 * escape_rate), 71],
            "false_reject_rate": [1, 26],
            "ok_review_rate": [0, 26],
            "ng_review_rate": [18, 71],
        },
        "intervals": {
            "image_auroc": [0.8, 1.0],
            "false_reject_rate": [0, 0.1],
            "escape_rate": [0, 0.2],
            "ok_review_rate": [0, 0.1],
            "ng_review_rate": [0.1, 0.4],
        },
        "undefined": undefined,
        "seconds_to_train": 12.0,
        "milliseconds_per_photo": milliseconds,
        "train_megabytes": 900.0,
        "inspect_megabytes": 400.0,
        "model_megabytes": 20.0,
        "calibration": ["Threshold 1."],
        "remarks": [f"{name} saw a <dark> photo."],
        "n_ng_trained_with": 0,
    }


def differs(of, against, value, low, high, figure="image_auroc"):
    is_shown = not low <= 0 <= high
    return {"of": of, "against": against, "figure": figure, "difference": value, "interval": [low, high]} | {
        "is_shown": is_shown
    }


def figures(methods, differences, **more):
    return {
        "data": "plate",
        "n_ok": 26,
        "n_ng": 71,
        "folds": 1,
        "is_test": True,
        "photos": "What was used.",
        "untouched": [],
        "methods": methods,
        "differences": differences,
        "disagreements": [],
        "failed": {},
        "left_out": {},
        "remarks": [],
    } | more


THREE = figures(
    [method("patchcore", 0.99), method("dfr", 0.98, 12.0), method("histogram", 0.8, 5.0)],
    [
        differs("patchcore", "dfr", 0.01, -0.03, 0.05),
        differs("patchcore", "histogram", 0.19, 0.1, 0.28),
        differs("dfr", "histogram", 0.18, 0.09, 0.27),
        differs("dfr", "histogram", -0.12, -0.2, -0.04, "escape_rate"),
        differs("patchcore", "histogram", -0.1, -0.18, -0.02, "escape_rate"),
    ],
)


def test_it_says_what_is_shown_and_what_is_not():
    assert (
        "patchcore has the highest image AUROC, 0.990; it is shown to be higher than that of histogram by 0.190 (from "
        "0.100 to 0.280); no difference from dfr is shown on these 97 photos."
    ) in conclusions(THREE)


def test_the_recommendation_comes_first_and_rests_on_what_the_verdicts_do():
    told = conclusions(THREE)[0].replace("\N{NO-BREAK SPACE}", " ")
    assert told.startswith(
        "By what its verdicts do at the same promise, patchcore is recommended: 7 of 71 defective parts escape "
        "(10.0 %), 1 of 26 good parts is rejected (2.0 %), none of 26 good parts goes to review (0.0 %), 18 of 71 "
        "defective parts go to review (25.0 %)."
    )


def test_of_methods_whose_verdicts_cannot_be_told_apart_the_fastest_is_named():
    (told,) = [sentence for sentence in conclusions(THREE) if "do not tell" in sentence]
    assert told.startswith("Escapes and rejects do not tell patchcore and dfr apart on these 97 photos")
    assert told.endswith("dfr is the fastest: 12 ms per photo.")


def test_a_difference_in_escapes_names_the_worse_one():
    told = " ".join(conclusions(THREE))
    assert "histogram has a higher escape rate than dfr (by 12.0 percentage points, from 4.0 to 20.0)" in told


def test_a_method_that_has_seen_defects_is_told_from_the_others():
    helped = figures([method("patchcore", 0.9), method("linear_probe", 1.0) | {"n_ng_trained_with": 20}], [])
    told = [sentence for sentence in conclusions(helped) if "trained with" in sentence]
    assert [sentence.partition(",")[0] for sentence in told] == [
        "linear_probe was also trained with 20 labelled photos of defective parts"
    ]


def test_equal_methods_share_the_first_place():
    tied = figures([method("a", 1.0), method("b", 1.0)], [differs("a", "b", 0.0, -0.05, 0.05)])
    assert "a and b share the highest image AUROC, 1.000." in conclusions(tied)


def test_one_method_alone_shows_nothing():
    assert conclusions(figures([method("a", 1.0)], [])) == []


def jpeg():
    data = io.BytesIO()
    Image.new("RGB", (30, 20)).save(data, "JPEG")
    return data.getvalue()


def test_the_page_holds_all_and_escapes_names():
    said = (Said("patchcore", "NG", 3.2, jpeg()), Said("dfr", "OK", 1.0, jpeg()))
    shown = THREE | {
        "disagreements": ["a.png", "b.png"],
        "failed": {"spade": "It <broke>."},
        "untouched": ["c.png"],
        "left_out": {"d.png": "dfr: no object found"},
    }
    page = ComparisonPage(
        title="plate & co",
        subtitle="today",
        figures=shown,
        disputed=(Disputed("rust/a.png", "rust", jpeg(), True, said),),
        recipes={name: {"detector.name": name} for name in ("patchcore", "dfr", "histogram")},
        machine="a machine",
    )
    html = page.to_html()
    for text in (
        "plate &amp; co",
        "It &lt;broke&gt;.",
        "rust/a.png",
        "The first 1 are shown",
        "d.png",
        "no mask",
        "saw a &lt;dark",
    ):
        assert text in html
    assert html.count("data:image/jpeg") == 3
    assert "+3.2 σ" in html and "−0.12" not in html and "−12.0" in html
    assert "−20.0 to −4.0 percentage points" in html
    assert "7 of 71" in html and "Rejected against escaped" in html
    assert "http" not in html.replace("http://www.w3.org", "")
