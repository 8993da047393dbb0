"""From an inventory to a checked :class:`cloud.model.Cloud`, every mistake named at once.

Takes anything that looks like pyinfra's inventory (hosts with ``name``, ``groups``, ``data.dict()``),
so that the deploy and the offline commands share it, and pyinfra is not imported here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from cloud import packstack, platforms, releases, repositories, secrets, tls, topology
from cloud.model import Cloud, Node
from cloud.services import CONFIG_FILES, SERVICES
from cloud.settings import (
    CLOUD_NAMES,
    NODE_NAMES,
    TOLD_NAMES,
    CloudSettings,
    NodeSettings,
    belongs_to_pyinfra,
)


class InputError(ValueError):
    """The operator's input can't describe a cloud; ``problems`` has a line for each mistake."""

    def __init__(self, problems: list[str]):
        self.problems = problems
        lines = "".join(f"\n  - {problem}" for problem in problems)
        super().__init__(f"the inventory can't be deployed, nothing was touched:{lines}")


class InventoryHost(Protocol):
    """What is needed of a pyinfra host."""

    name: str
    groups: list[str]
    data: Any


@dataclass
class _Reading:
    """What is known so far, and what is wrong."""

    problems: list[str] = field(default_factory=list)

    def check(self, condition: object, problem: str) -> bool:
        if not condition:
            self.problems.append(problem)
        return bool(condition)


def _suggest(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _explain(error: ValidationError, where: str) -> list[str]:
    lines = []
    for detail in error.errors():
        name = ".".join(str(part) for part in detail["loc"])
        # Our own validators say what they found; their input may be all of the resources.
        found = "" if detail["type"] in ("missing", "value_error") else f" (found {detail['input']!r})"
        lines.append(f"{where}: {name}: {detail['msg'].removeprefix('Value error, ')}{found}")
    return lines


def _groups(hosts: list[InventoryHost], all_groups: Iterable[str], inventory_name: str, reading: _Reading):
    # pyinfra puts every host in "all", and in a group named like the inventory's file.
    silent = {"all", inventory_name}
    for group in sorted(set(all_groups) - silent - set(topology.ROLES)):
        reading.check(
            False,
            f"unknown group {group!r} (in the inventory, or as group_data/{group}.py); groups are: "
            f"{', '.join(topology.ROLES)}{_suggest(group, topology.ROLES)}",
        )
    groups = {role: [host.name for host in hosts if role in host.groups] for role in topology.ROLES}
    for role in topology.REQUIRED:
        reading.check(groups[role], f"no host in group {role!r}")
    for host in hosts:
        reading.check(
            set(host.groups) & set(topology.ROLES),
            f"{host.name}: is in no group; groups are: {', '.join(topology.ROLES)}",
        )
    return groups


def with_address(host: InventoryHost, data: dict[str, Any]) -> dict[str, Any]:
    """Fill in ``address`` from where SSH connects to, or from the host's name."""
    if "address" in data:
        return data
    for candidate in (data.get("ssh_hostname"), host.name):
        try:
            return {**data, "address": str(ip_address(str(candidate)))}
        except ValueError:
            continue
    return data


def _node(host: InventoryHost, data: dict[str, Any], reading: _Reading) -> NodeSettings | None:
    try:
        return NodeSettings(**with_address(host, data))
    except ValidationError as error:
        reading.problems += _explain(error, host.name)
        return None


def _cloud_settings(per_host: dict[str, dict[str, Any]], reading: _Reading) -> CloudSettings | None:
    merged: dict[str, Any] = {}
    for name in sorted(CLOUD_NAMES):
        values = {host: data[name] for host, data in per_host.items() if name in data}
        distinct: list[Any] = []
        for value in values.values():
            if value not in distinct:
                distinct.append(value)
        if len(distinct) > 1 or (distinct and len(values) < len(per_host)):
            reading.check(
                False,
                f"{name} is a setting of the whole cloud, but not the same on every host; put it in "
                "group_data/all.py only",
            )
        if distinct:
            merged[name] = distinct[0]
    try:
        return CloudSettings(**merged)
    except ValidationError as error:
        reading.problems += _explain(error, "group_data/all.py")
        return None


