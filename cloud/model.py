"""The cloud: what inventory, group data and secrets add up to. Tasks and templates ask it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cloud.platforms import PLATFORMS, Platform, role_packages
from cloud.releases import Release
from cloud.services import SERVICES, ServiceSpec
from cloud.settings import CloudSettings, NodeSettings

MESSAGING_PORT = 5672
CACHE_PORT = 11211
DATABASE_PORT = 3306
CONSOLE_PORT = 6080
METADATA_PORT = 8775
INTERFACES = ("public", "internal", "admin")


def _name_of(host: Any) -> str:
    return getattr(host, "name", host)


@dataclass(frozen=True)
class Node:
    """One host of the cloud."""

    name: str
    settings: NodeSettings
    roles: frozenset[str]

    @property
    def address(self) -> str:
        return str(self.settings.address)

    @property
    def tunnel_address(self) -> str:
        return str(self.settings.tunnel_address or self.settings.address)

    @property
    def user_space(self) -> bool:
        """Whether Open vSwitch works in user space here."""
        return self.settings.openvswitch_datapath == "netdev"

    @property
    def needs_bridges(self) -> bool:
        """Whether Open vSwitch has bridges of ours here, if the host carries networks at all."""
        return bool(self.settings.provider_interface) or self.user_space

    @property
    def platform(self) -> Platform:
        return PLATFORMS[self.settings.platform]

    def unit(self, name: str) -> str:
        """The systemd unit of ``SERVICE/PROCESS`` on this host's platform."""
        return self.platform.units[name]

    def path(self, name: str) -> str:
        """Where a file lies on this host's platform."""
        return self.platform.paths[name]


@dataclass(frozen=True)
class Service:
    """One OpenStack service of this cloud."""

    spec: ServiceSpec
    cloud: Cloud = field(repr=False)

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def port(self) -> int:
        return self.spec.port

    @property
    def database_password(self) -> str:
        return self.cloud.secret(f"{self.name}_database_password")

    @property
    def password(self) -> str:
        """Password of the service's user in keystone."""
        return self.cloud.secret(f"{self.name}_service_password")

    @property
    def workers(self) -> int:
        """Processes of its API on a controller."""
        return max(self.cloud.settings.workers, self.spec.least_workers)

    def runs_on(self, host: Any) -> bool:
        """Whether the service's API runs on this host."""
        return bool(self.cloud.node(host).roles & set(self.spec.roles))

    def connection(self, database: str | None = None) -> str:
        """SQLAlchemy URL of one of the service's databases (default: the one named like it)."""
        return (
            f"mysql+pymysql://{self.name}:{self.database_password}@{self.cloud.database_address}:{DATABASE_PORT}"
            f"/{database or self.name}?charset=utf8"
        )

    def url(self, interface: str = "internal", path: str | None = None) -> str:
        """The API's URL as clients of ``interface`` reach it; ``path`` defaults to the catalog entry's."""
        address = self.cloud.public_address if interface == "public" else self.cloud.internal_address
        return f"http://{address}:{self.port}{self.spec.path if path is None else path}"

    @property
    def catalog_name(self) -> str:
        return self.spec.catalog_name or self.name


@dataclass(frozen=True)
class Cloud:
    """The whole cloud, always of the whole inventory and never of ``--limit`` (design rule 5).

    Attributes:
        settings: the operator's choices.
        nodes: the hosts, in the inventory's order.
        work: role -> hosts that do its work.
        secrets: name -> secret. Out of ``repr``.
    """

    settings: CloudSettings
    nodes: dict[str, Node]
    work: dict[str, list[str]]
    secrets: dict[str, str] = field(repr=False)

    @cached_property
    def release(self) -> Release:
        return Release(self.settings.release)

    def node(self, host: Any) -> Node:
        """The node of a pyinfra host, or of a host's name."""
        return self.nodes[_name_of(host)]

    def doing(self, role: str) -> list[Node]:
        """The nodes that do a role's work."""
        return [self.nodes[name] for name in self.work[role]]

    def first(self, role: str) -> Node:
        """The node that does a role's one-time steps: the first one in the inventory."""
        return self.doing(role)[0]

    def is_first(self, role: str, host: Any) -> bool:
        return self.first(role).name == _name_of(host)

    def does(self, role: str, host: Any) -> bool:
        return _name_of(host) in self.work[role]

    def packages(self, host: Any) -> list[str]:
        """What this host must have installed."""
        node = self.node(host)
        return role_packages(node.platform.name, str(self.release), set(node.roles))

    def secret(self, name: str) -> str:
        return self.secrets[name]

    @cached_property
    def services(self) -> dict[str, Service]:
        return {name: Service(spec, self) for name, spec in SERVICES.items()}

    def service(self, name: str) -> Service:
        return self.services[name]

    def schema_request(
        self, node: Node, service: str | None = None, databases: list[str] | None = None
    ) -> dict[str, Any]:
        """What ``schema_state.py`` is asked on a node.

        Args:
            node: where it runs: its platform says where Python's packages lie.
            service: one service's schemas only.
            databases: these databases only.
        """
        return {
            "python": node.path("python"),
            "schemas": [
                {
                    "database": schema.database,
                    "host": self.database_address,
                    "user": owner.name,
                    "password": owner.database_password,
                    "versions": list(schema.versions),
                }
                for owner in self.services.values()
                if service in (None, owner.name)
                for schema in owner.spec.schemas
                if databases is None or schema.database in databases
            ],
        }

    @property
    def internal_address(self) -> str:
        """Where hosts reach the APIs."""
        return self.first("controller").address

    @property
    def public_address(self) -> str:
        """Where users reach the APIs and Horizon."""
        return self.settings.public_address or self.internal_address

    @property
    def database_address(self) -> str:
        return self.first("database").address

    @property
    def transport_url(self) -> str:
        """oslo.messaging's URL of the message queue, every member in it."""
        password = self.secret("rabbitmq_password")
        members = ",".join(
            f"openstack:{password}@{n.address}:{MESSAGING_PORT}" for n in self.doing("database")
        )
        return f"rabbit://{members}/"

    @property
    def memcached_servers(self) -> str:
        return ",".join(f"{node.address}:{CACHE_PORT}" for node in self.doing("database"))

    @property
    def console_url(self) -> str:
        """Where a user's browser opens an instance's console."""
        return f"http://{self.public_address}:{CONSOLE_PORT}/vnc_auto.html"

    @property
    def horizon_url(self) -> str:
        return f"http://{self.public_address}/"

    @property
    def horizon_names(self) -> list[str]:
        """The names Horizon answers to: a wildcard would let a forged Host header into its links."""
        controllers = self.doing("controller")
        names = [self.public_address, *(n.address for n in controllers), *(n.name for n in controllers)]
        return list(dict.fromkeys(names))

    @property
    def admin_credentials(self) -> dict[str, str]:
        """The cloud administrator, as openstacksdk's ``auth`` and the identity operations take it."""
        return {
            "auth_url": self.service("keystone").url("internal"),
            "username": "admin",
            "password": self.secret("admin_password"),
            "project_name": "admin",
            "user_domain_name": "Default",
            "project_domain_name": "Default",
            "region_name": self.settings.region,
        }
