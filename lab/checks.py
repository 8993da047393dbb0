"""What `up` needs of the machine, checked before it changes anything."""

from __future__ import annotations

import json
import os
import shutil
import stat
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path

from lab import cgroups, network, paths
from lab.hosts import UML, Host, Lab
from lab.shell import LabError, run, step

# What must exist -> the Debian package that brings it.
NEEDED = {
    "ip": "iproute2",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "mmdebstrap": "mmdebstrap",
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
    "systemd-nspawn": "systemd-container",
    "apt-cacher-ng": "apt-cacher-ng",
}
NEEDED_FOR_UML = {"linux.uml": "user-mode-linux", "uml_mconsole": "uml-utilities", "mkfs.ext4": "e2fsprogs"}
NEEDED_FOR_EL = {"gpg": "gnupg"}
DISK = 16  # GiB: the cache, and up to four hosts with a cloud on them


def own(lab: Lab) -> None:
    """Refuse to work without root, or on a lab that belongs to another state folder.

    Raises:
        LabError: what stands in the way.
    """
    if os.geteuid() != 0:
        raise LabError("the lab needs root: it makes bridges, mounts and containers")
    if names := network.foreign(lab):
        raise LabError(
            f"not made from {paths.STATE}: {', '.join(names)}; "
            "another lab's (set its $OPENSTACK_LAB_DIR), or links to remove with `ip link delete`"
        )


def check(lab: Lab, missing: list[Host]) -> None:
    """Refuse a machine that can't carry the lab, naming all that is wrong; install missing packages.

    Args:
        lab: the table.
        missing: its hosts that do not run: they still need memory and disk.

    Raises:
        LabError: one line for each thing that is wrong.
    """
    problems = [*_devices(), *_addresses(lab), *(_resources(missing) if missing else [])]
    if problems:
        raise LabError("\n  ".join(["this machine can't carry the lab:", *problems]))
    cgroups.hierarchies()
    _install(lab)


def overlapping(wanted: IPv4Network, own: set[str], addresses: list[dict], routes: list[dict]) -> list[str]:
    """Who else uses a network's addresses.

    Args:
        wanted: the addresses.
        own: links that may.
        addresses, routes: what ``ip -json address`` and ``ip -json route`` print.
    """
    users = [
        f"{link['ifname']} has {entry['local']}/{entry['prefixlen']}"
        for link in addresses
        for entry in link.get("addr_info", ())
        if entry["family"] == "inet" and link["ifname"] not in own
        if IPv4Interface(f"{entry['local']}/{entry['prefixlen']}").network.overlaps(wanted)
    ]
    users += [
        f"a route to {route['dst']} leads to {route.get('dev', route.get('gateway', 'nowhere'))}"
        for route in routes
        if route["dst"] != "default" and route.get("dev") not in own
        if IPv4Network(route["dst"]).overlaps(wanted)
    ]
    return [f"{wanted} is taken: {user}" for user in users]


def _devices() -> list[str]:
    problems = []
    if not Path("/dev/net/tun").exists():
        problems.append("/dev/net/tun is missing: `modprobe tun`")
    if stat.S_IMODE(Path("/dev/null").stat().st_mode) != 0o666:
        # systemd-nspawn copies the mode into each container, where dbus and MariaDB then die.
        problems.append("/dev/null is not open to all: `chmod 0666 /dev/null`")
    return problems


def _addresses(lab: Lab) -> list[str]:
    addresses = json.loads(run("ip", "-json", "-4", "address", "show"))
    routes = json.loads(run("ip", "-json", "-4", "route", "show", "table", "all", "type", "unicast"))
    problems = []
    for net in lab.networks:
        if net.address:
            wanted = IPv4Interface(net.address).network
            problems += overlapping(wanted, {lab.bridge(net.name)}, addresses, routes)
    return problems


def _resources(missing: list[Host]) -> list[str]:
    problems = []
    folder = next(parent for parent in (paths.STATE, *paths.STATE.parents) if parent.exists())
    free = shutil.disk_usage(folder).free / 2**30
    if free < DISK:
        problems.append(f"{folder}: {free:.1f} GiB free, needed are {DISK} ($OPENSTACK_LAB_DIR moves it)")
    names = ", ".join(host.name for host in missing)
    needed = sum(host.memory for host in missing) / 1024
    lines = Path("/proc/meminfo").read_text().splitlines()
    available = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) / 2**20
    if available < needed:
        problems.append(f"memory: {available:.1f} GiB available, {names} need {needed:.1f}")
    # The memory of User Mode Linux is a file there; too little ends it with a bus error, some time later.
    needed = sum(host.memory for host in missing if host.kind == UML) / 1024
    free = shutil.disk_usage("/dev/shm").free / 2**30
    if free < needed:
        problems.append(f"/dev/shm: {free:.1f} GiB free, needed are {needed:.1f}: remount it with size=")
    return problems


def _install(lab: Lab) -> None:
    """Install the packages that bring what is missing."""
    needed = NEEDED | (NEEDED_FOR_UML if any(host.kind == UML for host in lab.hosts) else {})
    needed |= NEEDED_FOR_EL if lab.el else {}
    missing = {package for name, package in needed.items() if not (shutil.which(name) or Path(name).exists())}
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise LabError(f"no apt-get here: install what Debian calls {', '.join(sorted(missing))}")
    mask = Path("/etc/systemd/system/apt-cacher-ng.service")
    if "apt-cacher-ng" in missing and not mask.exists():
        # The package's own service would take the proxy's port on all addresses.
        mask.parent.mkdir(parents=True, exist_ok=True)
        mask.symlink_to("/dev/null")
    apt = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "--no-install-recommends")
    with step(f"installed {', '.join(sorted(missing))}"):
        run(*apt, "update")
        run(*apt, "install", *sorted(missing))
