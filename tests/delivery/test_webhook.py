"""Webhooks: signed, tried again, given up at last, and never sent where they were not allowed to go."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from new_store import new_store
from receivers import Receiver, wait_until
from station_process import SECRET

from andon.delivery import Deliverer, RefusedAddressError, Webhook
from andon.delivery import deliverer as deliverer_module
from andon.delivery.addresses import is_public
from andon.errors import InputError
from andon.store import NewDelivery, Store, outbox

PUBLIC = "93.184.215.14"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with new_store(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as opened:
        yield opened


@pytest.fixture
def send(store: Store) -> Iterator[Callable[..., str]]:
    """Start a deliverer with these webhooks, and put a payload into the outbox of the first; its delivery id."""
    started: list[Deliverer] = []

    def start(*webhooks: Webhook, max_attempts: int = 20) -> str:
        deliverer = Deliverer(store, webhooks=webhooks, max_attempts=max_attempts)
        delivery_id = store.outbox.put(NewDelivery(kind="webhook", target=webhooks[0].url, payload='{"verdict": "NG"}'))
        deliverer.start()
        started.append(deliverer)
        return delivery_id

    yield start
    for deliverer in started:
        deliverer.stop(2)


def to(receiver: Receiver, timeout: float = 5) -> Webhook:
    return Webhook(receiver.url, SECRET, ["127.0.0.1"], timeout=timeout)


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """All pauses are short."""
    for module in (outbox, deliverer_module):
        monkeypatch.setattr(module, "pause", lambda attempts: timedelta(milliseconds=10))


def is_from_andon(secret: bytes, headers: dict[str, str], body: bytes, now: float) -> bool:
    """What docs/line.md tells a receiver to do."""
    timestamp = headers["Andon-Timestamp"]
    digest = hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    is_signed = hmac.compare_digest(headers["Andon-Signature"], f"sha256={digest}")
    return is_signed and abs(now - int(timestamp)) < 300


def test_a_row_arrives_signed_and_once(receiver: Receiver, store: Store, send: Callable[..., str]) -> None:
    delivery_id = send(to(receiver))
    wait_until(lambda: store.outbox.get(delivery_id).state == "sent")
    (post,) = receiver.posts
    headers = dict(post.headers.items())
    assert json.loads(post.body) == {"verdict": "NG"}
    assert headers["Andon-Delivery"] == delivery_id
    assert headers["Content-Type"] == "application/json"
    assert is_from_andon(SECRET, headers, post.body, time.time())
    assert not is_from_andon(SECRET, headers, post.body + b" ", time.time())
    assert not is_from_andon(b"another secret...", headers, post.body, time.time())
    assert not is_from_andon(SECRET, headers | {"Andon-Timestamp": "1"}, post.body, 1)


def test_errors_are_tried_again_with_the_same_id(
    receiver: Receiver, store: Store, send: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    receiver.answers = [500, 429, 302, 404]
    delivery_id = send(to(receiver))
    wait_until(lambda: store.outbox.get(delivery_id).state == "sent")
    assert {post.headers["Andon-Delivery"] for post in receiver.posts} == {delivery_id}
    assert len(receiver.posts) == 5 == store.outbox.get(delivery_id).attempts


def test_pauses_grow_and_differ(store: Store, send: Callable[..., str], receiver: Receiver) -> None:
    receiver.answers = [500] * 9
    before = time.time()
    delivery_id = send(to(receiver))
    wait_until(lambda: store.outbox.get(delivery_id).attempts == 2)
    then = store.outbox.get(delivery_id).next_attempt_at.timestamp()
    assert then - before > 3  # 1 s after the first and 2 s after the second
    assert then - time.time() <= 2.5
    assert store.outbox.get(delivery_id).last_error == "it answered 500"


def test_what_is_never_taken_becomes_a_dead_letter_that_can_be_sent_again(
    receiver: Receiver, store: Store, send: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    receiver.answers = [500, 500, 500]
    delivery_id = send(to(receiver), max_attempts=3)
    wait_until(lambda: store.outbox.get(delivery_id).state == "dead")
    assert [one.delivery_id for one in store.outbox.dead()] == [delivery_id]
    assert store.outbox.send_again([delivery_id]) == 1
    wait_until(lambda: store.outbox.get(delivery_id).state == "sent")


def test_a_receiver_that_hangs_holds_up_nobody_else(receiver: Receiver, store: Store, send: Callable[..., str]) -> None:
    with Receiver() as hanging:
        hanging.answers = [0]
        stuck = send(to(hanging, timeout=60), to(receiver))
        quick = [store.outbox.put(NewDelivery(kind="webhook", target=receiver.url, payload="{}")) for _ in range(5)]
        wait_until(lambda: all(store.outbox.get(one).state == "sent" for one in quick))
        assert store.outbox.get(stuck).attempts == 0 and len(hanging.posts) == 1


def test_a_receiver_that_hangs_is_tried_again(
    receiver: Receiver, store: Store, send: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    receiver.answers = [0]
    stuck = send(to(receiver, timeout=0.3))
    wait_until(lambda: store.outbox.get(stuck).last_error == "it did not answer in time")
    wait_until(lambda: store.outbox.get(stuck).state == "sent")


def test_a_redirect_is_not_followed(
    receiver: Receiver, store: Store, send: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    with Receiver() as elsewhere:
        receiver.location, receiver.answers = elsewhere.url, [307]
        delivery_id = send(to(receiver), max_attempts=1)
        wait_until(lambda: store.outbox.get(delivery_id).state == "dead")
        assert elsewhere.posts == [] and store.outbox.get(delivery_id).last_error == "it answered 307"


def test_a_proxy_of_the_environment_is_not_used(
    receiver: Receiver, store: Store, send: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    delivery_id = send(to(receiver))
    wait_until(lambda: store.outbox.get(delivery_id).state == "sent")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/x",
        "http://localhost./x",
        "https://127.1.2.3/",
        "http://10.0.0.1:80",
        "http://[::1]/",
        "http://[::ffff:192.168.1.1]/",
        "http://169.254.169.254/latest",
    ],
)
def test_addresses_of_this_machine_and_private_ones_are_refused(url: str) -> None:
    with pytest.raises(RefusedAddressError, match="--webhook-allow"):
        Webhook(url, SECRET)
    Webhook(url, SECRET, ["localhost", "127.1.2.3", "10.0.0.1", "::1", "::ffff:192.168.1.1", "169.254.169.254"])


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("ftp://plant.example/x", SECRET),
        ("plant.example", SECRET),
        ("https://", SECRET),
        ("https://user:password@plant.example/", SECRET),
        ("https://plant.example/", b"short"),
        ("https://plant.example:99999/", SECRET),
    ],
)
def test_what_is_no_webhook_is_told(url: str, secret: bytes) -> None:
    with pytest.raises(InputError):
        Webhook(url, secret)


def test_which_addresses_are_public() -> None:
    for address in (PUBLIC, "2606:4700::1111", "64:ff9b::5db8:d70e", "::ffff:93.184.215.14"):
        assert is_public(address), address
    private = "0.0.0.0 127.0.0.1 10.1.1.1 172.16.0.1 192.168.0.1 169.254.1.1 100.64.0.1 224.0.0.1 255.255.255.255"
    wrapped = "::1 :: fe80::1%eth0 fc00::1 fec0::1 ff02::1 ::ffff:10.0.0.1 64:ff9b::a00:1 2002:a00:1::"
    for address in f"{private} {wrapped}".split():
        assert not is_public(address), address


def test_a_name_that_leads_to_a_private_address_is_given_up_unsent(
    receiver: Receiver, store: Store, send: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, PUBLIC, "127.0.0.1")
    port = receiver.url.split(":")[2]
    delivery_id = send(Webhook(f"http://plant.example:{port}", SECRET))
    wait_until(lambda: store.outbox.get(delivery_id).state == "dead")
    assert "plant.example has the address 127.0.0.1" in store.outbox.get(delivery_id).last_error
    assert receiver.posts == []


def test_the_connection_goes_to_the_address_that_was_looked_at(
    receiver: Receiver, store: Store, send: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is looked up once: what it would lead to the second time is not asked."""
    asked = answer(monkeypatch, "127.0.0.1")
    port = receiver.url.split(":")[2]
    delivery_id = send(Webhook(f"http://plant.example:{port}", SECRET, ["PLANT.example"]))
    wait_until(lambda: store.outbox.get(delivery_id).state == "sent")
    assert asked == ["plant.example"]
    assert receiver.posts[0].headers["Host"] == f"plant.example:{port.partition('/')[0]}"


def test_a_name_without_an_address_is_tried_again(
    store: Store, send: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch)
    delivery_id = send(Webhook("http://plant.example/", SECRET))
    wait_until(lambda: store.outbox.get(delivery_id).attempts == 1)
    assert store.outbox.get(delivery_id).state == "pending"
    assert "the address of plant.example cannot be found" in store.outbox.get(delivery_id).last_error


def answer(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Every name has these addresses; the list of the names that were asked for."""
    asked: list[str] = []
    look_up = socket.getaddrinfo

    def found(host: str, port: int, *rest: int, **more: int) -> list[object]:
        if host.replace(".", "").isdigit():  # what connects asks for numbers, too
            return list(look_up(host, port, *rest, **more))
        asked.append(host)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    return asked
