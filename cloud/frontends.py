"""What the load balancers take in, and whom they hand it to. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from cloud.model import ADMIN_PORT, CACHE_PORT, CONSOLE_PORT, DATABASE_PORT, MESSAGING_PORT, Cloud

REGISTRY_PORT = 9191


@dataclass(frozen=True)
class Frontend:
    """A port of the virtual address.

    Attributes:
        name: haproxy's name for it.
        server: its servers' names, before their number.
        port: the same in front and behind.
        addresses: the servers.
        sticky: a client always gets the same server.
        interval: milliseconds between two checks of a server.
    """

    name: str
    server: str
    port: int
    addresses: tuple[str, ...]
    sticky: bool = True
    interval: int = 5000


def frontends(cloud: Cloud) -> list[Frontend]:
    """Every port of the load balancers: the database's hosts first, then the APIs that are balanced."""
    databases = tuple(node.address for node in cloud.doing("database"))
    controllers = tuple(node.address for node in cloud.doing("controller"))
    found = [
        Frontend("openstack_mysql", "mysql", DATABASE_PORT, databases, interval=2000),
        Frontend("openstack_rabbit", "rabbit", MESSAGING_PORT, databases, sticky=False, interval=2000),
        Frontend("openstack_memcached", "memcached", CACHE_PORT, databases, interval=2000),
    ]
    for service in cloud.services.values():
        if cloud.settings.balanced is not None and service.name not in cloud.settings.balanced:
            continue
        if service.name == "keystone" and cloud.release.has("admin_port"):
            found.append(Frontend("keystone-public-url", "keystone", service.port, controllers))
            found.append(Frontend("keystone-admin-url", "keystone", ADMIN_PORT, controllers))
        else:
            found.append(Frontend(f"{service.name}-api", f"{service.name}-api", service.port, controllers))
        if service.name == "glance" and cloud.release.has("glance_registry"):
            found.append(Frontend("glance", "glance", REGISTRY_PORT, controllers))
    if cloud.settings.balanced is None:
        found.append(Frontend("console", "console", CONSOLE_PORT, controllers))
    return found
