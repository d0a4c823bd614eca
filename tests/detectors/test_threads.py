"""Threads in each of which torch computes alone: as long as they live, nobody else's number of threads changes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

from andon.detectors._threads import alone, map_over_cores, over_cores


def in_a_new_thread(function: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(function).result()


def in_a_process(script: str, **environment: str) -> str:
    """What a script prints that has these threads from its start."""
    done = subprocess.run(
        [sys.executable, "-c", f"from andon.detectors._threads import alone, over_cores\nimport torch\n{script}"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_maps_in_order_over_several_lists() -> None:
    assert over_cores(lambda a, b: a - b, range(50), range(50, 0, -1)) == [2 * i - 50 for i in range(50)]
    assert over_cores(abs, []) == []


def test_torch_computes_alone_in_each_and_as_before_everywhere_else() -> None:
    """Before, while and after they work; the caller and threads that begin meanwhile alike."""
    caller = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        working, seen = threading.Event(), threading.Event()

        def task() -> int:
            working.set()
            assert seen.wait(5)
            return torch.get_num_threads()

        with ThreadPoolExecutor(1) as other:
            found = other.submit(alone, task)
            assert working.wait(5)
            assert (torch.get_num_threads(), in_a_new_thread(torch.get_num_threads)) == (3, 3)
            seen.set()
            assert found.result() == 1
        assert (torch.get_num_threads(), in_a_new_thread(torch.get_num_threads)) == (3, 3)
        assert set(over_cores(lambda _: torch.get_num_threads(), range(20))) == {1}
    finally:
        torch.set_num_threads(caller)


ONE_AFTER_THE_OTHER = {
    "the first call leaves torch as it was": """
import threading
torch.set_num_threads(3)
def ask(): print(torch.get_num_threads())
print(alone(torch.get_num_threads)); ask()
thread = threading.Thread(target=ask); thread.start(); thread.join()
""",
    "as many work at once as resources say": """
together = threading.Barrier(2, timeout=20)
print(len(set(over_cores(lambda _: (together.wait(), threading.get_ident())[1], range(8)))))
""",
    "tasks may have tasks, and more callers than threads at once wait for no other": """
from concurrent.futures import ThreadPoolExecutor
nested = lambda i: over_cores(lambda j: alone(lambda: 10 * i + j), range(3))
with ThreadPoolExecutor(16) as callers:
    found = list(callers.map(lambda _: over_cores(nested, range(8)), range(16)))
print(found == [[[10 * i + j for j in range(3)] for i in range(8)]] * 16)
""",
    "a process that was forked has threads of its own": """
import os
child = os.fork()
if child == 0:
    os._exit(0 if over_cores(abs, [-7]) == [7] else 1)
print(os.waitpid(child, 0)[1])
""",
}
SAID = (["1", "3", "3"], ["2"], ["True"], ["0"])


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_in_a_process_of_its_own() -> None:
    """One process for all, as each would first import torch."""
    script = "\n".join(f"print({what!r})\n{code}" for what, code in ONE_AFTER_THE_OTHER.items())
    said = in_a_process(script, ANDON_THREADS="2").splitlines()
    assert said == [line for what, lines in zip(ONE_AFTER_THE_OTHER, SAID, strict=True) for line in (what, *lines)]


def test_a_task_that_raises_stops_its_own_map_alone() -> None:
    with pytest.raises(ZeroDivisionError):
        over_cores(lambda i: 1 // i, [1, 0, 1])
    results = map_over_cores(abs, [-1, -2])
    assert next(results) == 1
    assert over_cores(abs, [-3]) == [3]
    assert next(results) == 2


FITTED = """
import hashlib
from andon import backbones, detectors
generator = torch.Generator().manual_seed(0)
x = torch.nn.functional.avg_pool2d(torch.rand(6, 3, 64, 96, generator=generator), 3, 1, 1)
x[:, 2] *= torch.linspace(0.5, 1, 6)[:, None, None]
batches = [(x[:4], torch.ones(4, 64, 96, dtype=torch.bool)), (x[4:], torch.ones(2, 64, 96, dtype=torch.bool))]
backbone = backbones.create(backbones.BackboneConfig())
for name, parameters in {
    "patchcore": {"colour_weight": 0.3, "density_keep": 0.8, "density_neighbors": 2},
    "padim": {"dimensions": 40},
}.items():
    for tensor, value in detectors.create(name, backbone, parameters).fit(batches, seed=1).learned().items():
        print(name, tensor, hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_the_same_seed_gives_the_same_model_with_any_number_of_threads() -> None:
    """Bit by bit, though the network and the factorisation come out otherwise where torch splits them over threads."""
    one, three = (in_a_process(FITTED, ANDON_THREADS=n, OMP_NUM_THREADS=n) for n in ("1", "3"))
    assert len(one.splitlines()) == 8
    assert one == three
