"""What an answer file does not say, given on the command line; and what a translation adds up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

from cloud.answers_file import Answers

# In per-host choices: every host that is not named.
EVERY = ""


@dataclass(frozen=True)
class Choices:
    """The command line.

    Attributes:
        release, platform: what is deployed.
        management_network: of the hosts' addresses; None: the smallest that holds them is taken.
        names: host -> its name in the inventory. Here and below a host is called as in the answer file.
        addresses: host -> its address, where the answer file has a name.
        interfaces, provider_interfaces: host, or EVERY -> interface.
        provider_network: the physical network that becomes ours, where there are several.
        tunnel_network: where a host has the number that it has in the management network.
        tunnel_addresses: host -> address.
        volume_devices: the storage host's disks.
        new_passwords: options whose value is not taken over.
        allow_weak_secrets: whether short and known passwords are taken over.
        image_sha256: of the demo's image.
    """

    release: str = "epoxy"
    platform: str = "debian"
    management_network: IPv4Network | None = None
    names: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    interfaces: dict[str, str] = field(default_factory=dict)
    provider_interfaces: dict[str, str] = field(default_factory=dict)
    provider_network: str = ""
    tunnel_network: IPv4Network | None = None
    tunnel_addresses: dict[str, str] = field(default_factory=dict)
    volume_devices: list[str] = field(default_factory=list)
    new_passwords: list[str] = field(default_factory=list)
    allow_weak_secrets: bool = False
    image_sha256: str = ""


@dataclass
class Machine:
    """A host.

    Attributes:
        key: what the answer file calls it.
        name: in the inventory.
        address: in the management network.
        data: what the inventory says of it.
    """

    key: str
    name: str
    address: str
    data: dict[str, Any] = field(default_factory=dict)

    def chosen(self, given: dict[str, str]) -> str:
        """What the command line says of this host; "" if nothing."""
        return given.get(self.key) or given.get(self.name) or given.get(EVERY, "")


@dataclass
class Translation:
    """An answer file in this project's words.

    Attributes:
        answers, choices: what it is made from.
        machines: key -> host, in the inventory's order.
        groups: role -> keys.
        settings: of group_data/all.py.
        compute_settings: of group_data/compute.py.
        comments: setting -> a comment to stand above it.
        passwords: secret -> value. Out of ``repr``.
        unused: option -> a secret that no place is left for. Out of ``repr``.
        lacks, differs, chosen: for the report.
        problems: why it is none.
    """

    answers: Answers
    choices: Choices
    machines: dict[str, Machine] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    compute_settings: dict[str, Any] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict, repr=False)
    unused: dict[str, str] = field(default_factory=dict, repr=False)
    lacks: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)
    chosen: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def doing(self, *roles: str) -> list[Machine]:
        """The hosts that do the work of any of these roles; that of ``network`` falls to the controller."""
        groups = {**self.groups, "network": self.groups.get("network") or self.groups.get("controller", [])}
        wanted = {key for role in roles for key in groups.get(role, [])}
        return [machine for key, machine in self.machines.items() if key in wanted]

    def override(self, path: str, section: str, **options: str) -> None:
        """Set options of a service's file."""
        files = self.settings.setdefault("config_overrides", {})
        files.setdefault(path, {}).setdefault(section, {}).update(options)


def listed(words: Iterable[str]) -> str:
    """Words with commas between."""
    return ", ".join(words)
