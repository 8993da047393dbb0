"""Bridges, ports and options of Open vSwitch."""

from __future__ import annotations

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation

from facts.openvswitch import OpenVSwitch
from facts.reading import Unreadable, read
from operations.failure import fail


@operation()
def option(key: str, value: str, unit: str):
    """Set an option of the switch itself, which takes effect when the switch starts.

    Args:
        key: a key of ``other_config``.
        value: its value.
        unit: the switch's systemd unit, restarted after a change.

    **Example:**

    .. code:: python

        openvswitch.option(key="userspace-tso-enable", value="true", unit="openvswitch-switch")
    """
    found = read(OpenVSwitch)
    if isinstance(found, Unreadable):
        yield fail(f"Open vSwitch can't be asked: {found.reason}")
    elif found["options"].get(key) == value:
        host.noop(f"{key} is {value}")
    else:
        yield StringCommand(
            "ovs-vsctl --timeout=30 --no-wait set Open_vSwitch .",
            QuoteString(f"other_config:{key}={value}"),
            "&& systemctl restart",
            QuoteString(unit),
        )


@operation()
def bridge(bridge: str, port: str, datapath: str = "system"):
    """Make a bridge, with one interface of the host as its port. To bring the links up is another's work.

    Never takes an interface that carries an address: whoever came in through it would be locked out.

    Args:
        bridge: the bridge's name.
        port: the interface that becomes its port.
        datapath: ``system`` (kernel) or ``netdev`` (user space).

    **Example:**

    .. code:: python

        openvswitch.bridge(bridge="br-provider", port="eth1")
    """
    found = read(OpenVSwitch)
    if isinstance(found, Unreadable):
        yield fail(f"Open vSwitch can't be asked: {found.reason}")
        return
    existing = found["bridges"].get(bridge)
    # A bridge without a datapath type has the kernel's.
    if existing and port in existing["ports"] and (existing["datapath"] or "system") == datapath:
        host.noop(f"{port} is a port of {bridge}")
        return
    name, interface = QuoteString(bridge), QuoteString(port)
    yield StringCommand(
        "if ip -o -4 address show dev", interface, "| grep -q inet; then",
        "echo", QuoteString(f"{port} carries an address: a bridge would take it away"), ">&2; exit 1; fi;",
        "ovs-vsctl --timeout=30 --may-exist add-br", name,
        "-- set bridge", name, QuoteString(f"datapath_type={datapath}"),
        "-- --may-exist add-port", name, interface,
    )  # fmt: skip
