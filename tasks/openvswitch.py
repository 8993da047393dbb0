"""Open vSwitch: the provider bridge, and where the kernel has no module, tunnels in user space."""

from pyinfra import host

from cloud.model import TUNNEL_BRIDGE
from operations import bridge, config, openvswitch, service
from tasks.context import cloud

node = cloud.node(host)

if cloud.openvswitch and (cloud.does("network", host) or cloud.does("compute", host)):
    service.running(name="Start Open vSwitch", units=[node.unit("openvswitch/daemon")])
    if node.user_space:
        # Before any port exists, or the guests' TCP stalls on wrong checksums while their DHCP works.
        openvswitch.option(
            name="Let Open vSwitch in user space finish the guests' checksums",
            key="userspace-tso-enable",
            value="true",
            unit=node.unit("openvswitch/daemon"),
        )
    if node.settings.provider_interface and not cloud.takes_over(node):
        openvswitch.bridge(
            name="Join the provider interface to its bridge",
            bridge=cloud.settings.provider_bridge,
            port=node.settings.provider_interface,
            datapath=node.settings.openvswitch_datapath,
        )
    if node.user_space and cloud.self_service:
        # Tunnels in user space leave through a port of a user space bridge, which holds their address.
        openvswitch.bridge(
            name="Join the tunnel interface to a bridge of its own",
            bridge=TUNNEL_BRIDGE,
            port=node.settings.tunnel_interface,
            datapath="netdev",
        )
    if node.needs_bridges:
        config.file(
            name="Keep the bridges' links up, and the tunnel's address on its bridge",
            src="templates/openvswitch/bridges.service.j2",
            dest="/etc/systemd/system/openstack-bridges.service",
            mode="644",
            cloud=cloud,
            node=node,
            unit=node.unit("openvswitch/daemon"),
            kept=f"/etc/openstack-bridges/{cloud.settings.provider_bridge}.ip",
        )
        service.running(
            name="Bring the bridges' links up",
            units=["openstack-bridges"],
            config=["/etc/systemd/system/openstack-bridges.service"],
        )
    if cloud.takes_over(node):
        # Last: from the confirmation on, a boot relies on the unit above.
        bridge.address_taken_over(
            name="Move the host's address to the provider bridge, 60 seconds at most",
            bridge=cloud.settings.provider_bridge,
            port=node.settings.provider_interface,
            address=node.address,
            datapath=node.settings.openvswitch_datapath,
            timeout=60,
        )
