"""Control groups: which processes are the lab's.

Every process the lab starts enters a group of its own *before* it becomes the command, and all its
children are born there. The kernel keeps the list: it outlives a killed lab, is never stale, and no
reused process number can fool it, which a pid file can't promise.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from lab.shell import LabError, wait

# The shell enters every "cgroup.procs" before the "--", then becomes the command after it.
ENTER = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 1; shift; done; shift; exec "$@"'


@cache
def hierarchies() -> tuple[Path, ...]:
    """Mount points that a host needs a group in: version 2 first, then systemd's named one if mounted."""
    found = {}
    for line in Path("/proc/mounts").read_text().splitlines():
        _, folder, kind, options, *_ = line.split()
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(",")):
            found.setdefault(kind, Path(folder))
    if "cgroup2" not in found:
        raise LabError("no cgroup2 is mounted: mount one, `mount -t cgroup2 none /sys/fs/cgroup/unified`")
    return tuple(found[kind] for kind in ("cgroup2", "cgroup") if kind in found)


def command(group: str, argv: list[str]) -> list[str]:
    """``argv``, changed so that it runs in ``group``."""
    folders = [root / group for root in hierarchies()]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    return ["sh", "-c", ENTER, "sh", *(str(folder / "cgroup.procs") for folder in folders), "--", *argv]


def start(group: str, argv: list[str], log: Path, environment: dict[str, str] | None = None) -> None:
    """Start a process that outlives us; returns when it is in ``group``, or has already ended.

    Args:
        group: see :func:`command`.
        argv: the command.
        log: what it prints is appended there.
        environment: in addition to ours.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command(group, argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=os.environ | (environment or {}),
        )
    wait(f"{argv[0]} enters {group}", 10, lambda: members(group) or process.poll() is not None, pause=0.01)


def members(group: str) -> list[int]:
    """Processes of ``group`` and of all groups below it; none when there is no such group."""
    words = [word for folder in _tree(group) for word in _read(folder / "cgroup.procs").split()]
    return sorted({int(word) for word in words})


def kill(group: str, limit: float = 20) -> None:
    """Kill every process of ``group``, all at once, and remove the group.

    User Mode Linux needs the "all at once": with only its main process gone, its helpers spin for ever.
    """
    killer = hierarchies()[0] / group / "cgroup.kill"  # Linux 5.14
    if killer.exists():
        killer.write_text("1")
    else:
        for pid in members(group):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    wait(f"the processes of {group} end", limit, lambda: not members(group), pause=0.05)
    for folder in reversed(list(_tree(group))):
        with contextlib.suppress(OSError):  # an empty group that stays does no harm
            folder.rmdir()


def _tree(group: str) -> Iterator[Path]:
    """The folders of ``group`` in every hierarchy, parents first."""
    for root in hierarchies():
        for folder, _, _ in os.walk(root / group):  # unlike glob, at ease with groups that go away meanwhile
            yield Path(folder)


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
