"""The packages of EL hosts: built, signed, and served on the management network."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from lab import guest, images, paths, server
from lab.el import audit, convert, infrastructure, keys, openstack, real, wheels
from lab.el.rpm import BUILD, Rpm, Text, spec
from lab.el.stub import content
from lab.guest import File
from lab.hosts import Lab
from lab.shell import LabError

PORT = 8090
LINK = paths.RUN / "repository"

# Below /build a folder for each repository, with its spec file and "target", which names folder and key.
PUBLISH = f"""\
export GNUPGHOME=/build/gnupg
for work in /build/[0-9]*; do
    . $work/target
    # Else each service would compile its own at each start: it may not write there.
    for python in $work/root{real.PYTHON} $work/root{real.DASHBOARD}; do
        if [ "$compiled" ] && [ -d $python ]; then
            python3 -m compileall -q -s $work/root -p / $python >/dev/null || true
        fi
    done
    {BUILD}
    mkdir -p "/build/tree/$folder"
    mv $work/rpms/*/*.rpm "/build/tree/$folder/"
    if [ "$signer" ]; then
        rpmsign --define '__gpg /usr/bin/gpg' --define "_gpg_name Lab EL $signer" \\
            --define "_gpg_path $GNUPGHOME" --addsign "/build/tree/$folder"/*.rpm >/dev/null
    fi
    createrepo_c --quiet "/build/tree/$folder"
done
gpgconf --kill all
"""


@dataclass(frozen=True)
class Repository:
    """A repository: its folder below the server's root, what is in it, and who signs that ("": nobody).

    ``real``: the packages are to be filled from Debian's.
    """

    folder: str
    packages: tuple[Rpm, ...]
    signer: str = "packages"
    real: bool = False


# For tests: what must be refused, and what must be left alone.
NEGATIVE = (
    Repository("negative/unsigned", (Rpm("lab-unsigned"),), signer=""),
    Repository("negative/foreign", (Rpm("lab-foreign"),), signer="foreign"),
    Repository("negative/newer", (Rpm("memcached", "9.9.9"), Rpm("lab-pinned", "2.0"))),
    Repository("negative/older", (Rpm("lab-pinned", "1.0"), Rpm("lab-more"))),
)


def repositories(lab: Lab) -> list[Repository]:
    """What is served to a lab's hosts, laid out as the mirrors of CentOS are."""
    if lab.el == "9":
        return [
            Repository("os", real.system() if lab.real else infrastructure.EL9),
            Repository("crb", infrastructure.CRB),
            Repository(
                _cloud_folder(lab),
                real.packages() if lab.real else _with_programs((*openstack.EL9, openstack.PACKSTACK), lab),
                real=lab.real,
            ),
            Repository("SIGs/9-stream/messaging/x86_64/rabbitmq-38", infrastructure.MESSAGING),
            Repository("SIGs/9-stream/nfv/x86_64/openvswitch-2", infrastructure.NFV),
            *NEGATIVE,
        ]
    name = f"openstack-{lab.release}"
    sources = (
        _release_package(
            lab, f"centos-release-{name}", f"centos-{name}", _cloud_folder(lab), "CentOS-SIG-Cloud"
        ),
        _release_package(lab, "epel-release", "epel", "epel", "EPEL-7"),
    )
    return [
        Repository("os", (*infrastructure.EL7, *infrastructure.MESSAGING, *sources)),
        Repository("epel", infrastructure.EPEL),
        Repository(_cloud_folder(lab), _with_programs((*openstack.EL7, openstack.PACKSTACK), lab)),
        *NEGATIVE,
    ]


def _cloud_folder(lab: Lab) -> str:
    root = "SIGs/9-stream" if lab.el == "9" else "7"
    return f"{root}/cloud/x86_64/openstack-{lab.release}"


def _release_package(lab: Lab, name: str, repository: str, folder: str, key: str) -> Rpm:
    """A package that names a repository and brings its key, as CentOS's "extras" have them.

    Args:
        lab: the table.
        name: the package's.
        repository: the ID.
        folder: on the server.
        key: what the key's file is called after RPM-GPG-KEY-.
    """
    path = f"/etc/pki/rpm-gpg/RPM-GPG-KEY-{key}"
    text = (
        f"[{repository}]\nname={repository}\nbaseurl={url(lab)}/{folder}\n"
        f"gpgcheck=1\nenabled=1\ngpgkey=file://{path}\n"
    )
    files = {f"/etc/yum.repos.d/{repository}.repo": Text(text), path: Text(keys.public_key().read_text())}
    return Rpm(name, files=files)


def _with_programs(packages: tuple[Rpm, ...], lab: Lab) -> tuple[Rpm, ...]:
    """The packages with stand-ins for OpenStack's programs."""
    return tuple(
        replace(
            package,
            files={**package.files, **_stubs(package.name, lab.release)},
            requires=(*package.requires, *(() if package == openstack.STUB else (openstack.STUB.name,))),
        )
        if package.programs
        else package
        for package in packages
    )


def _stubs(name: str, release: str) -> dict[str, Text]:
    found = content.programs(name, release)
    return {path: Text(file.text, file.mode) for path, file in found.items()}


def url(lab: Lab) -> str:
    """The server's root, as hosts reach it."""
    return f"http://{lab.gateway.ip}:{PORT}"


def tree(lab: Lab) -> Path:
    """The folder of all repositories, built unless it is there."""
    key_folder = keys.folder(lab)
    below = images.layers(lab, lab.hosts[0])
    wanted = repositories(lab)
    # Beside the layer with what OpenStack's real programs need.
    debs = below[1].parent / "debs"

    def build(folder: Path) -> None:
        work = folder / "upper/build"
        shutil.copytree(key_folder / "gnupg", work / "gnupg", ignore=shutil.ignore_patterns("S.*"))
        (work / "gnupg").chmod(0o700)
        packages = []
        for number, repository in enumerate(wanted):
            packages += _lay_out(work / str(number), repository, lab, debs)
        if problems := audit.problems(packages, lambda path: _exists(below, path)):
            raise LabError("\n  ".join(["the packages are not sound:", *problems]))
        images.isolated(lab, "sh", "-c", images.CHROOT, "sh", folder, ":".join(map(str, below)), PUBLISH)
        (work / "tree").rename(folder / "tree")
        for layer in ("upper", "work", "root"):
            shutil.rmtree(folder / layer)

    inputs = [list(map(str, below)), PUBLISH, wanted]
    if lab.real:
        versions = sorted(file.name for file in debs.iterdir())
        inputs += [versions, real.CONTENTS, real.DROPPED, Path(convert.__file__).read_text()]
    return images.built(f"{lab.system}-repository", inputs, build) / "tree"


def _exists(layers: list[Path], path: str) -> bool:
    return any(os.path.lexists(layer / path.lstrip("/")) for layer in layers)


def _lay_out(work: Path, repository: Repository, lab: Lab, debs: Path) -> tuple[Rpm, ...]:
    """Write the spec file of a repository, and its packages' files; returns the packages with all they have.

    Args:
        work: the repository's folder.
        repository, lab: the repository, and whose it is.
        debs: the folder with Debian's packages, for a repository that is filled from them.
    """
    root = work / "root"
    root.mkdir(parents=True)
    packages = repository.packages
    for package in packages:
        files = {path.lstrip("/"): File(file.text) for path, file in package.files.items()}
        links = {path.lstrip("/"): File(target, link=True) for path, target in package.links.items()}
        guest.write(root, files | links)
        for path in package.directories:
            (root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
        if package.wheel:
            wheels.unpack(package.wheel, root)
    if repository.real:
        packages = convert.divide(packages, convert.unpack(debs, work / "debs"), root)
    (work / "lab.spec").write_text(spec(packages, f"1.el{lab.el}"))
    (work / "target").write_text(
        f"folder='{repository.folder}'\nsigner='{repository.signer}'\n"
        f"compiled='{'yes' if repository.real else ''}'\n"
    )
    return packages


def up(lab: Lab) -> None:
    """Serve the packages; what is served already stays, unless it was built anew."""
    served = tree(lab)
    if not (LINK.is_symlink() and LINK.readlink() == served):
        LINK.unlink(missing_ok=True)
        LINK.symlink_to(served)
    options = ["--bind", str(lab.gateway.ip), "--directory", str(LINK)]
    argv = [sys.executable, "-m", "http.server", str(PORT), *options]
    server.up(lab, "repository", PORT, argv, paths.RUN / "repository.log")
