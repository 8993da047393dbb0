"""What the load balancers take in, and whom they hand it to. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from cloud.model import (
    ADMIN_PORT,
    CACHE_PORT,
    CONSOLE_PORT,
    DATABASE_PORT,
    MESSAGING_PORT,
    REGISTRY_PORT,
    Cloud,
)


@dataclass(frozen=True)
class Frontend:
    """A port of the virtual address.

    Attributes:
        name: haproxy's name for it.
        port: the same in front and behind.
        servers: (name, address).
        sticky: a client always gets the same server.
        interval: milliseconds between two checks of a server.
    """

    name: str
    port: int
    servers: tuple[tuple[str, str], ...]
    sticky: bool = True
    interval: int = 5000


def frontends(cloud: Cloud) -> list[Frontend]:
    """Every port of the load balancers: the database's hosts first, then the APIs that are balanced."""

    databases = cloud.doing("database")

    def database(name: str, port: int, sticky: bool = True) -> Frontend:
        numbers = range(1, len(databases) + 1) if databases[1:] else [""]
        servers = [(f"{name}{n}", node.address) for n, node in zip(numbers, databases, strict=True)]
        return Frontend(f"openstack_{name}", port, tuple(servers), sticky, interval=2000)

    def api(name: str, server: str, port: int) -> Frontend:
        servers = [(f"{server}{n}", node.address) for n, node in enumerate(cloud.doing("controller"), 1)]
        return Frontend(name, port, tuple(servers))

    found = [
        database("mysql", DATABASE_PORT),
        database("rabbit", MESSAGING_PORT, sticky=False),
        database("memcached", CACHE_PORT),
    ]
    for service in cloud.services.values():
        if cloud.settings.balanced is not None and service.name not in cloud.settings.balanced:
            continue
        if service.name == "keystone" and cloud.release.has("admin_port"):
            found.append(api("keystone-public-url", "keystone", service.port))
            found.append(api("keystone-admin-url", "keystone", ADMIN_PORT))
        else:
            found.append(api(f"{service.name}-api", f"{service.name}-api", service.port))
        if service.name == "glance" and cloud.release.has("glance_registry"):
            found.append(api("glance", "glance", REGISTRY_PORT))
    if cloud.settings.balanced is None:
        found.append(api("console", "console", CONSOLE_PORT))
    return found
