"""andon token: who may use a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, get_args

import typer

from andon.cli import _store as options
from andon.errors import InputError

if TYPE_CHECKING:
    from andon.store import Scope

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke the tokens of andon serve.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="Whose it is, such as the name of a station or a person.")]


@app.command()
def add(
    name: Name,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SCOPE",
            help="inspect: send photos; review: look and review; admin: all. Repeatable; review unless given.",
        ),
    ] = None,
    db: options.Db = None,
    data: options.Data = options.DATA,
) -> None:
    """Make a token and print it. Nobody can read it again: only its hash is kept.

    From the first token on, andon serve answers nobody without one.

    Example: andon token add camera-3 --scope inspect
    """
    from andon.store import Store

    data.mkdir(parents=True, exist_ok=True)
    with Store.open(db, data) as store:
        typer.echo(store.tokens.create(name, _scopes(scope or ["review"])))
        typer.echo(f"A token of {store}.", err=True)


@app.command("list")
def list_tokens(db: options.Db = None, data: options.Data = options.DATA) -> None:
    """List all tokens, the revoked ones too.

    Example: andon token list
    """
    from andon.rows import printable
    from andon.store import Store

    with Store.open(db, data, create=False) as store:
        tokens = store.tokens.all()
        if not tokens:
            typer.echo(f"{store} has no token yet; make one with: andon token add NAME", err=True)
        for token in tokens:
            until = "" if token.revoked_at is None else f", revoked {token.revoked_at:%Y-%m-%d %H:%M} UTC"
            scopes = ", ".join(sorted(token.scopes))
            typer.echo(printable(f"{token.name}: {scopes}; made {token.created_at:%Y-%m-%d %H:%M} UTC{until}"))


@app.command()
def revoke(name: Name, db: options.Db = None, data: options.Data = options.DATA) -> None:
    """Let a token open nothing any more, within some seconds.

    Example: andon token revoke camera-3
    """
    from andon.store import Store

    with Store.open(db, data, create=False) as store:
        store.tokens.revoke(name)


def _scopes(words: list[str]) -> list[Scope]:
    """Raises:
    InputError: one of them is no scope.
    """
    from andon.store import Scope

    known: tuple[Scope, ...] = get_args(Scope)
    if wrong := [word for word in words if word not in known]:
        raise InputError(f"--scope {wrong[0]} is none; expected {', '.join(known)}.")
    return [scope for scope in known if scope in words]
