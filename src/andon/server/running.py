"""Starts a server and stops it: not ready first, then no new connections, then what was taken is finished."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn

from andon.errors import InputError
from andon.server.access import Access
from andon.server.app import make_app
from andon.server.connection import Connection
from andon.server.feed import Feed
from andon.server.shield import LOOPBACK_NAMES, MOST_OF_HEADERS
from andon.server.station import Station
from andon.server.tls import Tls, check_proxies

KEEP_ALIVE = 30
SECONDS_TO_FINISH = 60
SECONDS_TO_SAY_GOODBYE = 2
WAITING_CONNECTIONS = 512


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a server listens; port 0 stands for any free one."""

    host: str = "127.0.0.1"
    port: int = 8765

    @property
    def is_loopback(self) -> bool:
        """Whether only this computer can reach it."""
        if self.host in LOOPBACK_NAMES:
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def take(self) -> socket.socket:
        """Keep others from it; nobody can connect yet.

        Raises:
            InputError: the address cannot be listened on.
        """
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
            family, kind, protocol, _, where = found[0]
            # asyncio sends at once only where the protocol is named; else a client may get its answer 40 ms later
            listening = socket.socket(family, kind, protocol)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(where)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(
                f"{self.host} port {self.port} cannot be listened on ({reason}); give another one with --host or "
                "--port, or stop the server that has it."
            ) from None
        return listening


class Server(uvicorn.Server):
    """A server that says that it ends before it does."""

    def __init__(self, config: uvicorn.Config, station: Station, feed: Feed) -> None:
        super().__init__(config)
        self._station = station
        self._feed = feed

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal ends it in good order, the second at once."""
        if self._station.is_draining:
            self.force_exit = True
            logging.getLogger("uvicorn.error").disabled = True  # a traceback for each request that is cut off
        self.end()

    def end(self) -> None:
        """Not ready from now on, and soon no more connections. From any thread."""
        if not self._station.is_draining:
            self._station.is_draining = True
            threading.Timer(self._station.settings.grace, self._stop_listening).start()

    def _stop_listening(self) -> None:
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let the followers of events go, as they would stay for ever; all others are finished."""
        self._feed.close()
        cutting = asyncio.create_task(self._cut_what_is_done()) if self.config.is_ssl else None
        await super().shutdown(sockets)
        if cutting is not None:
            cutting.cancel()

    async def _cut_what_is_done(self) -> None:
        """Wait for no client to say goodbye: asyncio gives each half a minute, and one that is idle never does."""
        while True:
            done = [one.transport for one in self.server_state.connections if one.transport.is_closing()]
            await asyncio.sleep(SECONDS_TO_SAY_GOODBYE)
            for transport in done:
                transport.abort()


def serve(
    station: Station,
    models: Sequence[Path],
    address: Address,
    *,
    tls: Tls | None = None,
    proxies: Sequence[str] = (),
    on_start: Callable[[str], None] = lambda url: None,
    on_server: Callable[[Server], None] = lambda server: None,
) -> None:
    """Serve until a signal comes, or `Server.end` is called.

    Args:
        tls: without it, the server speaks HTTP.
        proxies: addresses and networks of reverse proxies. Whoever asks from there is believed that they ask for the
            address in X-Forwarded-For, by the protocol in X-Forwarded-Proto; of others both are ignored.
        on_start: is told the address once it is listened on.
        on_server: is given the server before it begins.

    Raises:
        InputError: it would be open to others without a token, the address is taken, or a proxy's is none.
        AndonError: a model cannot be used.
    """
    check_proxies(proxies)
    access = Access(station.store, station.data, may_be_open=address.is_loopback)
    if not address.is_loopback and access.has_no_tokens():
        raise InputError(
            f"At {address.host}, others can reach the server, and there is no token yet; give --token-file FILE, or "
            "make one with: andon token add NAME"
        )
    listening = address.take()
    try:
        station.start(models)
        app = make_app(station, access)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
            ssl_certfile=tls.cert if tls else None,
            ssl_keyfile=tls.key if tls else None,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=SECONDS_TO_FINISH,
            h11_max_incomplete_event_size=MOST_OF_HEADERS,
            http=Connection,
            backlog=WAITING_CONNECTIONS,
            ws="none",
        )
        server = Server(config, station, app.state.andon.feed)
        on_server(server)
        host, port = listening.getsockname()[:2]
        listening.listen(WAITING_CONNECTIONS)  # from here on, whoever connects is served
        on_start(f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}")
        server.run(sockets=[listening])
    finally:
        listening.close()
        station.stop()
