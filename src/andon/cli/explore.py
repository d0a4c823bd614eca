"""andon explore: a first look at a data set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from andon.reports.exploration import Exploration, Figures

EXIT_INPUT = 2


def command(
    data: Annotated[Path, typer.Argument(help="Folder that holds the photos.")],
    out: Annotated[Path | None, typer.Option(help="Folder for exploration.html, plots and sample sheets.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
    layout: Annotated[str | None, typer.Option(help="Read DATA as this layout: folder, mvtec or roboflow.")] = None,
    ng_name: Annotated[
        list[str] | None,
        typer.Option(help="What NG is called: beginning of a label (roboflow) or a folder. Repeatable."),
    ] = None,
) -> None:
    """Look at a data set before teaching: samples and colours of each class.

    It says how far colours alone tell OK from NG, which any detector has to
    beat, and which OK photos look unlike the others.

    Exit code: 0 all photos were read, 2 bad input or a photo cannot be read.

    Example: andon explore photos/bolt --out first_look
    """
    from andon import datasets
    from andon.reports.exploration import explore

    found = explore(datasets.read(data, layout, ng_name or ()))
    if out is not None:
        write_folder(out, data.resolve().name, found)
    typer.echo(json.dumps(found.figures, indent=2, ensure_ascii=False) if as_json else as_text(found.figures))
    if out is not None:
        typer.echo(f"Report: {out / 'exploration.html'}", err=as_json)
    if found.figures["failures"]:
        raise typer.Exit(EXIT_INPUT)


def as_text(figures: Figures) -> str:
    """The table of classes, and what the reader must know."""
    from andon.reports.pages.exploration import conclusion

    rows = [("class", "photos", "L*", "a*", "b*", "AUROC of colours alone")]
    for name, of_class in figures["classes"].items():
        colour = [f"{value:.1f}" for value in of_class["mean_lab"]]
        rows.append((name, str(of_class["n_photos"]), *colour, _auroc(of_class)))
    if figures["n_ng"]:
        rows.append(("all NG", str(figures["n_ng"]), "", "", "", _auroc(figures)))
    width = max(len(row[0]) for row in rows) + 2
    lines = [figures["data"], ""]
    lines += [f"{row[0]:<{width}}{row[1]:>7}{row[2]:>8}{row[3]:>8}{row[4]:>8}  {row[5]}".rstrip() for row in rows]
    lines += ["", conclusion(figures)]
    lines += [f"Unlike the other OK photos: {path} ({far:.3g})" for path, far in figures["unusual_ok"].items()]
    return "\n".join(lines + [f"Could not be read: {why}" for why in figures["failures"].values()])


def _auroc(figures: Figures) -> str:
    if figures["colour_auroc"] is None:
        return ""
    low, high = figures["interval"]
    return f"{figures['colour_auroc']:.3f}  (95 % interval {low:.3f} to {high:.3f})"


def write_folder(folder: Path, title: str, found: Exploration) -> None:
    """The page, the figures, the plots and a sheet of samples per class.

    Raises:
        InputError: the folder cannot be written.
    """
    from datetime import date

    from andon import images
    from andon.reports.pages import exploration
    from andon.reports.pages.writing import write_file
    from andon.reports.pictures.samples import sheet
    from andon.reports.plots import classes as class_plots

    figures = json.dumps(found.figures, indent=2, ensure_ascii=False)
    write_file(folder / "figures.json", figures.encode(errors="backslashreplace"))
    classes = found.figures["classes"]
    rows = [
        class_plots.Distances(name, far, classes[name]["is_anomalous"], _auroc(classes[name]))
        for name, far in found.distances.items()
    ]
    sheets = [
        exploration.Sheet(name, classes[name]["n_photos"], len(photos), sheet(photos))
        for name, photos in found.samples.items()
    ]
    if found.unusual:
        n_unusual = len(found.figures["unusual_ok"])
        shown = exploration.Sheet("OK, unlike the others", n_unusual, len(found.unusual), sheet(found.unusual))
        sheets.insert(0, shown)
    page = exploration.Page(
        title=title,
        subtitle=f"A first look, {date.today():%d %B %Y}",
        figures=found.figures,
        colours=class_plots.class_colours_plot(found.colours),
        distances=class_plots.distance_plot(rows) if rows else None,
        sheets=tuple(sheets),
    )
    write_file(folder / "colours.png", class_plots.class_colours_plot(found.colours, "png"))
    if rows:
        write_file(folder / "distances.png", class_plots.distance_plot(rows, "png"))
    for number, one in enumerate(sheets):
        name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in one.name)
        images.write(folder / "samples" / f"{number:02d}_{name}.png", one.picture)
    exploration.write(folder / "exploration.html", page)
