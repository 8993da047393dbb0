"""Hosts that are containers: systemd-nspawn on an overlay of the shared base."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from lab import cgroups, guest, images, network, paths, ssh
from lab.hosts import Host, Lab
from lab.shell import run

BOOT_LIMIT = 60  # seconds
POWEROFF = signal.SIGRTMIN + 4  # systemd, as process 1, powers off
# /sys as on a machine, and a cgroup v2 of its own in which libvirt may start guests.
ENVIRONMENT = {"SYSTEMD_NSPAWN_API_VFS_WRITABLE": "1", "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}


def create(lab: Lab, host: Host, folder: Path) -> None:
    """Fill ``folder``, which becomes the host's own."""
    for name in ("upper", "work", "root"):
        (folder / name).mkdir()
    [base] = images.layers(lab, host)
    guest.write(
        folder / "upper",
        guest.own(lab, host, ssh.authorized_key(), ssh.host_key(host).read_text()),
        below=base,
    )
    (folder / "lower").symlink_to(base)


def start(lab: Lab, host: Host, folder: Path) -> None:
    """Boot the host; returns while it boots."""
    root = folder / "root"
    if not root.is_mount():
        lower = (folder / "lower").readlink()
        options = f"lowerdir={lower},upperdir={folder / 'upper'},workdir={folder / 'work'}"
        run("mount", "-t", "overlay", "-o", options, "overlay", root)
    cables = [f"--network-veth-extra={lab.link(host, name)}:{nic}" for nic, name in host.nics.items()]
    argv = [
        "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", f"--machine={lab.prefix}-{host.name}",
        f"--hostname={host.name}", "--boot", f"--directory={root}", *cables,
        # A clock set in a container is the machine's clock.
        "--capability=all", "--drop-capability=CAP_SYS_TIME",
        "--bind=/dev/net/tun", "--resolv-conf=off", "--timezone=off",
    ]  # fmt: skip
    cgroups.start(lab.group(host), argv, folder / "console.log", ENVIRONMENT)
    network.plug(lab, host)


def ask_to_stop(lab: Lab, host: Host, folder: Path) -> None:
    """Ask the container's systemd to power off."""
    for pid in cgroups.members(lab.group(host)):
        if _number_inside(pid) == [1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, POWEROFF)


def remains(host: Host, folder: Path) -> None:
    """Unmount what a stopped host leaves."""
    if (folder / "root").is_mount():
        run("umount", folder / "root")


def _number_inside(pid: int) -> list[int]:
    """The process's numbers in the namespaces below ours, outermost first."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return []
    [numbers] = [line.split()[2:] for line in status.splitlines() if line.startswith("NSpid:")]
    return [int(number) for number in numbers]
