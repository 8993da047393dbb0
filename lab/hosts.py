"""The labs, as data: which hosts, of which kind, on which networks. Another lab is another table."""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import IPv4Interface

from lab.paths import DEFAULT

NSPAWN = "nspawn"  # a systemd-nspawn container with systemd as process 1
UML = "uml"  # User Mode Linux: a kernel of its own, so that LVM and iSCSI are real


@dataclass(frozen=True)
class Network:
    """A bridge on the outer machine.

    Attributes:
        name: the bridge is called ``PREFIX-NAME``.
        address: the outer machine's own, with the prefix length; empty for none.
        snooping: False floods multicast, which a provider network has to carry.
    """

    name: str
    address: str = ""
    snooping: bool = True


@dataclass(frozen=True)
class Host:
    """A disposable host.

    Attributes:
        name: its hostname, too.
        kind: ``nspawn`` or ``uml``.
        address: its address in the first network of ``nics``.
        nics: interface inside -> network. The first carries the address, the others are up without one.
        memory: MiB that a UML host gets, and that an nspawn host is expected to use.
        disk: GiB of an empty second disk, ``/dev/ubdb``; for UML only.
        install: roles whose packages are there from the start, because apt is 10 times slower inside UML.
    """

    name: str
    kind: str
    address: str
    nics: dict[str, str]
    memory: int
    disk: int = 0
    install: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Lab:
    """One lab.

    Attributes:
        prefix: starts the names of links and control groups; short, since a link's name ends at 15 letters.
        suite: Debian's code name.
        platform, release: what ``cloud.platforms`` calls the hosts' system, and the OpenStack for it.
        networks: the first is the management network.
        proxy_port: of the packages' cache, on the outer machine's management address.
        el: the version of EL that the hosts look like; empty: they are the Debian that they are.
        real: whether EL's packages of OpenStack hold the real programs, Debian's.
    """

    prefix: str
    suite: str
    platform: str
    release: str
    networks: tuple[Network, ...]
    hosts: tuple[Host, ...]
    proxy_port: int = 3142
    el: str = ""
    real: bool = False

    @property
    def system(self) -> str:
        """What its hosts look like, by which what is built for them is called."""
        return f"el{self.el}{'-real' if self.real else ''}" if self.el else self.suite

    @property
    def gateway(self) -> IPv4Interface:
        """The outer machine in the management network."""
        return IPv4Interface(self.networks[0].address)

    @property
    def proxy(self) -> str:
        """The packages' cache, as apt wants to know it."""
        return f"http://{self.gateway.ip}:{self.proxy_port}"

    def bridge(self, network: str) -> str:
        """The bridge of a network."""
        return f"{self.prefix}-{network}"

    def link(self, host: Host, network: str) -> str:
        """The outer end of a host's cable; the last number of its address keeps the name short."""
        return f"{self.prefix}-{host.address.rpartition('.')[2]}-{network}"

    def group(self, part: str) -> str:
        """The control group of a host, by its name, or of the ``proxy`` or a ``build``."""
        return f"{self.prefix}/{part}"

    def host(self, name: str) -> Host:
        """The host called ``name``; KeyError when there is none."""
        return {host.name: host for host in self.hosts}[name]


def debian13(prefix: str, block: str) -> Lab:
    """Controller, two compute hosts and storage: Debian 13 with Epoxy.

    Volumes can be attached to instances on ``compute2``: a container's kernel is the machine's, and has no
    iSCSI initiator.

    Args:
        prefix: see :class:`Lab`.
        block: the first two numbers of every address.
    """
    nics = {"host0": "mgmt", "prov0": "prov", "tun0": "tun"}
    compute2 = Host(
        name="compute2",
        kind=UML,
        address=f"{block}.0.14",
        nics={"vec0": "mgmt", "vec1": "prov", "vec2": "tun"},
        memory=3072,
        install=frozenset({"compute"}),
    )
    storage = Host(
        name="storage",
        kind=UML,
        address=f"{block}.0.13",
        nics={"vec0": "mgmt"},
        memory=2048,
        disk=10,
        install=frozenset({"storage"}),
    )
    return Lab(
        prefix=prefix,
        suite="trixie",
        platform="debian",
        release="epoxy",
        networks=(
            Network("mgmt", f"{block}.0.1/24"),
            Network("prov", f"{block}.1.1/24", snooping=False),
            Network("tun"),
        ),
        hosts=(
            Host("controller", NSPAWN, f"{block}.0.11", nics, memory=6144),
            Host("compute", NSPAWN, f"{block}.0.12", nics, memory=2048),
            compute2,
            storage,
        ),
    )


def debian12(prefix: str, block: str) -> Lab:
    """Controller and compute host: Debian 12 with Zed, and Linux bridges in place of Open vSwitch.

    One network does it all, as on machines with a single interface: the agent puts that into its bridge.

    Args:
        prefix, block: see :func:`debian13`.
    """
    nics = {"host0": "mgmt"}
    return Lab(
        prefix=prefix,
        suite="bookworm",
        platform="debian",
        release="zed",
        networks=(Network("mgmt", f"{block}.0.1/24", snooping=False),),
        hosts=(
            Host("controller", NSPAWN, f"{block}.0.11", nics, memory=6144),
            Host("compute", NSPAWN, f"{block}.0.12", nics, memory=2048),
        ),
    )


