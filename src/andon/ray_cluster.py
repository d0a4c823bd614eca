"""A Ray cluster to compute on: the one at an address, or one of this machine's cores that ends with the work.

Nothing leaves the cluster (usage statistics and the dashboard are off), and nobody takes part without its token.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from andon import resources
from andon.errors import InputError
from andon.periodic import Periodic

OLDEST = (2, 59)
MOST_OBJECT_STORE = 2 * 2**30  # bytes of shared memory; what tasks hand to one another is small
SHARE_OF_MEMORY = 0.15
SECONDS_TO_ANSWER = 5.0
SECONDS_BETWEEN_LOOKS = 5.0
SECONDS_TO_LOSE = 40.0  # without an answer: Ray itself ends this process after a minute, with words of its own
EXIT_LOST = 2
SETTINGS = 4  # the type of a frame of HTTP/2
HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, SETTINGS, 0, 0, 0, 0, 0])  # RFC 9113, section 3.4
TOKENS = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")


@contextmanager
def connect(address: str | None = None) -> Iterator[None]:
    """Within the block, `ray` is connected to a cluster; import it there.

    Args:
        address: "host:port" of the cluster's head node, or "auto" for one that runs on this machine already. None
            starts one of `resources.cpus()` processors on this machine, which ends with the block.

    Signing in is by token (`RAY_AUTH_MODE=token`) unless RAY_AUTH_MODE says otherwise. The token of a cluster is in
    RAY_AUTH_TOKEN, in the file that RAY_AUTH_TOKEN_PATH names, or in ~/.ray/auth_token. A cluster that is started here
    gets one of its own where there is none of these.

    Raises:
        InputError: no cluster answers at the address, or it does not know the token.
        MissingDependencyError: Ray is not installed (through `andon.extras`).
    """
    with _environment(_settings(address)):
        import ray

        _require_version(ray.__version__)
        _be_quiet()
        try:
            _require_answer(address)
            _init(address)
        except Exception as error:  # Ray raises that itself where a cluster does not start
            with suppress(Exception):
                ray.shutdown()
            raise InputError(_refused(address, error)) from error
        try:
            with _ending_with_head(address):
                yield
        finally:
            ray.shutdown()


def _init(address: str | None) -> None:
    import ray

    if address is not None:
        ray.init(address, logging_level=logging.ERROR, log_to_driver=False)
        return
    ray.init(
        "local",
        num_cpus=resources.cpus(),
        include_dashboard=False,
        object_store_memory=min(MOST_OBJECT_STORE, int(SHARE_OF_MEMORY * resources.available_memory())),
        logging_level=logging.ERROR,
        log_to_driver=False,
    )


def _be_quiet() -> None:
    """Ray prints what became of its processes on standard output, which is for rows; no setting stops it."""
    import ray

    logging.getLogger("ray").setLevel(logging.ERROR)
    vars(ray._private.worker)["print_to_stdstream"] = lambda *args, **kwargs: None


def _require_version(found: str) -> None:
    """pip keeps to it; a cluster whose computers are set up by hand may not."""
    release = tuple(int(number) for number in re.findall(r"\d+", found)[:2])
    if release < OLDEST:
        raise InputError(
            f"Ray {found} is installed, and Andon needs {OLDEST[0]}.{OLDEST[1]} or newer, as Ray Data lost rows in "
            "silence before: run pip install 'andon[ray]' on every computer of the cluster."
        )


def _require_answer(address: str | None) -> None:
    """Ray itself would try for minutes to reach a head node that is not there, or something else that is.

    A head speaks gRPC: to the first words of HTTP/2 it answers with a frame of settings.
    """
    if address == "auto":
        from ray._private.services import canonicalize_bootstrap_address

        address = canonicalize_bootstrap_address(address)
    host, colon, port = (address or "").rpartition(":")
    if not colon or not port.isdecimal():
        return
    with socket.create_connection((host.strip("[]"), int(port)), SECONDS_TO_ANSWER) as there:
        if os.environ.get("RAY_USE_TLS", "0") != "0":  # it speaks, and not to us
            return
        there.sendall(HELLO)
        if there.recv(4)[3:] != bytes([SETTINGS]):
            raise ConnectionError("what is there does not speak as Ray does")


@contextmanager
def _ending_with_head(address: str | None) -> Iterator[None]:
    """Within the block, this process ends with a sentence when the head is lost.

    Nothing of Ray returns after that, not even its shutdown.
    """
    answered = time.monotonic()

    def look() -> None:
        nonlocal answered
        with suppress(OSError):
            _require_answer(address)
            answered = time.monotonic()
        if time.monotonic() - answered < SECONDS_TO_LOSE:
            return
        sys.stderr.write(
            f"Error: The Ray cluster at {address} is lost, as its head does not answer any more; give the same command "
            "again when it does, or with a cluster that works.\n"
        )
        sys.stderr.flush()
        os._exit(EXIT_LOST)

    watch = Periodic("andon-head", look, every=SECONDS_BETWEEN_LOOKS, at_once=False, patience=0)
    if address is not None:
        watch.start()
    try:
        yield
    finally:
        watch.stop()


def _settings(address: str | None) -> dict[str, str]:
    """Of the environment, which Ray reads while it is imported and hands to what it starts."""
    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": os.environ.get("RAY_AUTH_MODE", "token"),
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else Ray warns of how it will treat GPUs one day
    }
    own = Path.home() / ".ray" / "auth_token"
    if address is None and not any(name in os.environ for name in TOKENS) and not own.is_file():
        settings["RAY_AUTH_TOKEN"] = _own_token()
    return settings


@cache
def _own_token() -> str:
    """The same for all clusters that this process starts, as Ray reads it once."""
    return secrets.token_hex(32)


@contextmanager
def _environment(settings: dict[str, str]) -> Iterator[None]:
    """These variables within the block, and what they were before it afterwards."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _refused(address: str | None, error: Exception) -> str:
    from ray.exceptions import AuthenticationError

    if address is None:
        return f"Ray could not start on this machine: {first_line(error)}"
    if isinstance(error, AuthenticationError):
        return f"This machine has no token for the Ray cluster at {address}; {_TOKEN}."
    if "Version mismatch" in str(error):
        versions = " ".join(str(error).partition(": ")[2].split())
        return f"{versions} (Ray cluster at {address}); install the same Ray and Python on all its computers."
    if "No node info found" in str(error.__cause__):
        return (
            f"This computer does not belong to the Ray cluster at {address}: run `ray start --address={address}` on it "
            "first, or give the command on a computer of the cluster."
        )
    if "InvalidAuthToken" in str(error.__cause__):
        return f"The Ray cluster at {address} has another token than this machine; {_TOKEN}."
    if isinstance(error, OSError) and "Failed to connect to Ray cluster" not in str(error):
        why = f"No Ray cluster answers at {address} ({first_line(error)})"
    else:
        why = f"The Ray cluster at {address} cannot be used ({first_line(error)})"
    return (
        f"{why}; give the address that `ray start --head` printed and the cluster's token, or leave --address out to "
        "start one on this machine."
    )


_TOKEN = (
    "put what `ray get-auth-token` prints on the cluster into RAY_AUTH_TOKEN, or set RAY_AUTH_MODE=disabled for a "
    "cluster without tokens"
)


def first_line(error: Exception) -> str:
    """What is wrong, in the error's own words, without a full stop."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).strip().partition("\n")[0].rstrip(".")
