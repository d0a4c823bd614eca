"""The signature by which a receiver knows that a webhook is from Andon, and is not an old one sent again by others."""

from __future__ import annotations

import hmac

DELIVERY = "Andon-Delivery"
"""The header with the delivery's id, which stays the same however often it is sent."""

TIMESTAMP = "Andon-Timestamp"
"""The header with the time of this attempt, in whole seconds since 1970."""

SIGNATURE = "Andon-Signature"
"""The header with the signature: "sha256=" and 64 hex digits."""


def sign(secret: bytes, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256 over the timestamp, a dot and the body, as the header has it."""
    return "sha256=" + hmac.digest(secret, f"{timestamp}.".encode() + body, "sha256").hex()
