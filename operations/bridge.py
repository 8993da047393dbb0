"""The provider bridge on a host with one interface: it takes over the address that we came in by."""

from __future__ import annotations

import logging
import time
from typing import Any, Literal

import gevent
from pyinfra import host, logger
from pyinfra.api import FunctionCommand, operation

from facts.program import ask, text_of
from facts.reading import Unreadable
from operations.failure import fail

PROGRAM = "provider_bridge"
SERVICE = "openstack-bridge-move"
# Attempts to come in that fail are part of the waiting; with no listener paramiko prints a traceback of each.
logging.getLogger("paramiko.transport").addHandler(logging.NullHandler())

# Seconds for one question: a connection that the move has cut off would never answer.
ANSWER = 30


@operation()
def address_taken_over(
    bridge: str, port: str, address: str, datapath: Literal["system", "netdev"] = "system", timeout: int = 60
):
    """Have an Open vSwitch bridge take over the addresses and routes of the interface that becomes its port.

    The host itself does that, in a service of its own, and puts everything back unless we have come in anew,
    through the bridge, within ``timeout``. Only then is written what a boot reads. So neither a bridge that
    does not work nor a run that is killed locks anybody out; the next run tries again.

    Args:
        bridge: the bridge's name.
        port: the interface.
        address: the IPv4 address by which the move is known; all others of the interface move, too.
        datapath: ``system`` (kernel) or ``netdev`` (user space).
        timeout: seconds for the host to be reached again.

    **Example:**

    .. code:: python

        bridge.address_taken_over(
            name="Move the address to the provider bridge, 60 seconds at most",
            bridge="br-provider",
            port="eth0",
            address="192.168.56.11",
            timeout=60,
        )
    """
    request = {"bridge": bridge, "port": port, "address": address, "datapath": datapath, "patience": timeout}
    found = ask(PROGRAM, action="look", **request)
    if isinstance(found, Unreadable):
        yield fail(f"provider_interface: {port} and {bridge} can't be looked at: {found.reason}")
    elif _settled(found, bridge):
        host.noop(f"{bridge} has {address}, and {port} as its port")
    elif not found["moving"] and not {bridge, port} & set(found["holders"]):
        yield fail(
            f"provider_interface: {address} is on {', '.join(found['holders']) or 'no interface'}, "
            f"neither on {port} nor on {bridge}"
        )
    else:
        yield FunctionCommand(_take_over, (request,), {})


def _settled(found: dict[str, Any], bridge: str) -> bool:
    return not found["moving"] and found["holders"] == [bridge] and found["kept"]


def _take_over(state, host, request: dict[str, Any]) -> bool:
    """Start the move, come in anew, confirm it; False, with the reason, when it did not come about."""
    bridge, port, patience = request["bridge"], request["port"], request["patience"]
    found = _wait_for_another(host, request)
    if isinstance(found, dict) and _settled(found, bridge):
        return True
    if isinstance(found, dict) and found["holders"] == [bridge] and found["port_of"] == bridge:
        # The host went down, or the service was killed, while it wrote what a boot reads.
        found = ask(PROGRAM, action="keep", **request)
        return _report(host, not isinstance(found, Unreadable), f"{bridge} can't be kept: {found}")
    texts = {action: text_of(PROGRAM, {**request, "action": action}) for action in ("move", "undo")}
    started = ask(PROGRAM, action="start", **request, **texts)
    if isinstance(started, Unreadable):
        return _report(host, False, f"the move to {bridge} can't be started: {started.reason}")
    # Some seconds more: a host that nobody reached needs them to put everything back.
    end = time.monotonic() + patience + 20
    moved = False
    while time.monotonic() < end:
        time.sleep(2)
        if not _reconnect(host):
            continue
        # Confirmed only over a connection that is younger than the move.
        found = _answer("confirm" if moved else "look", request)
        if isinstance(found, Unreadable):
            continue
        if _settled(found, bridge):
            return True
        moved = found["state"] == "moved"
        if found["state"] == "put back" or not (found["moving"] or moved):
            break
    said = f"{port} has its address again" if isinstance(found, dict) and port in found["holders"] else found
    return _report(
        host,
        False,
        f"provider_interface: the move of {port}'s address to {bridge} was not confirmed within {patience} "
        f"seconds, and undone by the host itself: {said}. Its own words: journalctl -u {SERVICE}",
    )


def _wait_for_another(host, request: dict[str, Any]) -> dict[str, Any] | Unreadable:
    """Wait for the move of a run that was killed to end; it is undone, or was confirmed."""
    end = time.monotonic() + request["patience"] + 20
    while True:
        found = _answer("look", request)
        if isinstance(found, dict) and not found["moving"]:
            return found
        if time.monotonic() > end:
            return found
        time.sleep(2)
        if isinstance(found, Unreadable):
            _reconnect(host)


def _answer(action: str, request: dict[str, Any]) -> Any:
    with gevent.Timeout(ANSWER, False):
        return ask(PROGRAM, action=action, **request)
    return Unreadable(f"no answer within {ANSWER} seconds")


def _reconnect(host) -> bool:
    """A new connection. Not ``host.disconnect``, which would first say good-bye over one that may be dead."""
    client = getattr(host.connector, "client", None)
    # One that never came about is still at work, and would tell of its end with a traceback.
    if client and host.connected:
        client.close()
    host.connector.disconnect()
    host.connected = False
    host.connect(show_errors=False)
    return host.connected


def _report(host, succeeded: bool, message: str) -> bool:
    if not succeeded:
        logger.error(f"{host.print_prefix}{message}")
    return succeeded
