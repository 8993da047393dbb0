"""Whether a host, as it stands, can do the work the inventory gives it. Pure: facts in, problems out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from cloud.model import Cloud, Node
from cloud.releases import AVAILABLE

# MiB, measured on the lab's hosts: a controller with one worker process per API uses 4.7 to 5.8 GiB, of which
# caches are a part; a compute host needs this for itself, before its first instance.
MEMORY = {"controller": 3500, "compute": 900, "storage": 900}
# MiB that the packages and their databases need on the root file system.
DISK = {"controller": 6000, "compute": 3000, "storage": 1500}
# How the Linux bridge agent calls its bridges, with a part of the network's ID.
AGENTS_BRIDGE = "brq"


class State(Protocol):
    """What is needed of ``facts.preflight.HostState``."""

    os_id: str
    os_version: str
    init: str
    memory: int
    free_disk: int
    interfaces: dict[str, list[str]]
    user: str
    python: bool
    missing: tuple[str, ...]
    installed: bool


def modules(node: Node) -> list[str]:
    """The modules of Python that a host must have before the deploy: no package will bring them."""
    return list(node.platform.libraries) if "controller" in node.roles else []


def problems(cloud: Cloud, node: Node, state: State) -> list[str]:
    """What stops this host from doing its work, a line each with its cure; empty when nothing does.

    Args:
        cloud: the model.
        node: the host.
        state: what it is.
    """
    found = []
    version = AVAILABLE[node.platform.name][str(cloud.release)]
    if state.os_id not in node.platform.os_ids:
        found.append(
            f"the system is {state.os_id or 'unknown'}, the inventory says platform {node.platform.name}"
        )
    elif state.os_version.split(".")[0] != version:
        found.append(
            f"{state.os_id} {state.os_version} does not package release {cloud.release}; "
            f"{node.platform.name} {version} does"
        )
    if state.init != "systemd":
        found.append(f"process 1 is {state.init!r}, not systemd: services can't be managed")
    if state.user != "root":
        found.append(
            f"commands run as {state.user}: log in as root, or set _sudo = True in group_data/all.py"
        )
    if not state.python:
        found.append(f"{node.settings.python} is missing: install it")
    elif state.missing:
        projects = [node.platform.libraries[module] for module in state.missing]
        found.append(
            f"{node.settings.python} lacks {' and '.join(projects)}, which {node.platform.name} {version} "
            "does not package: install what is missing, or name another interpreter by the setting 'python'"
        )
    found += _interfaces(cloud, node, state)
    for role, need in MEMORY.items():
        if role in node.roles and state.memory < need:
            found.append(f"{state.memory} MiB of memory; a {role} host needs {need} MiB")
    for role, need in DISK.items():
        if role in node.roles and not state.installed and state.free_disk < need:
            found.append(f"{state.free_disk} MiB free on /; a {role} host needs {need} MiB")
    return found


def _interfaces(cloud: Cloud, node: Node, state: State) -> list[str]:
    found = []
    present = ", ".join(name for name in state.interfaces if name != "lo")
    holders = [name for name, addresses in state.interfaces.items() if node.address in addresses]
    wanted = node.settings.interface
    # The Linux bridge agent moves the address of the provider interface to the bridge of a network in it.
    moved = (
        not cloud.openvswitch
        and wanted == node.settings.provider_interface
        and any(name.startswith(AGENTS_BRIDGE) for name in holders)
    )
    # And ours, the provider bridge.
    moved = moved or (cloud.takes_over(node) and cloud.settings.provider_bridge in holders)
    if not holders:
        found.append(f"no interface has the address {node.address}; interfaces: {present}")
    elif wanted and wanted not in holders and not moved:
        found.append(f"interface: {node.address} is on {holders[0]}, not on {wanted}")
    public = cloud.public_bind(node) if cloud.shares_ports(node) else node.address
    if not any(public in addresses for addresses in state.interfaces.values()) and public != node.address:
        found.append(
            f"tls: haproxy is to listen at {public}, and no interface has that address; interfaces: "
            f"{present}; set public_bind_address to the one that users' connections arrive at"
        )
    for setting in ("interface", "provider_interface", "tunnel_interface"):
        name = getattr(node.settings, setting)
        if name and name not in state.interfaces:
            found.append(f"{setting}: there is no interface {name}; interfaces: {present}")
    for setting in ("provider_interface", "tunnel_interface") if cloud.openvswitch else ():
        name = getattr(node.settings, setting)
        addresses = state.interfaces.get(name or "", [])
        if node.address in addresses and setting == "provider_interface":
            if not cloud.takes_over(node):
                found.append(
                    f"{setting}: {name} carries the management address; a bridge would cut the host off, "
                    f"unless it takes the address over: set interface = {name!r}, too, if that is wanted"
                )
        elif node.address in addresses:
            found.append(f"{setting}: {name} carries the management address; a bridge would cut the host off")
        elif addresses:
            found.append(f"{setting}: {name} carries {', '.join(addresses)}; give it no address of its own")
    tunnel = node.tunnel_address
    carries = {"network", "compute"} & node.roles
    if carries and cloud.self_service and not node.user_space:
        holders = [name for name, addresses in state.interfaces.items() if tunnel in addresses]
        if not holders:
            found.append(f"tunnel_address: no interface has {tunnel}")
    return found


def network_problems(
    cloud: Cloud,
    node: Node,
    services: Mapping[str, Mapping[str, bool]],
    port: Mapping[str, list[str]] | None = None,
) -> list[str]:
    """What would leave this host without its network, or its services unreachable.

    Args:
        cloud, node: the model, and the host.
        services: ``facts.network.NetworkServices``.
        port: of an interface whose address a bridge takes over, what can't be moved: ``{"dynamic": [address],
            "ipv6": [address]}``; None where nothing is to be moved any more.
    """
    found = []
    manager_unit, firewall_unit = node.unit("network/manager"), node.unit("firewall/daemon")
    manager = services[manager_unit]
    others = {name: state for name, state in services.items() if name not in (manager_unit, firewall_unit)}
    chosen = node.settings.network_manager
    # What is only active now would not bring them up at the next boot.
    nobody = not any(state["enabled"] for state in others.values())
    if chosen == "off" and (manager["active"] or manager["enabled"]) and nobody:
        found.append(
            "network_manager: 'off' would leave the host without a network after its next boot: none of "
            f"{', '.join(others)} is enabled to bring the interfaces up; enable one that knows them, or "
            "set it to 'on'"
        )
    if services[firewall_unit]["active"] and node.settings.firewall is None:
        found.append(
            "firewall: firewalld runs and would refuse what the host's roles need: set it to 'on' (their "
            "ports are opened) or 'off'"
        )
    if not cloud.takes_over(node):
        return found
    name, bridge = node.settings.provider_interface, cloud.settings.provider_bridge
    if chosen is None and manager["active"]:
        found.append(
            f"provider_interface: {name} has the host's address, and {bridge} is to take it over, but "
            "NetworkManager would give it back: set network_manager = 'on' (it then leaves both alone) "
            "or 'off'"
        )
    for address in (port or {}).get("dynamic", []):
        found.append(
            f"provider_interface: {name} has {address} by DHCP, which nobody would renew on {bridge}: "
            "give it a static address"
        )
    for address in (port or {}).get("ipv6", []):
        found.append(
            f"provider_interface: {name} has the static address {address}, and only IPv4 moves to {bridge}: "
            "remove it"
        )
    return found


def address_problems(cloud: Cloud, node: Node, found: Mapping[str, Any]) -> list[str]:
    """Who else has the load balancers' address, or the number of their group, before their first deploy.

    Args:
        cloud, node: the model, and the load balancer.
        found: the answer of ``operations/remote/address_probe.py``.
    """
    problems, interface = [], node.settings.interface
    number = cloud.settings.keepalived_router_id
    ours = {balancer.address for balancer in cloud.doing("loadbalancer")}
    for holder in found["holders"]:
        # Another load balancer of ours holds it: this one is new, or comes back.
        if not holder["peer"]:
            problems.append(
                f"virtual_address: {cloud.settings.virtual_address} is in use: {holder['mac']} answers "
                f"for it on {interface}, and that is none of the load balancers; take an address that is free"
            )
    for group in found["groups"]:
        if group["router_id"] == number and group["source"] not in ours:
            problems.append(
                f"keepalived_router_id: {number} is taken: {group['source']} sends VRRP with it on "
                f"{interface}; take another number (1 to 255)"
            )
    return problems
