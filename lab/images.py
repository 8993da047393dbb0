"""What hosts boot from: layers of an overlay, and disk images made of them.

Each is built once. Its folder in the cache is named after a hash of what went into it, and has another
name until it is complete.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from lab import cgroups, guest, paths, ssh
from lab.hosts import LABS, Host, Lab
from lab.shell import LabError, run, step

UML_MODULES = Path("/usr/lib/uml/modules")
# The control group of builds: another state folder's are not ours to end.
BUILD = f"build-{hashlib.sha256(str(paths.STATE).encode()).hexdigest()[:6]}"

# These run in a mount namespace of their own: nothing stays mounted when a build is killed.
OVERLAY = """\
set -eu
cd "$1"
mkdir -p upper work root
mount -t overlay overlay -o "lowerdir=$2,upperdir=upper,workdir=work" root
"""
# /dev is the root's own: a package's script would take the machine's volume groups for the host's.
CHROOT = f"""{OVERLAY}
mount -t proc proc root/proc
mount -t tmpfs tmpfs root/run
printf '#!/bin/sh\\nexit 101\\n' > root/usr/sbin/policy-rc.d  # no service starts in a chroot
chmod 755 root/usr/sbin/policy-rc.d
env -i http_proxy="$http_proxy" PATH=/usr/sbin:/usr/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \\
    chroot root sh -euc "$3"
rm root/usr/sbin/policy-rc.d
"""
# .updated: or else the first boot rebuilds ld.so's and the journal's caches, 8 s under UML.
IMAGE = f"""{OVERLAY}
cp -a "$3"/. root/usr/lib/modules/
touch root/etc/.updated root/var/.updated
truncate -s 8G disk.img
chmod 600 disk.img  # it holds the host's private key
mkfs.ext4 -q -F -d root disk.img
umount root
rm -r upper work
"""


def archive(sources: Iterable[str], ending: str) -> str:
    """The machine's own mirror of an archive, over http: the proxy can't keep what is encrypted.

    Args:
        sources: texts of apt's lists of sources, of either format.
        ending: ``debian`` or ``debian-security``, with which the mirror's address ends.

    Raises:
        LabError: apt's sources name no such mirror.
    """
    lines = [line for text in sources for line in text.splitlines() if not line.lstrip().startswith("#")]
    found = re.search(rf"\bhttps?://(\S+/{ending})(?=/?(\s|$))", "\n".join(lines))
    if not found:
        raise LabError(
            f"apt's sources on this machine name no archive ending in /{ending}: the lab takes its packages "
            "from where the machine does; add one to /etc/apt/sources.list.d"
        )
    return f"http://{found[1]}"


def sources(suite: str) -> list[str]:
    """The archives of ``suite``, as lines of sources.list."""
    folder = Path("/etc/apt")
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    texts = [file.read_text() for file in files if file.exists()]
    debian = archive(texts, "debian")
    return [
        f"deb {debian} {suite} main",
        f"deb {debian} {suite}-updates main",
        f"deb {archive(texts, 'debian-security')} {suite}-security main",
    ]


def apt_settings() -> str:
    """The machine's trust in old indexes: its mirror may be a snapshot."""
    wanted = ("Acquire::Check-Valid-Until ", "Acquire::Check-Date ")
    return "".join(f"{line}\n" for line in run("apt-config", "dump").splitlines() if line.startswith(wanted))


def base(lab: Lab) -> Path:
    """The layer below all others: a small Debian with sshd and Python."""
    files = guest.common(apt_settings())
    mirrors = sources(lab.suite)
    options = files["etc/apt/apt.conf.d/00lab"].text.splitlines()

    def build(folder: Path) -> None:
        root = folder / "upper"
        isolated(
            lab, "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase",
            f"--include={','.join(guest.PACKAGES)}",
            # Kept, so that a host's first `apt-get update` only asks whether they changed.
            "--skip=cleanup/apt/lists",
            *(f"--aptopt={option}" for option in options),
            lab.suite, root, *mirrors,
        )  # fmt: skip
        (root / "etc/apt/apt.conf.d/99mmdebstrap").unlink(missing_ok=True)
        for key in (root / "etc/ssh").glob("ssh_host_*"):
            key.unlink()
        guest.write(root, files)

    return built(f"{lab.suite}-base", [mirrors, guest.PACKAGES, files], build) / "upper"


