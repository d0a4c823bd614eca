"""Children that add inspections from four threads as fast as they can, each killed after some.

adding.py URL KILLS prints the id of every inspection that was acknowledged.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path
from threading import Thread

from drawn_rows import drawn_row

from andon.store import NewDelivery, NewInspection, Store

THREADS = 4
MOST_BEFORE_A_KILL = 12


def add_for_ever(store: Store, pipe: int) -> None:
    while True:
        delivery = NewDelivery(kind="webhook", target="https://mes.example")
        added = store.inspections.add(NewInspection(row=drawn_row(), deliveries=[delivery]))
        os.write(pipe, f"{added.inspection_id}\n".encode())


def child(url: str, pipe: int) -> None:
    store = Store.open(url, Path())
    for _ in range(THREADS):
        Thread(target=add_for_ever, args=(store, pipe)).start()


def main() -> None:
    url, kills = sys.argv[1], int(sys.argv[2])
    moments = random.Random(0)
    for _ in range(kills):
        reading, writing = os.pipe()
        if (process := os.fork()) == 0:
            child(url, writing)
            return
        os.close(writing)
        with os.fdopen(reading) as acknowledged:
            for _ in range(moments.randrange(MOST_BEFORE_A_KILL)):
                sys.stdout.write(acknowledged.readline())
            time.sleep(moments.uniform(0, 0.02))
            os.kill(process, signal.SIGKILL)
            sys.stdout.write(acknowledged.read())
        _, status = os.waitpid(process, 0)
        assert os.WIFSIGNALED(status), "the child ended by itself"


main()
