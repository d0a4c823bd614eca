"""Where a webhook may go: to public addresses, and to hosts that were allowed by name.

The host is resolved here, each of its addresses is looked at, and the connection is made to an address that was looked
at: a name that answers differently the second time gains nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from andon.errors import InputError

NAT64 = IPv6Network("64:ff9b::/96")


class RefusedAddressError(InputError):
    """A webhook would go to an address that was not allowed."""


def checked_addresses(host: str, port: int, allowed: Collection[str]) -> list[str]:
    """The addresses of the host, all of which may be used.

    Args:
        allowed: hosts that may have any address, as `normal` spells them.

    Raises:
        OSError: the host has no address, or it cannot be found out.
        RefusedAddressError: one of them is not public, and the host is not allowed by name.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if normal(host) not in allowed:
        for address in addresses:
            if not is_public(address):
                raise RefusedAddressError(
                    f"{host} has the address {address}, which is not public, so nothing is sent there; allow it with "
                    f"--webhook-allow {host} if that is intended."
                )
    return addresses


def normal(host: str) -> str:
    """The host in small letters, without brackets and the dot at its end."""
    return host.lower().rstrip(".").removeprefix("[").removesuffix("]")


def is_public(address: str) -> bool:
    """Whether the address is one of the internet: not of this machine, a private network, a link, or a group."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        if (inner := _inner(found)) is not None:
            return is_public(str(inner))
        if found.is_site_local:
            return False
    return found.is_global and not found.is_multicast


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that is reached by it, where it only wraps one."""
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
