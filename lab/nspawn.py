"""Hosts that are containers: systemd-nspawn, on an overlay of the shared base."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from lab import cgroups, guest, images, network
from lab.hosts import Host, Lab
from lab.shell import run

BOOT_LIMIT = 60  # seconds
POWEROFF = signal.SIGRTMIN + 4  # to a systemd that is process 1
# /sys writable as on a machine, and a cgroup v2 of its own, in which libvirtd may start guests.
ENVIRONMENT = {"SYSTEMD_NSPAWN_API_VFS_WRITABLE": "1", "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}


def create(lab: Lab, host: Host, folder: Path) -> None:
    """Fill ``folder``, which becomes the host's own."""
    layers = images.layers(lab, host)
    for name in ("upper", "work", "root"):
        (folder / name).mkdir()
    for number, layer in enumerate(layers):
        (folder / f"lower{number}").symlink_to(layer)
    guest.write(folder / "upper", images.own_files(lab, host), below=layers[-1])


def start(lab: Lab, host: Host, folder: Path) -> None:
    """Boot the host; returns while it boots."""
    root = folder / "root"
    if not root.is_mount():
        lower = ":".join(str(layer.readlink()) for layer in sorted(folder.glob("lower*")))
        options = f"lowerdir={lower},upperdir={folder / 'upper'},workdir={folder / 'work'}"
        run("mount", "-t", "overlay", "-o", options, "overlay", root)
    argv = [
        "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", f"--machine={lab.prefix}-{host.name}",
        f"--hostname={host.name}", f"--directory={root}", "--boot", "--resolv-conf=off", "--timezone=off",
        # All but the one that sets the clock: it is the machine's.
        "--capability=all", "--drop-capability=CAP_SYS_TIME", "--bind=/dev/net/tun",
        *(f"--network-veth-extra={lab.link(host, net)}:{nic}" for nic, net in host.nics.items()),
    ]  # fmt: skip
    cgroups.start(lab.group(host.name), argv, folder / "console.log", ENVIRONMENT)
    network.plug(lab, host)


def ask_to_stop(lab: Lab, host: Host, folder: Path) -> None:
    """Ask the container's systemd to power off."""
    for pid in cgroups.members(lab.group(host.name)):
        if _number_inside(pid) == ["1"]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, POWEROFF)


def _number_inside(pid: int) -> list[str]:
    """A process's numbers in the namespaces below ours, outermost first."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return []
    return next(line.split()[2:] for line in lines if line.startswith("NSpid:"))
