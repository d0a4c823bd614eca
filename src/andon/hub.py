"""Avoid waiting for a hub that cannot be reached."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit


def fail_fast_offline() -> None:
    """Where the hub's name cannot be resolved, use what is in its cache instead of retrying for a minute.

    The hub's client reads this variable when it is first imported, so this must come before timm and transformers.
    """
    if any(variable in os.environ for variable in ("HF_HUB_OFFLINE", "HTTPS_PROXY", "https_proxy")):
        return
    try:
        socket.getaddrinfo(urlsplit(os.environ.get("HF_ENDPOINT", "https://huggingface.co")).hostname, 443)
    except OSError:
        os.environ["HF_HUB_OFFLINE"] = "1"
