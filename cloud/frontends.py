"""What the load balancers take in, whom they hand it to, and how they ask whether that one serves. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cloud.model import (
    ADMIN_PORT,
    CACHE_PORT,
    CONSOLE_PORT,
    DATABASE_PORT,
    MESSAGING_PORT,
    METADATA_PORT,
    REGISTRY_PORT,
    STATISTICS_PORT,
    TLS_WEB_PORT,
    WEB_PORT,
    Cloud,
    Node,
)

# MariaDB's account without password and without rights, for the load balancers' hosts alone.
CHECK_USER = "haproxy"
# Services whose pipeline has oslo.middleware's answer at its root. nova's API has it below its versions only,
# placement has none.
WITH_HEALTHCHECK = ("keystone", "glance", "neutron", "cinder")
# Minutes that a connection may be silent. Longer than oslo.db keeps one in its pool (an hour), or each
# service would find its own closed.
POOLED = 90
CONSOLE = 60


@dataclass(frozen=True)
class Frontend:
    """A port of the virtual address.

    Attributes:
        name: haproxy's name for it.
        port: the same in front and behind.
        servers: (name, address).
        check: how a server is asked: ``mysql``, ``galera``, ``rabbitmq``, ``memcached``, a path for HTTP, or
            "", not at all.
        sticky: a client always gets the same server.
        interval: milliseconds between two checks of a server.
        idle: minutes that a connection may be silent; 0: as all others.
        backup: all servers but the first only get something to do when those before them are gone.
        interfaces: of which endpoints it is a part; none: it is no API, and never has TLS.
        server_port: the port behind, where it is another one.
        forwarded: the server is told of the user's address. nova's metadata is told of the instance's so
            already, by neutron's agent, and a second address would make nonsense of it.
        web: browsers come to its plain port, too, and are sent on to the one with TLS.
    """

    name: str
    port: int
    servers: tuple[tuple[str, str], ...]
    check: str
    sticky: bool = True
    interval: int = 5000
    idle: int = 0
    backup: bool = False
    interfaces: tuple[str, ...] = ()
    server_port: int | None = None
    forwarded: bool = True
    web: bool = False


@dataclass(frozen=True)
class Bind:
    """Where haproxy listens: for which frontend (``name``), and whether with TLS."""

    name: str
    address: str
    port: int
    tls: bool


BOTH = ("internal", "public")


def balanced(cloud: Cloud, name: str) -> bool:
    """Whether the load balancers hand on a service, or ``horizon``."""
    return cloud.settings.balanced is None or name in cloud.settings.balanced


def frontends(cloud: Cloud) -> list[Frontend]:
    """Every port of the load balancers: the database's hosts first, then the APIs that are balanced."""

    databases = cloud.doing("database")
    several = len(cloud.doing("controller")) > 1
    healthcheck = "/healthcheck" if cloud.release.has("healthcheck") else "/"

    def database(name: str, port: int, check: str, sticky: bool = True) -> Frontend:
        numbers = range(1, len(databases) + 1) if databases[1:] else [""]
        servers = [(f"{name}{n}", node.address) for n, node in zip(numbers, databases, strict=True)]
        # A cluster has one member that is written to: of two writers of a row one loses.
        sticky, backup = sticky and not cloud.clustered, cloud.clustered
        return Frontend(
            f"openstack_{name}",
            port,
            tuple(servers),
            check,
            sticky,
            interval=2000,
            idle=POOLED,
            backup=backup,
        )

    def api(name: str, server: str, port: int, check: str = "/", interfaces=BOTH, **more) -> Frontend:
        servers = [(f"{server}{n}", node.address) for n, node in enumerate(cloud.doing("controller"), 1)]
        return Frontend(name, port, tuple(servers), check, interfaces=interfaces, **more)

    found = [database("mysql", DATABASE_PORT, "galera" if cloud.clustered else "mysql")]
    # The members of clusters of these are known to every client (see Cloud.database_addresses).
    if not cloud.clustered:
        found += [
            database("rabbit", MESSAGING_PORT, "rabbitmq", sticky=False),
            database("memcached", CACHE_PORT, "memcached"),
        ]
    for service in cloud.services.values():
        if not balanced(cloud, service.name):
            continue
        check = healthcheck if service.name in WITH_HEALTHCHECK else "/"
        # An image is first on the controller that took it in, and the others fetch it from there.
        mirrored = service.name == "glance" and several and cloud.settings.mirror_images
        one = {"backup": True, "sticky": False} if mirrored else {}
        if service.name == "keystone" and cloud.release.has("admin_port"):
            found.append(api("keystone-public-url", "keystone", service.port, check))
            found.append(api("keystone-admin-url", "keystone", ADMIN_PORT, check))
        else:
            found.append(api(f"{service.name}-api", f"{service.name}-api", service.port, check, **one))
        if service.name == "glance" and cloud.release.has("glance_registry"):
            found.append(api("glance", "glance", REGISTRY_PORT, interfaces=("internal",)))
        if service.name == "nova":
            metadata = api("nova-metadata", "nova-metadata", METADATA_PORT, healthcheck, ("internal",))
            found.append(replace(metadata, forwarded=False))
            found.append(api("console", "console", CONSOLE_PORT, "/vnc.html", ("public",), idle=CONSOLE))
    if balanced(cloud, "horizon"):
        path, public = cloud.first("controller").platform.horizon_path, ("public",)
        web = (
            {"port": TLS_WEB_PORT, "server_port": WEB_PORT, "web": True} if cloud.tls else {"port": WEB_PORT}
        )
        found.append(api("horizon", "horizon", check=path, interfaces=public, **web))
    return found


