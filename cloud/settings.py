"""The operator's choices, checked: what may stand in ``group_data/`` and in the inventory's host data.

``CloudSettings`` hold for the whole cloud (``group_data/all.py``), ``NodeSettings`` for one host (host
data, or a role's group data). An unknown name is an error: a typo must not silently mean "default".
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Any, Literal

from pydantic import Field

from cloud.repositories import PackageSource, RepositoryId, YumKey, YumRepository
from cloud.resources import Resources, Strict

OptionValue = str | int | float | bool | list[str] | None


class AptSource(Strict):
    """A package source of Debian, in the words of sources.list(5)'s deb822 form."""

    uris: list[str] = Field(min_length=1, description="http://… or https://…")
    suites: list[str] = Field(min_length=1, description="trixie, …")
    components: list[str] = Field(default=["main"], description="main, …")
    signed_by: str = Field(
        description="Key file on the host, below /usr/share/keyrings or /etc/apt/keyrings."
    )

    def deb822(self) -> str:
        """The text of a ``.sources`` file."""
        return (
            f"Types: deb\nURIs: {' '.join(self.uris)}\nSuites: {' '.join(self.suites)}\n"
            f"Components: {' '.join(self.components)}\nSigned-By: {self.signed_by}\n"
        )


class SmokeImage(Strict):
    """The image of the smoke test's instances: files on the machine that runs pyinfra."""

    disk: str = Field(description="The disk image; with a kernel it may be empty.")
    disk_format: Literal["raw", "qcow2"] = Field("raw", description="Its format.")
    kernel: str | None = Field(None, description="A kernel that nova boots directly.")
    initramfs: str | None = Field(None, description="Its initramfs.")
    properties: dict[str, str] = Field({}, description="Properties of the image in glance.")
    tiny: bool = Field(
        False, description="Whether it is the image of lab/image.py, which can be asked to write and read."
    )
    memory: int = Field(128, ge=64, description="Memory of an instance, in MiB.")
    flavor_disk: int = Field(1, ge=0, description="Disk of an instance, in GiB.")


class Required(Strict):
    """What preflight holds a host to by number."""

    memory: int | None = Field(
        None, ge=1, description="MiB, as /proc/meminfo has it; None: what its roles need."
    )
    disk: int | None = Field(None, ge=1, description="GiB of the root file system, free or not.")
    volume_disk: int | None = Field(None, ge=1, description="GiB of each disk in volume_devices.")
    interfaces: int | None = Field(None, ge=1, description="Network interfaces.")
    repositories: int | None = Field(
        None, ge=1, description="Enabled package repositories, those that the deploy adds among them."
    )


