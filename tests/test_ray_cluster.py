"""What is at an address and is no cluster that this computer may use: one sentence, and soon."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer, SimpleHTTPRequestHandler

import pytest
import ray_clusters

from andon import engines, ray_cluster
from andon.errors import InputError
from andon.ray_cluster import connect

CONNECT = """
import sys
from andon.errors import InputError
from andon.ray_cluster import connect
try:
    with connect(sys.argv[1]):
        pass
except InputError as error:
    print(error)
"""
ALONE = ("unshare", "--pid", "--mount", "--fork", "--mount-proc")
"""A process that sees no other, as if on another computer."""


@contextmanager
def web_server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_no_cluster_at_an_address_is_one_sentence() -> None:
    says = r"^No Ray cluster answers at 127\.0\.0\.1:1 \(Connection refused\); give"
    with pytest.raises(InputError, match=says), engines.opened("ray", "127.0.0.1:1"):
        pass


def test_what_is_no_cluster_is_told_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    with web_server() as address:
        refused = (
            rf"^No Ray cluster answers at {address} \(what is there does not speak as Ray does\); give the address"
        )
        with pytest.raises(InputError, match=refused), connect(address):
            pass
    monkeypatch.setattr(ray_cluster, "SECONDS_TO_ANSWER", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(InputError, match=rf"^No Ray cluster answers at {address} \(timed out\)"), connect(address):
            pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may hide processes from one another")
def test_a_computer_that_does_not_belong_to_the_cluster_is_told_how_it_would() -> None:
    with ray_clusters.cluster(cpus=1) as head:
        command = [*ALONE, sys.executable, "-c", CONNECT, head.address]
        env = os.environ | ray_clusters.ENVIRONMENT | {"RAY_gcs_server_request_timeout_seconds": "3"}
        said = subprocess.run(command, capture_output=True, text=True, env=env, check=True).stdout
    assert said.startswith(f"This computer does not belong to the Ray cluster at {head.address}: run `ray start --add")
