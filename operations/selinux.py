"""SELinux: its mode, now and at boot, and its booleans. A host without SELinux says so, and is not failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation

from facts.reading import Unreadable, read
from facts.selinux import CONFIG, SELinux
from operations.failure import fail, warn


@operation()
def mode(mode: Literal["enforcing", "permissive", "disabled"]):
    """Set SELinux's mode for now and for the next boot. Never reboots.

    Between enforcing and permissive it changes at once. To and from disabled needs a reboot, which is said.
    What was disabled has unlabelled files: they are labelled at that boot, which goes into permissive first;
    the run after it enforces. Disabling also gives the kernel ``selinux=0``: from RHEL 9 on it would
    start SELinux without a policy if the configuration file alone said so.

    Source: RHEL 9, Using SELinux, 2.4 and 2.6: changing SELinux states and modes.

    Args:
        mode: the mode to have.

    **Example:**

    .. code:: python

        selinux.mode(name="Set SELinux's mode", mode="enforcing")
    """
    found = read(SELinux)
    if isinstance(found, Unreadable):
        yield fail(f"selinux: its mode can't be read: {found.reason}")
        return
    now, boot = found["now"], found["boot"]
    if boot is None:
        host.noop("SELinux has no mode here: nothing to set")
        return
    off = now in (None, "disabled")
    at_boot = "permissive" if off and mode == "enforcing" else mode
    kernel = found["kernel_off"] is not None and found["kernel_off"] != (mode == "disabled")
    switch = not off and mode != "disabled" and now != mode
    reboot = off != (mode == "disabled")
    then = f"it is {now or 'disabled'} until the host is rebooted, and {at_boot} then" if reboot else ""
    if at_boot == "permissive" and mode == "enforcing":
        then += "; run the deploy again after that, for enforcing"
    if not (boot != at_boot or kernel or switch):
        host.noop(f"SELinux: {then or f'{mode}, now and at boot'}")
        return
    if off and mode != "disabled":
        # First of all: a boot into a policy with unlabelled files must not come before their labels.
        yield StringCommand("touch /.autorelabel")
    if boot != at_boot:
        yield StringCommand("sed -i", QuoteString(f"s/^SELINUX=.*/SELINUX={at_boot}/"), CONFIG)
    if kernel:
        change = "--args" if mode == "disabled" else "--remove-args"
        yield StringCommand("grubby --update-kernel ALL", change, "selinux=0")
    if switch:
        yield StringCommand("setenforce", "1" if mode == "enforcing" else "0")
    if reboot:
        yield warn(f"SELinux: {then}")


@operation()
def booleans(names: Sequence[str]):
    """Switch SELinux's booleans on, now and for good. Those that the host's policy lacks are left out.

    Args:
        names: names of booleans.

    **Example:**

    .. code:: python

        selinux.booleans(name="Let httpd ask other services", names=["httpd_can_network_connect"])
    """
    found = read(SELinux)
    if isinstance(found, Unreadable):
        yield fail(f"selinux: its booleans can't be read: {found.reason}")
        return
    known = found["booleans"]
    off = [name for name in names if name in known and not (known[name]["now"] and known[name]["stored"])]
    if off:
        # All in one: each setsebool -P builds the whole policy anew, which takes seconds.
        yield StringCommand("setsebool -P", *(f"{name}=1" for name in off))
    else:
        there = ", ".join(name for name in names if name in known)
        host.noop(f"SELinux's booleans are on: {there or 'the host has none of these'}")
