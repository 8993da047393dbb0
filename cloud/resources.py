"""The declared resources: what ``resources`` may hold in ``group_data/``, checked as far as one can offline.

Fields have the names an operator knows from the ``openstack`` command. A name stands once in its list, in all
projects together, so that a name is enough to refer to a resource. What is referred to may be declared here,
or be in the cloud already; ``cloud.resource_plan`` checks that before anything is created.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

# The deploy's own: a teardown must never take them.
DEPLOYS_PROJECTS = ("admin", "service", "demo")
DEPLOYS_ROLES = ("admin", "manager", "member", "reader", "service")
DEPLOYS_USERS = ("admin", "demo", "keystone", "glance", "placement", "nova", "neutron", "cinder")

# Service -> the limits it keeps for a project, in its API's words.
QUOTAS = {
    "compute": ("instances", "cores", "ram", "key_pairs", "metadata_items", "server_groups"),
    "block_storage": (
        "volumes",
        "gigabytes",
        "snapshots",
        "backups",
        "backup_gigabytes",
        "per_volume_gigabytes",
    ),
    "network": (
        "network",
        "subnet",
        "port",
        "router",
        "floatingip",
        "security_group",
        "security_group_rule",
    ),
}


class Strict(BaseModel):
    """No unknown names, no change after the check."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(Strict):
    """Everything declared has a name."""

    name: str = Field(min_length=1, max_length=255)


class Owned(Named):
    """What belongs to a project."""

    project: str = "admin"


class Project(Named):
    """A project in the domain Default."""

    description: str = ""


class User(Named):
    """A user in the domain Default; the password is ``user_NAME_password`` in ``secrets.toml``.

    Attributes:
        roles: project -> the roles the user has there.
    """

    roles: dict[str, list[str]] = {}


class Quota(Strict):
    """A project's limits, -1 for none; those not named here are left alone. ``QUOTAS`` has the names."""

    project: str
    limits: dict[str, int] = Field(min_length=1)

    @field_validator("limits")
    @classmethod
    def _known(cls, limits: dict[str, int]) -> dict[str, int]:
        known = [name for names in QUOTAS.values() for name in names]
        for name, limit in limits.items():
            if name not in known:
                raise ValueError(f"no such limit: {name}; there are: {', '.join(known)}")
            if limit < -1:
                raise ValueError(f"{name}: {limit} is no limit; -1 means none")
        return limits


class Flavor(Named):
    """A size of instance.

    Attributes:
        ram, swap: MiB.
        disk, ephemeral: GiB.
        public: for every project; or else for ``projects`` only.
        properties: extra specs.
    """

    vcpus: int = Field(ge=1)
    ram: int = Field(ge=1)
    disk: int = Field(0, ge=0)
    ephemeral: int = Field(0, ge=0)
    swap: int = Field(0, ge=0)
    public: bool = True
    projects: list[str] = []
    properties: dict[str, str] = {}

    @model_validator(mode="after")
    def _access(self) -> Self:
        if self.public and self.projects:
            raise ValueError(f"flavor {self.name} is public: it takes no projects")
        return self


class VolumeType(Named):
    """A type of volume; ``properties`` are its extra specs."""

    description: str = ""
    public: bool = True
    properties: dict[str, str] = {}


