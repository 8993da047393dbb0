"""Load balancers: haproxy in front of the services, keepalived for the address that one of them holds."""

from pyinfra import host

from cloud.frontends import frontends
from operations import config, service
from tasks.context import cloud

node = cloud.node(host)

if cloud.does("loadbalancer", host):
    config.file(
        name="Configure haproxy",
        src="templates/haproxy/haproxy.cfg.j2",
        dest=node.path("haproxy"),
        mode="644",
        cloud=cloud,
        frontends=frontends(cloud),
    )
    config.file(
        name="Configure keepalived",
        src="templates/keepalived/keepalived.conf.j2",
        dest=node.path("keepalived"),
        mode="644",
        cloud=cloud,
        node=node,
    )
    service.running(
        name="Start haproxy and keepalived",
        units=[node.unit("loadbalancer/proxy"), node.unit("loadbalancer/address")],
        config=node.paths("haproxy", "keepalived"),
    )
