"""An audit as text and as a folder with its page and a proposal of what to leave out."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from andon import images
from andon.audit.audit import Audit, AuditedPhoto
from andon.datasets import EXCLUDE_FILE, Dataset
from andon.errors import ImageError
from andon.reports.number_format import number, signed
from andon.reports.pages.audit import AuditPage, Card, conclusion, row_of
from andon.reports.pages.gallery import Picture
from andon.reports.pictures.jpeg import to_jpeg
from andon.reports.pictures.views import photo_view
from andon.reports.writing import write_json, write_text
from andon.rows import printable
from andon.teaching.outlook import Outlook

SMALL_SIDE = 144
NBSP = "\N{NO-BREAK SPACE}"
MOST_TWINS = 12  # groups that are shown
MOST_OF_GROUP = 6


def as_text(found: Audit) -> str:
    """What came out, the most unlike photos with their reasons, and twins."""
    lines = [conclusion(found.to_tree()), ""]
    for photo in found.shown:
        assert photo.look is not None  # of those shown
        lines.append(f"{number(photo.score)}  {signed(photo.deviations)} deviations  {photo.name}")
        lines.append(f"    {photo.look.reason.kind}: {photo.look.reason.sentence}")
        lines += [f"    {_effect(photo)}"] if photo.without is not None else []
    lines += [""] if found.twins else []
    lines += [f"Show the same: {', '.join(group)}" for group in found.twins]
    return "\n".join(map(printable, lines))


def _effect(photo: AuditedPhoto) -> str:
    """What its absence would change, without and with those above it."""
    said = [f"Without it: {_thresholds(photo.without)}"] if photo.without is not None else []
    if photo.without_all is not None and photo.without_all != photo.without:
        said.append(f"without it and those above it: {_thresholds(photo.without_all)}")
    return "; ".join(said) + "."


def _thresholds(found: Outlook) -> str:
    row = row_of("", found.to_tree())
    escapes = f", escaped {row.escaped.replace(NBSP, ' ')}" if row.escaped else ""
    return f"NG from {row.threshold}, review from {row.review_threshold}{escapes}"


def write_folder(folder: Path, dataset: Dataset, found: Audit, options: str = "") -> bool:
    """The page, the figures, and a proposal of what to leave out; False where the latter is there already and is kept.

    Args:
        options: of `andon train`, which name the photos and the recipe; the page shows them.

    Raises:
        InputError: the folder cannot be written.
    """
    figures = found.to_tree()
    proposal = folder / EXCLUDE_FILE
    page = AuditPage(
        title=dataset.root.resolve().name,
        subtitle=f"Audit of the OK photos, {date.today():%d %B %Y}",
        figures=figures,
        cards=[_card(photo) for photo in found.shown],
        twins=[list(_pictures(dataset, group)) for group in found.twins[:MOST_TWINS]],
        pixel_threshold=found.pixel_threshold,
        command=f"andon train {options or dataset.root} --exclude {shlex.quote(str(proposal))}",
    )
    write_json(folder / "audit.json", figures)
    write_text(folder / "audit.html", page.to_html())
    if proposal.exists():
        return False
    write_text(proposal, proposed(found))
    return True


def proposed(found: Audit) -> str:
    """A file for `--exclude` with the most unlike photos, all commented out."""
    lines = [
        "## OK photos that are unlike the others, the most unlike first. Look at them in audit.html.",
        "## Take the # away before a photo that does not belong among the OK ones, then train with --exclude.",
    ]
    for photo in found.shown:
        assert photo.look is not None  # of those shown
        lines += ["", f"## {number(photo.score)}. {photo.look.reason.kind}: {photo.look.reason.sentence}"]
        lines.append(f"# {photo.name}")
    return "\n".join(lines) + "\n"


def _card(photo: AuditedPhoto) -> Card:
    assert photo.look is not None  # of those shown
    shown = photo.look.photo
    nearest = [Picture(name, to_jpeg(photo_view(picture, side=SMALL_SIDE))) for name, picture in photo.look.nearest]
    return Card(photo.to_tree(), shown.pictures, shown.likenesses, nearest)


def _pictures(dataset: Dataset, names: tuple[str, ...]) -> Iterator[Picture]:
    for name in names[:MOST_OF_GROUP]:
        try:
            yield Picture(name, to_jpeg(photo_view(images.read(dataset.root / name), side=SMALL_SIDE)))
        except ImageError:  # it has been read before, so somebody took it away
            continue