def layers(lab: Lab, host: Host) -> list[Path]:
    """The layers below a host's own, top first: the packages of the roles in ``host.install``, the base."""
    bottom = base(lab)
    if lab.el:
        from lab.el import root

        return root.layers(lab, bottom)
    if not host.install:
        return [bottom]
    from cloud import platforms

    names = " ".join(platforms.role_packages(lab.platform, lab.release, set(host.install)))
    script = "\n".join(
        (
            "debconf-set-selections <<'END'",
            *platforms.of(lab.platform, lab.release).debconf,
            "END",
            "apt-get -qq update",
            f"apt-get -qq install --download-only {names}",
            "touch /root/.before",
            # Without a network, or a package's script writes the machine's address into its configuration;
            # as localhost, since nova-common's wants an address for the host's own name, or fails.
            f"unshare --net --uts sh -c 'hostname localhost && apt-get -qq install {names}'",
            # The packages' services would start at boot with sample configurations; cinder-volume then spins.
            "find /etc/systemd/system -path '*.wants/*.service' -newer /root/.before -delete",
            "rm /root/.before",
            # Every host that is made of this would have the same name as an iSCSI initiator.
            "rm -f /etc/iscsi/initiatorname.iscsi",
            "apt-get clean",
        )
    )

    def build(folder: Path) -> None:
        isolated(lab, "sh", "-c", CHROOT, "sh", folder, bottom, script)

    name = f"{lab.suite}-{'-'.join(sorted(host.install))}"
    return [built(name, [str(bottom), CHROOT, script], build) / "upper", bottom]


def disk(lab: Lab, host: Host) -> Path:
    """An ext4 image of a host's whole root, with the modules of the UML kernel."""
    below = layers(lab, host)
    own = own_files(lab, host)

    def build(folder: Path) -> None:
        guest.write(folder / "upper", own, below=below[-1])
        isolated(lab, "sh", "-c", IMAGE, "sh", folder, ":".join(map(str, below)), UML_MODULES)

    inputs = [*map(str, below), IMAGE, own, sorted(map(str, UML_MODULES.iterdir()))]
    return built(f"{lab.system}-{host.name}-disk", inputs, build) / "disk.img"


def own_files(lab: Lab, host: Host) -> guest.Files:
    """What tells ``host`` from the others, with its keys."""
    return guest.own(lab, host, ssh.authorized_key(), ssh.host_key(host).read_text())


def clean(lab: Lab) -> None:
    """End the builds of a killed run, of whichever lab, and remove what they left."""
    for other in {lab.prefix: lab} | {known.prefix: known for known in LABS.values()}:
        cgroups.kill(f"{other}/{BUILD}")
    for folder in paths.CACHE.glob(f"*{paths.PARTIAL}"):
        shutil.rmtree(folder)


def place(name: str, inputs: list[object]) -> Path:
    """The folder for these ``inputs``, whether it is there or not."""
    key = hashlib.sha256(json.dumps(inputs, default=repr).encode()).hexdigest()[:12]
    return paths.CACHE / f"{name}-{key}"


def built(name: str, inputs: list[object], build: Callable[[Path], None]) -> Path:
    """The folder for these ``inputs``, which ``build`` fills if it does not exist yet."""
    folder = place(name, inputs)
    if folder.exists():
        return folder
    partial = folder.with_name(folder.name + paths.PARTIAL)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    with step(f"{folder.name}: built"):
        build(partial)
    partial.rename(folder)
    _prune(name, folder)
    return folder


def _prune(name: str, keep: Path) -> None:
    """Remove what ``keep`` replaces, unless a host stands on it."""
    used = {link.readlink().parent for link in paths.STATE.glob("run*/*/lower*")}
    for folder in paths.CACHE.glob(f"{name}-{'[0-9a-f]' * 12}"):
        if folder != keep and folder not in used:
            shutil.rmtree(folder.rename(folder.with_name(folder.name + paths.PARTIAL)))


def isolated(lab: Lab, *argv: object) -> None:
    """Run a step of a build: in the group by which :func:`clean` finds it, with mounts of its own."""
    # In the environment, and not in the layers: other labs, with proxies of their own, have the same layers.
    command = ["env", f"http_proxy={lab.proxy}", "unshare", "--mount", *map(str, argv)]
    run(*cgroups.command(lab.group(BUILD), command))