def _check_nodes(nodes: dict[str, NodeSettings], cloud: CloudSettings, groups, reading: _Reading) -> None:
    network = cloud.management_network
    addresses = Counter(node.address for node in nodes.values())
    for address, count in addresses.items():
        owners = ", ".join(name for name, node in nodes.items() if node.address == address)
        reading.check(count == 1, f"address {address} is given to more than one host: {owners}")
    wrong = releases.agent_refusal(cloud.release, cloud.l2_agent)
    reading.check(wrong is None, f"group_data/all.py: {wrong}")
    for name, node in nodes.items():
        reading.check(
            node.address in network,
            f"{name}: address {node.address} is outside management_network {network}",
        )
        reading.check(
            node.address not in (network.network_address, network.broadcast_address),
            f"{name}: address {node.address} is the network or broadcast address of {network}",
        )
        # packstack installs what its repositories have, and we render nothing for it.
        any_will_do = cloud.deployed_by == "packstack" and cloud.release in releases.BY_AGE
        wrong = None if any_will_do else releases.refusal(cloud.release, node.platform)
        reading.check(wrong is None, f"{name}: release: {wrong}")
        for device in node.volume_devices:
            reading.check(
                device.startswith("/dev/"), f"{name}: volume_devices: {device!r} is no path in /dev"
            )
    known = CONFIG_FILES | {
        path
        for platform in platforms.PLATFORMS.values()
        if platform.name in {node.platform for node in nodes.values()}
        for name, path in platform.paths.items()
        if name.endswith("-uwsgi")
    }
    for path in dict.fromkeys(path for node in nodes.values() for path in node.config_overrides):
        reading.check(
            path in known,
            f"config_overrides: no task writes {path}, so its options would have no effect"
            f"{_suggest(path, known)}",
        )
    release = releases.Release(cloud.release) if cloud.release in releases.BY_AGE else None
    reading.check(
        not (cloud.lbaas and release and not release.has("lbaas")),
        f"lbaas: release {cloud.release} has no load balancing agent in neutron; the last one was stein",
    )
    tunnels = Counter(node.tunnel_address for node in nodes.values() if node.tunnel_address)
    for address, count in tunnels.items():
        reading.check(count == 1, f"tunnel_address {address} is given to {count} hosts")
    for name in groups["storage"]:
        if name in nodes:
            reading.check(
                nodes[name].volume_devices,
                f"{name}: a storage host needs an empty disk: volume_devices = ['/dev/sdb']",
            )
    work = topology.work_of(groups)
    for name in dict.fromkeys(work["network"] + work["compute"]):
        if name not in nodes:
            continue
        node = nodes[name]
        openvswitch = cloud.l2_agent == "openvswitch"
        if name in work["network"] or not cloud.self_service_networks:
            reading.check(
                node.provider_interface,
                f"{name}: {'runs the L3 agent' if cloud.self_service_networks else 'has no other network'} "
                f"and needs provider_interface, the interface {'without an address ' if openvswitch else ''}"
                "that reaches the provider network",
            )
        if node.openvswitch_datapath == "netdev":
            reading.check(
                openvswitch,
                f"{name}: openvswitch_datapath 'netdev' has no meaning with l2_agent '{cloud.l2_agent}': "
                "remove it",
            )
            reading.check(
                (node.tunnel_interface and node.tunnel_address) or not cloud.self_service_networks,
                f"{name}: openvswitch_datapath 'netdev' needs tunnel_interface and tunnel_address",
            )
        # A tunnel in user space leaves through a bridge of its own, which nothing gives the host's address.
        reading.check(
            not node.tunnel_interface
            or node.tunnel_interface not in (node.interface, node.provider_interface),
            f"{name}: tunnel_interface {node.tunnel_interface} is the management or provider interface: its "
            "bridge would take it from there, and you would lose the host",
        )
        # What crosses a Linux bridge passes the host's own filter, too, and firewalld would refuse it.
        reading.check(
            openvswitch or node.firewall != "on",
            f"{name}: firewall 'on' would refuse the instances' traffic, which l2_agent 'linuxbridge' leads "
            "through the host's own filter: leave it, or set it to 'off'",
        )


