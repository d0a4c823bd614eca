"""Children that add inspections from four threads as fast as they can, each killed after a moment.

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
LONGEST_SECONDS = 0.3


def add_for_ever(store: Store) -> None:
    while True:
        delivery = NewDelivery(kind="webhook", target="https://mes.example")
        added = store.inspections.add(NewInspection(row=drawn_row(), deliveries=[delivery]))
        os.write(1, f"{added.inspection_id}\n".encode())


def child(url: str) -> None:
    store = Store.open(url, Path())
    for _ in range(THREADS):
        Thread(target=add_for_ever, args=(store,)).start()


def main() -> None:
    url, kills = sys.argv[1], int(sys.argv[2])
    moments = random.Random(0)
    for _ in range(kills):
        if (process := os.fork()) == 0:
            child(url)
            return
        time.sleep(moments.uniform(0.02, LONGEST_SECONDS))
        os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        assert os.WIFSIGNALED(status), "the child ended by itself"


main()
