"""Debian's packages unpacked, and divided among EL's as ``real.py`` says."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from lab.el import real
from lab.el.rpm import Rpm
from lab.shell import LabError, run

# Whole folders stand in a package's list of files for what is in them, which spares ten thousand lines, and
# takes in what Python compiles later.
WHOLE = re.compile(rf"({re.escape(real.PYTHON)}/[^/]+|{re.escape(real.DASHBOARD)}/openstack_dashboard)(/|$)")


@dataclass(frozen=True)
class Unpacked:
    """Debian's packages, each in a folder of its own below ``folder``."""

    folder: Path

    def find(self, path: str) -> Path:
        """The one place where ``path`` lies in any of them.

        Raises:
            LabError: there is none.
        """
        found = [place for deb in sorted(self.folder.iterdir()) if (place := deb / path.lstrip("/")).exists()]
        if not found:
            raise LabError(f"no package of Debian's has {path} any more: see lab/el/real.py")
        return found[0]

    def files(self, deb: str) -> list[str]:
        """The paths of a package's files and links."""
        top = self.folder / deb
        return sorted(
            f"/{(Path(folder) / name).relative_to(top)}"
            for folder, folders, names in os.walk(top)
            for name in (*names, *(name for name in folders if (Path(folder) / name).is_symlink()))
        )


def unpack(debs: Path, folder: Path) -> Unpacked:
    """Unpack the packages that lie in ``debs``.

    Raises:
        LabError: one of :func:`real.debs` is not there.
    """
    found = {file.name.partition("_")[0]: file for file in debs.glob("*.deb")}
    if missing := sorted(set(real.debs()) - set(found)):
        raise LabError(f"not downloaded: {', '.join(missing)}")
    for name in real.debs():
        (folder / name).mkdir(parents=True)
        run("dpkg-deb", "--extract", found[name], folder / name)
        if (folder / name / "lib").is_dir():  # Debian 12's packages may still use the old path
            shutil.copytree(
                folder / name / "lib", folder / name / "usr/lib", dirs_exist_ok=True, symlinks=True
            )
            shutil.rmtree(folder / name / "lib")
    return Unpacked(folder)


def divide(packages: Iterable[Rpm], unpacked: Unpacked, root: Path) -> tuple[Rpm, ...]:
    """Move the files into the build's root, where the tables' own lie already.

    Args:
        packages: see :func:`real.packages`.
        unpacked: Debian's.
        root: of the build.

    Returns:
        The packages with their ``content``.
    """
    packages = tuple(packages)
    known = {path for package in packages for path in (*package.files, *package.links)}
    content: dict[str, set[str]] = {package.name: set() for package in packages}
    for name, given in real.CONTENTS.items():
        for path, source in (given.taken | given.trees).items():
            _move(unpacked.find(source), root / path.lstrip("/"))
            if path not in known:
                content[name].add(_listed(path))
        for path, edits in given.edits.items():
            _edit(root / path.lstrip("/"), edits)
    dropped = tuple(f"{path}/" for path in real.DROPPED)
    for name, given in real.CONTENTS.items():
        for deb in given.debs:
            for path in unpacked.files(deb):
                if path in known or f"{path}/".startswith(dropped):
                    continue
                _move(unpacked.folder / deb / path.lstrip("/"), root / path.lstrip("/"))
                owner = given.library if path.startswith(f"{real.PYTHON}/") else name
                content[owner].add(_listed(path))
    return tuple(replace(package, content=tuple(sorted(content[package.name]))) for package in packages)


def _listed(path: str) -> str:
    whole = WHOLE.match(path)
    return whole[1] if whole else path


def _move(source: Path, target: Path) -> None:
    """Move a file, or what is in a folder."""
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(source)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.move(source, target)


def _edit(file: Path, edits: Iterable[tuple[str, str]]) -> None:
    text = file.read_text()
    for pattern, new in edits:
        text = re.sub(pattern, lambda _, new=new: new, text)
    file.write_text(text)
