"""Refuse a run before its first change: one table of all hosts, and one message with their problems."""

from __future__ import annotations

from collections.abc import Callable

import gevent
from pyinfra import host, logger
from pyinfra.api.exceptions import DeployError

from cloud.checklist import Line, refused, table

_asking: set[str] = set()
_lines: dict[str, list[Line]] = {}
_shown: set[str] = set()


def together(ask: Callable[[], list[Line]], whole: bool) -> None:
    """Ask the current host what it is; show one table, and when a line is refused, refuse the whole run.

    For the body of a task, which pyinfra runs for all hosts at once while it prepares: an error raised there
    ends the run before anything was changed anywhere, but pyinfra shows the first one only. So every host
    waits for those that are being asked, and all raise the same.

    Args:
        ask: reads the host, and gives its lines.
        whole: whether the table has what is good, too.

    Raises:
        DeployError: with the problems of every host.
    """
    _asking.add(host.name)
    try:
        _lines[host.name] = ask()
    finally:
        _asking.discard(host.name)
    if not _asking:
        _show(whole)
    while _asking:
        gevent.sleep(0.05)
    problems = [
        f"\n  - {name}: {line.problem}" for name, lines in sorted(_lines.items()) for line in refused(lines)
    ]
    if problems:
        raise DeployError(f"these hosts can't be deployed, nothing was changed on any:{''.join(problems)}")


def _show(whole: bool) -> None:
    """The table, once: from the host that answered last. With pyinfra's --parallel, one for each batch."""
    new = {name: lines for name, lines in _lines.items() if name not in _shown}
    _shown.update(new)
    # Not printed: with --json standard output is the result's alone.
    for line in table(new, whole).splitlines():
        logger.info(line)
