"""The computers of a Ray cluster: have they room for workers, do they see the photos, are they still there?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import NamedTuple

from andon.errors import InputError
from andon.periodic import Periodic

SECONDS_BETWEEN_LOOKS = 5.0
SECONDS_TO_LOOK = 120.0


class Host(NamedTuple):
    """A computer of the cluster that is alive."""

    node: str
    name: str
    cpus: float
    memory: float

    def workers(self, cores: int, memory: int | None) -> int:
        """How many it has room for."""
        return int(min(self.cpus // cores, self.memory // (memory or 1)))


def hosts() -> list[Host]:
    """All that are alive."""
    import ray

    return [
        Host(
            node["NodeID"],
            f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})",
            node["Resources"].get("CPU", 0.0),
            node["Resources"].get("memory", 0.0),
        )
        for node in ray.nodes()  # type: ignore[no-untyped-call]
        if node["Alive"]
    ]


def workers(cores: int, memory: int | None = None) -> int:
    """As many as the cluster has room for.

    Args:
        memory: bytes that each may hold, where that is limited.

    Raises:
        InputError: none.
    """
    found = hosts()
    total = sum(host.workers(cores, memory) for host in found)
    if not total:
        most = max(found, key=lambda host: (host.cpus, host.memory))
        wanted = f"--cores {cores}" + (f" --memory {memory / 1e9:.1f}" if memory else "")
        raise InputError(
            f"No computer of the Ray cluster has room for a worker with {wanted}; the largest, {most.name}, has "
            f"{most.cpus:.0f} cores and {most.memory / 1e9:.1f} GB: give less."
        )
    return total


def check(module: str, extra: str, paths: Sequence[str]) -> None:
    """Have every computer look whether it can work.

    Args:
        module: of Andon, that it must be able to import.
        extra: which brings what that needs.
        paths: files and folders that it must see, and URLs.

    Raises:
        InputError: one has no Andon or another one, or does not see a path.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    look = ray.remote(_look_out())
    looks = {
        host: look.options(
            num_cpus=0, max_retries=0, scheduling_strategy=NodeAffinitySchedulingStrategy(host.node, soft=False)
        ).remote(module, extra, version("andon"), list(paths))
        for host in hosts()
        if host.cpus
    }
    for host, answer in looks.items():
        try:
            wrong = ray.get(answer, timeout=SECONDS_TO_LOOK)
        except ray.exceptions.RayError:  # it is lost, or too slow to answer: others may do the work
            continue
        if wrong:
            raise InputError(f"{host.name} of the Ray cluster {wrong}")


def _look_out() -> Callable[[str, str, str, list[str]], str]:
    """A function that needs no Andon to be sent to another computer, since it is within another."""

    def look(module: str, extra: str, wanted: str, paths: list[str]) -> str:
        """What is wrong here, as the end of a sentence; else empty."""
        try:
            from importlib import import_module
            from importlib.metadata import version
            from pathlib import Path

            import_module(module)
            found = version("andon")
        except ImportError as error:
            return f"cannot work ({error}); install andon[{extra}] {wanted} on every computer of the cluster."
        if found != wanted:
            return f"has Andon {found}, and this computer {wanted}; install the same on all of them."
        for path in paths:
            try:
                if "://" in path:
                    import fsspec

                    fs, root = fsspec.url_to_fs(path)
                    is_there = fs.exists(root)
                else:
                    is_there = Path(path).exists()
                why = "" if is_there else "it is not there"
            except Exception as error:  # each file system has errors of its own
                why = str(error) or repr(error)
            if why:
                return (
                    f"cannot see {path} ({why}); what is read and written must lie on a share that all computers have "
                    "at the same path, or in an object store that all can sign in to."
                )
        return ""

    return look


@contextmanager
def watched(cores: int, memory: int | None, warn: Callable[[str], None]) -> Iterator[None]:
    """Within the block, warn of computers that are lost."""
    before, had_room = {host.node: host.name for host in hosts()}, True

    def look() -> list[Host]:
        nonlocal before
        found = hosts()
        now = {host.node: host.name for host in found}
        for lost in sorted(before[node] for node in before.keys() - now.keys()):
            warn(f"{lost} is lost to the Ray cluster; its work is done again by others.")
        before = now
        return found

    def look_for_room() -> None:
        nonlocal had_room
        has_room = any(host.workers(cores, memory) for host in look())
        if had_room and not has_room:
            warn("No computer of the Ray cluster is left that has room for a worker; waiting for one.")
        elif has_room and not had_room:
            warn("A computer of the Ray cluster has room for a worker again; the work goes on.")
        had_room = has_room

    watch = Periodic("andon-hosts", look_for_room, every=SECONDS_BETWEEN_LOOKS, at_once=False, patience=None)
    watch.start()
    try:
        yield
    finally:
        watch.stop()
    look()  # at what was lost since
