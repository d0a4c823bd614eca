import io
import re

import numpy as np
import pytest
from PIL import Image

from andon.errors import InputError
from andon.evaluation import Results, summarise
from andon.reports.answer import Sentence
from andon.reports.pages.evaluation import EvaluationPage
from andon.reports.pages.gallery import Photo, Picture, photo_of
from andon.reports.pages.headlines import headlines
from andon.reports.writing import write_text
from andon.types import Inspection, Region


def figures(**changes):
    """What an evaluation of 26 OK and 71 NG photos without masks gives."""
    return {
        "n_ok": 26,
        "n_ng": 71,
        "threshold": 2.5,
        "image_auroc": 0.991,
        "image_ap": 0.997,
        "false_reject_rate": 1 / 26,
        "escape_rate": 0.0,
        "ok_review_rate": 0.0,
        "ng_review_rate": 0.0,
        "invalid_rate": 0.0,
        "pixel_auroc": None,
        "aupro": None,
        "intervals": {
            "image_auroc": [0.932, 1.0],
            "false_reject_rate": [0.00097, 0.1964],
            "escape_rate": [0.0, 0.0506],
            "ok_review_rate": [0.0, 0.1323],
            "ng_review_rate": [0.0, 0.0506],
        },
        "counts": {
            "false_reject_rate": [1, 26],
            "escape_rate": [0, 71],
            "ok_review_rate": [0, 26],
            "ng_review_rate": [0, 71],
            "invalid_rate": [0, 97],
        },
        "undefined": {"pixel_auroc": "no photo has a mask", "aupro": "no photo has a mask"},
        "confusion": {"OK": {"OK": 25, "review": 0, "NG": 1}, "NG": {"OK": 0, "review": 0, "NG": 71}},
        "best_threshold": None,
        "per_defect": {},
        "metrics": SHOWN,
    } | changes


SHOWN = ("image_auroc", "pixel_auroc", "aupro", "false_reject_rate", "escape_rate", "image_ap", "ok_review_rate")


def photo(name, is_anomalous, verdict, score, **more):
    return Photo(
        name=name, is_anomalous=is_anomalous, defect=None, verdict=verdict, score=score, sigma=1.0, p_value=0.5, **more
    )


ONLY_OK = figures(
    n_ng=0,
    image_auroc=None,
    image_ap=None,
    escape_rate=None,
    ng_review_rate=None,
    undefined=dict.fromkeys(
        ("image_auroc", "image_ap", "escape_rate", "ng_review_rate", "pixel_auroc", "aupro"), "no NG photo"
    ),
    confusion={"OK": {"OK": 26, "review": 0, "NG": 0}, "NG": {"OK": 0, "review": 0, "NG": 0}},
)
PHOTOS = (
    photo("caught.png", True, "NG", 3.0),
    photo("passed_sure.png", False, "OK", 1.0),
    photo("passed_close.png", False, "OK", 2.4),
    photo("escaped_close.png", True, "OK", 2.3),
    photo("escaped_far.png", True, "OK", 0.5),
    photo("rejected.png", False, "NG", 2.7),
    photo("aside.png", True, "review", 2.45),
    photo("empty.png", False, "invalid", 9.0, reasons=("The photo is nearly black.",)),
)


def page(**changes):
    fields = {"title": "Plate", "subtitle": "today", "figures": figures(), "photos": PHOTOS, "pixel_threshold": 2.0}
    return EvaluationPage(**(fields | changes)).to_html()


def plain(html):
    return html.replace("\N{NO-BREAK SPACE}", " ")


def test_headlines_are_plain_sentences_with_intervals():
    told = {headline.title: plain(headline.sentence) for headline in headlines(figures())}
    assert told["False-reject rate"] == "Of 26 good parts 1 was rejected (95 % interval 0.1 to 19.6 %)."
    assert told["Escape rate"] == "Of 71 defective parts none was called OK (95 % interval 0.0 to 5.1 %)."
    assert "in 99.1 % of such pairs" in told["Image AUROC"]
    assert told["AUPRO"] == "Undefined: no photo has a mask."
    assert not any(title.startswith("Review") for title in told)