class Image(Owned):
    """An image, from a file of the machine that runs pyinfra or from a URL that the first controller fetches.

    Attributes:
        file: a path; relative ones start in the directory pyinfra runs in.
        checksum: SHA-256 of the content, in hexadecimal. A URL needs one.
        project, project_domain: the owner, and the owner's domain.
        min_disk: GiB.
        min_ram: MiB.
        kernel, ramdisk: names of images that nova boots the image with.
        members: projects that a ``shared`` image is shared with.
    """

    file: Path | None = None
    url: str | None = Field(None, pattern="^https?://")
    checksum: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    disk_format: Literal[
        "raw", "qcow2", "vhd", "vhdx", "vmdk", "vdi", "iso", "ploop", "aki", "ari", "ami"
    ] = "raw"
    container_format: Literal["bare", "ovf", "ova", "docker", "aki", "ari", "ami"] = "bare"
    min_disk: int = Field(0, ge=0)
    min_ram: int = Field(0, ge=0)
    protected: bool = False
    visibility: Literal["public", "private", "community", "shared"] = "private"
    tags: list[str] = []
    properties: dict[str, str] = {}
    project_domain: str = "Default"
    kernel: str | None = None
    ramdisk: str | None = None
    members: list[str] = []

    @model_validator(mode="after")
    def _source(self) -> Self:
        if (self.file is None) == (self.url is None):
            raise ValueError(f"image {self.name} needs either a file or a url")
        if self.url and not self.checksum:
            raise ValueError(f"image {self.name} comes from a URL and needs its checksum (SHA-256)")
        special = {self.disk_format, self.container_format} & {"aki", "ari", "ami"}
        if special and self.disk_format != self.container_format:
            raise ValueError(
                f"image {self.name}: disk format {self.disk_format} and container format "
                f"{self.container_format} do not go together: for aki, ari and ami both are the same"
            )
        if self.members and self.visibility != "shared":
            raise ValueError(f"image {self.name} has members: its visibility must be shared")
        return self

    @property
    def owner(self) -> str:
        """The project, with its domain in front unless that is Default."""
        return self.project if self.project_domain == "Default" else f"{self.project_domain}/{self.project}"


class Keypair(Named):
    """A public key. It belongs to users; admin makes the declared instances, so they take admin's.

    Attributes:
        public_key: as in ``id_ed25519.pub``; or
        public_key_file: that file.
    """

    public_key: str | None = None
    public_key_file: Path | None = None
    users: list[str] = Field(["admin"], min_length=1)

    @model_validator(mode="after")
    def _source(self) -> Self:
        if (self.public_key is None) == (self.public_key_file is None):
            raise ValueError(f"keypair {self.name} needs either a public_key or a public_key_file")
        return self


class Rule(Strict):
    """What a security group lets pass.

    Attributes:
        protocol: icmp, tcp, udp, …; None: all.
        ports: 22, or "8000:8080"; None: all.
        remote: the network at the other end; or
        remote_group: the security group at the other end.
    """

    direction: Literal["ingress", "egress"] = "ingress"
    protocol: Literal["icmp", "tcp", "udp", "sctp", "esp", "ah", "vrrp"] | None = None
    ports: int | str | None = None
    remote: IPv4Network = IPv4Network("0.0.0.0/0")
    remote_group: str | None = None

    @model_validator(mode="after")
    def _ports(self) -> Self:
        if self.ports is None:
            return self
        if self.protocol not in ("tcp", "udp", "sctp"):
            raise ValueError(f"ports {self.ports} need the protocol tcp, udp or sctp")
        try:
            first, last = self.port_range
        except ValueError:
            raise ValueError(f"ports {self.ports!r}: write 22 or '8000:8080'") from None
        if not 1 <= first <= last <= 65535:
            raise ValueError(f"ports {self.ports} are no range within 1 to 65535")
        return self

    @property
    def port_range(self) -> tuple[int, int] | tuple[None, None]:
        if self.ports is None:
            return None, None
        first, _, last = str(self.ports).partition(":")
        return int(first), int(last or first)


class SecurityGroup(Owned):
    """Rules for ports. Others that it has are kept: neutron puts two for egress into every new group."""

    description: str = ""
    rules: list[Rule] = []


class Subnet(Named):
    """Addresses of a network.

    Attributes:
        gateway: None takes the first address, as neutron does; "none" for a subnet without one.
        pools: (first, last) of the addresses neutron hands out; none given: all of the subnet.
        dns: given to instances by DHCP.
    """

    cidr: IPv4Network
    gateway: IPv4Address | Literal["none"] | None = None
    dhcp: bool = True
    pools: list[tuple[IPv4Address, IPv4Address]] = []
    dns: list[IPv4Address] = []

    @property
    def gateway_address(self) -> IPv4Address | None:
        if self.gateway == "none":
            return None
        return self.gateway or self.cidr.network_address + 1

    @model_validator(mode="after")
    def _addresses(self) -> Self:
        gateway = self.gateway_address
        usable = self.cidr.num_addresses > 2
        ends = (self.cidr.network_address, self.cidr.broadcast_address) if usable else ()
        if gateway and (gateway not in self.cidr or gateway in ends):
            raise ValueError(f"subnet {self.name}: gateway {gateway} is no host address of {self.cidr}")
        for first, last in self.pools:
            if first > last:
                raise ValueError(f"subnet {self.name}: pool {first}-{last} ends before it begins")
            for address in (first, last):
                if address not in self.cidr or address in ends:
                    pool = f"pool {first}-{last}"
                    raise ValueError(
                        f"subnet {self.name}: {pool}: {address} is no host address of {self.cidr}"
                    )
            if gateway and first <= gateway <= last:
                raise ValueError(f"subnet {self.name}: pool {first}-{last} holds the gateway {gateway}")
        ordered = sorted(self.pools)
        for (first, last), (begin, end) in pairwise(ordered):
            if begin <= last:
                raise ValueError(f"subnet {self.name}: pools {first}-{last} and {begin}-{end} overlap")
        return self


