"""Settings of the operating system."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote

from pyinfra import host
from pyinfra.api import StringCommand, operation

from facts.reading import Unreadable, read
from facts.system import KernelSettings, SameTimezone
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


@operation()
def kernel(settings: Mapping[str, str]):
    """Change settings of the running kernel; the next boot reads those of /etc/sysctl.d.

    Args:
        settings: name, as sysctl has it, and value.

    **Example:**

    .. code:: python

        system.kernel(name="Let haproxy listen", settings={"net.ipv4.ip_nonlocal_bind": "1"})
    """
    found = read(KernelSettings, names=list(settings))
    if isinstance(found, Unreadable):
        yield fail(f"the kernel's settings on {host.name} can't be read: {found.reason}")
        return
    changes = {name: value for name, value in settings.items() if found.get(name) != value}
    if not changes:
        host.noop(f"the kernel has {', '.join(settings)} as wanted")
    for name, value in changes.items():
        yield StringCommand("echo", quote(value), ">", quote(f"/proc/sys/{name.replace('.', '/')}"))
