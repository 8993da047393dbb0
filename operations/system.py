"""Settings of the operating system."""

from __future__ import annotations

from shlex import quote

from pyinfra import host
from pyinfra.api import StringCommand, operation

from facts.reading import Unreadable, read
from facts.system import SameTimezone
from operations.failure import fail


@operation()
def timezone(timezone: str):
    """Set the time zone.

    Unlike pyinfra's ``server.timezone`` it knows that one zone can have several names: Debian's UTC is a link
    to Etc/UTC, and was set anew in each run.

    Args:
        timezone: as in ``timedatectl list-timezones``.
    """
    same = read(SameTimezone, timezone=timezone)
    if isinstance(same, Unreadable):
        yield fail(f"timezone: {timezone!r} can't be looked up: {same.reason}")
    elif same:
        host.noop(f"the time zone is {timezone}")
    else:
        yield StringCommand("timedatectl set-timezone", quote(timezone))
