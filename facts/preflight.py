"""What a host is, read in one round trip before anything is changed on it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from shlex import quote

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
        python: whether the interpreter is there.
        missing: the modules it lacks, of those asked for.
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
    missing: tuple[str, ...] = ()
    installed: bool = False


class Host(FactBase):
    """A :class:`HostState`. Needs ``sh``, ``ip`` and ``df``: nothing that a deploy would install."""

    def command(self, python: str = "python3", modules: Collection[str] = ()) -> str:
        """
        Args:
            python: the interpreter, by name or path.
            modules: the modules of Python to look for.
        """
        look = "".join(
            f" {quote(python)} -c {quote(f'import {module}')} 2>/dev/null || echo missing={module};"
            for module in modules
        )
        # Not "ip -json": EL 7's can't.
        return (
            "echo user=$(id -un); . /etc/os-release; echo os_id=$ID; echo os_version=$VERSION_ID;"
            " echo init=$(cat /proc/1/comm);"
            " echo memory=$(awk '/^MemTotal:/ {print int($2/1024)}' /proc/meminfo);"
            " echo free_disk=$(df -Pm / | awk 'NR==2 {print $4}');"
            f" command -v {quote(python)} >/dev/null && echo python=yes;{look}"
            " if [ -d /etc/nova ] || [ -d /etc/cinder ]; then echo installed=yes; fi;"
            " ip -o link | sed 's/^/link=/'; ip -o -4 address | sed 's/^/address=/'"
        )

    def process(self, output: list[str]) -> HostState:
        values: dict[str, str] = {}
        missing: list[str] = []
        interfaces: dict[str, list[str]] = {}
        for line in output:
            key, separator, value = line.partition("=")
            if key == "link":
                # 3: eth0@if7: <BROADCAST,MULTICAST,UP> mtu 1500 …
                interfaces[value.split()[1].rstrip(":").partition("@")[0]] = []
            elif key == "address":
                # 3: eth0    inet 192.168.56.12/24 brd 192.168.56.255 …
                words = value.split()
                interfaces.setdefault(words[1], []).append(words[3].partition("/")[0])
            elif key == "missing":
                missing.append(value)
            elif separator:
                values[key] = value
        return HostState(
            os_id=values.get("os_id", ""),
            os_version=values.get("os_version", ""),
            init=values.get("init", ""),
            memory=int(values.get("memory") or 0),
            free_disk=int(values.get("free_disk") or 0),
            interfaces=interfaces,
            user=values.get("user", ""),
            python=values.get("python") == "yes",
            missing=tuple(missing),
            installed=values.get("installed") == "yes",
        )
