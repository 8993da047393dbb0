"""Load balancers: haproxy in front of the services, keepalived for the address that one of them holds."""

from pyinfra import host

from cloud.frontends import CHECK_USER, frontends, kernel_settings
from cloud.galera_check import conversation
from cloud.model import MANAGEMENT_PORT, STATISTICS_PORT
from operations import config, service, system
from tasks.context import cloud

node = cloud.node(host)
settings = kernel_settings(cloud, host.name)

if settings:
    config.file(
        name="Tell the kernel what a shared address needs, at each boot",
        content="\n".join(
            ["# Written by the deploy.", *(f"{key} = {value}" for key, value in settings.items())]
        ),
        dest="/etc/sysctl.d/60-openstack.conf",
        mode="644",
    )
    system.kernel(name="Tell the kernel what a shared address needs", settings=settings)

if cloud.does("loadbalancer", host):
    balancers = cloud.doing("loadbalancer")
    first = 100 - [other.name for other in balancers].index(node.name)
    proxy, address = node.unit("loadbalancer/proxy"), node.unit("loadbalancer/address")
    for unit in (proxy, address):
        config.file(
            name=f"Have {unit} started again when it dies",
            src="templates/keepalived/restart.conf.j2",
            dest=f"/etc/systemd/system/{unit}.service.d/openstack.conf",
            mode="644",
            directory=True,
        )
    config.file(
        name="Configure haproxy",
        src="templates/haproxy/haproxy.cfg.j2",
        dest=node.path("haproxy"),
        cloud=cloud,
        node=node,
        frontends=frontends(cloud),
        check_user=CHECK_USER,
        galera_check=list(conversation(CHECK_USER)),
        management_port=MANAGEMENT_PORT,
        statistics_port=STATISTICS_PORT,
    )
    config.file(
        name="Let keepalived ask haproxy",
        src="templates/keepalived/haproxy-answers.j2",
        dest=node.path("keepalived-check"),
        mode="755",
        directory=True,
        node=node,
        statistics_port=STATISTICS_PORT,
    )
    config.file(
        name="Configure keepalived",
        src="templates/keepalived/keepalived.conf.j2",
        dest=node.path("keepalived"),
        cloud=cloud,
        node=node,
        priority=node.settings.keepalived_priority or first,
        peers=[other.address for other in balancers if other.name != node.name],
    )
    # One host after the other: while one starts again, another one serves.
    service.running(name="Start haproxy", units=[proxy], config=node.paths("haproxy"), _serial=True)
    service.running(name="Start keepalived", units=[address], config=node.paths("keepalived"), _serial=True)