class Network(Owned):
    """A network with its subnets.

    Attributes:
        external: routers may have their gateway, and floating IPs, there.
        type: None: self-service, as neutron chooses; "flat" and "vlan" need ``physical_network``.
        segment: VLAN or VXLAN number; None: neutron chooses.
        mtu: bytes; None: neutron computes it.
    """

    shared: bool = False
    external: bool = False
    type: Literal["flat", "vlan", "vxlan"] | None = None
    physical_network: str | None = None
    segment: int | None = Field(None, ge=1)
    mtu: int | None = Field(None, ge=68)
    description: str = ""
    subnets: list[Subnet] = []

    @model_validator(mode="after")
    def _segment(self) -> Self:
        if (self.type in ("flat", "vlan")) != (self.physical_network is not None):
            raise ValueError(f"network {self.name}: physical_network goes with the types flat and vlan")
        if self.segment and self.type not in ("vlan", "vxlan"):
            raise ValueError(f"network {self.name}: segment goes with the types vlan and vxlan")
        return self


class Router(Owned):
    """A router.

    Attributes:
        external_network: where its gateway is.
        external_address: the gateway's address there; None: neutron chooses.
        subnets: the subnets it has an interface in, at their gateway's address.
    """

    external_network: str | None = None
    external_address: IPv4Address | None = None
    subnets: list[str] = []


class Port(Owned):
    """A port that an instance can take, to have a certain address."""

    network: str
    address: IPv4Address | None = None
    security_groups: list[str] = []


class Volume(Owned):
    """A volume; ``size`` in GiB.

    Attributes:
        image: makes it bootable.
    """

    size: int = Field(ge=1)
    type: str | None = None
    image: str | None = None
    availability_zone: str | None = None
    description: str = ""


class Instance(Owned):
    """An instance.

    Attributes:
        image: to boot from; or
        boot_volume: a declared volume to boot from; or both an image and
        boot_volume_size: GiB of a volume made from the image, which goes when the instance goes.
        networks, ports: names; neutron gives the instance a port in each network.
        user_data: text for cloud-init, or
        user_data_file: the file it stands in.
        volumes: declared volumes to attach, in order.
        availability_zone: "nova", or "nova:HOST" to choose the compute host.
    """

    flavor: str
    image: str | None = None
    boot_volume: str | None = None
    boot_volume_size: int | None = Field(None, ge=1)
    networks: list[str] = []
    ports: list[str] = []
    keypair: str | None = None
    security_groups: list[str] = []
    metadata: dict[str, str] = {}
    user_data: str | None = None
    user_data_file: Path | None = None
    config_drive: bool = False
    volumes: list[str] = []
    availability_zone: str | None = None

    @model_validator(mode="after")
    def _source(self) -> Self:
        if (self.image is None) == (self.boot_volume is None):
            raise ValueError(f"instance {self.name} boots from either an image or a boot_volume")
        if self.boot_volume_size and not self.image:
            raise ValueError(f"instance {self.name}: boot_volume_size goes with an image")
        if not self.networks and not self.ports:
            raise ValueError(f"instance {self.name} needs a network or a port")
        if self.user_data is not None and self.user_data_file is not None:
            raise ValueError(f"instance {self.name} takes user_data or user_data_file, not both")
        return self


class FloatingIp(Owned):
    """A floating IP. neutron keeps no name for it: its description holds ours.

    Attributes:
        network: the external network.
        address: None: neutron chooses.
        instance: a declared instance whose first port it leads to; None: it is held for the project.
    """

    network: str
    address: IPv4Address | None = None
    instance: str | None = None


