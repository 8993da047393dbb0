"""What SELinux and NetworkManager must allow for a host's roles. Pure."""

from __future__ import annotations

from cloud.model import TUNNEL_BRIDGE, Cloud, Node

# Role -> SELinux's booleans. openstack-selinux switches them on when it is installed, with others that its
# own modules bring; but an operator may have switched them off since, and it comes with no release by itself.
BOOLEANS: dict[str, list[str]] = {
    # keystone, placement and Horizon are in httpd, and ask the database, memcached and the other APIs.
    "controller": ["httpd_can_network_connect", "httpd_use_openstack", "glance_api_can_network"],
    "network": ["neutron_can_network"],
    "compute": ["neutron_can_network"],
    # haproxy listens on, and connects to, ports of other services.
    "loadbalancer": ["haproxy_connect_any"],
}

# What neutron, nova and Open vSwitch make: bridges, taps, and the ends of virtual cables.
MADE = ["br-int", "br-tun", "ovs-system", "tap*", "qbr*", "qvo*", "qvb*", "brq*", "vxlan-*", "vxlan_sys_*"]


def booleans(cloud: Cloud, node: Node) -> list[str]:
    """The booleans that a host's roles need, each once."""
    names = [name for role, wanted in BOOLEANS.items() if role in node.roles for name in wanted]
    if cloud.settings.lbaas and "network" in node.roles:
        names += BOOLEANS["loadbalancer"]
    return list(dict.fromkeys(names))


def unmanaged(cloud: Cloud, node: Node) -> list[str]:
    """The interfaces that NetworkManager must leave alone: names, some with its wildcard ``*``."""
    if not {"network", "compute"} & node.roles:
        return []
    settings, names = node.settings, list(MADE)
    # With Linux bridges the provider interface may carry the host's address: its manager is still needed.
    if settings.provider_interface and (
        cloud.openvswitch or settings.provider_interface != settings.interface
    ):
        names.append(settings.provider_interface)
    if cloud.openvswitch and settings.provider_interface:
        names.append(cloud.settings.provider_bridge)
    if cloud.openvswitch and node.user_space and cloud.self_service:
        names += [name for name in (settings.tunnel_interface, TUNNEL_BRIDGE) if name]
    return names
