"""Whether a host, as it stands, can do the work the inventory gives it. Pure: facts in, lines out.

Here are its system, size and disks; network, packages, and time and name servers have files of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from cloud import lvm
from cloud.checklist import REFUSED, SET, WARNING, Line, judged
from cloud.model import Cloud, Node
from cloud.releases import AVAILABLE

# MiB, measured on the lab's hosts: a controller with one worker process per API uses 4.7 to 5.8 GiB, of which
# caches are a part; a compute host needs this for itself, before its first instance.
MEMORY = {"controller": 3500, "compute": 900, "storage": 900}
COMFORTABLE = {"controller": 6000}
# MiB that the packages and their databases need on the root file system.
DISK = {"controller": 6000, "compute": 3000, "storage": 1500}
GIB = 1024**3


class State(Protocol):
    """What is needed of ``facts.preflight.HostState``."""

    os_id: str
    os_version: str
    init: str
    memory: int
    disk: int
    free_disk: int
    interfaces: dict[str, list[str]]
    links: dict[str, str]
    cards: tuple[str, ...]
    leased: dict[str, list[str]]
    ipv6: dict[str, list[str]]
    resolvers: tuple[str, ...]
    selinux: str
    selinux_boot: str
    apt: dict[str, str]
    absent: tuple[str, ...]
    user: str
    python: bool
    missing: tuple[str, ...]
    installed: bool


def request(cloud: Cloud, node: Node) -> dict[str, Any]:
    """What :class:`facts.preflight.Host` is asked."""
    return {
        "python": node.settings.python,
        # What no package will bring before the deploy's programs need it.
        "modules": list(node.platform.libraries) if "controller" in node.roles else [],
        "files": [source.signed_by for source in cloud.apt_sources(node).values()],
    }


def host_lines(cloud: Cloud, node: Node, state: State) -> list[Line]:
    """The host's system, how we are logged in, its interpreter, and its size.

    Args:
        cloud: the model.
        node: the host.
        state: what it is.
    """
    boot = "boot the host with systemd: nothing else can manage its services"
    root = "log in as root, or set _sudo = True in group_data/all.py"
    return [
        _system(cloud, node, state),
        judged("process 1", "systemd", state.init, state.init == "systemd", boot),
        judged("login", "root", state.user, state.user == "root", root),
        _python(node, state),
        _memory(node, state),
        *_disk(node, state),
        _selinux(node, state),
    ]


def _system(cloud: Cloud, node: Node, state: State) -> Line:
    platform = node.platform.name
    # None: packstack installs any release that its repositories have.
    version = AVAILABLE[platform].get(str(cloud.release))
    wanted = f"{platform} {version}" if version else platform
    found = f"{state.os_id or 'unknown'} {state.os_version}".strip()
    if state.os_id not in node.platform.os_ids:
        cure = f"the inventory says platform {platform}: correct it, or install one of "
        return Line("system", wanted, found, REFUSED, cure + ", ".join(node.platform.os_ids))
    if version and state.os_version.split(".")[0] != version:
        cure = f"it does not package release {cloud.release}; {wanted} does"
        return Line("system", wanted, found, REFUSED, cure)
    return Line("system", wanted, found)


def _python(node: Node, state: State) -> Line:
    name = node.settings.python
    if not state.python:
        return Line("python", name, "missing", REFUSED, f"install {name}")
    if not state.missing:
        return Line("python", name, "there")
    projects = " and ".join(node.platform.libraries[module] for module in state.missing)
    cure = (
        f"{node.platform.name} does not package it for {name}: install what is missing, or name another "
        "interpreter by the setting 'python'"
    )
    return Line("python", name, f"{name} lacks {projects}", REFUSED, cure)


def _memory(node: Node, state: State) -> Line:
    found, least = f"{state.memory} MiB", node.settings.required.memory
    if least:
        cure = f"required.memory is {least} MiB: give the host more, or ask for less"
        return judged("memory", f"{least} MiB", found, state.memory >= least, cure)
    need, role = _largest(MEMORY, node)
    comfort, _ = _largest(COMFORTABLE, node)
    wanted = f"{need} MiB" if need else "any"
    if state.memory < need:
        return Line("memory", wanted, found, REFUSED, f"a {role} host needs {need} MiB: give it more")
    if state.memory < comfort:
        return Line("memory", wanted, found, WARNING, f"it works; {comfort} MiB are comfortable")
    return Line("memory", wanted, found)


def _disk(node: Node, state: State) -> list[Line]:
    lines, size = [], node.settings.required.disk
    if size:
        cure = f"required.disk is {size} GiB: give the host a larger disk, or ask for less"
        found = f"{state.disk / 1024:.1f} GiB"
        lines.append(judged("size of /", f"{size} GiB", found, state.disk >= size * 1024, cure))
    need, role = _largest(DISK, node)
    found = f"{state.free_disk} MiB"
    if state.installed or not need:
        # Its packages are there.
        return [*lines, Line("free on /", "any", found)]
    cure = f"a {role} host needs {need} MiB: make room, or give it a larger disk"
    return [*lines, judged("free on /", f"{need} MiB", found, state.free_disk >= need, cure)]


def _largest(table: Mapping[str, int], node: Node) -> tuple[int, str]:
    """The largest need of a host's roles, and whose it is; 0 when none has any."""
    return max(((need, role) for role, need in table.items() if role in node.roles), default=(0, ""))


def _selinux(node: Node, state: State) -> Line:
    mode = node.settings.selinux
    wanted = mode or "left as it is"
    if not state.selinux_boot:
        return Line("selinux", wanted, "the host has none")
    now = state.selinux or "disabled"
    found = now if now == state.selinux_boot else f"{now}, {state.selinux_boot} at the next boot"
    if mode is None or now == state.selinux_boot == mode:
        return Line("selinux", wanted, found)
    if state.selinux_boot == mode and "disabled" in (now, mode):
        return Line("selinux", wanted, found, WARNING, "reboot the host: nothing else changes it any more")
    reboot = "; it takes a reboot of the host then" if "disabled" in (now, mode) else ""
    return Line("selinux", wanted, found, SET, f"the deploy sets it{reboot}")


def disk_lines(cloud: Cloud, node: Node, disks: Mapping[str, Any]) -> list[Line]:
    """The disks of a storage host.

    Args:
        cloud, node: the model, and the host.
        disks: what :class:`facts.block.BlockDevices` answers.
    """
    lines, least = [], node.settings.required.volume_disk
    group = cloud.settings.volume_group
    wanted = f"empty, {least} GiB" if least else "empty"
    for device in node.settings.volume_devices:
        state = disks["devices"][device]
        reason = lvm.refusal(device, disks, group)
        size = f"{device}: {state['size'] / GIB:.1f} GiB"
        if reason:
            lines.append(Line("volume_devices", wanted, reason.found, REFUSED, reason.cure))
        elif least and state["size"] < least * GIB:
            cure = f"required.volume_disk is {least} GiB: attach a larger disk, or ask for less"
            lines.append(Line("volume_devices", wanted, size, REFUSED, cure))
        else:
            member = disks["volumes"].get(state["path"]) == group
            lines.append(Line("volume_devices", wanted, f"{size}, {f'in {group}' if member else 'empty'}"))
    return lines
