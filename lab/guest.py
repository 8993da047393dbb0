"""The files that make a plain Debian root a host of the lab. Pure: a path -> a text and a mode."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

from lab.hosts import UML, Host, Lab

PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "openssh-server", "python3", "iproute2", "iputils-ping", "procps", "kmod",
    "ethtool", "ca-certificates", "sudo",
)  # fmt: skip

# Each costs seconds of a boot, or wakes up in the middle of a test.
MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer",
    "man-db.timer", "e2scrub_reap.service", "systemd-networkd.service", "systemd-networkd.socket",
    "systemd-networkd-wait-online.service", "user@.service",
)  # fmt: skip

# A container sees the outer machine's /sys, and it is writable: udev would replay all its devices' events.
MASKED_IN_CONTAINERS = ("systemd-udev-trigger.service",)

APT = """\
Acquire::http::Proxy "{proxy}";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Install-Recommends "false";
"""

# The clock of a container is the machine's, and CAP_SYS_TIME is not given to it: Debian's unit then refuses to
# start. Serve time all the same (-x: without touching the clock).
CHRONY = """\
[Unit]
ConditionCapability=
[Service]
ExecStart=
ExecStart=!/usr/sbin/chronyd $DAEMON_OPTS -x
"""

NETWORK = """\
[Unit]
Description=Addresses of the lab's networks
DefaultDependencies=no
Before=network.target network-online.target
Wants=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
{commands}
[Install]
WantedBy=sysinit.target
"""


@dataclass(frozen=True)
class File:
    """A text with its mode, or with ``link`` a symbolic link to the text."""

    text: str
    mode: int = 0o644
    link: bool = False


Files = dict[str, File]


def common(lab: Lab, apt: str) -> Files:
    """What all hosts share. ``apt``: further lines for apt.conf, taken over from the outer machine."""
    return {
        "etc/apt/apt.conf.d/00lab": File(APT.format(proxy=lab.proxy) + apt),
        # A lab's disk need not survive a power cut; fsync costs an installation half its time.
        "etc/dpkg/dpkg.cfg.d/lab": File("force-unsafe-io\n"),
        "etc/hosts": File("127.0.0.1 localhost\n"),
        "etc/resolv.conf": File("# The lab has no name server: the proxy looks names up for apt.\n"),
        "etc/systemd/system/ctrl-alt-del.target": File("/usr/lib/systemd/system/poweroff.target", link=True),
    } | _mask(MASKED)


def own(lab: Lab, host: Host, authorized_key: str, host_key: str) -> Files:
    """What tells one host from another.

    Args:
        lab, host: the table, and the host in it.
        authorized_key: the public key that may log in as root.
        host_key: the private key of the host's sshd.
    """
    files = {
        "etc/hostname": File(f"{host.name}\n"),
        # Without one systemd takes the boot for the very first, and presets all units anew.
        "etc/machine-id": File(hashlib.md5(f"{lab.prefix}-{host.name}".encode()).hexdigest() + "\n", 0o444),
        "etc/ssh/ssh_host_ed25519_key": File(host_key, 0o600),
        "root/.ssh/authorized_keys": File(authorized_key, 0o600),
        "etc/systemd/system/lab-network.service": File(network_unit(lab, host)),
        "etc/systemd/system/sysinit.target.wants/lab-network.service": File(
            "../lab-network.service", link=True
        ),
    }
    if host.kind == UML:
        return files | {"etc/fstab": File("/dev/ubda / ext4 defaults 0 1\n")}
    return (
        files | _mask(MASKED_IN_CONTAINERS) | {"etc/systemd/system/chrony.service.d/lab.conf": File(CHRONY)}
    )


def network_unit(lab: Lab, host: Host) -> str:
    """A oneshot that sets the interfaces up.

    Not systemd-networkd: with a writable /sys and no udev it leaves them "pending" for ever. Offload
    is off where Open vSwitch will work in user space: it never completes the checksums that the
    kernel left to the hardware.
    """
    first, *others = host.nics
    address = f"{host.address}/{lab.gateway.network.prefixlen}"
    commands = [f"/usr/sbin/ip link set {first} up", f"/usr/sbin/ip address replace {address} dev {first}"]
    for nic in others:
        commands += [f"/usr/sbin/ip link set {nic} up", f"-/usr/sbin/ethtool -K {nic} tx off rx off"]
    return NETWORK.format(commands="\n".join(f"ExecStart={command}" for command in commands))


def write(root: Path, files: Files, below: Path | None = None) -> None:
    """Write ``files`` below ``root``.

    Args:
        root: a whole root, or the upper folder of an overlay.
        files: see :func:`common` and :func:`own`.
        below: the overlay's lower folder. An overlay takes a folder's mode and owner from the upper one, so
            a folder made here gets those it has there.
    """
    for name, file in files.items():
        path = root / name
        for parent in reversed(path.relative_to(root).parents):
            if not (root / parent).exists():
                (root / parent).mkdir(parents=True)
                if below and (below / parent).exists():
                    shutil.copystat(below / parent, root / parent)
        path.unlink(missing_ok=True)
        if file.link:
            path.symlink_to(file.text)
        else:
            path.touch(mode=0o600)
            path.write_text(file.text)
            path.chmod(file.mode)


def _mask(units: tuple[str, ...]) -> Files:
    return {f"etc/systemd/system/{unit}": File("/dev/null", link=True) for unit in units}