def balanced(prefix: str, block: str) -> Lab:
    """Two load balancers, a database host, a controller and a compute host: Debian 12 with Zed.

    The original install notes' hosts, with one network as in :func:`debian12`.

    Args:
        prefix, block: see :func:`debian13`.
    """
    nics = {"host0": "mgmt"}
    return Lab(
        prefix=prefix,
        suite="bookworm",
        platform="debian",
        release="zed",
        networks=(Network("mgmt", f"{block}.0.1/24", snooping=False),),
        hosts=(
            Host("lb1", NSPAWN, f"{block}.0.21", nics, memory=256),
            Host("lb2", NSPAWN, f"{block}.0.22", nics, memory=256),
            Host("database", NSPAWN, f"{block}.0.31", nics, memory=1536),
            Host("controller", NSPAWN, f"{block}.0.11", nics, memory=5120),
            Host("compute", NSPAWN, f"{block}.0.12", nics, memory=1536),
        ),
    )


def el(prefix: str, block: str, version: str, release: str) -> Lab:
    """Controller, compute and storage host that look like CentOS, with stand-ins for OpenStack.

    Args:
        prefix, block: see :func:`debian13`.
        version: of EL.
        release: of OpenStack.
    """
    nics = {"host0": "mgmt"}
    return Lab(
        prefix=prefix,
        suite="bookworm",
        platform="el",
        release=release,
        networks=(Network("mgmt", f"{block}.0.1/24", snooping=False),),
        hosts=(
            Host("controller", NSPAWN, f"{block}.0.11", nics, memory=3500),
            Host("compute", NSPAWN, f"{block}.0.12", nics, memory=900),
            Host("storage", UML, f"{block}.0.13", {"vec0": "mgmt"}, memory=1024, disk=4),
        ),
        el=version,
    )


def el_real(prefix: str, block: str) -> Lab:
    """Controller, compute and storage host that look like CentOS 9, with Zed's real programs.

    Zed is what Debian 12 has, whose programs they are.

    Args:
        prefix, block: see :func:`debian13`.
    """
    nics = {"host0": "mgmt"}
    return Lab(
        prefix=prefix,
        suite="bookworm",
        platform="el",
        release="zed",
        networks=(Network("mgmt", f"{block}.0.1/24", snooping=False),),
        hosts=(
            Host("controller", NSPAWN, f"{block}.0.11", nics, memory=6144),
            Host("compute", NSPAWN, f"{block}.0.12", nics, memory=2048),
            Host("storage", UML, f"{block}.0.13", {"vec0": "mgmt"}, memory=2048, disk=4),
        ),
        el="9",
        real=True,
    )


def single(prefix: str, block: str) -> Lab:
    """One host with one interface, whose address a bridge takes over.

    Args:
        prefix, block: see :func:`debian13`.
    """
    return Lab(
        prefix=prefix,
        suite="trixie",
        platform="debian",
        release="epoxy",
        networks=(Network("mgmt", f"{block}.0.1/24", snooping=False),),
        hosts=(Host("host", NSPAWN, f"{block}.0.11", {"host0": "mgmt"}, memory=500),),
    )


def clusters(prefix: str, block: str) -> Lab:
    """Three database hosts: Debian 12's MariaDB and RabbitMQ, each as a cluster, and no OpenStack.

    Args:
        prefix, block: see :func:`debian13`.
    """
    return Lab(
        prefix=prefix,
        suite="bookworm",
        platform="debian",
        release="zed",
        networks=(Network("mgmt", f"{block}.0.1/24"),),
        hosts=tuple(
            Host(f"database{n}", NSPAWN, f"{block}.0.{20 + n}", {"host0": "mgmt"}, memory=900)
            for n in (1, 2, 3)
        ),
    )


def ha(prefix: str, block: str) -> Lab:
    """Two load balancers, three controllers, compute and storage: Debian 13 with Epoxy.

    Args:
        prefix, block: see :func:`debian13`.
    """
    nics = {"host0": "mgmt", "prov0": "prov", "tun0": "tun"}
    storage = Host(
        name="storage",
        kind=UML,
        address=f"{block}.0.41",
        nics={"vec0": "mgmt"},
        memory=1536,
        disk=10,
        install=frozenset({"storage"}),
    )
    return Lab(
        prefix=prefix,
        suite="trixie",
        platform="debian",
        release="epoxy",
        networks=(
            Network("mgmt", f"{block}.0.1/24"),
            Network("prov", f"{block}.1.1/24", snooping=False),
            Network("tun"),
        ),
        hosts=(
            *(Host(f"lb{n}", NSPAWN, f"{block}.0.2{n}", {"host0": "mgmt"}, memory=200) for n in (1, 2)),
            *(Host(f"controller{n}", NSPAWN, f"{block}.0.1{n}", nics, memory=4096) for n in (1, 2, 3)),
            Host("compute", NSPAWN, f"{block}.0.31", nics, memory=1536),
            storage,
        ),
    )


LABS = {
    "debian13": debian13("lab", "10.56"),
    # An older release with the agent and the flat network of the original install notes.
    "zed": debian12("labz", "10.58"),
    # The same release behind two load balancers, with a host for the database.
    "lb": balanced("labl", "10.63"),
    # Look like CentOS 9 and 7.
    "el": el("labe", "10.60", "9", "caracal"),
    "el7": el("labf", "10.61", "7", "liberty"),
    # `python -m lab up el --real`.
    "el-real": el_real("labr", "10.62"),
    # For the bridge on a host's only interface.
    "single": single("labs", "10.65"),
    # MariaDB and RabbitMQ as clusters, without OpenStack.
    "clusters": clusters("labc", "10.64"),
    # A control plane of which any one host may die.
    "ha": ha("labh", "10.66"),
    # The same hosts beside the first lab: for work on the lab itself, while the other is in use.
    "spare": debian13("lab2", "10.57"),
}


def chosen() -> Lab:
    """The lab that ``$OPENSTACK_LAB`` names; KeyError when there is none."""
    return LABS[os.environ.get("OPENSTACK_LAB", DEFAULT)]
