"""What was acknowledged survives kill -9."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from andon.store import Filter, Store

HERE = Path(__file__).parent
KILLS = 20


def test_what_was_acknowledged_is_there_after_20_kills(url: str, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parent), *sys.path])}
    command = [sys.executable, str(HERE / "adding.py"), url, str(KILLS)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    acknowledged = done.stdout.split()
    assert len(acknowledged) > KILLS
    with Store.open(url, tmp_path) as store:
        found = [one.inspection_id for one in store.inspections.each(Filter())]
        delivered = sum(store.outbox.counts().values())
    assert set(acknowledged) <= set(found) and len(found) == len(set(found)) == delivered
