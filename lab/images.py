"""Roots for the hosts: layers of an overlay, each built once, and disk images made of them.

Everything is keyed by a hash of what went into it, built under a temporary name and renamed when complete.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from lab import cgroups, guest, paths, ssh
from lab.hosts import Host, Lab
from lab.shell import run, step

DEBIAN = "http://mirror.example.org/debian"
SECURITY = "http://security.example.org/debian-security"
UML_MODULES = Path("/usr/lib/uml/modules")

# Both run in a mount namespace of their own: nothing stays mounted when a build is killed.
MOUNT = """\
set -eu
cd "$1"
mkdir -p root work
mount -t overlay overlay -o "lowerdir=$2,upperdir=upper,workdir=work" root
"""
CHROOT = (
    MOUNT
    + """\
mount -t proc proc root/proc
mount --bind /dev root/dev
mount -t tmpfs tmpfs root/run
printf '#!/bin/sh\\nexit 101\\n' > root/usr/sbin/policy-rc.d  # no service starts in a chroot
chmod 755 root/usr/sbin/policy-rc.d
env -i PATH=/usr/sbin:/usr/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 chroot root sh -euc "$3"
rm root/usr/sbin/policy-rc.d
"""
)
IMAGE = (
    MOUNT
    + """\
cp -a "$3"/. root/usr/lib/modules/
truncate -s 8G disk.img
mkfs.ext4 -q -F -d root disk.img
"""
)


def sources(lab: Lab) -> list[str]:
    """Debian's archives as lines of sources.list."""
    return [
        f"deb {DEBIAN} {lab.suite} main",
        f"deb {DEBIAN} {lab.suite}-updates main",
        f"deb {SECURITY} {lab.suite}-security main",
    ]


def apt_settings() -> str:
    """The outer machine's trust in old indexes: its mirror may be a snapshot."""
    wanted = ("Acquire::Check-Valid-Until ", "Acquire::Check-Date ")
    lines = run("apt-config", "dump").splitlines()
    return "".join(f"{line}\n" for line in lines if line.startswith(wanted))


def base(lab: Lab) -> Path:
    """The layer that all hosts start from: a small Debian with sshd and Python."""
    files = guest.common(lab, apt_settings())
    inputs = [lab.suite, sources(lab), guest.PACKAGES, files]

    def build(folder: Path) -> None:
        root = folder / "upper"
        _in_build_group(
            lab, "unshare", "--mount", "mmdebstrap", "--quiet", "--variant=minbase", "--mode=root",
            # Kept, so that a host's first `apt-get update` only asks whether they changed.
            "--skip=cleanup/apt/lists",
            f"--include={','.join(guest.PACKAGES)}",
            *(f"--aptopt={line}" for line in files["etc/apt/apt.conf.d/00lab"].text.splitlines()),
            lab.suite, str(root), *sources(lab),
        )  # fmt: skip
        (root / "etc/apt/apt.conf.d/99mmdebstrap").unlink(missing_ok=True)
        for key in (root / "etc/ssh").glob("ssh_host_*"):
            key.unlink()
        guest.write(root, files)

    return _built(f"{lab.suite}-base", inputs, build) / "upper"


def layers(lab: Lab, host: Host) -> list[Path]:
    """The layers below a host's own, top first: the packages of the roles in ``host.install``, the base."""
    bottom = base(lab)
    if not host.install:
        return [bottom]
    from cloud.platforms import PLATFORMS, role_packages

    script = "\n".join(
        (
            "debconf-set-selections <<'END'", *PLATFORMS[lab.platform].debconf, "END",
            "apt-get -qq update",
            f"apt-get -qq install {' '.join(role_packages(lab.platform, lab.release, set(host.install)))}",
            "apt-get clean",
        )
    )  # fmt: skip

    def build(folder: Path) -> None:
        (folder / "upper").mkdir()
        _in_build_group(lab, "unshare", "--mount", "sh", "-c", CHROOT, "sh", str(folder), str(bottom), script)

    name = f"{lab.suite}-{'-'.join(sorted(host.install))}"
    return [_built(name, [bottom.parent.name, script], build) / "upper", bottom]


def disk(lab: Lab, host: Host) -> Path:
    """An ext4 image of a host's whole root, with the modules of the UML kernel."""
    below = layers(lab, host)
    own = guest.own(lab, host, ssh.authorized_key(), ssh.host_key(host).read_text())
    inputs = [[layer.parent.name for layer in below], own, sorted(map(str, UML_MODULES.iterdir()))]

    def build(folder: Path) -> None:
        guest.write(folder / "upper", own, below=below[-1])
        lower = ":".join(map(str, below))
        arguments = ("sh", str(folder), lower, str(UML_MODULES))
        _in_build_group(lab, "unshare", "--mount", "sh", "-c", IMAGE, *arguments)
        shutil.rmtree(folder / "upper")

    return _built(f"{lab.suite}-{host.name}-disk", inputs, build) / "disk.img"


def clean(lab: Lab) -> None:
    """End the builds of a killed run, and remove what they left."""
    cgroups.kill(f"{lab.prefix}/build")
    for folder in paths.CACHE.glob(f"*{paths.PARTIAL}"):
        shutil.rmtree(folder)


def _built(name: str, inputs: list[object], build: Callable[[Path], None]) -> Path:
    """The folder keyed by ``inputs``; ``build`` fills it when it does not exist yet."""
    key = hashlib.sha256(json.dumps(inputs, default=repr, sort_keys=True).encode()).hexdigest()[:12]
    folder = paths.CACHE / f"{name}-{key}"
    if not folder.exists():
        partial = folder.with_name(folder.name + paths.PARTIAL)
        partial.mkdir(parents=True)
        with step(f"{folder.name}: built"):
            build(partial)
        partial.rename(folder)
    return folder


def _in_build_group(lab: Lab, *argv: str) -> None:
    run(*cgroups.command(f"{lab.prefix}/build", list(argv)))
