"""Options by which commands send rows to other machines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from andon.errors import InputError

if TYPE_CHECKING:
    from andon.delivery import Deliverer
    from andon.store import Store

Webhooks = Annotated[
    list[str] | None,
    typer.Option("--webhook", metavar="URL", help="Post each row there, signed. Repeatable."),
]
WebhookSecret = Annotated[
    Path | None, typer.Option("--webhook-secret-file", metavar="FILE", help="The secret that signs what is posted.")
]
WebhookAllow = Annotated[
    list[str] | None,
    typer.Option(
        "--webhook-allow",
        metavar="HOST",
        help="This host of a --webhook may be this machine, or in a private network. Repeatable.",
    ),
]
MqttBroker = Annotated[
    str | None, typer.Option("--mqtt", metavar="URL", help="Publish each row at mqtt://HOST or mqtts://USER@HOST:PORT.")
]
MqttPassword = Annotated[
    Path | None, typer.Option("--mqtt-password-file", metavar="FILE", help="The password for the broker.")
]


def deliverer(
    store: Store,
    station: str,
    *,
    webhooks: Sequence[str] | None,
    secret_file: Path | None,
    allow: Sequence[str] | None,
    mqtt: str | None,
    password_file: Path | None,
    every_station: bool = False,
) -> Deliverer:
    """What sends to the receivers that the options name.

    Raises:
        InputError: a URL, a secret or a file cannot be used.
    """
    from andon.delivery import Broker, Deliverer, Webhook

    if webhooks and secret_file is None:
        raise InputError(
            "A webhook is signed, so --webhook needs --webhook-secret-file FILE; make one with: openssl rand -hex 32"
        )
    secret = b"" if secret_file is None else _word(secret_file)
    hooks = [Webhook(url, secret, allow or ()) for url in webhooks or ()]
    password = None if password_file is None else _word(password_file).decode(errors="surrogateescape")
    broker = None if mqtt is None else Broker.at(mqtt, password)
    return Deliverer(store, webhooks=hooks, broker=broker, station=station, every_station=every_station)


def _word(path: Path) -> bytes:
    """What stands in the file, without a line end.

    Raises:
        InputError: it cannot be read or is empty.
    """
    try:
        found = path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give a file with the secret in it.") from None
    if not found:
        raise InputError(f"{path} is empty; write the secret into it.")
    return found
