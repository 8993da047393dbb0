"""The cloud: what inventory, group data and secrets add up to. Tasks and templates ask it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address
from typing import Any

from cloud import repositories, secrets
from cloud.certificates import Certificates
from cloud.platforms import PACKSTACK_PARTS, PLATFORMS, Platform, role_packages
from cloud.releases import ANY, PROCESSES, Release
from cloud.repositories import Sources
from cloud.services import SERVICES, ServiceSpec, services_in
from cloud.settings import AptSource, CloudSettings, NodeSettings

MESSAGING_PORT = 5672
CACHE_PORT = 11211
DATABASE_PORT = 3306
DATABASE_READ_TIMEOUT = 60  # seconds that a query behind the load balancers may take
GALERA_PORT = 4567  # of the members of MariaDB's cluster among one another
CONSOLE_PORT = 6080
MANAGEMENT_PORT = 15672  # RabbitMQ's own pages
STATISTICS_PORT = 8404  # haproxy's
METADATA_PORT = 8775
REGISTRY_PORT = 9191  # glance's, in old releases
ADMIN_PORT = 35357  # keystone's for administrators, in old releases
WEB_PORT = 80
TLS_WEB_PORT = 443
LOOPBACK = "127.0.0.1"
DOMAIN = "Default"  # of users and projects, by its name
# What everything of the cloud on a host is told to trust, by one name on every platform.
CA_FILE = "/etc/openstack/ca.pem"
TUNNEL_BRIDGE = "br-tunnel"  # of tunnels in user space, with their address
INTERFACES = ("public", "internal", "admin")


def _is_address(name: str) -> bool:
    try:
        return bool(ip_address(name))
    except ValueError:
        return False


def _name_of(host: Any) -> str:
    return getattr(host, "name", host)


@dataclass(frozen=True)
class Node:
    """One host of the cloud."""

    name: str
    settings: NodeSettings
    roles: frozenset[str]
    platform: Platform

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
    def wsgi_group(self) -> str:
        """mod_wsgi's process group for Horizon."""
        return self.platform.wsgi_group

    def unit(self, name: str) -> str:
        """The systemd unit of ``SERVICE/PROCESS`` on this host's platform."""
        return self.platform.units[name]

    def path(self, name: str) -> str:
        """Where a file lies on this host's platform."""
        return self.platform.paths[name]

    def paths(self, *names: str) -> list[str]:
        """Where files lie, less those that this host's platform does not have."""
        return [self.platform.paths[name] for name in names if name in self.platform.paths]


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
    def workers(self) -> int | None:
        """Processes of its API on a controller; None: as many as it starts by itself."""
        chosen = self.cloud.settings.workers
        return chosen and max(chosen, self.spec.least_workers)

    def runs_on(self, host: Any) -> bool:
        """Whether the service's API runs on this host."""
        return self.name in self.cloud.services and bool(self.cloud.node(host).roles & set(self.spec.roles))

    def connection(self, database: str | None = None) -> str:
        """SQLAlchemy URL of one of the service's databases (default: the one named like it)."""
        release, database = self.cloud.release, database or self.name
        driver = "mysql+pymysql" if release.has("pymysql") else "mysql"
        login = f"{driver}://{self.name}:{self.database_password}@{self.cloud.database_address}"
        if not release.has("full_urls"):
            return f"{login}/{database}"
        # haproxy 3.0 forgets a client whose server dies while it connects, and PyMySQL would wait for the
        # greeting without end: a worker of an API would be gone until its next start.
        limit = f"&read_timeout={DATABASE_READ_TIMEOUT}" if self.cloud.proxied_database else ""
        return f"{login}:{DATABASE_PORT}/{database}?charset=utf8{limit}"

    def url(self, interface: str = "internal", path: str | None = None) -> str:
        """The API's URL as clients of ``interface`` reach it; ``path`` defaults to the catalog entry's."""
        address = self.cloud.public_address if interface == "public" else self.cloud.internal_address
        admin_port = interface == "admin" and self.name == "keystone" and self.cloud.release.has("admin_port")
        port = ADMIN_PORT if admin_port else self.port
        path = self.spec.path if path is None else path
        return f"{self.cloud.scheme(interface)}://{address}:{port}{path}"


