"""andon db: look after the database."""

from __future__ import annotations

import typer

from andon.cli import _store as options

app = typer.Typer(no_args_is_help=True, help="Look after the database of andon serve.")


@app.callback()
def about() -> None:
    """Look after the database of andon serve."""


@app.command()
def upgrade(db: options.Db = None, data: options.Data = options.DATA) -> None:
    """Make the tables of a new database, or bring those of an older Andon into the newest form.

    An SQLite file is copied before; andon serve does all this by itself. Of a
    PostgreSQL database make a backup with pg_dump before, and stop all stations.

    Example: andon db upgrade --db postgresql://andon@db.plant/andon
    """
    from contextlib import closing

    from andon.store import schema
    from andon.store.database import Database, url_of

    with closing(Database(url_of(db, data))) as database:
        done = schema.upgrade(database)
    if done.before is None:
        typer.echo(f"{database}: made the tables (form {done.after}).")
    elif done.before == done.after:
        typer.echo(f"{database}: the tables have the newest form already ({done.after}).")
    else:
        typer.echo(f"{database}: brought the tables from form {done.before} to {done.after}.")
    if done.backup is not None:
        typer.echo(f"As it was before: {done.backup}")
