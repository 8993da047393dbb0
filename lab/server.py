"""Servers on the management bridge, each in a control group of its own."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

from lab import cgroups
from lab.hosts import Lab
from lab.shell import LabError, wait

START_LIMIT = 10  # seconds


def up(lab: Lab, part: str, port: int, argv: Sequence[str], log: Path) -> None:
    """Start a server on the machine's management address, unless it runs and listens.

    Args:
        lab: the table.
        part: the name of its control group.
        port: where it will listen.
        argv: the command.
        log: the file for its output.

    Raises:
        LabError: another process has the port, or the server did not start.
    """
    group = lab.group(part)
    if cgroups.members(group) and _listens(lab, port):
        return
    cgroups.kill(group)
    if _listens(lab, port):
        raise LabError(f"another process listens on {lab.gateway.ip}:{port}: see `ss -ltnp`, stop it")
    cgroups.start(group, argv, log)
    try:
        wait(f"the {part} listens", START_LIMIT, lambda: _listens(lab, port))
    except LabError as error:
        raise LabError(f"{error}; {log} says: {log.read_text()[-600:].strip() or 'nothing'}") from None


def _listens(lab: Lab, port: int) -> bool:
    """Whether anything takes connections there."""
    try:
        socket.create_connection((str(lab.gateway.ip), port), timeout=1).close()
    except OSError:
        return False
    return True