class CloudSettings(Strict):
    """Choices for the whole cloud."""

    cloud_name: str = Field("openstack", description="Name of the cloud in clouds.yaml.")
    release: str = Field("epoxy", description="OpenStack release by its name, in lower case.")
    region: str = Field("RegionOne", description="The region of every catalog entry.")
    management_network: IPv4Network = Field(
        description="The network that holds every host's address; services listen on it."
    )
    virtual_address: IPv4Address | None = Field(
        None,
        description="Address that the load balancers hold: of the database, the message queue, memcached and "
        "the APIs; default: none.",
    )
    balanced: list[str] | None = Field(
        None,
        description="Services whose APIs the load balancers hand on, `horizon` among them; None: all of "
        "them. Who names some sets internal_address to another address, where the others are found.",
    )
    keepalived_router_id: int = Field(
        68,
        ge=1,
        le=255,
        description="Number of the load balancers' group in VRRP: no other group in the management network "
        "may have it.",
    )
    keepalived_interval: int = Field(
        1,
        ge=1,
        le=40,
        description="Seconds between two messages of the load balancer that holds virtual_address: after "
        "three and a half of them without one the next takes over.",
    )
    keepalived_unicast: bool = Field(
        True,
        description="Whether the load balancers send each other these messages by their addresses, which "
        "every network carries; False: by multicast, as the original install notes.",
    )
    internal_address: str | None = Field(
        None,
        description="Address or name in the internal and admin endpoints; default: virtual_address, or the "
        "first controller's address.",
    )
    public_address: str | None = Field(
        None, description="Address or name in the public endpoints; default: internal_address."
    )
    login_address: str | None = Field(
        None, description="Address or name in openrc files and clouds.yaml; default: public_address."
    )
    tls: Literal["none", "public", "all"] = Field(
        "none",
        description="Which endpoints have TLS, ended by haproxy on the load balancers, or without any on the "
        "controllers: 'public': APIs for users, Horizon and consoles; 'all': the internal APIs, too. See "
        "[tls.md](tls.md).",
    )
    tls_certificate: str | None = Field(
        None,
        description="Your own certificate for it: a PEM file on the machine that runs pyinfra, named from "
        "the inventory's folder, with the certificates that lead to its CA; None: that of "
        "python -m cloud.pki.",
    )
    tls_key: str | None = Field(None, description="Its key: a file in PEM, 0600, without a password.")
    tls_ca: str | None = Field(
        None, description="The CA that signed tls_certificate, where not every system trusts it: file in PEM."
    )
    public_bind_address: IPv4Address | None = Field(
        None,
        description="Address that haproxy listens on for the public endpoints, with tls; default: "
        "public_address where that is an address, or the one of the internal endpoints.",
    )
    timezone: str = Field("UTC", description="Time zone of every host, as timedatectl names it.")
    ntp_servers: list[str] = Field(
        [],
        description="Upstream time servers of the controllers. None: the first controller's own clock "
        "is the cloud's time.",
    )
    workers: int | None = Field(
        2,
        ge=1,
        le=64,
        description="Worker processes of each API and RPC service on a controller; "
        "cinder's API has 3 at least. None: each service's own default.",
    )
    database_max_connections: int | None = Field(
        4096, ge=100, description="MariaDB max_connections. None: its own default."
    )
    galera_cache_megabytes: int = Field(
        512,
        ge=16,
        description="With several database hosts: what each keeps, in MiB, for a member that was away; one "
        "that missed more changes is sent all data.",
    )
    memcached_megabytes: int = Field(64, ge=16, description="Memory of memcached, in MiB.")
    rpc_response_timeout: int | None = Field(
        60,
        ge=10,
        description="Seconds a service waits for an answer over the message queue. None: its own default.",
    )
    l2_agent: Literal["openvswitch", "linuxbridge"] = Field(
        "openvswitch",
        description="What joins instances to networks; 'linuxbridge' only before release epoxy, which has "
        "it no more.",
    )
    self_service_networks: bool = Field(
        True,
        description="Whether projects make networks of their own, with routers and floating IPs; False: "
        "instances are directly in the provider network.",
    )
    provider_network: str = Field(
        "provider", description="Physical network name of the flat provider network."
    )
    provider_bridge: str = Field("br-provider", description="Open vSwitch bridge of the provider network.")
    vxlan_vni_ranges: str = Field(
        "1:1000", description="VXLAN network identifiers for self-service networks."
    )
    lbaas: bool = Field(
        False, description="Load balancers as a service, by neutron's own agent: until release stein."
    )
    mirror_images: bool = Field(
        True,
        description="Whether each of several controllers fetches the images that it lacks from the others; "
        "False: their images' directory is shared storage. See [images.md](images.md).",
    )
    volume_group: str = Field("cinder-volumes", description="LVM volume group for volumes.")
    dns_servers: list[IPv4Address] = Field([], description="DNS servers handed to instances by DHCP.")
    allow_weak_secrets: bool = Field(
        False, description="Accept short and default-looking secrets. Only for a cloud nobody else can reach."
    )
    apt_sources: dict[str, AptSource] = Field(
        {},
        description="More package sources for Debian hosts: {name: {uris, suites, components, signed_by}}.",
    )
    package_source: PackageSource | None = Field(
        None,
        description="Where EL hosts get the release from: 'release-package' (CentOS 7's own), 'rdo' (its "
        "repositories for EL 9), 'osp10' (the original notes' twelve, from yum_mirror), 'none' (your own "
        "yum_repositories, or what the hosts have); default: release-package before ussuri, rdo after it.",
    )
    yum_mirror: str | None = Field(
        None,
        pattern=r"^(https?|ftp|file)://[^\s,]+$",
        description="URL of your own mirror of package_source: for 'rdo' of "
        "https://mirror.stream.centos.org, for 'osp10' of the discs.",
    )
    yum_repositories: dict[RepositoryId, YumRepository | None] = Field(
        {},
        description="Your own repositories for EL hosts, and changes of package_source's by their ID: {id: "
        "{name, baseurl | mirrorlist | metalink, gpgcheck, gpgkey, enabled, priority, module_hotfixes, "
        "exclude}}; without an address one that the host has already; None takes one away.",
    )
    yum_keys: dict[str, YumKey] = Field(
        {},
        description="Keys that sign packages, checked before they are imported: {file in /etc/pki/rpm-gpg, "
        "or the URL in gpgkey: {file | text | url, fingerprint}}.",
    )
    horizon_settings: dict[str, Any] = Field(
        {}, description="Your own settings of Horizon, put last: {NAME: value}, as Python has them."
    )
    service_down_time: int | None = Field(
        60,
        ge=10,
        description="Seconds without a heartbeat after which a service or agent counts as down. None: each "
        "service's own default.",
    )
    clock_offset_limit: float = Field(
        0.5, gt=0, description="Largest difference, in seconds, of a host's clock to the controller's."
    )
    verify_report: str | None = Field(None, description="File that verify writes its JSON report to.")
    smoke_image: SmokeImage | None = Field(
        None,
        description="Image of the smoke test's instances: {disk, disk_format, kernel, initramfs, properties, "
        "tiny, memory, flavor_disk}.",
    )
    smoke_report: str | None = Field(None, description="File that the smoke test writes its JSON report to.")
    resources: Resources = Field(
        Resources(),
        description="What tasks/resources.py makes and tasks/teardown.py removes, as `cloud/resources.py` "
        "describes it; default: nothing.",
    )
    deployed_by: Literal["tasks", "packstack"] = Field(
        "tasks",
        description="What builds the cloud: 'tasks', by deploy.py; 'packstack', by tasks/packstack.py, and "
        "deploy.py is refused. See [packstack.md](packstack.md).",
    )
    packstack_answers: dict[str, str] = Field(
        {},
        description="Answers that packstack's answer file must have: {CONFIG_NAME: value}, each a text. "
        "Passwords are not here: secrets.toml has them, under the same names.",
    )
    packstack_answer_file: str = Field(
        "/root/answer.ini",
        pattern=r"^/[\w./-]*[\w-][\w.-]*$",
        description="The answer file on the first controller; packstack generates it where there is none.",
    )
    packstack_timeout: int = Field(
        120, ge=1, description="Minutes to follow packstack; then it goes on without anybody looking."
    )
    lost: str | None = Field(
        None,
        description="For tasks/recover_database.py, on its command line only: --data lost=HOST,HOST: "
        "database hosts that never come back.",
    )
    confirm: str | None = Field(
        None, description="For tasks/teardown.py, on its command line only: --data confirm=CLOUD_NAME."
    )


