"""Whether a host's interfaces and what configures them fit the inventory. Pure: facts in, lines out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloud.checklist import OK, REFUSED, SET, WARNING, Line, judged
from cloud.model import Cloud, Node
from cloud.preflight import State

# How the Linux bridge agent calls its bridges, with a part of the network's ID.
AGENTS_BRIDGE = "brq"


def interface_lines(cloud: Cloud, node: Node, state: State) -> list[Line]:
    """The host's interfaces, and who has which address.

    Args:
        cloud: the model.
        node: the host.
        state: what it is.
    """
    present = ", ".join(name for name in state.interfaces if name != "lo")
    lines = [_cards(cloud, node, state), *_management(cloud, node, state, present)]
    lines += _public(cloud, node, state, present)
    # The interfaces that bridges take: with their addresses, which would then be gone.
    for setting in ("provider_interface", "tunnel_interface"):
        name = getattr(node.settings, setting)
        if name and name not in state.interfaces:
            lines.append(_absent(setting, name, present))
        elif name:
            lines.append(_port(cloud, node, state, setting, name))
    tunnel, carries = node.tunnel_address, {"network", "compute"} & node.roles
    if carries and cloud.self_service and not node.user_space:
        holders = _holders(state, tunnel)
        found = f"on {holders[0]}" if holders else f"no interface has {tunnel}"
        cure = "give it to one, or correct tunnel_address"
        lines.append(judged("tunnel_address", tunnel, found, bool(holders), cure))
    return lines


def _holders(state: State, address: str) -> list[str]:
    return [name for name, addresses in state.interfaces.items() if address in addresses]


def _absent(setting: str, name: str, present: str) -> Line:
    found = f"there is no interface {name}; interfaces: {present}"
    return Line(setting, name, found, REFUSED, f"correct {setting}, or attach {name}")


def _cards(cloud: Cloud, node: Node, state: State) -> Line:
    """How many network interfaces there are, against how many the host's settings are about."""
    chosen, least = node.settings, node.settings.required.interfaces
    named = {chosen.interface or next(iter(_holders(state, node.address)), None), chosen.tunnel_interface}
    if node.roles & {"network", "compute"}:
        named.add(chosen.provider_interface)
    wanted = least or len(named - {None})
    cards = [f"{name} {state.links.get(name, '')}".strip() for name in state.cards]
    found = f"{len(cards)}: {', '.join(cards)}" if cards else "none that is known as hardware"
    if least and len(cards) < least:
        cure = f"required.interfaces is {least}: attach what is missing, or ask for less"
        return Line("interfaces", str(wanted), found, REFUSED, cure)
    if len(cards) == 1 and chosen.provider_interface in state.cards and chosen.interface in state.cards:
        taker = cloud.settings.provider_bridge if cloud.openvswitch else "neutron's bridge"
        cure = f"it works: {taker} takes the host's address over"
        return Line("interfaces", f"2, or {wanted} for both", found, WARNING, cure)
    return Line("interfaces", str(wanted), found)


def _management(cloud: Cloud, node: Node, state: State, present: str) -> list[Line]:
    """Where the management address is, and whether it will still be the host's tomorrow."""
    holders, wanted = _holders(state, node.address), node.settings.interface
    # The Linux bridge agent moves the address of the provider interface to the bridge of a network in it.
    moved = (
        not cloud.openvswitch
        and wanted == node.settings.provider_interface
        and any(name.startswith(AGENTS_BRIDGE) for name in holders)
    )
    # And ours, the provider bridge.
    moved = moved or (cloud.takes_over(node) and cloud.settings.provider_bridge in holders)
    static = f"{node.address}, static"
    lines = []
    if not holders:
        found = f"no interface has {node.address}; interfaces: {present}"
        lines.append(Line("address", static, found, REFUSED, "correct address, or give it to one"))
    if holders and wanted and wanted not in holders and not moved:
        there = "" if wanted in state.interfaces else f", which is not there; interfaces: {present}"
        found = f"{node.address} is on {holders[0]}, not on {wanted}{there}"
        lines.append(Line("interface", wanted, found, REFUSED, "correct interface or address"))
    elif wanted and wanted not in state.interfaces:
        lines.append(_absent("interface", wanted, present))
    elif holders:
        addresses = [address for name in holders for address in state.leased.get(name, ())]
        leased = any(address.partition("/")[0] == node.address for address in addresses)
        found = f"on {holders[0]}, by DHCP" if leased else f"on {holders[0]}, static"
        cure = "all of the cloud's files name it: have the DHCP server reserve it, or make it static"
        lines.append(judged("address", static, found, not leased, cure, otherwise=WARNING))
    return lines


