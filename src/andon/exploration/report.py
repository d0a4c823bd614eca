"""A first look as text and as a folder with its page."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from andon import images
from andon.exploration.explore import Exploration, Figures
from andon.reports.pages.exploration import ClassSamples, ExplorationPage, conclusion
from andon.reports.pictures.contact_sheet import contact_sheet
from andon.reports.plots.class_colours import class_colours_plot
from andon.reports.plots.class_distances import ClassDistances, class_distances_plot
from andon.reports.writing import write_file, write_json, write_text
from andon.rows import printable


def as_text(figures: Figures) -> str:
    """The table of classes, and what the reader must know."""
    table = [("class", "photos", "L*", "a*", "b*", "AUROC of colours alone")]
    for name, of_class in figures["classes"].items():
        colour = [f"{value:.1f}" for value in of_class["mean_lab"]]
        table.append((name, str(of_class["n_photos"]), *colour, _auroc(of_class)))
    if figures["n_ng"]:
        table.append(("all NG", str(figures["n_ng"]), "", "", "", _auroc(figures)))
    width = max(len(row[0]) for row in table) + 2
    lines = [figures["data"], ""]
    lines += [f"{row[0]:<{width}}{row[1]:>7}{row[2]:>8}{row[3]:>8}{row[4]:>8}  {row[5]}".rstrip() for row in table]
    lines += ["", conclusion(figures)]
    lines += [f"Unlike the other OK photos: {path} ({far:.3g})" for path, far in figures["unusual_ok"].items()]
    lines += [f"Could not be read: {why}" for why in figures["failures"].values()]
    return "\n".join(map(printable, lines))


def _auroc(figures: Figures) -> str:
    if figures["colour_auroc"] is None:
        return ""
    low, high = figures["interval"]
    return f"{figures['colour_auroc']:.3f}  (95 % interval {low:.3f} to {high:.3f})"


def write_folder(folder: Path, title: str, found: Exploration) -> None:
    """The page, the figures, the plots and a contact sheet per class.

    Raises:
        InputError: the folder cannot be written.
    """
    write_json(folder / "figures.json", found.figures)
    classes = found.figures["classes"]
    distances = [
        ClassDistances(name, far, classes[name]["is_anomalous"], _auroc(classes[name]))
        for name, far in found.distances.items()
    ]
    samples = _samples(found)
    page = ExplorationPage(
        title=title,
        subtitle=f"A first look, {date.today():%d %B %Y}",
        figures=found.figures,
        colours=class_colours_plot(found.colours),
        distances=class_distances_plot(distances) if distances else None,
        samples=samples,
    )
    write_file(folder / "colours.png", class_colours_plot(found.colours, "png"))
    if distances:
        write_file(folder / "distances.png", class_distances_plot(distances, "png"))
    for number, of_class in enumerate(samples):
        name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in of_class.name)
        images.write(folder / "samples" / f"{number:02d}_{name}.png", of_class.picture)
    write_text(folder / "exploration.html", page.to_html())


def _samples(found: Exploration) -> tuple[ClassSamples, ...]:
    """A contact sheet of each class, after one of the unusual OK photos where there are any."""
    classes = found.figures["classes"]
    samples = [
        ClassSamples(name, classes[name]["n_photos"], len(photos), contact_sheet(photos))
        for name, photos in found.samples.items()
    ]
    if found.unusual:
        n_unusual = len(found.figures["unusual_ok"])
        sheet = contact_sheet(found.unusual)
        samples.insert(0, ClassSamples("OK, unlike the others", n_unusual, len(found.unusual), sheet))
    return tuple(samples)