def kernel_settings(cloud: Cloud, host: str) -> dict[str, str]:
    """What a host's kernel is told where there are load balancers: sysctl's name -> value.

    Args:
        cloud: the model.
        host: the host's name.
    """
    if not cloud.settings.virtual_address:
        return {}
    # A load balancer that loses its power closes nothing. Who waits for an answer through it would wait for
    # two hours, the kernel's own limit: PyMySQL and RabbitMQ's clients ask for these tests and for no others.
    found = {
        "net.ipv4.tcp_keepalive_time": "15",
        "net.ipv4.tcp_keepalive_intvl": "5",
        "net.ipv4.tcp_keepalive_probes": "3",
    }
    if cloud.does("loadbalancer", host):
        # haproxy is to listen, too, while another one holds the address.
        found = {"net.ipv4.ip_nonlocal_bind": "1", **found}
    return found


def told(cloud: Cloud, host: Any, *names: str) -> list[str]:
    """Where each load balancer tells whether it gives a host work (200) or not (503): services, or frontends.

    None where there is one controller only: nothing serves while it restarts.
    """
    if len(cloud.doing("controller")) == 1:
        return []
    address = cloud.node(host).address
    found = {front.name.removesuffix("-api"): front for front in frontends(cloud)}
    return [
        f"http://{balancer.address}:{STATISTICS_PORT}{state_path(front, server)}"
        for front in (found[name] for name in names if name in found)
        for server, place in front.servers
        if place == address
        for balancer in cloud.doing("loadbalancer")
    ]


def state_path(front: Frontend, server: str) -> str:
    """The page of haproxy that tells of a server."""
    return f"/up/{front.name}/{server}"


def frontends_of(cloud: Cloud, node: Node) -> list[Frontend]:
    """What haproxy takes in on a host: on a load balancer all, on a controller what has TLS, for itself."""
    if "loadbalancer" in node.roles:
        return frontends(cloud)
    own = [
        replace(front, servers=tuple(s for s in front.servers if s[1] == node.address))
        for front in frontends(cloud)
        if any(bind.tls for bind in binds(cloud, node, front))
    ]
    behind = cloud.api_address(node)
    # One server only: to leave it out until enough checks have found it well would delay each of its starts.
    return [
        replace(front, servers=tuple((name, behind) for name, _ in front.servers), check="") for front in own
    ]


def binds(cloud: Cloud, node: Node, front: Frontend) -> list[Bind]:
    """Where haproxy listens for a frontend on a host. A controller's APIs answer what has no TLS."""
    places = {"internal": cloud.internal_bind(node), "public": cloud.public_bind(node)}
    found = {
        places[interface]: Bind(front.name, places[interface], front.port, cloud.secured(interface))
        for interface in front.interfaces or ("internal",)
    }
    if not front.interfaces:
        return [replace(bind, tls=False) for bind in found.values()]
    if "loadbalancer" in node.roles:
        plain = [replace(bind, port=WEB_PORT, tls=False) for bind in found.values()] if front.web else []
        return [*found.values(), *plain]
    return [bind for bind in found.values() if bind.tls]


def binds_of(cloud: Cloud, node: Node) -> list[Bind]:
    """Everything that haproxy listens on on a host."""
    return [bind for front in frontends_of(cloud, node) for bind in binds(cloud, node, front)]
