"""The table that `status` prints."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import cgroups, lifecycle, ssh
from lab.hosts import Host, Lab

HEAD = ("NAME", "KIND", "ADDRESS", "STATE", "SSH", "MEMORY", "UPTIME")


def table(lab: Lab) -> str:
    """One row a host."""
    with ThreadPoolExecutor(len(lab.hosts)) as pool:
        rows = [HEAD, *pool.map(lambda host: row(lab, host), lab.hosts)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in rows)


def row(lab: Lab, host: Host) -> tuple[str, ...]:
    """What is known of one host."""
    pids = cgroups.members(lab.group(host.name))
    if not pids:
        state = "stopped" if lifecycle.folder(host).exists() else "absent"
        return (host.name, host.kind, host.address, state, "-", "-", "-")
    greets = "yes" if ssh.answers(host) else "no"
    memory = sum(map(_memory, pids)) / 2**20
    return (
        host.name,
        host.kind,
        host.address,
        "running",
        greets,
        f"{memory:.0f} MiB",
        duration(max(map(_age, pids))),
    )


def duration(seconds: float) -> str:
    """``3 s``, ``4 min``, ``5.0 h``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def _memory(pid: int) -> int:
    """Bytes of a process, with its share of what it shares; 0 when it has gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _age(pid: int) -> float:
    """Seconds since a process started; 0 when it has gone."""
    try:
        # The second field, the command's name in parentheses, may hold spaces; the start is the 22nd.
        started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return 0
    return float(Path("/proc/uptime").read_text().split()[0]) - int(started) / os.sysconf("SC_CLK_TCK")
