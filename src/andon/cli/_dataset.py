"""The options that say which photos a data set holds and which of them are OK, for every command that takes one."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from inspect import Parameter, signature  # type: ignore[attr-defined]  # mypy takes benchmarks/inspect.py for it
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_type_hints

import typer

if TYPE_CHECKING:
    from andon.datasets import Dataset

Exclude = Annotated[
    Path | None,
    typer.Option(help="Text file of photos to leave out, one a line; by default exclude.txt in DATA, if it is there."),
]
SessionFrom = Annotated[
    str | None,
    typer.Option(
        metavar="REGEX|folder|date|none",
        help="What tells apart photos that were not taken in one go: a pattern in file names, folders, EXIF dates.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class DatasetOptions:
    """How DATA is read, or which folders stand in its place. `takes_dataset` makes options of them."""

    layout: Annotated[
        str | None,
        typer.Option(
            help="Read DATA as this layout, such as folder, mvtec, table or coco; by default it is recognised."
        ),
    ] = None
    ok_name: Annotated[
        list[str] | None,
        typer.Option(
            "--ok-name",
            metavar="NAME",
            help="Name for OK: how folders, labels or photos that are OK begin. Repeatable.",
        ),
    ] = None
    ng_name: Annotated[
        list[str] | None, typer.Option("--ng-name", metavar="NAME", help="Name for NG, likewise. Repeatable.")
    ] = None
    ok: Annotated[
        list[Path] | None,
        typer.Option(
            "--ok", metavar="DIR", help="Folder of OK photos, whatever its name, in place of DATA. Repeatable."
        ),
    ] = None
    ng: Annotated[
        list[Path] | None, typer.Option("--ng", metavar="DIR", help="Folder of NG photos, beside --ok. Repeatable.")
    ] = None
    ng_from: Annotated[
        float | None, typer.Option(help="Where a table holds probabilities: NG from this one on, for example 0.5.")
    ] = None
    ignore_labels: Annotated[
        bool, typer.Option("--ignore-labels", help="Use folder names alone; ignore tables, annotations and masks.")
    ] = False

    def read(self, data: Path | None, also_ng: Sequence[str] = ()) -> Dataset:
        """The data set.

        Args:
            also_ng: what a recipe calls NG.

        Raises:
            InputError: neither or both of DATA and --ok are given, or an option that does not go with --ok.
            DatasetError: it cannot be read as a data set.
        """
        from andon import datasets
        from andon.errors import InputError

        if not self.ok and not self.ng:
            if data is None:
                raise InputError("No photos are given; give the folder that holds them, or folders with --ok and --ng.")
            return datasets.read(
                data,
                self.layout,
                self.ng_name or (),
                self.ok_name or (),
                also_ng=also_ng,
                ng_from=self.ng_from,
                ignore_labels=self.ignore_labels,
            )
        if data is not None:
            raise InputError(f"{data} and folders with --ok or --ng are given; give one or the other.")
        if self.layout or self.ok_name or self.ng_name or self.ng_from is not None or self.ignore_labels:
            raise InputError(
                "--ok and --ng already say which photos are OK and NG; leave --layout, --ok-name, --ng-name, --ng-from "
                "and --ignore-labels out."
            )
        return datasets.from_folders(self.ok or (), self.ng or ())

    def as_words(self, data: Path | None) -> str:
        """DATA and the options that say which photos they are, as they are typed in a shell."""
        words = [] if data is None else [str(data)]
        given = (
            ("--layout", [self.layout] if self.layout else []),
            ("--ok-name", self.ok_name),
            ("--ng-name", self.ng_name),
            ("--ok", self.ok),
            ("--ng", self.ng),
            ("--ng-from", [] if self.ng_from is None else [self.ng_from]),
        )
        for option, values in given:
            for value in values or ():
                words += [option, str(value)]
        if self.ignore_labels:
            words.append("--ignore-labels")
        return shlex.join(words)


NONE_GIVEN = DatasetOptions()


def takes_dataset(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `DatasetOptions` in the place of its parameter of this type.

    typer takes options from a signature alone, so they are put into it one by one.
    """
    shape = signature(command, eval_str=True)
    hints = get_type_hints(DatasetOptions, include_extras=True)
    options = {
        field.name: Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name])
        for field in fields(DatasetOptions)
    }
    (place,) = (name for name, one in shape.parameters.items() if one.annotation is DatasetOptions)
    parameters: list[Parameter] = []
    for name, one in shape.parameters.items():
        parameters += options.values() if name == place else [one.replace(kind=Parameter.KEYWORD_ONLY)]

    @wraps(command)
    def with_options(**given: object) -> None:
        which = DatasetOptions(**{name: given.pop(name) for name in options})  # type: ignore[arg-type]
        command(**given, **{place: which})

    with_options.__signature__ = shape.replace(parameters=parameters)  # type: ignore[attr-defined]
    return with_options
