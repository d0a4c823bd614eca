"""MQTT, with a real broker: rows arrive although it goes and comes back, and the status says who is there."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from new_store import new_store
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from receivers import BrokerProcess, free_port, wait_until

from andon.delivery import Broker, Deliverer, inspection_topic, status_topic
from andon.errors import InputError
from andon.store import NewDelivery, Store

TOPIC, STATUS = "andon/press-4/inspection", "andon/press-4/status"
STATION = """
import sys, time
from pathlib import Path
from andon.delivery import Broker, Deliverer
from andon.store import Store
Deliverer(Store.open(None, Path(sys.argv[1])), broker=Broker("127.0.0.1", int(sys.argv[2])), station="press-4").start()
time.sleep(60)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with new_store(tmp_path / "data") as opened:
        yield opened


@contextmanager
def delivering(store: Store, port: int) -> Iterator[None]:
    deliverer = Deliverer(store, broker=Broker("127.0.0.1", port, timeout=1), station="press-4")
    deliverer.start()
    yield
    deliverer.stop(2)


def put(store: Store, *payloads: str) -> None:
    for payload in payloads:
        store.outbox.put(NewDelivery(kind="mqtt", target=TOPIC, payload=payload))


def is_sent(store: Store, number: int) -> bool:
    return store.outbox.counts() == {("mqtt", TOPIC, "sent"): number}


def retained(port: int) -> str:
    """What stands as the station's status."""
    found: list[str] = []
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda *words: found.append(words[2].payload.decode())
    client.connect("127.0.0.1", port)
    client.subscribe(STATUS)
    deadline = time.monotonic() + 1
    while not found and time.monotonic() < deadline:
        client.loop(0.05)
    client.disconnect()
    return "".join(found)


def test_a_broker_that_goes_and_comes_back_gets_everything(store: Store) -> None:
    broker = BrokerProcess()
    put(store, "0", "1")
    with delivering(store, broker.port):  # the broker is not there yet
        time.sleep(0.3)
        broker.start()
        wait_until(lambda: is_sent(store, 2))
        assert retained(broker.port) == "online"
        broker.kill()
        put(store, "2", "3")
        broker.start()
        wait_until(lambda: is_sent(store, 4))
        assert retained(broker.port) == "online"
    assert retained(broker.port) == "offline"
    broker.kill()
    assert set(broker.payloads(TOPIC)) == {"0", "1", "2", "3"}
    assert all(one["retain"] == (one["topic"] == STATUS) for one in broker.messages if one["topic"])


def test_rows_keep_their_order(store: Store) -> None:
    with BrokerProcess() as broker:
        put(store, *map(str, range(60)))
        with delivering(store, broker.port):
            wait_until(lambda: is_sent(store, 60))
        assert broker.payloads(TOPIC) == [str(number) for number in range(60)]


def test_a_killed_station_is_offline_and_the_next_sends_what_it_left(store: Store, tmp_path: Path) -> None:
    with BrokerProcess() as broker:
        command = [sys.executable, "-c", STATION, str(tmp_path / "data"), str(broker.port)]
        put(store, "0")
        with subprocess.Popen(command) as station:
            wait_until(lambda: is_sent(store, 1))
            assert retained(broker.port) == "online"
            station.kill()
        wait_until(lambda: retained(broker.port) == "offline")
        put(store, "1")
        with delivering(store, broker.port):
            wait_until(lambda: is_sent(store, 2))


def test_no_broker_costs_no_attempts(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    put(store, "0")
    with delivering(store, free_port()):
        wait_until(lambda: "cannot be reached" in caplog.text)
        (delivery,) = store.outbox.take_due()
        assert delivery.attempts == 0


def test_topics_are_of_three_levels_whatever_the_station() -> None:
    assert inspection_topic("press-4") == TOPIC and status_topic("press-4") == STATUS
    assert inspection_topic("hall/7+#") == "andon/hall_7__/inspection"
    assert inspection_topic("") == "andon/_/inspection"


def test_where_a_broker_is() -> None:
    assert Broker.at("mqtt://plant") == Broker("plant", 1883)
    assert Broker.at("mqtts://me@plant:99", "secret") == Broker("plant", 99, "me", "secret", tls=True)
    assert Broker.at("mqtts://plant").port == 8883
    assert "secret" not in repr(Broker.at("mqtt://me@plant", "secret"))
    for wrong in ("plant", "http://plant", "mqtt://", "mqtt://plant/x", "mqtt://plant:x", "mqtt://me:secret@plant"):
        with pytest.raises(InputError):
            Broker.at(wrong)
