"""What a healthy cloud must report, worked out from the inventory: the measure that verify holds it to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cloud.frontends import binds_of
from cloud.model import (
    ADMIN_PORT,
    CACHE_PORT,
    CONSOLE_PORT,
    DATABASE_PORT,
    GALERA_PORT,
    MESSAGING_PORT,
    METADATA_PORT,
    REGISTRY_PORT,
    STATISTICS_PORT,
    TLS_WEB_PORT,
    WEB_PORT,
    Cloud,
)
from cloud.platforms import LIBVIRT
from cloud.releases import ANY, PROCESSES

STORAGE_BACKEND = "lvm"
IMAGES_PROGRAM = "/usr/local/sbin/openstack-images"  # fetches images from the other controllers

AGENT_KINDS = {
    "openvswitch": "Open vSwitch agent",
    "linuxbridge": "Linux bridge agent",
    "dhcp": "DHCP agent",
    "l3": "L3 agent",
    "metadata": "Metadata agent",
}
LBAAS_AGENT = "Loadbalancer agent"


@dataclass(frozen=True)
class Port:
    """A TCP port on which something must listen."""

    host: str
    address: str
    port: int
    service: str


def nova_services(cloud: Cloud) -> list[tuple[str, str]]:
    """(host, binary) of every nova service that sends heartbeats."""
    binaries = ["conductor", "scheduler", "cert", "consoleauth"]
    there = [name for name in binaries if cloud.release.has(PROCESSES.get(f"nova/{name}", ANY))]
    controllers = [(node.name, f"nova-{name}") for node in cloud.doing("controller") for name in there]
    return controllers + [(node.name, "nova-compute") for node in cloud.doing("compute")]


def hypervisors(cloud: Cloud) -> list[str]:
    """Host names of the hypervisors."""
    return [node.name for node in cloud.doing("compute")]


def neutron_agents(cloud: Cloud) -> list[tuple[str, str]]:
    """(host, kind of agent) of every neutron agent; of a packstack cloud none: its answers choose."""
    if cloud.packstack:
        return []
    hosts = dict.fromkeys([*cloud.work["network"], *cloud.work["compute"]])
    agents = [(host, AGENT_KINDS[kind]) for host in hosts for kind in cloud.network_agents(host)]
    balancing = cloud.work["network"] if cloud.settings.lbaas else []
    return agents + [(host, LBAAS_AGENT) for host in balancing]


def cinder_services(cloud: Cloud) -> list[tuple[str, str]]:
    """(host, binary) of every cinder service; a volume service's host carries its backend's name."""
    if "cinder" not in cloud.services:
        return []
    schedulers = [(node.name, "cinder-scheduler") for node in cloud.doing("controller")]
    return schedulers + [(backend, "cinder-volume") for backend in volume_backends(cloud)]


def volume_backends(cloud: Cloud) -> list[str]:
    """``HOST@BACKEND`` of everything that keeps volumes."""
    return [f"{node.name}@{STORAGE_BACKEND}" for node in cloud.doing("storage")]


def members(cloud: Cloud) -> list[str]:
    """The hosts whose MariaDB and RabbitMQ are clusters; none where there is one of each only."""
    return cloud.work["database"] if cloud.clustered else []


def keys(cloud: Cloud) -> list[str]:
    """The controllers whose keystones have keys in common; none where there is one only, or no such token."""
    several = len(cloud.work["controller"]) > 1 and not cloud.release.has("uuid_tokens")
    return cloud.work["controller"] if several else []


def ports(cloud: Cloud) -> list[Port]:
    """Every port that must be listened on, by host; of a packstack cloud none: its answers choose."""
    if cloud.packstack:
        return []
    found = []
    for node in cloud.doing("database"):
        for port, service in (
            (DATABASE_PORT, "MariaDB"),
            (MESSAGING_PORT, "RabbitMQ"),
            (CACHE_PORT, "memcached"),
        ):
            found.append(Port(node.name, node.address, port, service))
        if cloud.clustered:
            found.append(Port(node.name, node.address, GALERA_PORT, "MariaDB's cluster"))
    for node in cloud.doing("controller"):
        apis = [(service.port, service.name) for service in cloud.services.values()]
        if cloud.release.has("admin_port"):
            apis.append((ADMIN_PORT, "keystone for administrators"))
        if cloud.release.has("glance_registry"):
            apis.append((REGISTRY_PORT, "glance's registry"))
        for port, service in (
            *apis,
            (METADATA_PORT, "nova metadata"),
            (CONSOLE_PORT, "nova console"),
            (WEB_PORT, "Horizon"),
        ):
            found.append(Port(node.name, node.address, port, service))
    for node in cloud.doing("loadbalancer"):
        found.append(Port(node.name, node.address, STATISTICS_PORT, "haproxy's statistics"))
    for node in cloud.proxies:
        for bind in binds_of(cloud, node):
            found.append(Port(node.name, bind.address, bind.port, f"haproxy ({bind.name})"))
    known = {(port.host, port.address, port.port): port for port in reversed(found)}
    found = [port for port in found if known[port.host, port.address, port.port] is port]
    # Not the iSCSI port of storage hosts: the kernel opens it with the first attached volume.
    return found


def tls_endpoints(cloud: Cloud) -> list[tuple[str, int]]:
    """(name or address, port) of everything that users and services reach by TLS, each once."""
    found = [
        (address, service.port)
        for interface, address in (("public", cloud.public_address), ("internal", cloud.internal_address))
        if cloud.secured(interface)
        for service in cloud.services.values()
    ]
    if cloud.tls:
        found += [(cloud.public_address, CONSOLE_PORT), (cloud.public_address, TLS_WEB_PORT)]
    if cloud.secured("internal"):
        found.append((cloud.internal_address, METADATA_PORT))
    return list(dict.fromkeys(found))


def mirrors(cloud: Cloud, host: Any) -> bool:
    """Whether a host fetches the images that it lacks from the other controllers."""
    return (
        cloud.settings.mirror_images and cloud.does("controller", host) and len(cloud.doing("controller")) > 1
    )


def units(cloud: Cloud, host: str) -> list[str]:
    """systemd units that must be active on a host, and start with it."""
    node = cloud.node(host)
    if cloud.packstack:
        # How APIs and agents run differs between packstack's releases; these are there in all of them.
        there = {"controller": "keystone/api", "compute": "nova/compute"}
        return cloud.units(host, *(unit for role, unit in there.items() if cloud.does(role, host)))
    wanted = ["chrony/server"]
    if cloud.does("database", host):
        wanted += ["database/server", "messaging/server", "cache/server"]
    if cloud.does("controller", host):
        wanted += ["keystone/api", "glance/api", "glance/registry", "placement/api"]
        wanted += [
            f"nova/{part}"
            for part in (
                "api", "metadata", "cert", "consoleauth", "scheduler", "conductor", "novncproxy"
            )
        ]  # fmt: skip
        wanted += ["neutron/api", "neutron/rpc"]
        wanted += ["cinder/api", "cinder/scheduler"] if "cinder" in cloud.services else []
        wanted += ["horizon/web"]
    agents = [f"neutron/{kind}" for kind in cloud.network_agents(host)]
    compute = cloud.does("compute", host)
    wanted += LIBVIRT if compute else []
    wanted += ["openvswitch/daemon"] if agents and cloud.openvswitch else []
    wanted += ["nova/compute"] if compute else []
    wanted += agents
    if cloud.does("storage", host):
        wanted += ["iscsi/target", "cinder/volume"]
    if cloud.does("network", host) and cloud.settings.lbaas:
        wanted += ["neutron/lbaas"]
    wanted += ["loadbalancer/proxy"] if node in cloud.proxies else []
    if cloud.does("loadbalancer", host):
        wanted += ["loadbalancer/proxy", "loadbalancer/address"]
    wanted += ["firewall/daemon"] if node.settings.firewall == "on" else []
    wanted += ["network/manager"] if node.settings.network_manager == "on" else []
    own = ["openstack-bridges"] if agents and (node.needs_bridges or not cloud.openvswitch) else []
    own += ["openstack-images.timer"] if mirrors(cloud, host) else []
    return list(dict.fromkeys([*cloud.units(host, *wanted), *own]))
