"""Servers for tests: real ones on free ports, with models of numpy alone that can be stopped at will."""

from __future__ import annotations

import io
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import numpy as np
import plate_photos
import pytest
from numpy.typing import NDArray
from numpy_scorer import Orangeness, orange_pipeline
from PIL import Image

from andon.errors import ModelError
from andon.line.pipeline import Pipeline
from andon.server import desks, pictures, two_versions
from andon.server.running import Address, Server, serve
from andon.server.settings import Settings
from andon.server.station import Helper, Station
from andon.server.tls import Tls
from andon.store import Store, StoredModel
from andon.types import Mask, ModelId, RgbImage, Scores

SETTINGS = Settings(grace=0, rate=10_000, burst=10_000)
SECONDS = 30


def png(image: RgbImage) -> bytes:
    """The file of a photo."""
    data = io.BytesIO()
    Image.fromarray(image).save(data, "PNG", compress_level=1)
    return data.getvalue()


OK_PHOTO = png(plate_photos.part(1))
NG_PHOTO = png(plate_photos.rusty(2)[0])


@dataclass(frozen=True)
class Gated(Orangeness):
    """Scores only while its gate is open, and says when it was asked to, and how many at once."""

    gate: Event = field(default_factory=Event)
    asked: Event = field(default_factory=Event)
    sizes: list[int] = field(default_factory=list)

    def __call__(self, photos: NDArray[np.uint8], roi: Mask) -> Scores:
        self.asked.set()
        self.sizes.append(len(photos))
        assert self.gate.wait(SECONDS)
        return super().__call__(photos, roi)


@dataclass(frozen=True)
class Served:
    """A server that runs, and whoever asks it."""

    station: Station
    url: str
    client: httpx.Client
    server: Server

    def inspect(self, photo: bytes = OK_PHOTO, **params: str) -> httpx.Response:
        return self.client.post("/v1/inspect", content=photo, params=params)


@contextmanager
def served(
    data: Path,
    models: Sequence[Path],
    *,
    settings: Settings = SETTINGS,
    host: str = "127.0.0.1",
    port: int = 0,
    headers: Mapping[str, str] | None = None,
    helpers: Sequence[Helper] = (),
    db: str | None = None,
    tls: Tls | None = None,
    proxies: Sequence[str] = (),
) -> Iterator[Served]:
    """A server, on a free port unless one is given, until the end of the block; what it raises is raised there."""
    started = Event()
    errors: list[BaseException] = []
    found: dict[str, Any] = {}

    def run() -> None:
        try:
            with Store.open(db, data) as store:
                found["station"] = Station(store, data, settings, helpers=helpers)

                def on_start(url: str) -> None:
                    found["url"] = url
                    started.set()

                serve(
                    found["station"],
                    models,
                    Address(host=host, port=port),
                    tls=tls,
                    proxies=proxies,
                    on_start=on_start,
                    on_server=lambda server: found.update(server=server),
                )
        except BaseException as error:
            errors.append(error)
        started.set()

    data.mkdir(parents=True, exist_ok=True)
    thread = Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(SECONDS)
    if errors:
        raise errors[0]
    url = found["url"].replace("0.0.0.0", "127.0.0.1")
    trusted = ssl.create_default_context(cafile=tls.cert) if tls else True
    with httpx.Client(base_url=url, headers=headers, timeout=SECONDS, verify=trusted) as client:
        try:
            yield Served(found["station"], url, client, found["server"])
        finally:
            found["server"].end()
            thread.join(SECONDS)
    assert not thread.is_alive()
    if errors:
        raise errors[0]


Versions = dict[str, Pipeline]
"""By sha256."""


def sha(number: int) -> str:
    """The digest of a version."""
    return f"{number:064x}"


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> Versions:
    """Versions that stand for model files: `part.1` is the file of the version sha(1) of the model `part`."""
    known: Versions = {sha(1): orange_pipeline()}
    stand_in(known, monkeypatch)
    return known


def stand_in(known: Versions, patch: pytest.MonkeyPatch) -> None:
    """Let these versions be found in the place of model files."""

    def make_known(store: Store, path: Path, by: str) -> tuple[StoredModel, bool]:
        digest = sha(int(path.suffix[1:]))
        is_new = digest not in {version.sha256 for version in store.models.versions()}
        return store.models.add(digest, name=path.stem, path=str(path), by=by), is_new

    def ready(version: StoredModel) -> Pipeline:
        if version.sha256 not in known:
            raise ModelError("This version cannot be used.")
        return replace(known[version.sha256], model_id=ModelId(version.name, version.sha256))

    patch.setattr(desks, "make_known", make_known)
    patch.setattr(desks, "ready", ready)
    patch.setattr(pictures, "ready", ready)
    patch.setattr(two_versions, "ready", ready)


PART = Path("part.1")