@dataclass(frozen=True)
class Cloud:
    """The whole cloud, always of the whole inventory and never of ``--limit`` (design rule 5).

    Attributes:
        settings: the operator's choices.
        nodes: the hosts, in the inventory's order.
        work: role -> hosts that do its work.
        secrets: name -> secret. Out of ``repr``.
        certificates: what it shows and trusts, where it has TLS. Out of ``repr``.
    """

    settings: CloudSettings
    nodes: dict[str, Node]
    work: dict[str, list[str]]
    secrets: dict[str, str] = field(repr=False)
    certificates: Certificates | None = field(repr=False, default=None)

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

    def units(self, host: Any, *processes: str) -> list[str]:
        """The systemd units of processes (``SERVICE/PROCESS``) on a host.

        Less those that the release lacks, and those that are part of another unit on the host's platform.
        """
        for process in processes:
            # A typo must not mean "not on this platform": its check and its start would be gone.
            if not any(process in platform.units for platform in PLATFORMS.values()):
                raise KeyError(f"no platform has a unit for {process}")
        units = self.node(host).platform.units
        there = [process for process in processes if self.release.has(PROCESSES.get(process, ANY))]
        return list(dict.fromkeys(units[process] for process in there if process in units))

    def packages(self, host: Any) -> list[str]:
        """What this host must have installed."""
        node = self.node(host)
        extra = ["firewall"] if node.settings.firewall == "on" else []
        if self.packstack:
            parts = [part for role, parts in PACKSTACK_PARTS.items() if role in node.roles for part in parts]
            names = [name for part in (*parts, *extra) for name in node.platform.packages[part]]
            return list(dict.fromkeys(names))
        if node in self.proxies and "loadbalancer" not in node.roles:
            extra.append("proxy")
        if self.redundant_routers and "network" in node.roles:
            extra.append("redundant-routers")
        if self.settings.lbaas and node.roles & {"controller", "network"}:
            extra.append("lbaas")
        if self.clustered and "database" in node.roles:
            extra.append("database-cluster")
        return role_packages(
            node.platform.name,
            str(self.release),
            set(node.roles),
            l2_agent=self.settings.l2_agent,
            l3_agent=self.self_service,
            services=set(self.services),
            extra=extra,
        )

    def sources(self, host: Any) -> Sources:
        """Where the host's packages come from, beyond what the distribution itself has; for EL hosts."""
        node, chosen = self.node(host), self.settings
        if node.settings.platform != "el":
            return Sources()
        packages = node.platform.packages.get("source", [])
        return repositories.sources(
            chosen.release,
            package_source=chosen.package_source,
            mirror=chosen.yum_mirror,
            repositories=chosen.yum_repositories,
            keys=chosen.yum_keys,
            packages=[package.format(release=self.release) for package in packages],
        )

    def apt_sources(self, host: Any) -> dict[str, AptSource]:
        """The operator's package sources, for Debian hosts."""
        return self.settings.apt_sources if self.node(host).settings.platform == "debian" else {}

    def secret(self, name: str) -> str:
        return self.secrets[name]

    @property
    def packstack(self) -> bool:
        """Whether packstack builds it."""
        return self.settings.deployed_by == "packstack"

    @property
    def packstack_answers(self) -> dict[str, str]:
        """The answers that packstack's file must have, passwords among them."""
        return {**self.settings.packstack_answers, **secrets.answers(self.secrets)}

    @property
    def openvswitch(self) -> bool:
        """Whether Open vSwitch carries the networks; if not, Linux bridges do."""
        return self.settings.l2_agent == "openvswitch"

    def takes_over(self, node: Node) -> bool:
        """Whether the provider bridge takes over the address of the host's management interface."""
        wanted = node.settings.provider_interface
        carries = node.roles & {"network", "compute"}
        return bool(self.openvswitch and carries and wanted and wanted == node.settings.interface)

    @property
    def interface_driver(self) -> str:
        """How the DHCP and L3 agents plug in: by name, in old releases by class."""
        if self.release.has("driver_names"):
            return self.settings.l2_agent
        name = "OVSInterfaceDriver" if self.openvswitch else "BridgeInterfaceDriver"
        return f"neutron.agent.linux.interface.{name}"

    @property
    def self_service(self) -> bool:
        """Whether projects make networks of their own: tunnels, routers, floating IPs."""
        return self.settings.self_service_networks

    @property
    def service_plugins(self) -> list[str]:
        """What neutron's server offers beyond networks."""
        routers = ["router"] if self.self_service else []
        return [*routers, "lbaas"] if self.settings.lbaas else routers

    def network_agents(self, host: Any) -> list[str]:
        """The kinds of neutron's agents on a host; only self-service networks need a router."""
        agents = [self.settings.l2_agent] if self.node(host).roles & {"network", "compute"} else []
        if self.does("network", host):
            agents += ["dhcp", *(["l3"] if self.self_service else []), "metadata"]
        return agents

    @cached_property
    def services(self) -> dict[str, Service]:
        """The services of this cloud: cinder is one only where hosts store volumes."""
        return {
            name: Service(spec, self)
            for name, spec in services_in(self.release).items()
            if not spec.needs or self.work[spec.needs]
        }

    def service(self, name: str) -> Service:
        """A service, also one that this cloud does not have: it runs nowhere then."""
        return Service(services_in(self.release).get(name, SERVICES[name]), self)

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
                    **({"left_out": list(schema.left_out)} if schema.left_out else {}),
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
        virtual = self.settings.virtual_address
        return self.settings.internal_address or str(virtual or self.first("controller").address)

    @property
    def public_address(self) -> str:
        """Where users reach the APIs and Horizon."""
        return self.settings.public_address or self.internal_address

    def login_url(self, user: str) -> str:
        """Where a user of the credentials' files logs in."""
        keystone = self.service("keystone")
        url = keystone.url("admin" if user == "admin" else "public", "/v3")
        address = self.settings.login_address or self.public_address
        inside = address == self.internal_address != self.public_address
        scheme = self.scheme("internal" if inside else "public")
        return f"{scheme}://{address}:{url.rpartition(':')[2]}"

    def secured(self, interface: str) -> bool:
        """Whether the endpoints of an interface (public, internal, admin) have TLS."""
        return self.settings.tls == "all" or (self.settings.tls == "public" and interface == "public")

    def scheme(self, interface: str) -> str:
        """``https`` or ``http``, of the endpoints of an interface."""
        return "https" if self.secured(interface) else "http"

    @property
    def tls(self) -> bool:
        """Whether any endpoint has TLS."""
        return self.settings.tls != "none"

    @property
    def ca_file(self) -> str | None:
        """The CA that users must be told of; None: their systems trust it, or nothing has TLS."""
        return CA_FILE if self.certificates and self.certificates.ca else None

    @property
    def internal_ca_file(self) -> str | None:
        """The same for what asks the internal endpoints: the services themselves."""
        return self.ca_file if self.secured("internal") else None

    def shown(self, host: Any) -> dict[str, str]:
        """The certificates that haproxy shows on a host, chain and key: what each is called -> PEM."""
        if not self.certificates:
            return {}
        own = self.certificates.hosts.get(_name_of(host))
        return {"openstack": self.certificates.server, **({"host": own} if own else {})}

    @property
    def proxies(self) -> list[Node]:
        """The hosts that run haproxy: the load balancers; without any, the controllers where there is TLS."""
        return self.doing("loadbalancer") or (self.doing("controller") if self.tls else [])

    def shares_ports(self, host: Any) -> bool:
        """Whether haproxy and the APIs themselves want the same ports of a host, at different addresses."""
        return self.does("controller", host) and self.node(host) in self.proxies

    def internal_bind(self, host: Any) -> str:
        """Where haproxy takes in what is for the internal endpoints."""
        virtual = self.settings.virtual_address if self.doing("loadbalancer") else None
        return str(virtual or self.node(host).address)

    def public_bind(self, host: Any) -> str:
        """Where haproxy takes in what is for the public endpoints."""
        if self.settings.public_bind_address:
            return str(self.settings.public_bind_address)
        named = self.tls and _is_address(self.public_address)
        if named and self.public_address != self.internal_address:
            return self.public_address
        return self.internal_bind(host)

    def api_units(self, host: Any) -> list[str]:
        """The systemd units on a controller whose ports haproxy may have at other addresses."""
        names = [f"{service}/api" for service in self.services]
        return self.units(host, *names, "nova/metadata", "nova/novncproxy")

    def api_address(self, host: Any) -> str | None:
        """Where a host's APIs listen alone, as haproxy has their ports elsewhere; None: as they are made.

        Users reach an address that is not haproxy's without TLS, so it is the loopback where haproxy has all.
        """
        if not self.shares_ports(host):
            return None
        address = self.node(host).address
        taken = self.secured("internal") and address == self.internal_bind(host)
        return LOOPBACK if taken or address == self.public_bind(host) else address

    @property
    def auth_url(self) -> str:
        """Where services log in."""
        return self.service("keystone").url("admin", "")

    @property
    def member_role(self) -> str:
        """The role of a project's ordinary users."""
        return "member" if self.release.has("member_role") else "user"

    @property
    def token_credentials(self) -> dict[str, str]:
        """The token of keystone.conf, before there is an administrator, as ``admin_credentials``."""
        return {
            "endpoint": self.service("keystone").url("admin", "/v3"),
            "token": self.secret("keystone_admin_token"),
            "region_name": self.settings.region,
        }

    @property
    def domain(self) -> str:
        """keystone's default domain as the release's options want it: by its ID, or by its name."""
        return "default" if self.release.has("domain_in_lower_case") else "Default"

    @property
    def clustered(self) -> bool:
        """Whether MariaDB and RabbitMQ are clusters, of all the hosts that do the database's work."""
        return len(self.work["database"]) > 1

    @property
    def redundant_routers(self) -> bool:
        """Whether a router is on several hosts, of which one works."""
        return self.self_service and len(self.doing("network")) > 1

    @property
    def databases(self) -> list[str]:
        """The names of all databases in MariaDB."""
        return [name for owner in self.services.values() for name in owner.spec.databases]

    @property
    def lost(self) -> list[str]:
        """The hosts that a recovery does without."""
        return [name for name in (self.settings.lost or "").split(",") if name]

    @property
    def database_address(self) -> str:
        return str(self.settings.virtual_address or self.first("database").address)

    @property
    def proxied_database(self) -> bool:
        """Whether a haproxy of today stands between the services and MariaDB."""
        return bool(self.settings.virtual_address) and self.release.has("haproxy_2")

    @property
    def charset(self) -> str:
        """The character set of the databases."""
        return "utf8mb3" if self.release.has("utf8mb3") else "utf8"

    @property
    def database_addresses(self) -> list[str]:
        """Where clients reach RabbitMQ and memcached: through the load balancers, or every member.

        Clients know all members of a cluster themselves, and which of them are there: a load balancer between
        would only make them wait for what it does not know yet.
        """
        virtual = None if self.clustered else self.settings.virtual_address
        return [str(virtual)] if virtual else [node.address for node in self.doing("database")]

    @property
    def transport_url(self) -> str:
        """oslo.messaging's URL of the message queue, every member in it."""
        login = f"openstack:{self.secret('rabbitmq_password')}"
        if not self.release.has("full_urls"):
            return "rabbit://" + ",".join(f"{login}@{address}" for address in self.database_addresses)
        members = ",".join(f"{login}@{address}:{MESSAGING_PORT}" for address in self.database_addresses)
        return f"rabbit://{members}/"

    @property
    def cache_addresses(self) -> list[str]:
        """``ADDRESS:PORT`` of memcached."""
        return [f"{address}:{CACHE_PORT}" for address in self.database_addresses]

    @property
    def memcached_servers(self) -> str:
        return ",".join(self.cache_addresses)

    @property
    def console_url(self) -> str:
        """Where a user's browser opens an instance's console."""
        return f"{self.scheme('public')}://{self.public_address}:{CONSOLE_PORT}/vnc_auto.html"

    @property
    def horizon_url(self) -> str:
        path = self.first("controller").platform.horizon_path
        return f"{self.scheme('public')}://{self.public_address}{path}"

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
            "auth_url": self.service("keystone").url("internal", "/v3"),
            "username": "admin",
            "password": self.secret("admin_password"),
            "project_name": "admin",
            "user_domain_name": DOMAIN,
            "project_domain_name": DOMAIN,
            "region_name": self.settings.region,
            **({"cacert": self.internal_ca_file} if self.internal_ca_file else {}),
        }