def _check_balancers(nodes: dict[str, NodeSettings], cloud: CloudSettings, groups, reading: _Reading) -> None:
    """The load balancers, and the address that one of them holds."""
    address, network, names = cloud.virtual_address, cloud.management_network, groups["loadbalancer"]
    if not reading.check(
        bool(address) == bool(names),
        f"virtual_address {address}: no host in group 'loadbalancer' would hold it; an address that "
        "something else holds is an internal_address"
        if address
        else f"group 'loadbalancer' ({', '.join(names)}) needs virtual_address, the address its hosts share",
    ):
        return
    if not address:
        return
    reading.check(address in network, f"virtual_address {address} is outside management_network {network}")
    reading.check(
        address not in (network.network_address, network.broadcast_address),
        f"virtual_address {address} is the network or broadcast address of {network}",
    )
    for name, node in nodes.items():
        reading.check(
            address not in (node.address, node.tunnel_address),
            f"virtual_address {address} is {name}'s own: take one that no host has",
        )
    for name in names:
        reading.check(
            name not in groups["controller"],
            f"{name}: is in the groups 'loadbalancer' and 'controller', whose APIs take the same ports on "
            "every address of the host: give the load balancers hosts of their own",
        )
        reading.check(
            name not in nodes or nodes[name].interface,
            f"{name}: a load balancer needs interface, the one that virtual_address comes to",
        )
    known = [*SERVICES, "horizon"]
    for name in cloud.balanced or ():
        reading.check(
            name in known,
            f"balanced: there is no service {name!r}; there are {', '.join(known)}{_suggest(name, known)}",
        )
    reading.check(
        cloud.balanced is None or cloud.internal_address not in (None, str(address)),
        "balanced: the services that it does not name would be looked for at virtual_address, where nobody "
        "hands them on: set internal_address to the controller's",
    )


def _check_clusters(cloud: CloudSettings, groups, reading: _Reading) -> None:
    """What several hosts for the database, or several controllers, need."""
    database = "database" if groups["database"] else "controller"
    for role in dict.fromkeys((database, "controller")):
        members = groups[role]
        if len(members) < 2:
            continue
        listed = f"{len(members)} hosts in group {role!r} ({', '.join(members)})"
        reading.check(
            len(members) % 2 or role != database,
            f"{listed}: take an odd number: when one half of an even one loses sight of the other, neither "
            "has a majority, and both databases stop",
        )
        reading.check(
            groups["loadbalancer"] and cloud.virtual_address,
            f"{listed}: they need hosts in group 'loadbalancer' and virtual_address, which leads to one that "
            "serves, and to another one when that is gone",
        )
        known = cloud.release in releases.BY_AGE
        reading.check(
            not known or releases.Release(cloud.release).has("clusters"),
            f"{listed}: with release {cloud.release} only one can be deployed; clusters begin with zed",
        )


def _check_packages(nodes: dict[str, NodeSettings], cloud: CloudSettings, reading: _Reading) -> None:
    reading.check(
        cloud.package_source != "osp10" or cloud.yum_mirror,
        "group_data/all.py: package_source 'osp10' needs yum_mirror: these packages are on no public server",
    )
    for place, key in cloud.yum_keys.items():
        reading.check(
            place.startswith((f"{repositories.KEYS}/", "https://", "http://", "ftp://")),
            f"group_data/all.py: yum_keys: {place!r} is no file in {repositories.KEYS} and no URL",
        )
        try:
            reading.check(
                key.content is None or "BEGIN PGP PUBLIC KEY BLOCK" in key.content,
                f"group_data/all.py: yum_keys: {place}: that is no armoured public key",
            )
        except (OSError, UnicodeDecodeError) as error:
            reading.check(False, f"group_data/all.py: yum_keys: {place}: {key.file} can't be read: {error}")
    for name, node in nodes.items():
        reading.check(
            not node.package_versions or node.platform == "el",
            f"{name}: package_versions: only EL hosts hold to them; on Debian apt_preferences(5) does",
        )
        for package, version in node.package_versions.items():
            reading.check(
                re.fullmatch(r"[\w.+-]+", package) and re.fullmatch(r"(\d+:)?[\w.+~^-]+", version),
                f"{name}: package_versions: {package} = {version} is no name of a package with a version",
            )


def _check_resources(cloud: CloudSettings, groups, reading: _Reading) -> None:
    """Nothing may be declared that this cloud has no service for."""
    resources = cloud.resources
    if not groups["storage"]:
        volumes = [item.name for item in (*resources.volume_types, *resources.volumes)]
        volumes += [item.name for item in resources.instances if item.boot_volume_size]
        reading.check(
            not volumes,
            f"resources: {', '.join(volumes)} need volumes, and no host is in group 'storage'",
        )
    if not cloud.self_service_networks:
        routed = [item.name for item in (*resources.routers, *resources.floating_ips)]
        routed += [item.name for item in resources.networks if item.type in (None, "vxlan")]
        reading.check(
            not routed,
            f"resources: {', '.join(routed)} need self-service networks, and self_service_networks is False",
        )


