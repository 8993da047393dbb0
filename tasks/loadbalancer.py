"""Load balancers: haproxy in front of the services, keepalived for the address that one of them holds.

Without load balancers haproxy ends TLS on the controllers.
"""

from pyinfra import host

from cloud.frontends import CHECK_USER, binds, frontends_of, kernel_settings, state_path
from cloud.galera_check import conversation
from cloud.model import MANAGEMENT_PORT, STATISTICS_PORT
from operations import config, service, system
from tasks.context import cloud

node = cloud.node(host)
settings = kernel_settings(cloud, host.name)
proxy, address = node.unit("loadbalancer/proxy"), node.unit("loadbalancer/address")

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

if node in cloud.proxies:
    # The first one is shown to whoever asks for no name, or by an address.
    certificates = {f"/etc/haproxy/certs/{name}.pem": pem for name, pem in cloud.shown(host).items()}
    for path, pem in certificates.items():
        config.file(name=f"Install {path}", content=pem, dest=path, mode="600", directory=True)
    config.file(
        name=f"Have {proxy} started again when it dies",
        src="templates/keepalived/restart.conf.j2",
        dest=f"/etc/systemd/system/{proxy}.service.d/openstack.conf",
        mode="644",
        directory=True,
    )
    config.file(
        name="Configure haproxy",
        src="templates/haproxy/haproxy.cfg.j2",
        dest=node.path("haproxy"),
        cloud=cloud,
        node=node,
        frontends=frontends_of(cloud, node),
        binds=binds,
        state_path=state_path,
        certificates=list(certificates),
        check_user=CHECK_USER,
        galera_check=list(conversation(CHECK_USER)),
        management_port=MANAGEMENT_PORT,
        statistics_port=STATISTICS_PORT,
    )
    service.running(name="Start haproxy", units=[proxy])
    # One host after the other: while one changes, another one serves.
    service.reloaded(
        name="Load haproxy's newest configuration and certificates",
        unit=proxy,
        config=[node.path("haproxy"), *certificates],
        check=f"haproxy -c -q -f {node.path('haproxy')}",
        _serial=True,
    )

if cloud.does("loadbalancer", host):
    balancers = cloud.doing("loadbalancer")
    first = 100 - [other.name for other in balancers].index(node.name)
    config.file(
        name=f"Have {address} started again when it dies",
        src="templates/keepalived/restart.conf.j2",
        dest=f"/etc/systemd/system/{address}.service.d/openstack.conf",
        mode="644",
        directory=True,
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
    service.running(name="Start keepalived", units=[address], config=node.paths("keepalived"), _serial=True)
