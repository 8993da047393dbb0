"""Read the hosts, show what they are, and refuse what can't work. Changes nothing, and runs before all else.

Alone it shows every line of the table; in deploy.py only warnings and what is refused.
"""

from pyinfra import host

from cloud import preflight, preflight_network, preflight_packages, preflight_servers, verify
from cloud.checklist import Line, refused, unreadable
from facts.block import BlockDevices
from facts.network import NetworkServices
from facts.preflight import Host
from facts.program import ask
from facts.reading import Unreadable, read
from facts.repositories import Yum
from operations import refusal
from tasks.context import cloud

node = cloud.node(host)


def packages(state) -> list[Line]:
    """Where the host's packages come from, and their keys."""
    if not verify.has_yum(cloud, host.name):
        return preflight_packages.apt_lines(cloud, node, state)
    yum = read(Yum, keys=list(cloud.sources(host).keys))
    if isinstance(yum, Unreadable):
        return [unreadable("repositories", yum.reason)]
    return preflight_packages.yum_lines(cloud, node, yum)


def disks() -> list[Line]:
    """The disks of a storage host."""
    if not cloud.does("storage", host):
        return []
    found = read(BlockDevices, devices=node.settings.volume_devices)
    if isinstance(found, Unreadable):
        return [unreadable("volume_devices", found.reason)]
    return preflight.disk_lines(cloud, node, found)


def shared_address() -> list[Line]:
    """Who else has the address that the load balancers are to share. Listens for 3 seconds at most."""
    answer = ask(
        "address_probe",
        interface=node.settings.interface,
        own=node.address,
        address=str(cloud.settings.virtual_address),
        peers=[other.address for other in cloud.doing("loadbalancer") if other.name != node.name],
        unit=node.unit("loadbalancer/address"),
        seconds=3,
    )
    if isinstance(answer, Unreadable):
        return [unreadable("virtual_address", answer.reason)]
    return preflight_network.shared_address_lines(cloud, node, answer)


def network(state) -> list[Line]:
    """The host's interfaces, and what configures them."""
    lines = preflight_network.interface_lines(cloud, node, state)
    services = read(NetworkServices)
    if isinstance(services, Unreadable):
        return [*lines, unreadable("network services", services.reason)]
    return lines + preflight_network.service_lines(cloud, node, state, services)


def servers(state) -> list[Line]:
    """Whether time and name servers answer. Waits for 4 seconds at most."""
    request = preflight_servers.request(cloud, node, state)
    if request and not state.python:
        return []  # its own line says so
    answer = ask("server_probe", **request) if request else None
    reason = answer.reason if isinstance(answer, Unreadable) else None
    return preflight_servers.server_lines(cloud, node, state, reason or answer)


def lines() -> list[Line]:
    """Everything about this host."""
    state = read(Host, **preflight.request(cloud, node))
    if isinstance(state, Unreadable):
        return [unreadable("host", state.reason)]
    found = preflight.host_lines(cloud, node, state)
    found += [*disks(), *network(state), *packages(state)]
    if cloud.does("loadbalancer", host) and not refused(found):
        found += shared_address()
    return found + servers(state)


refusal.together(lines, whole=not host.data.get("preflight_brief", False))