class NodeSettings(Strict):
    """Choices for one host."""

    platform: Literal["debian", "el"] = Field("debian", description="Family of the host's operating system.")
    python: str = Field(
        "python3",
        description="Interpreter for the deploy's own programs; on controllers it needs openstacksdk and "
        "PyMySQL. EL 7 packages neither for Python 3: name one of your own there.",
    )
    ssh_hostname: str | None = Field(None, description="pyinfra's: where SSH connects to.")
    address: IPv4Address = Field(description="Management address; default: ssh_hostname, or the host's name.")
    interface: str | None = Field(None, description="Interface that carries the management address.")
    tunnel_address: IPv4Address | None = Field(
        None, description="Address of VXLAN tunnels; default: the management address."
    )
    tunnel_interface: str | None = Field(
        None, description="Interface for tunnels; needed only with openvswitch_datapath 'netdev'."
    )
    tunnel_prefix: int = Field(24, ge=8, le=30, description="Prefix length of the tunnels' network.")
    provider_interface: str | None = Field(
        None,
        description="Interface, without an address, that becomes a port of the provider bridge. On a host "
        "with one interface only it is the same as `interface`: then the bridge takes over its static "
        "address, as in the original install notes; with l2_agent 'linuxbridge' the agent does that.",
    )
    keepalived_priority: int | None = Field(
        None,
        ge=1,
        le=254,
        description="Which load balancer takes virtual_address first: the one with the highest; default: "
        "100 for the first in its group, one less for each after it.",
    )
    volume_devices: list[str] = Field([], description="Empty disks for the volume group, as /dev/NAME.")
    openvswitch_datapath: Literal["system", "netdev"] = Field(
        "system",
        description="'system': the kernel's Open vSwitch module; 'netdev': Open vSwitch in user space, where "
        "the kernel has no such module.",
    )
    required: Required = Field(
        Required(),
        description="The least that preflight takes: {memory: MiB, in place of what its roles need, disk: "
        "GiB of the root file system, volume_disk: GiB of each disk in volume_devices, interfaces, "
        "repositories: how many}; default: what the project itself needs. See [preflight.md](preflight.md).",
    )
    config_overrides: dict[str, dict[str, dict[str, OptionValue]]] = Field(
        {}, description="Your own options, put last: {file: {section: {option: value}}}. None removes."
    )
    package_versions: dict[str, str] = Field(
        {},
        description="Versions that EL hosts hold to: {package: VERSION or VERSION-RELEASE}. An installed "
        "package is moved to it, up or down.",
    )
    virt_type: Literal["auto", "kvm", "qemu"] = Field(
        "auto", description="Hypervisor of a compute host; auto: kvm where the CPU offers it."
    )
    selinux: Literal["enforcing", "permissive", "disabled"] | None = Field(
        None,
        description="Mode of SELinux, now and at boot; None: left as it is. The original install notes: "
        "'disabled'.",
    )
    firewall: Literal["off", "on"] | None = Field(
        None,
        description="firewalld: 'on' opens the ports of the host's roles, and closes none; None: left as it "
        "is. The original install notes: 'off'.",
    )
    network_manager: Literal["off", "on"] | None = Field(
        None,
        description="NetworkManager: 'on' keeps it off the cloud's interfaces; None: left as it is. The "
        "original install notes: 'off', with which another service must bring the interfaces up.",
    )


