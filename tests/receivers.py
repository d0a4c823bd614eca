"""Who rows are sent to: a web server that keeps what is posted to it, and an MQTT broker that is killed at will."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

SECONDS = 60


def wait_until(is_so: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Raises:
    AssertionError: it is not so in the end.
    """
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass(frozen=True)
class Post:
    headers: Message
    body: bytes

    @property
    def row(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


class Receiver:
    """Attributes:
    posts: all that came, whatever was answered.
    answers: statuses of the next answers, then 200; 0 never answers.
    """

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.answers: list[int] = []
        self.location = ""
        self._ended = Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts.append(Post(self.headers, body))
                status = receiver.answers.pop(0) if receiver.answers else 200
                if not status:
                    receiver._ended.wait()
                    return
                self.send_response(status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/rows?line=4"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()


class BrokerProcess:
    """Attributes:
    messages: all that it was sent, of all its runs.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.messages: list[dict[str, Any]] = []

    def start(self) -> Self:
        script = Path(__file__).with_name("mqtt_broker.py")
        command = [sys.executable, "-W", "ignore", str(script), str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline()
        self._reader = Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()
        return self

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    def payloads(self, topic: str) -> list[str]:
        return [message["payload"] for message in self.messages if message["topic"] == topic]

    def _read(self, lines: Any) -> None:
        with lines:
            for line in lines:
                self.messages.append(json.loads(line))
