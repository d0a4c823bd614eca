"""Webhooks: a row as the body of a signed POST."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from ipaddress import ip_address

import httpx

from andon.delivery.addresses import RefusedAddressError, checked_addresses, is_public, normal
from andon.delivery.signing import DELIVERY, SIGNATURE, TIMESTAMP, sign
from andon.errors import InputError
from andon.store import Delivery

LEAST_SECRET = 16
MOST_ADDRESSES = 2
"""Of a host that cannot be connected to, so many are tried."""


class NotTakenError(Exception):
    """The receiver did not take a delivery, for a reason that may pass."""


@dataclass(frozen=True)
class Webhook:
    """A receiver.

    Attributes:
        url: http or https.
        secret: by which deliveries are signed, at least 16 bytes.
        allowed: hosts that may have addresses of this machine or a private network.
        timeout: seconds to connect, and to wait for the answer.

    Raises:
        InputError: the URL or the secret is none.
        RefusedAddressError: the URL names an address that is neither public nor allowed.
    """

    url: str
    secret: bytes = field(repr=False)
    allowed: Iterable[str] = ()
    timeout: float = 10.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "allowed", frozenset(map(normal, self.allowed)))
        try:
            url = httpx.URL(self.url)
        except httpx.InvalidURL as error:
            raise InputError(f"The webhook {self.url!r} is no URL ({error}); expected https://HOST/PATH.") from None
        if url.scheme not in ("http", "https") or not url.host or not 0 < (url.port or 1) < 65536:
            raise InputError(f"The webhook {self.url!r} cannot be sent to; expected https://HOST/PATH.")
        if url.userinfo:
            raise InputError("A webhook's URL is kept in the database, so it may hold no password; leave it out.")
        if len(self.secret) < LEAST_SECRET:
            raise InputError(
                f"The secret of the webhook {self.url} has {len(self.secret)} bytes; it needs {LEAST_SECRET} at least, "
                "such as those of: openssl rand -hex 32"
            )
        if normal(url.host) not in self.allowed and not _may_be_public(url.host):
            raise RefusedAddressError(
                f"The webhook {self.url} leads to this machine or a private network; allow it with --webhook-allow "
                f"{url.host} if that is intended."
            )


class WebhookSender:
    """Sends to one receiver. One thread uses it."""

    def __init__(self, webhook: Webhook) -> None:
        self.webhook = webhook
        self._url = httpx.URL(webhook.url)
        headers = {"User-Agent": f"andon/{version('andon')}", "Connection": "close"}
        trusted = ssl.create_default_context()  # what the system trusts, and SSL_CERT_FILE names
        # no proxy of the environment: it would look up the host again, and go wherever that leads
        self._client = httpx.Client(
            verify=trusted, timeout=webhook.timeout, trust_env=False, follow_redirects=False, headers=headers
        )

    def send(self, delivery: Delivery) -> None:
        """Send it; the receiver has it when this returns, as it answered with 2xx.

        Raises:
            NotTakenError: it did not.
            RefusedAddressError: the host's address is neither public nor allowed.
        """
        url = self._url
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            addresses = checked_addresses(url.host, port, frozenset(self.webhook.allowed))
        except OSError as error:
            raise NotTakenError(f"the address of {url.host} cannot be found ({error.strerror or error})") from None
        try:
            status = self._post(addresses, delivery)
        except httpx.HTTPError as error:
            raise NotTakenError(_why(error)) from None
        if not 200 <= status < 300:
            raise NotTakenError(f"it answered {status}")

    def _post(self, addresses: list[str], delivery: Delivery) -> int:
        """The status that the first address answers that can be connected to; nobody reads what else it says."""
        *others, last = addresses[:MOST_ADDRESSES]
        for address in others:
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return self._post_to(address, delivery)
        return self._post_to(last, delivery)

    def _post_to(self, address: str, delivery: Delivery) -> int:
        url, body, now = self._url, delivery.payload.encode(), int(time.time())
        request = self._client.build_request(
            "POST",
            url.copy_with(host=address),
            content=body,
            headers={
                "Host": url.netloc.decode("ascii"),
                "Content-Type": "application/json",
                DELIVERY: delivery.delivery_id,
                TIMESTAMP: str(now),
                SIGNATURE: sign(self.webhook.secret, now, body),
            },
            extensions={"sni_hostname": url.host},  # the certificate is that of the host, not of the address
        )
        response = self._client.send(request, stream=True)
        response.close()
        return response.status_code


def _why(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "it did not answer in time"
    return str(error) or type(error).__name__


def _may_be_public(host: str) -> bool:
    """Whether a name may have a public address, as far as the name alone says."""
    name = normal(host)
    try:
        return is_public(str(ip_address(name)))
    except ValueError:
        return name != "localhost" and not name.endswith(".localhost")
