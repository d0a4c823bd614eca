"""A comparison as text and as a folder with its page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from andon import images, resources
from andon.comparison._figures import Figures, disagreements
from andon.comparison._outcomes import Comparison, Method
from andon.evaluation.headlines import AT_THRESHOLD, SEPARATION
from andon.evaluation.inspect_labelled import ground_truth
from andon.reports.figures import ascii_only, count_of, interval_of, title_of, value_of
from andon.reports.pages.comparison import ComparisonPage, Disputed, Said
from andon.reports.pages.conclusions import conclusions
from andon.reports.pages.gallery import known_as
from andon.reports.pictures.jpeg import to_jpeg
from andon.reports.pictures.views import photo_view
from andon.reports.settings import flat
from andon.reports.writing import write_json, write_text
from andon.rows import printable

MAX_PHOTOS = 24
VIEW_SIDE = 200
COSTS = ("Training", "Per photo", "Memory", "Model")


def as_text(figures: Figures) -> str:
    """What is shown, what the verdicts do, how well the scores tell OK from NG and what it costs, and what was used."""
    methods = figures["methods"]
    verdicts = [("Method", *map(title_of, AT_THRESHOLD)), *map(_verdicts, methods)]
    scores = [("Method", *map(title_of, SEPARATION), *COSTS), *map(_scores_and_cost, methods)]
    table = [*_aligned(verdicts), "", *_aligned(scores)]
    failed = [f"{name} could not be compared: {why}" for name, why in figures["failed"].items()]
    notes = [*conclusions(figures), *failed, figures["photos"]]
    return "\n".join(map(printable, map(ascii_only, [*table, "", *notes])))


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_cell(cell, widths, place) for place, cell in enumerate(row)).rstrip() for row in rows]


def _cell(text: str, widths: Sequence[int], place: int) -> str:
    return text.ljust(widths[place]) if place == 0 else text.rjust(widths[place])


def _verdicts(method: Figures) -> tuple[str, ...]:
    return method["name"], *(_with(method, name, count_of(method, name)) for name in AT_THRESHOLD)


def _scores_and_cost(method: Figures) -> tuple[str, ...]:
    return (
        method["name"],
        *(_with(method, name) for name in SEPARATION),
        f"{method['seconds_to_train']:.0f} s",
        f"{method['milliseconds_per_photo']:.0f} ms",
        f"{method['inspect_megabytes']:.0f} MB",
        f"{method['model_megabytes']:.1f} MB",
    )


def _with(method: Figures, name: str, count: str = "") -> str:
    """The figure, in brackets its count and its interval, where it has them."""
    more = ", ".join(filter(None, [count, interval_of(method, name)]))
    return f"{value_of(method, name)} ({more})" if more else value_of(method, name)


def write_folder(folder: Path, comparison: Comparison, methods: Sequence[Method], figures: Figures) -> None:
    """Write comparison.html and comparison.json.

    Raises:
        InputError: the folder cannot be written.
    """
    write_json(folder / "comparison.json", figures)
    disputed = disagreements(comparison)[:MAX_PHOTOS]
    page = ComparisonPage(
        title=f"{figures['data']}: {_number(len(methods))} compared",
        subtitle=f"{date.today():%d %B %Y}",
        figures=figures,
        disputed=tuple(_disputed(comparison, index) for index in disputed),
        recipes={method.name: dict(flat(method.recipe.to_tree())) for method in methods},
        machine=f"this machine with {resources.cpus()} cores",
    )
    write_text(folder / "comparison.html", page.to_html())


def _number(methods: int) -> str:
    return "1 method" if methods == 1 else f"{methods} methods"


def _disputed(comparison: Comparison, index: int) -> Disputed:
    sample = comparison.samples[index]
    image = images.read(sample.path)
    mask, _ = ground_truth(sample, (image.shape[0], image.shape[1]))
    said = [
        Said(
            outcome.name,
            str(outcome.judged.verdicts[index]),
            float(outcome.sigmas[index]),
            outcome.pictures[index].read_bytes(),
        )
        for outcome in comparison.outcomes
    ]
    photo = to_jpeg(photo_view(image, mask, VIEW_SIDE))
    label = known_as(sample.is_anomalous, sample.defect)
    return Disputed("/".join(sample.path.parts[-2:]), label, photo, mask is not None, tuple(said))
