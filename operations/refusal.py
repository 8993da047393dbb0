"""Refuse a run before its first change, with the reasons of all hosts in one message."""

from __future__ import annotations

from collections.abc import Callable

import gevent
from pyinfra import host
from pyinfra.api.exceptions import DeployError

_asking: set[str] = set()
_problems: dict[str, list[str]] = {}


def together(ask: Callable[[], list[str]]) -> None:
    """Ask the current host what stands in the way; when any host has something, refuse the whole run.

    For the body of a task, which pyinfra runs for all hosts at once while it prepares: an error raised there
    ends the run before anything was changed anywhere, but pyinfra shows the first one only. So every host
    waits for those that are being asked, and all raise the same.

    Args:
        ask: reads the host, and gives a line for each problem.

    Raises:
        DeployError: with the problems of every host.
    """
    _asking.add(host.name)
    try:
        _problems[host.name] = ask()
    finally:
        _asking.discard(host.name)
    while _asking:
        gevent.sleep(0.05)
    lines = [f"\n  - {name}: {problem}" for name, found in sorted(_problems.items()) for problem in found]
    if lines:
        raise DeployError(f"these hosts can't be deployed, nothing was changed on any:{''.join(lines)}")
