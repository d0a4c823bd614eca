"""How requests come in safely: by TLS of the server itself, or by a reverse proxy that is trusted."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from andon.errors import InputError


@dataclass(frozen=True)
class Tls:
    """The files, in PEM, that a server shows who it is with.

    Attributes:
        cert: its certificate, then those of the authorities between it and the one that browsers know.
        key: its private key, without a password.

    Raises:
        InputError: they cannot be used.
    """

    cert: Path
    key: Path

    def __post_init__(self) -> None:
        for path in (self.cert, self.key):
            try:
                path.read_bytes()
            except OSError as error:
                raise InputError(f"{path} cannot be read ({error.strerror or error}).") from None
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(self.cert, self.key, _no_password)
        except ssl.SSLError as error:
            raise InputError(
                f"{self.cert} and {self.key} are no certificate with its private key, both in PEM "
                f"({error.reason or error}); give those that belong together."
            ) from None


def tls_of(cert: Path | None, key: Path | None) -> Tls | None:
    """Both, or neither.

    Raises:
        InputError: one is missing, or they cannot be used.
    """
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        raise InputError("A certificate and its private key belong together; give both --tls-cert and --tls-key.")
    return Tls(cert, key)


def check_proxies(proxies: Sequence[str]) -> None:
    """See that these are addresses or networks.

    Raises:
        InputError: one is not.
    """
    for proxy in proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            raise InputError(
                f"--trust-proxy {proxy} is neither an address such as 127.0.0.1 nor a network such as 10.0.7.0/24."
            ) from None


def _no_password() -> NoReturn:
    """Instead of asking on the terminal, which a service has none of."""
    raise InputError("The private key has a password; a server that starts by itself needs one without.")
