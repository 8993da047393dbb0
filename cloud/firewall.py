"""Which ports a host's roles need open, for firewalld. Pure.

Sources: the ports that verify tries (``cloud.expected``); the OpenStack Security Guide and the installation
guide's appendix "Firewalls and default ports" for those that are no listener of ours, or no TCP.
"""

from __future__ import annotations

from collections.abc import Iterable

from cloud import expected
from cloud.model import GALERA_PORT, MANAGEMENT_PORT, Cloud, Node

TIME = "123/udp"  # chrony
VXLAN = "4789/udp"
CONSOLES = "5900-5999/tcp"  # VNC of the instances, for the console proxy
MIGRATION = ["16514/tcp", "49152-49215/tcp"]  # libvirt with TLS, and qemu's streams
ISCSI = "3260/tcp"
RABBITMQ_CLUSTER = ["4369/tcp", "25672/tcp"]  # epmd, and the nodes among one another
# MariaDB's members among one another, what a member missed, and all data for a new one.
GALERA_CLUSTER = [f"{GALERA_PORT}/udp", "4568/tcp", "4444/tcp"]
VRRP = "vrrp"  # keepalived; a protocol and no port


def openings(cloud: Cloud, node: Node) -> dict[str, list[str]]:
    """What must come in at each of a host's addresses.

    ``PORT/PROTOCOL``, ``FIRST-LAST/PROTOCOL``, or a protocol alone.

    Args:
        cloud: the model.
        node: the host.
    """
    listeners = [port for port in expected.ports(cloud) if port.host == node.name]
    # A load balancer does not always hold the address that it listens on.
    shared = "loadbalancer" in node.roles
    wanted = [f"{port.port}/tcp" for port in listeners if shared or port.address == node.address]
    if "controller" in node.roles:
        wanted.append(TIME)
    if "database" in node.roles and cloud.work["loadbalancer"] and not cloud.clustered:
        wanted.append(f"{MANAGEMENT_PORT}/tcp")  # where haproxy asks for RabbitMQ
    if "database" in node.roles and cloud.clustered:
        wanted += RABBITMQ_CLUSTER + GALERA_CLUSTER
    if shared:
        wanted += [VRRP] if len(cloud.doing("loadbalancer")) > 1 else []
    if "compute" in node.roles:
        wanted += [CONSOLES, *(MIGRATION if len(cloud.doing("compute")) > 1 else [])]
    if "storage" in node.roles:
        wanted.append(ISCSI)
    found = {node.address: list(dict.fromkeys(wanted))}
    for port in listeners:
        if not shared and port.address != node.address:
            found.setdefault(port.address, []).append(f"{port.port}/tcp")
    if cloud.self_service and {"network", "compute"} & node.roles:
        found.setdefault(node.tunnel_address, []).append(VXLAN)
    return found


def missing(wanted: Iterable[str], ports: Iterable[str], ssh: bool = False) -> list[str]:
    """Which of the wanted openings are not there, in their order.

    Args:
        wanted: see :func:`openings`.
        ports: the ports and protocols that are open; a range has every port in it.
        ssh: whether firewalld's service ``ssh`` is, which is 22/tcp.
    """
    there = [_range(port) for port in (*ports, *(["22/tcp"] if ssh else []))]
    found = []
    for port in dict.fromkeys(wanted):
        protocol, first, last = _range(port)
        if not any(p == protocol and a <= first and last <= b for p, a, b in there):
            found.append(port)
    return found


def _range(port: str) -> tuple[str, int, int]:
    numbers, slash, protocol = port.partition("/")
    if not slash:
        return port, 0, 0
    first, _, last = numbers.partition("-")
    return protocol, int(first), int(last or first)
