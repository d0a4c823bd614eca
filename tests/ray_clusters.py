"""Ray clusters for tests: hosts on this machine, or in network namespaces with addresses of their own."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from receivers import free_port

TOKEN = secrets.token_hex(32)
ENVIRONMENT = {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": TOKEN,
    "RAY_health_check_period_ms": "1000",  # a host that is cut off is lost within seconds, not half a minute
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "5",  # and so is its head, not a minute
}
LITTLE_MEMORY = ("--memory", "6000000000", "--object-store-memory", "80000000")


@dataclass
class Host:
    """A computer of a cluster: `ray start` in the foreground.

    Attributes:
        address: of the cluster.
    """

    process: subprocess.Popen[str]
    address: str

    def running(self, word: str) -> list[psutil.Process]:
        """The processes on this host that have the word in their command, such as "MapWorker", those of Ray Data."""
        return [process for process in self._children() if word in _command(process)]

    def lost(self) -> None:
        """All of its processes are killed at once."""
        for process in [self.process, *self._children()]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else []


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it has ended
        return ""


def start(address: str, *words: str, inside: Sequence[str] = (), environment: dict[str, str] | None = None) -> Host:
    """A host that has joined its cluster, or made it."""
    command = [*inside, str(Path(sys.executable).with_name("ray")), "start", "--block", *LITTLE_MEMORY, *words]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=os.environ | ENVIRONMENT | {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONUNBUFFERED": "1"} | (environment or {}),
    )
    host, said = Host(process, address), []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)
        if "Ray runtime started" in line:
            return host
    host.lost()
    raise AssertionError("".join(said))


@contextmanager
def cluster(*, cpus: int, address: str = "127.0.0.1", inside: Sequence[str] = ()) -> Iterator[Host]:
    """The head of a new cluster, which ends with the block."""
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="ray-"))  # not pytest's, as a socket's path may have 100 letters
    words = ["--head", f"--node-ip-address={address}", f"--port={port}", "--include-dashboard=false"]
    words += [f"--temp-dir={folder}", f"--num-cpus={cpus}"]
    head = start(f"{address}:{port}", *words, inside=inside)
    try:
        yield head
    finally:
        head.lost()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def joined(
    address: str, *words: str, inside: Sequence[str] = (), environment: dict[str, str] | None = None
) -> Iterator[Host]:
    """A host more, that leaves with the block."""
    host = start(address, f"--address={address}", *words, inside=inside, environment=environment)
    try:
        yield host
    finally:
        host.lost()


@contextmanager
def membership() -> Iterator[None]:
    """Within the block, this process has the token of the clusters."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        from ray._raylet import AuthenticationTokenLoader  # type: ignore[attr-defined]  # reads these once

        AuthenticationTokenLoader.instance().reset_cache()
        yield
    AuthenticationTokenLoader.instance().reset_cache()


@dataclass(frozen=True)
class Network:
    """A network namespace: a computer's network, as far as its processes can tell.

    Attributes:
        inside: the words before a command that run it there.
    """

    name: str
    address: str

    @property
    def inside(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name)

    def cut_off(self) -> None:
        """Pull its cable out."""
        _ip("-n", self.name, "link", "set", "cable", "down")


@contextmanager
def two_networks() -> Iterator[tuple[Network, Network]]:
    """Two networks with a cable between them. The test is skipped where nobody may make them."""
    own = secrets.token_hex(3)
    one, other = Network(f"andon-{own}-1", "10.77.0.1"), Network(f"andon-{own}-2", "10.77.0.2")
    try:
        for network in (one, other):
            _ip("netns", "add", network.name)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"network namespaces want root on Linux, and the program ip: {error}")
    try:
        _ip("link", "add", "cable", "netns", one.name, "type", "veth", "peer", "name", "cable", "netns", other.name)
        for network in (one, other):
            _ip("-n", network.name, "addr", "add", f"{network.address}/24", "dev", "cable")
            for link in ("lo", "cable"):
                _ip("-n", network.name, "link", "set", link, "up")
        yield one, other
    finally:
        for network in (one, other):
            _ip("netns", "del", network.name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
