"""Sending what is due in the store's outbox: to webhooks, and to an MQTT broker.

Whatever is sent arrives at least once, whoever is killed; a second one is known by its id. Needs the extra `serve`.
"""

from andon.delivery.addresses import RefusedAddressError
from andon.delivery.deliverer import Deliverer
from andon.delivery.mqtt import Broker, inspection_topic, status_topic
from andon.delivery.signing import DELIVERY, SIGNATURE, TIMESTAMP, sign
from andon.delivery.webhook import Webhook

__all__ = [
    "DELIVERY",
    "SIGNATURE",
    "TIMESTAMP",
    "Broker",
    "Deliverer",
    "RefusedAddressError",
    "Webhook",
    "inspection_topic",
    "sign",
    "status_topic",
]