def test_a_review_band_has_a_headline_of_its_own():
    counts = figures()["counts"] | {"ng_review_rate": [3, 71]}
    told = [headline.sentence for headline in headlines(figures(ng_review_rate=3 / 71, counts=counts))]
    assert any(sentence.startswith("Of 71 defective parts 3 were set aside for a person") for sentence in told)


@pytest.fixture(scope="module")
def full_page():
    counts = np.ones((3, 256), dtype=np.int64)
    per_defect = {"scratch": figures(escape_rate=0.25, aupro=0.876)}
    return page(
        colours=(counts, counts),
        parameters={"detector": {"name": "patchcore", "k": 9}, "steps": [{"name": "resize"}]},
        figures=figures(per_defect=per_defect),
    )


def test_the_misses_come_first_and_the_least_sure_of_each_group_leads(full_page):
    gallery = full_page[full_page.index(">Photos</h2>") : full_page.index(">Record</h2>")]
    names = re.findall(r'class="name">(\w+)\.png', gallery)
    assert names == [
        "escaped_far",
        "escaped_close",
        "rejected",
        "aside",
        "empty",
        "caught",
        "passed_close",
        "passed_sure",
    ]
    assert "Escaped defects: 2" in gallery
    assert "Rejected good parts: 1" in gallery


def test_what_somebody_must_look_at_stands_before_the_plots_and_leads_to_its_pictures(full_page):
    before = full_page[: full_page.index(">Plots</h2>")]
    tiles = re.findall(r'<a class="tile (\w+)" href="#([\w-]+)">.*?class="name">(\w+)\.png', before, re.DOTALL)
    assert [(outcome, name) for outcome, _, name in tiles] == [
        ("escaped", "escaped_far"),
        ("escaped", "escaped_close"),
        ("rejected", "rejected"),
        ("review", "aside"),
        ("invalid", "empty"),
    ]
    for outcome, target, name in tiles:
        article = full_page[full_page.index(f'id="{target}"') :].partition("</article>")[0]
        assert f">{name}.png<" in article, outcome
    assert before.count("The photo is nearly black.") == 1


def test_an_escaped_defect_is_never_shown_as_ok(full_page):
    badges = re.findall(r'class="verdict (\w+)">(\w+)</span>\s*<span class="name">(\w+)\.png', full_page)
    assert ("escaped", "escaped", "escaped_far") in badges
    assert {badge for _, badge, name in badges if name.startswith("escaped")} == {"escaped"}
    assert {badge for _, badge, name in badges if name.startswith("passed")} == {"OK"}


def test_a_photo_opens_large_where_its_picture_lies_beside_the_page():
    pictures = (Picture("Photo", b"jpeg"),)
    html = page(photos=(photo("a b.png", True, "OK", 1.0, pictures=pictures, large="pictures/a%20b.png"), *PHOTOS))
    assert '<a href="pictures/a%20b.png"><img' in html


def test_the_page_begins_with_the_answer_and_its_command():
    told = (Sentence("escaped", "1 of 2 <parts> escapes."), Sentence("better", "Set it so:", 'andon calibrate "a b"'))
    html = page(answer=told)
    assert html.index("1 of 2 &lt;parts&gt; escapes.") < html.index("<code>andon calibrate &#34;a b&#34;</code>")
    assert html.index("<code>") < min(html.index("<h2"), html.index("Tested on"))


def test_what_users_wrote_is_escaped():
    bad = "<script>alert(1)</script>"
    html = page(
        title=bad,
        subtitle=bad,
        photos=(photo(bad, False, "OK", 1.0, notes=(bad,)), *PHOTOS),
        remarks=(bad,),
        parameters={bad: {"k": bad}},
        provenance={"by": bad},
        figures=figures(per_defect={bad: figures()}),
    )
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(1)") >= 10


def test_the_page_needs_nothing_from_elsewhere(full_page):
    assert "http" not in full_page
    assert full_page.count("data:image/svg+xml;base64,") == 5
    assert set(re.findall(r'src="(.{11})', full_page)) == {"data:image/"}


