"""andon models: the versions that a database knows, and which of them judges."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from andon.cli import _store as options
from andon.errors import InputError

if TYPE_CHECKING:
    from datetime import datetime

    from andon.store import Activation, Store, StoredModel

SHOWN = 8
"""Digits of a version's SHA-256, as on pages."""
TAKEN_UP = "A running andon serve takes it up within some seconds."

app = typer.Typer(no_args_is_help=True, help="List the versions of models, and say which of them judges.")
Name = Annotated[str | None, typer.Argument(metavar="NAME", help="Of the model; all unless given.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who it is; else the user of this computer.")]


@app.command("list")
def list_models(
    name: Name = None,
    db: options.Db = None,
    data: options.Data = options.DATA,
    changes: Annotated[int, typer.Option(help="Show so many of the last changes.", min=0)] = 10,
) -> None:
    """List models with their versions, newest first, and who let which one judge when.

    Example: andon models list
    """
    from andon.rows import printable
    from andon.store import Store

    with Store.open(db, data, create=False) as store:
        names = dict.fromkeys(version.name for version in store.models.versions(name))
        if not names:
            typer.echo("The database knows no model." if name is None else f"The database knows no model {name}.")
        for one in names:
            for line in _about(store, one, changes):
                typer.echo(printable(line))


@app.command()
def add(
    file: Annotated[Path, typer.Argument(metavar="MODEL", help="Of andon train, andon improve or andon export.")],
    name: Annotated[
        str | None, typer.Option(help="Of the model that it is a version of; else the file's, without its ending.")
    ] = None,
    db: options.Db = None,
    data: options.Data = options.DATA,
    by: By = None,
) -> None:
    """Make a model file known as a version, without letting it judge. The file stays where it is.

    Example: andon models add bracket-4.andon --name bracket
    """
    from andon.rows import printable
    from andon.server.versions import make_known
    from andon.store import Store

    with Store.open(db, data, create=False) as store:
        version, is_new = make_known(store, file, _who(by), name=name)
        what = "is a version of" if is_new else "was known already as a version of"
        typer.echo(printable(f"{version.sha256[:SHOWN]} {what} {version.name}."))
        if store.models.active(version.name) is None:
            typer.echo("No other version of that name was ever active; give --name if it is one of another model.")
        typer.echo(f"Let it judge with: andon models activate {version.sha256[:SHOWN]}")


@app.command()
def activate(
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="The beginning of its SHA-256, as andon models list shows it.")
    ],
    db: options.Db = None,
    data: options.Data = options.DATA,
    by: By = None,
) -> None:
    """Let a version judge from now on. It is loaded and tried before; if it cannot be used, nothing changes.

    Example: andon models activate 1f3a9c42
    """
    from andon.store import Store

    with Store.open(db, data, create=False) as store:
        chosen = _version(store, version)
        active = store.models.active(chosen.name)
        if active is not None and active.sha256 == chosen.sha256:
            typer.echo(f"{chosen.name} has this version already: {chosen.sha256[:SHOWN]}.")
            return
        _try(chosen)
        _tell(store.models.activate(chosen.name, chosen.sha256, by=_who(by)))


@app.command("roll-back")
def roll_back(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the model.")],
    db: options.Db = None,
    data: options.Data = options.DATA,
    by: By = None,
) -> None:
    """Let the version judge that was active before, and at the next time the one before that.

    Example: andon models roll-back bracket
    """
    from andon.store import Store

    with Store.open(db, data, create=False) as store:
        _try(store.models.before(name))
        _tell(store.models.roll_back(name, by=_who(by)))


def _about(store: Store, name: str, changes: int) -> list[str]:
    active = store.models.active(name)
    lines = [name]
    for version in store.models.versions(name):
        judges = active is not None and version.sha256 == active.sha256
        parent = "" if version.parent_sha256 is None else f", made from {version.parent_sha256[:SHOWN]}"
        known = f"added {_time(version.added_at)} by {version.added_by}{parent}"
        lines.append(f"  {version.sha256[:SHOWN]} {'active' if judges else '      '} {version.path}, {known}")
        lines += [f"                  {words}" for words in (version.promise,) if words]
    last = store.models.activations(name, limit=changes)
    return lines + [f"  {_time(one.at)}: {_change(one)}" for one in last]


def _change(change: Activation) -> str:
    what = "rolled back to" if change.what == "roll back" else "activated"
    return f"{what} {change.sha256[:SHOWN]}, by {change.by}"


def _version(store: Store, beginning: str) -> StoredModel:
    """Raises:
    InputError: there is none, or there are several, whose SHA-256 begins so.
    """
    found = [one for one in store.models.versions() if one.sha256.startswith(beginning.lower())]
    if len(found) != 1 or not beginning:
        how_many = "Several versions begin" if found else "No version begins"
        raise InputError(f"{how_many} with {beginning!r}; give enough digits of one that andon models list shows.")
    return found[0]


def _try(version: StoredModel) -> None:
    """Raises:
    AndonError: the version cannot be used.
    """
    from andon.server.versions import ready

    ready(version)


def _tell(activation: Activation) -> None:
    from andon.rows import printable

    typer.echo(printable(f"{activation.model_name}: {_change(activation)}. {TAKEN_UP}"))


def _who(by: str | None) -> str:
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # in a container, whose user has no name
        return "andon models"


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