def _check_packstack(nodes: dict[str, NodeSettings], cloud: CloudSettings, groups, values, reading: _Reading):
    """What packstack is to be told."""
    secret = {name: value for name, value in secrets.answers(values).items() if isinstance(value, str)}
    reading.problems += [
        f"packstack_answers: {line}" for line in packstack.problems(cloud.packstack_answers, secret)
    ]
    if cloud.deployed_by != "packstack":
        reading.check(
            not cloud.packstack_answers, "packstack_answers: nobody asks: set deployed_by = 'packstack', too"
        )
        return
    for name, node in nodes.items():
        reading.check(node.platform == "el", f"{name}: deployed_by: packstack is for platform 'el' only")
    reading.check(
        len(groups["controller"]) == 1,
        f"deployed_by: packstack builds one controller; {len(groups['controller'])} hosts are in that group",
    )
    apart = [role for role in ("database", "loadbalancer", "network") if groups[role]]
    reading.check(
        not apart,
        f"deployed_by: packstack takes such hosts from its answers: remove the groups {', '.join(apart)}",
    )


def read(inventory: Any, inventory_path: str | Path, certified: bool = True) -> Cloud:
    """Check the operator's whole input and build the model of the cloud.

    Args:
        inventory: pyinfra's inventory: iterable of hosts, with ``groups``.
        inventory_path: its file; the secrets and certificates lie next to it.
        certified: whether there must be certificates already, if there is TLS.

    Raises:
        InputError: with every mistake found.
    """
    reading = _Reading()
    hosts = list(inventory)
    reading.check(hosts, f"{inventory_path}: no host in it")
    groups = _groups(hosts, inventory.groups, Path(inventory_path).stem, reading)

    data = {
        host.name: {
            name: value
            for name, value in host.data.dict().items()
            if not belongs_to_pyinfra(name) and name not in TOLD_NAMES
        }
        for host in hosts
    }
    known = CLOUD_NAMES | NODE_NAMES
    for name in sorted({name for values in data.values() for name in values} - known):
        where = ", ".join(host for host, values in data.items() if name in values)
        reading.check(False, f"unknown setting {name!r} (for {where}){_suggest(name, known)}")

    settings = _cloud_settings(
        {host: {k: v for k, v in values.items() if k in CLOUD_NAMES} for host, values in data.items()},
        reading,
    )
    nodes: dict[str, NodeSettings] = {}
    for host in hosts:
        own = {name: value for name, value in data[host.name].items() if name in NODE_NAMES}
        node = _node(host, own, reading)
        if node:
            nodes[host.name] = node
    if settings:
        _check_nodes(nodes, settings, groups, reading)
        _check_balancers(nodes, settings, groups, reading)
        _check_clusters(settings, groups, reading)
        _check_packages(nodes, settings, reading)
        _check_resources(settings, groups, reading)

    secrets_path = secrets.path_for(inventory_path)
    weak = bool(settings and settings.allow_weak_secrets)
    values, wrong = secrets.load(secrets_path, allow_weak=weak)
    reading.problems += wrong
    if not wrong:
        known_release = settings and settings.release in releases.BY_AGE
        release = releases.Release(settings.release) if known_release else None
        found = secrets.problems(
            values,
            allow_weak=weak,
            release=release,
            volumes=bool(groups["storage"]),
            parts=secrets.parts_of(inventory),
            packstack=bool(settings and settings.deployed_by == "packstack"),
        )
        reading.problems += [f"{secrets_path}: {line}" for line in found]
        if found:
            reading.problems.append(
                "every secret that is not in the file is made anew (so delete a weak one's line) by: "
                f"python -m cloud.secrets --add {inventory_path}"
            )

    if settings:
        _check_packstack(nodes, settings, groups, values, reading)
    if reading.problems or settings is None:
        raise InputError(reading.problems)
    work = topology.work_of(groups)
    cloud = Cloud(
        settings=settings,
        nodes={
            name: Node(
                name=name,
                settings=node,
                roles=frozenset(topology.roles_of(name, work)),
                platform=platforms.of(node.platform, settings.release),
            )
            for name, node in nodes.items()
        },
        work=work,
        secrets=values,
    )
    # Last: what a certificate must be for follows from all the rest.
    wrong = tls.problems(cloud)
    if certified and not wrong:
        certificates, wrong = tls.load(cloud, inventory_path, datetime.now(UTC))
        cloud = replace(cloud, certificates=certificates)
    if wrong:
        raise InputError(wrong)
    return cloud