CLOUD_NAMES = frozenset(CloudSettings.model_fields)
NODE_NAMES = frozenset(NodeSettings.model_fields)
# What deploy.py tells a task, in the place where settings are: the first task reads them all.
TOLD_NAMES = frozenset({"preflight_brief", "verify_patience"})


def belongs_to_pyinfra(name: str) -> bool:
    """Whether a data name is pyinfra's own (``ssh_port``, ``_sudo``) and none of ours."""
    return name.startswith("_") or (name.startswith("ssh_") and name not in NODE_NAMES)


def reference() -> list[tuple[str, str, Any, str]]:
    """Every setting as (where, name, default, description), for the documentation."""
    rows = []
    for where, model in (("cloud", CloudSettings), ("host", NodeSettings)):
        for name, field in model.model_fields.items():
            default = "required" if field.is_required() else field.default
            rows.append((where, name, default, field.description or ""))
    return rows


def page() -> str:
    """``docs/settings.md``, which ``python -m cloud.settings > docs/settings.md`` writes."""
    parts = [
        "# Settings",
        "Made from `cloud/settings.py` by `python -m cloud.settings > docs/settings.md`: edit it there.",
        "Defaults are written as Python, as in `group_data/`. An unknown name stops the run before any host "
        "is contacted. Names that begin with `_` or `ssh_` are pyinfra's own and pass unchecked, apart from "
        "`ssh_hostname`.",
    ]
    for where, title, note in (
        ("cloud", "For the whole cloud", "In `group_data/all.py`: they must be the same on every host."),
        (
            "host",
            "For one host",
            "In the host's data in `inventory.py`; or in `group_data/ROLE.py`, where every host of the role "
            "has the same.",
        ),
    ):
        rows = ["| setting | default | meaning |", "|---|---|---|"]
        for place, name, default, description in reference():
            if place == where:
                value = default if default == "required" else f"`{default!r}`"
                if "default:" in description:
                    value = "see right"
                rows.append(f"| `{name}` | {value} | {description.replace('|', chr(92) + '|')} |")
        parts += [f"## {title}", note, "\n".join(rows)]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    print(page(), end="")
