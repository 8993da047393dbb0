"""NetworkManager: off, as in the original install notes, or on, with the cloud's interfaces left alone."""

from pyinfra import host

from cloud import protection
from operations import config, service
from tasks.context import cloud

node = cloud.node(host)
conf = "/etc/NetworkManager/conf.d/90-openstack.conf"

if node.settings.network_manager == "off":
    service.stopped(name="Stop NetworkManager", units=[node.unit("network/manager")])
if node.settings.network_manager == "on":
    interfaces = protection.unmanaged(cloud, node)
    config.file(
        name="Keep NetworkManager off the cloud's interfaces",
        src="templates/networkmanager/openstack.conf.j2",
        dest=conf,
        mode="644",
        interfaces=interfaces,
        taken_over=cloud.takes_over(node),
    )
    # A restart leaves addresses as they are, those of interfaces that it shall not manage any more, too.
    service.running(name="Start NetworkManager", units=[node.unit("network/manager")], config=[conf])
