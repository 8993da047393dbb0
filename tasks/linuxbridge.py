"""Linux bridges: security groups see their traffic. The agent makes them, and puts interfaces into them."""

from pyinfra import host

from operations import config, service
from tasks.context import cloud

node = cloud.node(host)

if not cloud.openvswitch and (cloud.does("network", host) or cloud.does("compute", host)):
    config.file(
        name="Let iptables see what crosses a bridge, and keep the provider interface up",
        src="templates/linuxbridge/bridges.service.j2",
        dest="/etc/systemd/system/openstack-bridges.service",
        mode="644",
        node=node,
    )
    if cloud.release.has("ebtables_by_number"):
        for path in node.paths("ebtables"):
            config.file(
                name="Let ebtables delete what the agent asks it to",
                src="templates/linuxbridge/ebtables.j2",
                dest=path,
                mode="755",
            )
    service.running(
        name="Prepare the kernel for bridges",
        units=["openstack-bridges"],
        config=["/etc/systemd/system/openstack-bridges.service"],
    )
