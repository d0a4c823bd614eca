"""andon deliveries: what is still to be sent, and what was given up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from andon.cli import _store as options
from andon.errors import InputError

if TYPE_CHECKING:
    from andon.store import Delivery, Store

ALL = "all"
LATE = timedelta(minutes=2)
"""A delivery that is due for so long has nobody who sends it."""


def command(
    db: options.Db = None,
    data: options.Data = options.DATA,
    dead: Annotated[bool, typer.Option("--dead", help="List only what was given up.")] = False,
    to: Annotated[
        str | None, typer.Option("--to", metavar="RECEIVER", help="Only those to this webhook's URL, or MQTT topic.")
    ] = None,
    send_again: Annotated[
        list[str] | None,
        typer.Option("--send-again", metavar="ID|all", help="Try this again that was given up. Repeatable."),
    ] = None,
    forget: Annotated[
        list[str] | None,
        typer.Option("--forget", metavar="ID|all", help="Remove this that was given up. Repeatable."),
    ] = None,
    limit: Annotated[int, typer.Option(help="List at most so many of each kind.", min=1)] = 100,
) -> None:
    """List the rows that webhooks and brokers do not have yet, and those that were given up.

    A delivery is tried again less and less often, and given up after 20
    attempts, some 9 hours, or at once where its address is refused. It stays in
    the database; --send-again has it sent by andon serve or andon watch, which
    need the receiver among their options.

    Example: andon deliveries --send-again all --to https://mes.plant.example/andon
    """
    from andon.store import Store

    with Store.open(db, data, create=False) as store:
        if send_again:
            typer.echo(f"{store.outbox.send_again(_chosen(store, send_again), target=to)} will be tried again.")
        if forget:
            typer.echo(f"{store.outbox.forget_dead(_chosen(store, forget), target=to)} removed.")
        if not send_again and not forget:
            _list(store, to, limit, dead_alone=dead)


def _chosen(store: Store, words: Sequence[str]) -> list[str] | None:
    """The ids; None for all.

    Raises:
        InputError: one of them was not given up.
        NotFoundError: there is no such delivery.
    """
    if ALL in words:
        return None
    for word in words:
        if (state := store.outbox.get(word).state) != "dead":
            raise InputError(f"The delivery {word} is {state}; give one that was given up, or wait.")
    return list(words)


def _list(store: Store, to: str | None, limit: int, *, dead_alone: bool) -> None:
    from andon.rows import printable

    found = [] if dead_alone else store.outbox.waiting(target=to, limit=limit)
    for delivery in [*found, *store.outbox.dead(target=to, limit=limit)]:
        typer.echo(printable(_in_words(delivery, datetime.now(UTC))))
    counts = store.outbox.counts(*(("dead",) if dead_alone else ("pending", "dead")))
    wanted = {(target, state): n for (_, target, state), n in sorted(counts.items()) if to in (None, target)}
    for (target, state), n in wanted.items():
        typer.echo(printable(f"{target}: {n} {'given up' if state == 'dead' else 'to be sent'}"))
    if not wanted:
        typer.echo("Nothing was given up." if dead_alone else "Nothing is to be sent, and nothing was given up.")


def _in_words(delivery: Delivery, now: datetime) -> str:
    """One line: the id, to whom, what, and how it stands."""
    times = f"{delivery.attempts} {'attempt' if delivery.attempts == 1 else 'attempts'}"
    if delivery.state == "dead":
        stands = f"given up after {times}"
    elif delivery.due_at < now - LATE:
        stands = f"{times}, due since {_time(delivery.due_at)}, but no station sends it"
    else:
        stands = f"{times}, next {_time(delivery.due_at)}"
    answer = f": {delivery.last_error}" if delivery.last_error else ""
    return f"{delivery.delivery_id} to {delivery.target}, {_what(delivery.payload)}; {stands}{answer}"


def _what(payload: str) -> str:
    """The row that is sent, in a few words."""
    try:
        row = json.loads(payload)
        part = f"part {row['part_id']}" if row["part_id"] else row["path"]
        return f"{row['verdict']} of {part} at {row['inspected_at']}"
    except (ValueError, KeyError, TypeError):
        return f"{len(payload)} characters"


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"