def _public(cloud: Cloud, node: Node, state: State, present: str) -> list[Line]:
    public = cloud.public_bind(node) if cloud.shares_ports(node) else node.address
    if public == node.address:
        return []
    holders = _holders(state, public)
    if holders:
        return [Line("tls", public, f"on {holders[0]}")]
    found = f"haproxy is to listen at {public}, and no interface has that address; interfaces: {present}"
    cure = "set public_bind_address to the one that users' connections arrive at"
    return [Line("tls", public, found, REFUSED, cure)]


def _port(cloud: Cloud, node: Node, state: State, setting: str, name: str) -> Line:
    """An interface that is there, and is to be a bridge's port."""
    addresses, link = state.interfaces[name], state.links.get(name, "up")
    provider = setting == "provider_interface"
    taken = provider and (cloud.takes_over(node) or not cloud.openvswitch)
    wanted = f"{name}, up" if taken else f"{name}, up, without an address"
    if cloud.openvswitch and node.address in addresses and not taken:
        cure = "name another interface"
        if provider:
            cure = f"set interface = {name!r}, too, if the bridge shall take the address over"
        found = f"{name} carries the management address; a bridge would cut the host off"
        return Line(setting, wanted, found, REFUSED, cure)
    if cloud.openvswitch and addresses and node.address not in addresses:
        found = f"{name} carries {', '.join(addresses)}"
        return Line(setting, wanted, found, REFUSED, "give it no address of its own")
    if link == "no carrier":
        return Line(setting, wanted, f"{name}, no carrier", WARNING, "plug its cable in, or name another one")
    if link == "down" and (provider or node.user_space):
        return Line(setting, wanted, f"{name}, down", SET, "the deploy brings it up")
    return judged(setting, wanted, f"{name}, {link}", link == "up", "bring it up", otherwise=WARNING)


def service_lines(
    cloud: Cloud, node: Node, state: State, services: Mapping[str, Mapping[str, bool]]
) -> list[Line]:
    """What would leave this host without its network, or its services unreachable.

    Args:
        cloud, node, state: the model, the host, and what it is.
        services: ``facts.network.NetworkServices``.
    """
    manager_unit, firewall_unit = node.unit("network/manager"), node.unit("firewall/daemon")
    others = [name for name in services if name not in (manager_unit, firewall_unit)]
    # What is only active now would not bring them up at the next boot.
    nobody = not any(services[name]["enabled"] for name in others)
    return [
        _manager(cloud, node, services[manager_unit], others if nobody else []),
        _firewall(node, services[firewall_unit]),
        *_movable(cloud, node, state),
    ]


def _words(service: Mapping[str, bool]) -> str:
    runs = "runs" if service["active"] else "does not run"
    if service["active"] == service["enabled"]:
        return runs
    return f"{runs}, {'on' if service['enabled'] else 'off'} at boot"


