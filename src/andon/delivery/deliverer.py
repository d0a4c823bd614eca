"""The deliverer: takes what is due from the outbox and sends it, in a thread for each receiver.

So a receiver that hangs or fails holds up nobody else, and never what inspects.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event, Thread

from andon.delivery.addresses import RefusedAddressError
from andon.delivery.mqtt import Broker, Publisher, inspection_topic
from andon.delivery.webhook import NotTakenError, Webhook, WebhookSender
from andon.errors import AndonError
from andon.store import Delivery, NewDelivery, Store
from andon.store.outbox import MAX_ATTEMPTS, pause

logger = logging.getLogger(__name__)

EVERY = 0.2
"""Seconds between two looks into an outbox that was empty."""

AT_ONCE = 50
"""Rows that a broker gets before it must confirm them; a webhook gets one at a time."""

JITTER = 0.25
"""A pause is longer by this share at most, at random, so that what failed together does not come back together."""

LEASE = 5
"""So many timeouts long, what was taken to be sent is nobody else's; of a killed process it is late by that."""

KEEP_SENT = timedelta(days=7)
HOUR = 3600.0


class Deliverer:
    """Sends the outbox of a store to its receivers.

    Args:
        station: whose status the broker is told, and whose rows it gets.
        every_station: the broker gets the rows of all stations of the store.
        max_attempts: after so many that failed, a delivery is given up.
    """

    def __init__(
        self,
        store: Store,
        *,
        webhooks: Sequence[Webhook] = (),
        broker: Broker | None = None,
        station: str = "",
        every_station: bool = False,
        max_attempts: int = MAX_ATTEMPTS,
    ) -> None:
        self._store = store
        self._senders = [WebhookSender(webhook) for webhook in webhooks]
        self._publisher = None if broker is None else Publisher(broker, station)
        self._topic = None if every_station else inspection_topic(station)
        self._max_attempts = max_attempts
        self._stopping = Event()
        self._threads: list[Thread] = []

    def deliveries(self, station: str) -> tuple[NewDelivery, ...]:
        """What is to be sent of an inspection of this station: its row, to each receiver."""
        to_webhooks = [NewDelivery(kind="webhook", target=sender.webhook.url) for sender in self._senders]
        if self._publisher is None:
            return tuple(to_webhooks)
        return (*to_webhooks, NewDelivery(kind="mqtt", target=inspection_topic(station)))

    def start(self) -> None:
        """Send from now on."""
        for sender in self._senders:
            self._go(f"andon-webhook {sender.webhook.url}", partial(self._post_what_is_due, sender))
        if (publisher := self._publisher) is not None:
            publisher.start()
            self._go("andon-mqtt", partial(self._publish_what_is_due, publisher))
        if self._threads:
            self._go("andon-outbox", self._forget_old)

    def stop(self, timeout: float = 5.0) -> None:
        """Send no more. What is being sent has `timeout` seconds; what was not taken is sent by the next one."""
        self._stopping.set()
        until = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        if self._publisher is not None:
            self._publisher.stop()

    def _go(self, name: str, look: Callable[[], bool]) -> None:
        thread = Thread(target=self._again_and_again, args=(look,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _again_and_again(self, look: Callable[[], bool]) -> None:
        """Look until there is nothing left, and again after a moment. A database that is away is waited for."""
        told = ""
        while not self._stopping.is_set():
            try:
                found = look()
                told = ""
            except AndonError as error:
                if told != str(error):
                    logger.warning("%s Until then nothing is sent.", error)
                told, found = str(error), False
            if not found:
                self._stopping.wait(EVERY)

    def _post_what_is_due(self, sender: WebhookSender) -> bool:
        url, lease = sender.webhook.url, timedelta(seconds=LEASE * sender.webhook.timeout)
        due = self._store.outbox.take_due(kind="webhook", target=url, limit=1, lease=lease)
        for delivery in due:
            try:
                sender.send(delivery)
            except NotTakenError as error:
                self._failed(delivery, str(error))
            except RefusedAddressError as error:
                self._store.outbox.give_up(delivery.delivery_id, str(error))
                logger.warning("%s", error)
            else:
                self._store.outbox.sent(delivery.delivery_id)
        return bool(due)

    def _publish_what_is_due(self, publisher: Publisher) -> bool:
        if not publisher.is_online:
            return False
        lease = timedelta(seconds=LEASE * publisher.timeout)
        due = self._store.outbox.take_due(kind="mqtt", target=self._topic, limit=AT_ONCE, lease=lease)
        if not due:
            return False
        arrived = publisher.publish(due)
        self._store.outbox.sent(*(one.delivery_id for one, has in zip(due, arrived, strict=True) if has))
        for delivery, has in zip(due, arrived, strict=True):
            if not has:
                self._failed(delivery, "the broker did not confirm it")
        return True

    def _failed(self, delivery: Delivery, error: str) -> None:
        longer = random.uniform(0, JITTER) * pause(delivery.attempts + 1)
        now = datetime.now(UTC) + longer
        state = self._store.outbox.failed(delivery.delivery_id, error, max_attempts=self._max_attempts, now=now)
        if state == "dead":
            logger.warning(
                "The delivery %s to %s is given up after %d attempts: %s.",
                delivery.delivery_id,
                delivery.target,
                delivery.attempts + 1,
                error,
            )

    def _forget_old(self) -> bool:
        """Once an hour; what was given up stays."""
        self._store.outbox.forget_sent(self._store.clock.at_least() - KEEP_SENT)
        self._stopping.wait(HOUR)
        return False
