"""andon serve: an inspection station with pages and an API."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from andon.cli import _delivery, _watching
from andon.cli import _options as options
from andon.cli import _store as store_options
from andon.errors import InputError

if TYPE_CHECKING:
    from andon.server.folders import WatchedFolder


def command(
    models: Annotated[
        list[Path] | None, typer.Argument(metavar="MODEL", help="Model files of andon train or andon export.")
    ] = None,
    db: store_options.Db = None,
    data: store_options.Data = store_options.DATA,
    host: Annotated[str, typer.Option(help="Address to listen at; any but this computer's own needs a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port to listen at; 0 for any free one.", min=0, max=65535)] = 8765,
    token_file: Annotated[
        Path | None, typer.Option(help="File of the administrator's token; made where there is none.")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(help="Serve by HTTPS with this certificate, in PEM; needs --tls-key.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="File of the certificate's private key, in PEM.")] = None,
    trust_proxy: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="Believe the X-Forwarded headers of this reverse proxy. Repeatable."),
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Serve a drawn set with photos arriving by themselves.")] = False,
    watch: Annotated[
        list[str] | None,
        typer.Option(metavar="[MODEL=]FOLDER", help="Inspect what comes into this folder. Repeatable."),
    ] = None,
    recursive: _watching.Recursive = False,
    pattern: _watching.Pattern = "*",
    part_id_from: options.PartIdFrom = None,
    afterwards: _watching.Afterwards = "leave",
    every: _watching.Every = 1.0,
    settle: _watching.Settle = 1.0,
    patience: _watching.Patience = 30.0,
    station_name: Annotated[
        str | None,
        typer.Option("--station", help="Name of the station, for --watch and --mqtt; else that of the computer."),
    ] = None,
    webhook: _delivery.Webhooks = None,
    webhook_secret_file: _delivery.WebhookSecret = None,
    webhook_allow: _delivery.WebhookAllow = None,
    mqtt: _delivery.MqttBroker = None,
    mqtt_password_file: _delivery.MqttPassword = None,
    queue: Annotated[int, typer.Option(help="Photos per model that may be under way.", min=1)] = 64,
    deadline: Annotated[float, typer.Option(help="Seconds until a photo must be judged, or is dropped.", min=0.1)] = 10,
    max_mb: Annotated[float, typer.Option(help="Largest file of a photo, in MB.", min=0.1, max=1000)] = 50,
    max_megapixels: Annotated[float, typer.Option(help="Largest photo.", min=0.1, max=150)] = 50,
    keep_days: store_options.KeepDays = store_options.DAYS,
    keep_gb: store_options.KeepGb = 0,
) -> None:
    """Judge photos that come over HTTP, keep what was found, and show it on pages.

    Everything is in the folder --data: the database, unless --db names another,
    and the photos. Without a token the server answers on this computer alone.
    Make tokens with andon token add. It ends in good order on Ctrl-C or SIGTERM.

    Example: andon serve bracket.safetensors

    Then: curl --data-binary @photo.png http://127.0.0.1:8765/v1/inspect
    """
    import dataclasses

    from andon.rows import printable
    from andon.server.folders import Folders, Watching
    from andon.server.running import Address, serve
    from andon.server.sending import Sending
    from andon.server.settings import Settings
    from andon.server.station import Helper, Station
    from andon.server.tls import check_proxies, tls_of
    from andon.server.token_file import ensure_token
    from andon.store import Store

    if bool(models) == demo:
        raise InputError("Give one model file or several, or --demo alone.")
    tls = tls_of(tls_cert, tls_key)
    check_proxies(trust_proxy or ())
    settings = Settings(
        queue=queue,
        deadline=deadline,
        max_bytes=int(max_mb * 1e6),
        max_megapixels=max_megapixels,
        keep_for=store_options.keep_for(keep_days),
        keep_bytes=store_options.keep_bytes(keep_gb),
    )
    helpers: list[Helper] = []  # what is started and stopped with the station
    files = models or []
    if demo:
        from andon.server.demo import Demo, prepare

        files = [prepare(data, say=lambda text: typer.echo(text, err=True))]
        helpers.append(Demo(data))
        settings = dataclasses.replace(settings, grace=0)
    name = socket.gethostname() if station_name is None else station_name
    folders = [_watched(text) for text in watch or ()]
    watching = Watching(
        recursive=recursive,
        pattern=pattern,
        afterwards=afterwards,
        part_id_from=options.part_id_pattern(part_id_from),
        every=every,
        settle=settle,
        patience=patience,
    )
    if not folders and watching != Watching():
        raise InputError("Options of watched folders are given, but no folder; add --watch FOLDER, or leave them out.")
    data.mkdir(parents=True, exist_ok=True)
    with Store.open(db, data) as store:
        if token_file is not None and ensure_token(store, token_file):
            typer.echo(printable(f"{token_file} now holds an administrator's token: log in with it."), err=True)
        deliverer = _delivery.deliverer(
            store,
            name,
            webhooks=webhook,
            secret_file=webhook_secret_file,
            allow=webhook_allow,
            mqtt=mqtt,
            password_file=mqtt_password_file,
            every_station=True,
        )
        helpers.append(Sending(deliverer))
        if folders:
            helpers.append(Folders(folders, name, watching, deliveries=deliverer.deliveries(name)))
        station = Station(store, data, settings, deliveries=lambda row, of: deliverer.deliveries(of), helpers=helpers)
        address = Address(host=host, port=port)
        serve(station, files, address, tls=tls, proxies=trust_proxy or (), on_start=_say_where)


def _watched(text: str) -> WatchedFolder:
    """Raises:
    InputError: it names no folder that photos come into.
    """
    from andon.images import is_output
    from andon.server.folders import WatchedFolder

    model, _, folder = ("", "", text) if Path(text).is_dir() else text.rpartition("=")
    if not Path(folder).is_dir():
        raise InputError(f"--watch {text}: {folder} is no folder; give FOLDER, or MODEL=FOLDER with several models.")
    if is_output(Path(folder)):
        raise InputError(f"--watch {text}: Andon itself writes to {folder}; give the folder that photos come into.")
    return WatchedFolder(path=Path(folder), model=model or None)


def _say_where(url: str) -> None:
    typer.echo(f"Andon serves at {url} (end with Ctrl-C)", err=True)
    for every in ("0.0.0.0", "[::]"):
        if f"//{every}:" in url:
            named = url.replace(every, socket.gethostname())
            typer.echo(
                f"{every} stands for all addresses of this computer; others use its name, such as {named}", err=True
            )
