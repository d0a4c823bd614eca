"""An MQTT broker in a process of its own, to be killed: `python mqtt_broker.py PORT`. It prints what it is sent."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from amqtt.broker import Broker
from amqtt.plugins.base import BasePlugin

ANYBODY = "amqtt.plugins.authentication.AnonymousAuthPlugin"


class Log(BasePlugin):  # type: ignore[misc]
    """Prints each message."""

    async def on_broker_message_received(self, *, client_id: str, message: Any) -> None:
        line = {"topic": message.topic, "payload": message.data.decode(), "retain": message.publish_packet.retain_flag}
        print(json.dumps(line), flush=True)  # noqa: T201


async def main(port: int) -> None:
    """Until it is killed."""
    listener = {"type": "tcp", "bind": f"127.0.0.1:{port}"}
    plugins = {ANYBODY: {"allow_anonymous": True}, "mqtt_broker.Log": {}}
    broker = Broker({"listeners": {"default": listener}, "plugins": plugins})
    await broker.start()
    print(json.dumps({"topic": "", "payload": "started", "retain": False}), flush=True)  # noqa: T201
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