def test_parameters_are_named_as_set_takes_them_and_undefined_figures_give_their_reason(full_page):
    assert re.search(r"detector\.k</td><td[^>]*>9<", full_page)
    assert re.search(r"steps\.0\.name</td><td[^>]*>resize<", full_page)
    assert "undefined: no photo has a mask" in full_page


def test_every_metric_is_shown_in_its_unit_with_title_meaning_and_direction():
    results = Results(
        is_anomalous=np.array([False, False, True, True]),
        scores=np.array([1.0, 2.0, 1.5, 3.0]),
        verdicts=np.array(["OK", "NG", "OK", "NG"]),
        threshold=2.0,
        defects=(None, None, "rust", "rust"),
    )
    shown = summarise(results)
    html = page(figures=shown)
    table = plain(html[html.index("<h2>All figures") : html.index(">Photos</h2>")])
    assert table.count("<tr>") == 1 + len(shown["metrics"])
    for title, meaning, value, photos, better in (
        ("Recall", "NG photos called NG", "50.0 %", "1 of 2", "higher"),
        ("False-reject rate", "OK photos called NG", "50.0 %", "1 of 2", "lower"),
        ("F1-max", "F1 at the best threshold, which is known only afterwards", "0.800", "", "higher"),
        ("F1-max threshold", "the score at which F1 is highest", "1.500", "", ""),
    ):
        row = rf"<td>{title}<small>{meaning}</small></td><td[^>]*>{value}</td><td[^>]*>{photos}</td>"
        row += rf"<td>[^<]*</td><td>{better}</td>"
        assert re.search(row, table), title


def test_kinds_of_defect_have_a_row_each(full_page):
    row = plain(full_page[full_page.index(">scratch<") : full_page.index("</table>")])
    assert "25.0 %" in row
    assert "0.876" in row
    assert "0.932 to 1.000" in row


def test_a_test_set_of_one_class_makes_a_report_too():
    html = page(figures=ONLY_OK, photos=PHOTOS[1:3])
    assert html.count("data:image/svg+xml") == 2
    assert "Undefined: no NG photo." in html


def test_photos_are_embedded_small_with_their_verdict_and_mask():
    size = (900, 1500)
    texture = np.random.default_rng(0).integers(60, 200, (90, 150, 3), dtype=np.uint8)
    large = np.asarray(Image.fromarray(texture).resize((size[1], size[0])))
    values = np.ones(size, dtype=np.float32)
    inspected = Inspection(
        path="plant 2/scratch/007.png",
        sha256="",
        score=3.1,
        threshold=2.5,
        verdict="NG",
        p_value=0.02,
        sigma=3.0,
        confidence=1.0,
        regions=(Region((10, 10, 200, 90), 900, 4.0, 3.0),),
        anomaly_map=values,
    )
    shown = photo_of(large, inspected, pixel_threshold=2.0, is_anomalous=True, defect="scratch", mask=values > 2)
    assert shown.name == "scratch/007.png"
    assert [picture.caption for picture in shown.pictures] == ["Photo", "Anomaly map", "Regions", "Ground truth"]
    assert sum(len(picture.jpeg) for picture in shown.pictures) < 75_000
    with Image.open(io.BytesIO(shown.pictures[0].jpeg)) as picture:
        assert picture.size[0] / picture.size[1] == pytest.approx(1500 / 900, rel=0.02)
    html = page(photos=(shown,), figures=ONLY_OK)
    assert html.count("data:image/jpeg") == 5  # four pictures and the colour scale


def test_a_page_is_written_into_a_new_folder_whatever_its_files_are_called(tmp_path):
    file = tmp_path / "new folder" / "report.html"
    write_text(file, page(title="Prüfteil 7", photos=(photo("caf\udce9.png", False, "OK", 1.0), *PHOTOS)))
    written = file.read_text(encoding="utf-8")
    assert "Prüfteil 7" in written and r"caf\udce9.png" in written
    with pytest.raises(InputError, match="cannot be written"):
        write_text(file / "below.html", "")
