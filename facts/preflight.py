"""What a host is, read in one round trip before anything is changed on it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from pyinfra.api import FactBase


@dataclass(frozen=True)
class HostState:
    """A host as it stands.

    Attributes:
        os_id, os_version: ``ID`` and ``VERSION_ID`` of /etc/os-release.
        init: name of process 1.
        memory: MiB of memory.
        free_disk: MiB free on the root file system.
        interfaces: interface -> its IPv4 addresses.
        user: who we are there.
        python: whether python3 is there.
        installed: whether a service of OpenStack is.
    """

    os_id: str = ""
    os_version: str = ""
    init: str = ""
    memory: int = 0
    free_disk: int = 0
    interfaces: dict[str, list[str]] = field(default_factory=dict)
    user: str = ""
    python: bool = False
    installed: bool = False


class Host(FactBase):
    """A :class:`HostState`. Needs ``sh``, ``ip`` and ``df``: nothing that a deploy would install."""

    def command(self) -> str:
        return (
            "echo user=$(id -un); . /etc/os-release; echo os_id=$ID; echo os_version=$VERSION_ID;"
            " echo init=$(cat /proc/1/comm);"
            " echo memory=$(awk '/^MemTotal:/ {print int($2/1024)}' /proc/meminfo);"
            " echo free_disk=$(df -Pm / | awk 'NR==2 {print $4}');"
            " command -v python3 >/dev/null && echo python=yes;"
            " if [ -d /etc/nova ] || [ -d /etc/cinder ]; then echo installed=yes; fi;"
            " echo interfaces=$(ip -json address)"
        )

    def process(self, output: list[str]) -> HostState:
        values = dict(line.split("=", 1) for line in output if "=" in line)
        links = json.loads(values.get("interfaces") or "[]")
        return HostState(
            os_id=values.get("os_id", ""),
            os_version=values.get("os_version", ""),
            init=values.get("init", ""),
            memory=int(values.get("memory") or 0),
            free_disk=int(values.get("free_disk") or 0),
            interfaces={
                link["ifname"]: [a["local"] for a in link.get("addr_info", []) if a["family"] == "inet"]
                for link in links
                if "ifname" in link
            },
            user=values.get("user", ""),
            python=values.get("python") == "yes",
            installed=values.get("installed") == "yes",
        )