class Resources(Strict):
    """Everything declared, by kind."""

    projects: list[Project] = []
    roles: list[str] = []
    users: list[User] = []
    quotas: list[Quota] = []
    flavors: list[Flavor] = []
    volume_types: list[VolumeType] = []
    images: list[Image] = []
    keypairs: list[Keypair] = []
    security_groups: list[SecurityGroup] = []
    networks: list[Network] = []
    routers: list[Router] = []
    ports: list[Port] = []
    volumes: list[Volume] = []
    instances: list[Instance] = []
    floating_ips: list[FloatingIp] = []

    @cached_property
    def subnets(self) -> list[Subnet]:
        return [subnet for network in self.networks for subnet in network.subnets]

    @cached_property
    def owned(self) -> list[Owned]:
        """What belongs to a project."""
        kinds = (self.images, self.security_groups, self.networks, self.routers, self.ports)
        more = (self.volumes, self.instances, self.floating_ips)
        return [item for kind in (*kinds, *more) for item in kind]

    @cached_property
    def acting(self) -> list[str]:
        """The projects in which instances and volumes are made: the administrator needs a role there."""
        return list(dict.fromkeys(item.project for item in (*self.volumes, *self.instances)))

    @property
    def anything(self) -> bool:
        return any(getattr(self, name) for name in type(self).model_fields)

    @model_validator(mode="after")
    def _together(self) -> Self:
        if problems := [*self._twice(), *self._deploys_own(), *self._overlaps(), *self._attachments()]:
            raise ValueError("; ".join(problems))
        return self

    def _twice(self):
        kinds = [kind for kind in type(self).model_fields if kind not in ("roles", "quotas")]
        for kind, items in (*((kind, getattr(self, kind)) for kind in kinds), ("subnets", self.subnets)):
            for name, count in Counter(item.name for item in items).items():
                if count > 1:
                    yield f"{kind}: the name {name} is used {count} times"
        for project, count in Counter(quota.project for quota in self.quotas).items():
            if count > 1:
                yield f"quotas: the project {project} has {count} of them"

    def _deploys_own(self):
        for name in set(self.roles) & set(DEPLOYS_ROLES):
            yield f"the role {name} is keystone's own: don't declare it"
        for kind, items, own in (
            ("project", self.projects, DEPLOYS_PROJECTS),
            ("user", self.users, DEPLOYS_USERS),
        ):
            for item in items:
                if item.name in own:
                    yield f"the {kind} {item.name} is made by the deploy itself: don't declare it"

    def _overlaps(self):
        of = {subnet.name: subnet for subnet in self.subnets}
        groups = [[subnet.name for subnet in network.subnets] for network in self.networks]
        for names in (*groups, *(router.subnets for router in self.routers)):
            known = [of[name] for name in names if name in of]
            for index, one in enumerate(known):
                for other in known[index + 1 :]:
                    if one.cidr.overlaps(other.cidr):
                        yield f"subnets {one.name} ({one.cidr}) and {other.name} ({other.cidr}) overlap"

    def _attachments(self):
        declared = {volume.name: volume for volume in self.volumes}
        taken: Counter[str] = Counter()
        for instance in self.instances:
            used = [*instance.volumes, *([instance.boot_volume] if instance.boot_volume else [])]
            taken.update(used)
            for name in used:
                # A volume that is only in the cloud may be somebody's: it is not ours to attach.
                if name not in declared:
                    yield f"instance {instance.name}: volume {name} is not declared"
            boot = declared.get(instance.boot_volume or "")
            if boot and not boot.image:
                yield f"instance {instance.name}: volume {boot.name} has no image to boot from"
        for name, count in taken.items():
            if count > 1:
                yield f"volume {name} is attached {count} times"
        ports = Counter(port for instance in self.instances for port in instance.ports)
        for name, count in ports.items():
            if count > 1:
                yield f"port {name} is used by {count} instances"
        instances = {instance.name for instance in self.instances}
        for floating in self.floating_ips:
            if floating.instance and floating.instance not in instances:
                yield f"floating IP {floating.name}: instance {floating.instance} is not declared"