def _manager(cloud: Cloud, node: Node, manager: Mapping[str, bool], missing: list[str]) -> Line:
    """NetworkManager; ``missing``: who could bring the interfaces up in its place, when nobody does."""
    chosen = node.settings.network_manager
    wanted, found, there = chosen or "left as it is", _words(manager), manager["active"] or manager["enabled"]
    if chosen == "off" and there and missing:
        found = (
            "'off' would leave the host without a network after its next boot: none of "
            f"{', '.join(missing)} is enabled to bring the interfaces up"
        )
        cure = "enable one that knows them, or set it to 'on'"
        return Line("network_manager", wanted, found, REFUSED, cure)
    if chosen is None and manager["active"] and cloud.takes_over(node):
        name, bridge = node.settings.provider_interface, cloud.settings.provider_bridge
        found = (
            f"it runs; {name} has the host's address, which {bridge} is to take over, and NetworkManager "
            "would give it back"
        )
        cure = "set it to 'on' (it then leaves both alone) or 'off'"
        return Line("network_manager", wanted, found, REFUSED, cure)
    if chosen == "off" and there:
        return Line("network_manager", wanted, found, SET, "the deploy stops it")
    if chosen == "on" and not (manager["active"] and manager["enabled"]):
        return Line("network_manager", wanted, found, SET, "the deploy starts it")
    return Line("network_manager", wanted, found)


def _firewall(node: Node, firewall: Mapping[str, bool]) -> Line:
    chosen = node.settings.firewall
    wanted, found = chosen or "left as it is", _words(firewall)
    if chosen is None and firewall["active"]:
        found = "firewalld runs and would refuse what the host's roles need"
        return Line("firewall", wanted, found, REFUSED, "set it to 'on' (their ports are opened) or 'off'")
    if chosen == "off" and (firewall["active"] or firewall["enabled"]):
        return Line("firewall", wanted, found, SET, "the deploy stops it")
    if chosen == "on" and not (firewall["active"] and firewall["enabled"]):
        return Line("firewall", wanted, found, SET, "the deploy starts it, with the roles' ports open")
    return Line("firewall", wanted, found, OK, "the deploy opens the roles' ports" if chosen == "on" else "")


def _movable(cloud: Cloud, node: Node, state: State) -> list[Line]:
    """Addresses that would not outlive the move to the provider bridge, while it is still to come."""
    name, bridge = node.settings.provider_interface, cloud.settings.provider_bridge
    if not cloud.takes_over(node) or node.address not in state.interfaces.get(name or "", []):
        return []
    check, wanted = "provider_interface", f"what {bridge} can take over"
    leased = [
        Line(
            check,
            wanted,
            f"{name} has {address} by DHCP, which nobody would renew on {bridge}",
            REFUSED,
            "give it a static address",
        )
        for address in state.leased.get(name, [])
    ]
    sixth = [
        Line(
            check,
            wanted,
            f"{name} has the static address {address}, and only IPv4 moves to {bridge}",
            REFUSED,
            "remove it",
        )
        for address in state.ipv6.get(name, [])
    ]
    return leased + sixth


def shared_address_lines(cloud: Cloud, node: Node, found: Mapping[str, Any]) -> list[Line]:
    """Who else has the load balancers' address, or the number of their group, before their first deploy.

    Args:
        cloud, node: the model, and the load balancer.
        found: the answer of ``operations/remote/address_probe.py``.
    """
    interface, number = node.settings.interface, cloud.settings.keepalived_router_id
    address = str(cloud.settings.virtual_address)
    ours = {balancer.address for balancer in cloud.doing("loadbalancer")}
    lines = [
        Line(
            "virtual_address",
            f"{address} free",
            f"{address} is in use: {holder['mac']} answers for it on {interface}, and that is none of the "
            "load balancers",
            REFUSED,
            "take an address that is free",
        )
        for holder in found["holders"]
        # Another load balancer of ours holds it: this one is new, or comes back.
        if not holder["peer"]
    ]
    lines += [
        Line(
            "keepalived_router_id",
            f"{number} free",
            f"{number} is taken: {group['source']} sends VRRP with it on {interface}",
            REFUSED,
            "take another number (1 to 255)",
        )
        for group in found["groups"]
        if group["router_id"] == number and group["source"] not in ours
    ]
    if lines:
        return lines
    heard = "keepalived runs here" if found["running"] else "nobody else answers for it"
    return [Line("virtual_address", f"{address} free", heard)]
