"""firewalld: off, as in the original install notes, or on, with the ports of the host's roles open."""

from pyinfra import host

from cloud.firewall import openings
from operations import firewall, service
from tasks.context import cloud

node = cloud.node(host)

if node.settings.firewall == "off":
    service.stopped(name="Stop the firewall", units=[node.unit("firewall/daemon")])
if node.settings.firewall == "on":
    firewall.opened(
        name="Open the ports of the host's roles",
        openings=openings(cloud, node),
        default_zone=cloud.takes_over(node),
    )
