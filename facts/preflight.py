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
        memory: MiB of memory, as the kernel counts it.
        disk, free_disk: MiB of the root file system, and what is free of it.
        interfaces: interface -> its IPv4 addresses.
        links: interface -> "up", "no carrier" or "down".
        cards: the interfaces that are hardware, or a container's way out.
        leased: interface -> its IPv4 addresses by DHCP, with the prefix length.
        ipv6: interface -> its static IPv6 addresses, with the prefix length; not those of the link.
        resolvers: the name servers in /etc/resolv.conf.
        selinux, selinux_boot: its mode now and at the next boot, in lower case; "" where there is none.
        apt: apt's files of package sources, path -> text.
        absent: the files that are not there, of those asked for.
        user: who we are there.
        python: whether the interpreter is there.
        missing: the modules it lacks, of those asked for.
        installed: whether a service of OpenStack is.
    """

    os_id: str = ""
    os_version: str = ""
    init: str = ""
    memory: int = 0
    disk: int = 0
    free_disk: int = 0
    interfaces: dict[str, list[str]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    cards: tuple[str, ...] = ()
    leased: dict[str, list[str]] = field(default_factory=dict)
    ipv6: dict[str, list[str]] = field(default_factory=dict)
    resolvers: tuple[str, ...] = ()
    selinux: str = ""
    selinux_boot: str = ""
    apt: dict[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    user: str = ""
    python: bool = False
    missing: tuple[str, ...] = ()
    installed: bool = False


class Host(FactBase):
    """A :class:`HostState`. Needs ``sh``, ``ip`` and ``df``: nothing that a deploy would install.

    Sources: resolv.conf(5), selinux_config(5), sources.list(5), ip-address(8).
    """

    def command(
        self, python: str = "python3", modules: Collection[str] = (), files: Collection[str] = ()
    ) -> str:
        """
        Args:
            python: the interpreter, by name or path.
            modules: the modules of Python to look for.
            files: the files to look for.
        """
        look = "".join(
            f" {quote(python)} -c {quote(f'import {module}')} 2>/dev/null || echo missing={module};"
            for module in modules
        )
        look += "".join(f" [ -e {quote(file)} ] || echo absent={quote(file)};" for file in files)
        # Not "ip -json": EL 7's can't.
        return (
            "echo user=$(id -un); . /etc/os-release; echo os_id=$ID; echo os_version=$VERSION_ID;"
            " echo init=$(cat /proc/1/comm);"
            " echo memory=$(awk '/^MemTotal:/ {print int($2/1024)}' /proc/meminfo);"
            ' df -Pm / | awk \'NR==2 {print "disk=" $2; print "free_disk=" $4}\';'
            f" command -v {quote(python)} >/dev/null && echo python=yes;{look}"
            " if [ -d /etc/nova ] || [ -d /etc/cinder ]; then echo installed=yes; fi;"
            " echo selinux=$(getenforce 2>/dev/null);"
            " sed -n 's/^SELINUX=/selinux_boot=/p' /etc/selinux/config 2>/dev/null;"
            ' awk \'$1 == "nameserver" {print "resolver=" $2}\' /etc/resolv.conf 2>/dev/null;'
            " for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list"
            " /etc/apt/sources.list.d/*.sources;"
            ' do [ ! -f "$f" ] || awk \'FNR==1 {print "apt=" FILENAME} {print " " $0}\' "$f"; done;'
            " ls -d /sys/class/net/*/device 2>/dev/null | sed 's|/device$||; s|.*/|card=|';"
            " ip -o link | sed 's/^/link=/'; ip -o address | sed 's/^/address=/'"
        )

    def process(self, output: list[str]) -> HostState:
        values: dict[str, str] = {}
        several: dict[str, list[str]] = {"missing": [], "absent": [], "resolver": [], "card": []}
        interfaces: dict[str, list[str]] = {}
        links: dict[str, str] = {}
        leased: dict[str, list[str]] = {}
        ipv6: dict[str, list[str]] = {}
        apt: dict[str, str] = {}
        for line in output:
            if line.startswith(" "):
                path = next(reversed(apt))
                apt[path] += f"{line[1:]}\n"
                continue
            key, separator, value = line.partition("=")
            if key == "apt":
                apt[value] = ""
            elif key == "link":
                # 3: eth0@if7: <BROADCAST,MULTICAST,UP> mtu 1500 …
                name, _, peer = value.split()[1].rstrip(":").partition("@")
                flags = value.partition("<")[2].partition(">")[0].split(",")
                interfaces[name] = []
                links[name] = "down" if "UP" not in flags else "up" if "LOWER_UP" in flags else "no carrier"
                # The other end is not on this host: if7 is its number elsewhere.
                if peer.removeprefix("if").isdigit():
                    several["card"].append(name)
            elif key == "address":
                # 3: eth0    inet 192.168.56.12/24 brd 192.168.56.255 …\       valid_lft …
                words = value.partition("\\")[0].split()
                name, address = words[1], words[3]
                passing = {"dynamic", "mngtmpaddr", "temporary"} & set(words)
                if words[2] == "inet":
                    interfaces.setdefault(name, []).append(address.partition("/")[0])
                    if passing:
                        leased.setdefault(name, []).append(address)
                elif "global" in words and not passing:
                    ipv6.setdefault(name, []).append(address)
            elif key in several:
                several[key].append(value)
            elif separator:
                values[key] = value
        return HostState(
            os_id=values.get("os_id", ""),
            os_version=values.get("os_version", ""),
            init=values.get("init", ""),
            memory=int(values.get("memory") or 0),
            disk=int(values.get("disk") or 0),
            free_disk=int(values.get("free_disk") or 0),
            interfaces=interfaces,
            links=links,
            cards=tuple(dict.fromkeys(several["card"])),
            leased=leased,
            ipv6=ipv6,
            resolvers=tuple(dict.fromkeys(several["resolver"])),
            selinux=values.get("selinux", "").lower(),
            selinux_boot=values.get("selinux_boot", "").strip().lower(),
            apt=apt,
            absent=tuple(several["absent"]),
            user=values.get("user", ""),
            python=values.get("python") == "yes",
            missing=tuple(several["missing"]),
            installed=values.get("installed") == "yes",
        )
