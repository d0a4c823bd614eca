"""MQTT: rows on andon/STATION/inspection, and on andon/STATION/status whether the station is there.

QoS 1, from the store's outbox: what MQTT itself keeps to deliver a message exactly once does not survive a kill.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from andon.errors import InputError
from andon.store import Delivery

logger = logging.getLogger(__name__)

KEEPALIVE = 30
LONGEST_PAUSE = 30
MOST_QUEUED = 200
EXPECTED = "expected mqtt://HOST, mqtts://HOST for TLS, with :PORT where it is another, and USER@ where one is needed"


def inspection_topic(station: str) -> str:
    """Where the rows of a station go."""
    return f"andon/{_level(station)}/inspection"


def status_topic(station: str) -> str:
    """Where "online" or "offline" stands, retained."""
    return f"andon/{_level(station)}/status"


def _level(station: str) -> str:
    """The station as one level of a topic, in which some characters mean something else."""
    name = station.encode("utf-8", "replace").decode()[:200]
    return re.sub(r"[/+#\x00-\x1f\x7f]", "_", name) or "_"


@dataclass(frozen=True)
class Broker:
    """Where an MQTT broker is.

    Attributes:
        timeout: seconds that it has to confirm what was published at once.
    """

    host: str
    port: int = 1883
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    timeout: float = 10.0

    @classmethod
    def at(cls, url: str, password: str | None = None) -> Self:
        """The broker at a URL such as mqtt://user@broker.plant:1883.

        Raises:
            InputError: it is no such URL.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in ("mqtt", "mqtts") or parts.path.strip("/") or parts.query:
            raise InputError(f"The MQTT broker cannot be read from its URL; {EXPECTED}.")
        if parts.password is not None:
            raise InputError(
                "Others can see an MQTT broker's URL in the list of processes; give its password in a "
                "file with --mqtt-password-file."
            )
        tls = parts.scheme == "mqtts"
        return cls(host, port or (8883 if tls else 1883), parts.username and unquote(parts.username), password, tls)


class Publisher:
    """A connection to a broker, made again whenever it is lost. One thread publishes.

    Args:
        station: whose status is told: online from now on, and offline when this ends, however it ends.
    """

    def __init__(self, broker: Broker, station: str) -> None:
        self._broker = broker
        self._status = status_topic(station)
        self._told = ""
        client = Client(CallbackAPIVersion.VERSION2, client_id=f"andon-{uuid.uuid4().hex[:16]}")
        client.will_set(self._status, "offline", qos=1, retain=True)
        client.reconnect_delay_set(1, LONGEST_PAUSE)
        client.max_queued_messages_set(MOST_QUEUED)
        client.on_connect = self._on_connect
        client.on_connect_fail = lambda *_: self._tell("cannot be reached")
        client.on_disconnect = lambda *_: self._tell("is away")
        if broker.user is not None:
            client.username_pw_set(broker.user, broker.password)
        if broker.tls:
            client.tls_set()
        self._client = client

    def start(self) -> None:
        """Begin to connect, and to stay connected, in a thread."""
        self._client.connect_async(self._broker.host, self._broker.port, KEEPALIVE)
        self._client.loop_start()

    @property
    def is_online(self) -> bool:
        """Whether the broker is there."""
        return self._client.is_connected()

    @property
    def timeout(self) -> float:
        """Of the broker."""
        return self._broker.timeout

    def publish(self, deliveries: Sequence[Delivery]) -> list[bool]:
        """Whether the broker has each of these; it has its timeout, for all of them together, to say so."""
        until = time.monotonic() + self.timeout
        sent = [self._client.publish(delivery.target, delivery.payload, qos=1) for delivery in deliveries]
        return [_arrived(one, until) for one in sent]

    def stop(self, *, seconds: float = 2.0) -> None:
        """Say that the station is offline, and end the connection."""
        if self.is_online:
            said = self._client.publish(self._status, "offline", qos=1, retain=True)
            _arrived(said, time.monotonic() + seconds)
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._tell(f"refuses the connection ({reason})")
            return
        self._tell("is there")
        client.publish(self._status, "online", qos=1, retain=True)

    def _tell(self, what: str) -> None:
        """Log a change, once."""
        if what != self._told:
            logger.log(
                logging.INFO if what == "is there" else logging.WARNING,
                "The MQTT broker %s:%d %s.",
                self._broker.host,
                self._broker.port,
                what,
            )
        self._told = what


def _arrived(sent: MQTTMessageInfo, until: float) -> bool:
    if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
        return False
    try:
        sent.wait_for_publish(max(0.0, until - time.monotonic()))
        return sent.is_published()
    except (RuntimeError, ValueError):
        return False
