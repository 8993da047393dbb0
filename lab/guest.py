"""The files that make a plain Debian root a host of the lab. Pure: a path, and what lies there."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from lab.hosts import NSPAWN, UML, Host, Lab

PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "openssh-server", "python3", "iproute2", "iputils-ping", "procps",
    "kmod", "ethtool", "ca-certificates", "sudo",
)  # fmt: skip

# Each costs seconds of a boot, or wakes up in the middle of a test.
MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
    "e2scrub_reap.service", "fstrim.timer", "man-db.timer", "modprobe@drm.service",
    "proc-sys-fs-binfmt_misc.automount", "systemd-binfmt.service", "systemd-networkd.service",
    "systemd-networkd.socket", "systemd-networkd-wait-online.service", "user@.service",
)  # fmt: skip

# A container sees the outer machine's /sys, and may write: udev would replay the events of all its devices.
MASKED_IN_CONTAINERS = ("systemd-udev-trigger.service",)

APT = """\
Acquire::Languages "none";
Acquire::Retries "3";
APT::Install-Recommends "false";
"""

# A container's clock is the machine's, so it gets no CAP_SYS_TIME, without which Debian's unit refuses to
# start. It can serve time all the same: -x leaves the clock alone.
CHRONY = """\
[Unit]
ConditionCapability=
[Service]
ExecStart=
ExecStart=!/usr/sbin/chronyd $DAEMON_OPTS -x
"""
CHRONY_ON_EL = """\
[Service]
ExecStart=
ExecStart=/usr/sbin/chronyd -u chrony -f /etc/chrony.conf -x
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
    """A text with its mode; with ``link``, a symbolic link to where the text says."""

    text: str
    mode: int = 0o644
    link: bool = False


Files = dict[str, File]


def common(apt: str) -> Files:
    """What the hosts of all labs share.

    Args:
        apt: further lines for apt.conf, taken over from the outer machine.
    """
    return {
        "etc/apt/apt.conf.d/00lab": File(APT + apt),
        # A lab's disk need not survive a power cut, and fsync takes a good part of an installation.
        "etc/dpkg/dpkg.cfg.d/lab": File("force-unsafe-io\n"),
        # /dev/ubda is mounted by the kernel; an entry for it would wait 10 s for udev.
        "etc/fstab": File("# The root is mounted before systemd starts.\n"),
        "etc/hosts": File("127.0.0.1 localhost\n"),
        "etc/resolv.conf": File("# The lab has no name server: its proxy resolves names for apt.\n"),
        "etc/systemd/system/ctrl-alt-del.target": File("/usr/lib/systemd/system/poweroff.target", link=True),
    } | _mask(MASKED)


def own(lab: Lab, host: Host, authorized_key: str, host_key: str) -> Files:
    """What tells one host from another.

    Args:
        lab, host: the table, and the host in it.
        authorized_key: the public key that may log in as root.
        host_key: the private key of the host's sshd.
    """
    wants = "etc/systemd/system/sysinit.target.wants/lab-network.service"
    files = {
        "etc/hostname": File(f"{host.name}\n"),
        # Without one systemd takes the boot for the very first, and presets all units anew.
        "etc/machine-id": File(hashlib.md5(lab.group(host.name).encode()).hexdigest() + "\n", 0o444),
        "etc/ssh/ssh_host_ed25519_key": File(host_key, 0o600),
        "root/.ssh/authorized_keys": File(authorized_key, 0o600),
        "etc/systemd/system/lab-network.service": File(network_unit(lab, host)),
        wants: File("../lab-network.service", link=True),
    }
    if not lab.el:
        files["etc/apt/apt.conf.d/01proxy"] = File(f'Acquire::http::Proxy "{lab.proxy}";\n')
    if host.kind == UML:
        return files
    unit, text = ("chronyd", CHRONY_ON_EL) if lab.el else ("chrony", CHRONY)
    return files | {f"etc/systemd/system/{unit}.service.d/lab.conf": File(text)} | _mask(MASKED_IN_CONTAINERS)


def network_unit(lab: Lab, host: Host) -> str:
    """A oneshot that sets the interfaces up.

    Not systemd-networkd: with a writable /sys and no udev it leaves them "pending" for ever. Offload is
    off in containers, where Open vSwitch works in user space: it does not complete the checksums that the
    kernel left to the hardware.
    """
    first, *others = host.nics
    address = f"{host.address}/{lab.gateway.network.prefixlen}"
    commands = [f"/usr/sbin/ip link set {first} up", f"/usr/sbin/ip address replace {address} dev {first}"]
    for nic in others:
        commands.append(f"/usr/sbin/ip link set {nic} up")
        if host.kind == NSPAWN:
            commands.append(f"-/usr/sbin/ethtool -K {nic} tx off rx off")
    return NETWORK.format(commands="\n".join(f"ExecStart={command}" for command in commands))


def write(root: Path, files: Files, below: Path | None = None) -> None:
    """Write ``files`` below ``root``.

    Args:
        root: a whole root, or the upper folder of an overlay.
        files: see :func:`common` and :func:`own`.
        below: the overlay's lower folder. An overlay shows a folder with the mode of the upper one, so a
            folder that is made here takes its mode from there.
    """
    for name, file in files.items():
        path = root / name
        for parent in reversed(Path(name).parents):
            (root / parent).mkdir(parents=True, exist_ok=True)
            if below and (below / parent).exists():
                shutil.copymode(below / parent, root / parent)
        path.unlink(missing_ok=True)
        if file.link:
            path.symlink_to(file.text)
        else:
            path.touch(mode=0o600)
            path.write_text(file.text)
            path.chmod(file.mode)


def _mask(units: tuple[str, ...]) -> Files:
    return {f"etc/systemd/system/{unit}": File("/dev/null", link=True) for unit in units}
