"""RPMs as data, and the one spec file that builds them all. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

UNITS = "/usr/lib/systemd/system"


@dataclass(frozen=True)
class Text:
    """A file that a package brings.

    Attributes:
        text: its content.
        mode, user, group: as ``%attr`` has them.
    """

    text: str
    mode: str = "0644"
    user: str = "root"
    group: str = "root"


@dataclass(frozen=True)
class Account:
    """A system account that a package makes, with the fixed number it has on EL where that is free.

    Debian's base uses some of these numbers for others (27 is sudo's): then any will do.
    """

    name: str
    number: int
    home: str
    groups: tuple[str, ...] = ()

    def script(self) -> str:
        """Its part of ``%pre``."""
        name = self.name
        add = f"-g {name} -d {self.home} -s /sbin/nologin {name}"
        lines = [
            f"getent group {name} >/dev/null || groupadd -r -g {self.number} {name} 2>/dev/null "
            f"|| groupadd -r {name}",
            f"getent passwd {name} >/dev/null || useradd -r -u {self.number} {add} 2>/dev/null "
            f"|| useradd -r {add}",
            *(f"getent group {group} >/dev/null && usermod -aG {group} {name}" for group in self.groups),
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class Rpm:
    """One package.

    Attributes:
        name, version: as ``rpm -q`` prints them.
        files: path -> what lies there. Below /etc they are ``%config(noreplace)``.
        directories: path -> (mode, user, group).
        links: path -> where it points.
        accounts: made before the files.
        requires, provides: names of packages, or of what packages provide.
        programs: whether stand-ins of OpenStack's programs, or the real ones, belong to it.
        debs: Debian's packages whose files the real edition takes.
        content: paths of further files, or whole folders, that lie in the build's root already; root's, with
            the modes they have there.
        wheel: pip's requirement, with its hash, whose files become the package's.
    """

    name: str
    version: str = "1.0"
    files: dict[str, Text] = field(default_factory=dict)
    directories: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    accounts: tuple[Account, ...] = ()
    requires: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    programs: bool = False
    debs: tuple[str, ...] = ()
    content: tuple[str, ...] = ()
    wheel: str = ""

    @property
    def units(self) -> list[str]:
        """The systemd units among its files."""
        names = (path.removeprefix(f"{UNITS}/") for path in self.files if path.startswith(f"{UNITS}/"))
        return [name for name in names if "/" not in name]


HEAD = """\
Name: lab
Version: 1.0
Release: {release}
Summary: Stand-ins for the packages of an EL host
License: MIT
BuildArch: noarch
AutoReqProv: no

%description
Stand-ins for the packages of an EL host.
"""
# A shell command: builds the spec file in $work into $work/rpms. The files are in $work/root already: nothing
# is compiled, stripped or compressed.
BUILD = (
    'rpmbuild --quiet -bb --buildroot "$work/root" --define "_topdir $work/top" '
    '--define "_rpmdir $work/rpms" '
    "--define '__os_install_post %{nil}' --define 'debug_package %{nil}' --define '_build_id_links none' "
    "--define '_binary_payload w1.zstdio' --define '__check_files %{nil}' --nodeps \"$work/lab.spec\""
)


def spec(packages: Iterable[Rpm], release: str) -> str:
    """The spec file: a subpackage for each.

    Args:
        packages: what to build.
        release: the ``Release`` of them all, like ``1.el9``.
    """
    return "\n".join([HEAD.format(release=release), *map(_section, packages)])


def _section(package: Rpm) -> str:
    name = package.name
    lines = [
        f"%package -n {name}",
        f"Version: {package.version}",
        f"Summary: {name}, as the lab has it",
        # The head's is for the head alone; by itself rpm asks for the Python of the folder's name.
        "AutoReqProv: no",
        *(f"Requires: {required}" for required in package.requires),
        *(f"Provides: {provided}" for provided in package.provides),
        f"%description -n {name}",
        f"{name}, as the lab has it.",
    ]
    if package.accounts:
        lines += [f"%pre -n {name}", *(account.script() for account in package.accounts), "exit 0"]
    if package.units:
        units = " ".join(package.units)
        reload = "systemctl daemon-reload >/dev/null 2>&1 || :"
        lines += [
            f"%post -n {name}",
            reload,
            f"%preun -n {name}",
            f"if [ $1 -eq 0 ]; then systemctl --no-reload disable --now {units} >/dev/null 2>&1 || :; fi",
            f"%postun -n {name}",
            reload,
        ]
    lines.append(f"%files -n {name}")
    for path, file in package.files.items():
        lines.append(f'{_config(path)}%attr({file.mode},{file.user},{file.group}) "{path}"')
    lines += [
        f'%dir %attr({",".join(attributes)}) "{path}"' for path, attributes in package.directories.items()
    ]
    lines += [f'"{path}"' for path in package.links]
    lines += [f'{_config(path)}%attr(-,root,root) "{path}"' for path in package.content]
    return "\n".join([*lines, ""])


def _config(path: str) -> str:
    """What marks a file as the administrator's."""
    return "%config(noreplace) " if path.startswith("/etc/") else ""
