"""andon watch: a verdict for every photo that comes into a folder."""

from __future__ import annotations

import signal
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from andon.cli import _delivery, _store, _watching
from andon.cli import _options as options
from andon.errors import InputError

if TYPE_CHECKING:
    from andon.watching import Watcher


def command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where photos come in.")],
    model: Annotated[Path, typer.Option("--model", "-m", metavar="MODEL", help="Of andon train or andon export.")],
    db: _store.Db = None,
    data: _store.Data = _store.DATA,
    station: Annotated[str | None, typer.Option(help="Name of the station; without it, that of the computer.")] = None,
    recursive: _watching.Recursive = False,
    pattern: _watching.Pattern = "*",
    part_id_from: options.PartIdFrom = None,
    afterwards: _watching.Afterwards = "leave",
    every: _watching.Every = 1.0,
    settle: _watching.Settle = 1.0,
    patience: _watching.Patience = 30.0,
    keep: Annotated[bool, typer.Option("--keep/--no-keep", help="Keep a copy of each photo in --data.")] = True,
    keep_days: _store.KeepDays = _store.DAYS,
    keep_gb: _store.KeepGb = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line and photo.")] = False,
    webhook: _delivery.Webhooks = None,
    webhook_secret_file: _delivery.WebhookSecret = None,
    webhook_allow: _delivery.WebhookAllow = None,
    mqtt: _delivery.MqttBroker = None,
    mqtt_password_file: _delivery.MqttPassword = None,
    no_guard: options.NoGuard = False,
    weights: options.Weights = None,
    precision: options.Precision = "auto",
) -> None:
    """Inspect each photo that comes into a folder, once, until Ctrl-C.

    Each row is printed when it is in the database. The content of a photo makes
    it one: neither a restart nor another name has it inspected again. A file
    that is still being written is waited for; one that is no photo in the end
    is a row with the verdict error.

    Exit code: 0 after Ctrl-C or SIGTERM; what was begun is finished before.

    Example: andon watch /mnt/camera1 --model bolt.safetensors --station press-4
    """
    from dataclasses import replace

    from andon.images import is_output
    from andon.models.load import load
    from andon.reports.row_files import echo
    from andon.store import PhotoStore, Store
    from andon.store.housekeeping import Housekeeper
    from andon.watching import Folder, PipelineInspector, Watcher
    from andon.watching import afterwards as read_afterwards

    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; give the folder that photos come into, and connect its share before.")
    if is_output(folder):
        raise InputError(f"{folder} is a folder that Andon writes to; give the folder that photos come into.")
    put_away = read_afterwards(afterwards, folder)
    part_ids = options.part_id_pattern(part_id_from)
    name = socket.gethostname() if station is None else station
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(db, data))
        deliverer = _delivery.deliverer(
            store,
            name,
            webhooks=webhook,
            secret_file=webhook_secret_file,
            allow=webhook_allow,
            mqtt=mqtt,
            password_file=mqtt_password_file,
        )
        pipeline = load(model, weights=weights, precision=precision)
        if no_guard:
            pipeline = replace(pipeline, guard=None)
        inspector = PipelineInspector(
            pipeline,
            store,
            photos=PhotoStore(data) if keep else None,
            station=name,
            deliveries=deliverer.deliveries(name),
            part_id_from=part_ids,
        )
        watched = Folder(
            folder,
            recursive=recursive,
            pattern=pattern,
            settle=settle,
            patience=patience,
            without=put_away.folder,
        )
        watcher = Watcher(watched, store, inspector, afterwards=put_away, every=every)
        _stop_cleanly(watcher)
        deliverer.start()
        stack.callback(deliverer.stop)
        if keep:
            housekeeper = Housekeeper(
                store,
                PhotoStore(data),
                keep_for=_store.keep_for(keep_days),
                keep_bytes=_store.keep_bytes(keep_gb),
            )
            housekeeper.start()
            stack.callback(housekeeper.stop)
        typer.echo(f"Watching {folder} as station {name}; inspections go into {store}. Ctrl-C ends it.", err=True)
        for row in watcher.rows():
            echo(row, "json" if as_json else "text")


def _stop_cleanly(watcher: Watcher) -> None:
    """Ctrl-C and SIGTERM end the watching when what was taken is finished; the second of them ends it at once."""

    def stop(number: int, frame: object) -> None:
        signal.signal(number, signal.default_int_handler)
        watcher.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
