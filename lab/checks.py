"""What `up` needs of the machine, checked before it changes anything."""

from __future__ import annotations

import json
import os
import shutil
import stat
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path

from lab import cgroups, paths
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
DISK = 12  # GiB that a lab of three hosts fills when a cloud is deployed on it


def check(lab: Lab, missing: list[Host]) -> None:
    """Refuse a machine that can't carry the lab, naming everything that is wrong at once.

    Args:
        lab: the lab.
        missing: its hosts that do not run yet: they still need memory and disk.

    Raises:
        LabError: one line for each thing that is wrong.
    """
    if os.geteuid() != 0:
        raise LabError("the lab needs root: it makes bridges, mounts and containers")
    problems = [*_devices(), *_addresses(lab), *(_resources(missing) if missing else [])]
    if problems:
        raise LabError("\n".join(["this machine can't carry the lab:", *problems]))
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
        problems.append(
            f"{folder} has {free:.1f} GiB free, the lab needs {DISK}: $OPENSTACK_LAB_DIR moves it"
        )
    needed = sum(host.memory for host in missing) / 1024
    lines = Path("/proc/meminfo").read_text().splitlines()
    available = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) / 2**20
    if available < needed:
        names = ", ".join(host.name for host in missing)
        problems.append(f"{available:.1f} GiB of memory are available, {names} need {needed:.1f}")
    return problems


def _install(lab: Lab) -> None:
    """Install the packages that bring what is missing."""
    needed = NEEDED | (NEEDED_FOR_UML if any(host.kind == UML for host in lab.hosts) else {})
    packages = sorted(
        {package for name, package in needed.items() if not shutil.which(name) and not Path(name).exists()}
    )
    if not packages:
        return
    if not shutil.which("apt-get"):
        raise LabError(f"install what Debian calls {', '.join(packages)}: there is no apt-get here to do it")
    mask = Path("/etc/systemd/system/apt-cacher-ng.service")
    if "apt-cacher-ng" in packages and not mask.exists():
        # The package's own service would take the proxy's port on all addresses.
        mask.parent.mkdir(parents=True, exist_ok=True)
        mask.symlink_to("/dev/null")
    with step(f"installed {' '.join(packages)}"):
        run("apt-get", "-qq", "update")
        run(
            "env",
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "-qq",
            "--no-install-recommends",
            "install",
            *packages,
        )
