"""Where an EL host's packages come from: yum repositories and the keys of their packages, as data.

Pure: what is declared, what the host's files say (:func:`parse`), and how the two compare.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigError
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from cloud.checklist import Problem
from cloud.releases import Release
from cloud.resources import Strict

FOLDER = "/etc/yum.repos.d"
KEYS = "/etc/pki/rpm-gpg"

PackageSource = Literal["release-package", "rdo", "osp10", "none"]
# yum(8) takes no other characters in the name of a section.
RepositoryId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]+$")]
# A line end in a value would be an option of its own.
Line = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\r\n]*$")]
Url = Annotated[str, StringConstraints(pattern=r"^(https?|ftp|file)://[^\s,]+$")]


class YumRepository(Strict):
    """A repository in the words of yum.conf(5).

    With neither baseurl, mirrorlist nor metalink it is one that the host has from somewhere else (``crb``,
    ``epel``), of which only the options given here are set.
    """

    name: Line | None = Field(None, description="In words; default: the ID.")
    baseurl: Url | list[Url] | None = Field(None, description="Its URL, or the same at several places.")
    mirrorlist: Url | None = Field(None, description="URL of a list of URLs.")
    metalink: Url | None = Field(None, description="URL of a metalink.")
    gpgcheck: bool = Field(True, description="Whether every package must be signed.")
    gpgkey: list[Url] = Field([], description="Keys: file:///etc/pki/rpm-gpg/…, or URLs.")
    enabled: bool = Field(True, description="Whether yum looks there.")
    priority: int | None = Field(None, ge=1, le=99, description="1 is asked first; default: 99.")
    module_hotfixes: bool | None = Field(None, description="Whether it wins over modules of the system.")
    exclude: list[Line] = Field([], description="Packages that never come from there.")

    @property
    def addressed(self) -> bool:
        """Whether the repository is ours to describe, and not only to switch on or off."""
        return bool(self.baseurl or self.mirrorlist or self.metalink)

    @property
    def url(self) -> str:
        """Where it is, for messages."""
        urls = [self.baseurl] if isinstance(self.baseurl, str) else self.baseurl or []
        return " ".join([*urls, self.mirrorlist or "", self.metalink or ""]).strip()

    @model_validator(mode="after")
    def _complete(self) -> YumRepository:
        if sum(bool(where) for where in (self.baseurl, self.mirrorlist, self.metalink)) > 1:
            raise ValueError("takes only one of baseurl, mirrorlist and metalink")
        if self.addressed and self.gpgcheck and not self.gpgkey:
            raise ValueError("gpgcheck needs a gpgkey: ['file:///etc/pki/rpm-gpg/RPM-GPG-KEY-NAME']")
        return self

    def options(self, name: str) -> dict[str, str | None]:
        """The options of its section; ``None`` for those that must not be there.

        Args:
            name: its ID.
        """
        found: dict[str, str | None] = {"enabled": str(int(self.enabled))}
        if self.addressed:
            urls = self.baseurl if isinstance(self.baseurl, list) else [self.baseurl or ""]
            found = {
                "name": self.name or name,
                # The distribution's own section may have another one, which would stay in force.
                "baseurl": " ".join(urls) or None,
                "mirrorlist": self.mirrorlist,
                "metalink": self.metalink,
                **found,
                "gpgcheck": str(int(self.gpgcheck)),
                "gpgkey": " ".join(self.gpgkey) or None,
                # Else yum goes on without it, and takes what it finds elsewhere.
                "skip_if_unavailable": "0",
            }
        if self.priority is not None:
            found["priority"] = str(self.priority)
        if self.module_hotfixes is not None:
            found["module_hotfixes"] = str(int(self.module_hotfixes))
        if self.exclude:
            found["exclude"] = " ".join(self.exclude)
        return found


class YumKey(Strict):
    """A key that signs packages: where the host gets it, and the fingerprints it must have.

    With neither file, text nor url the host has it already: its release package brought it.
    """

    file: Path | None = Field(None, description="A file of the machine that runs pyinfra.")
    text: str | None = Field(None, description="The key itself, armoured.")
    url: Url | None = Field(None, description="Where the host fetches it.")
    fingerprint: list[str] = Field(
        min_length=1, description="40 hexadecimal digits; a list when the file holds several keys."
    )

    @field_validator("fingerprint", mode="before")
    @classmethod
    def _digits(cls, value: object) -> object:
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
            raise ValueError("a fingerprint is a text of 40 hexadecimal digits")
        found = ["".join(item.split()).upper() for item in listed]
        for item in found:
            if not re.fullmatch("[0-9A-F]{40}", item):
                raise ValueError(f"{item!r} is no fingerprint: that has 40 hexadecimal digits")
        return sorted(found)

    @model_validator(mode="after")
    def _one_source(self) -> YumKey:
        if sum(source is not None for source in (self.file, self.text, self.url)) > 1:
            raise ValueError("takes only one of file, text and url")
        return self

    @property
    def content(self) -> str | None:
        """The key's text, when this machine has it.

        Raises:
            OSError: the file can't be read.
        """
        return self.file.read_text() if self.file else self.text


def _key(name: str) -> str:
    return f"file://{KEYS}/RPM-GPG-KEY-{name}"


def rdo(release: str, mirror: str | None = None) -> dict[str, YumRepository]:
    """RDO's repositories on EL 9.

    Args:
        release: the OpenStack release.
        mirror: a mirror of https://mirror.stream.centos.org.

    Source: the .repo files of rdo-release (github.com/rdo-infra/rdo-release: ``rdo-release-cs9.repo``,
    ``messaging-cs9.repo``), puppet-openstack_extras (``manifests/repo/redhat/redhat.pp``). module_hotfixes:
    without it dnf hides packages whose name a module of the system has too.
    """
    base = f"{(mirror or 'https://mirror.stream.centos.org').rstrip('/')}/SIGs/9-stream"

    def sig(name: str, path: str, key: str) -> YumRepository:
        return YumRepository(
            name=name, baseurl=f"{base}/{path}/", gpgkey=[_key(f"CentOS-SIG-{key}")], module_hotfixes=True
        )

    return {
        f"openstack-{release}": sig(
            f"OpenStack {release.capitalize()}", f"cloud/$basearch/openstack-{release}", "Cloud"
        ),
        "centos-rabbitmq-38": sig("RabbitMQ", "messaging/$basearch/rabbitmq-38", "Messaging"),
        "centos-nfv-openvswitch": sig("Open vSwitch", "nfv/$basearch/openvswitch-2", "NFV"),
        # The distribution's own, switched on: RDO's packages need libraries of it.
        "crb": YumRepository(),
    }


# Source of the fingerprints: centos.org/keys; each was also read from the key, or from what dnf printed when
# it imported it.
RDO_KEYS: dict[str, YumKey] = {
    f"{KEYS}/RPM-GPG-KEY-CentOS-SIG-{name}": YumKey(
        url=f"https://www.centos.org/keys/RPM-GPG-KEY-CentOS-SIG-{name}", fingerprint=[fingerprint]
    )
    for name, fingerprint in (
        ("Cloud", "736AF5116D9C40E2AF6B074BF9B9FEE7764429E6"),
        ("Messaging", "A9265AE9171868B82F91555083014EBBE16E0D12"),
        ("NFV", "35154228174901BEFA8E69A621465E289D2A76A7"),
    )
}

# The directories of the disc RHEL7OSP-10; each is a repository.
OSP10 = (
    "rhel-7-server-openstack-10-rpms",
    "rhel-7-server-openstack-10-devtools-rpms",
    "rhel-7-server-openstack-10-optools-rpms",
    "rhel-7-server-openstack-10-tools-rpms",
    "rhel-7-server-rhceph-2-mon-rpms",
    "rhel-7-server-rhceph-2-osd-rpms",
    "rhel-7-server-rhceph-2-tools-rpms",
    "rhel-7-server-rhscon-2-agent-rpms",
    "rhel-7-server-rhscon-2-installer-rpms",
    "rhel-7-server-rhscon-2-main-rpms",
)


def osp10(mirror: str) -> dict[str, YumRepository]:
    """The twelve repositories of the original install notes' packstack page: three discs on a mirror.

    Args:
        mirror: URL with the folders ``CentOS7``, ``RHEL7-extras`` and ``RHEL7OSP-10``, a copy of a disc each.

    Source: the notes count them ("centos7, rhel7-extras, the ten of rhel7OSP-10"); the ten names are Red
    Hat's for OpenStack Platform 10.
    """
    base = mirror.rstrip("/")
    folders = {"centos7": "CentOS7", "rhel7-extras": "RHEL7-extras"} | {
        name: f"RHEL7OSP-10/{name}" for name in OSP10
    }
    return {
        name: YumRepository(
            baseurl=f"{base}/{folder}/", gpgkey=[_key("CentOS-7" if name == "centos7" else "redhat-release")]
        )
        for name, folder in folders.items()
    }


# Source: centos.org/keys and access.redhat.com/security/team/key ("release key 2").
OSP10_KEYS: dict[str, YumKey] = {
    f"{KEYS}/RPM-GPG-KEY-CentOS-7": YumKey(fingerprint=["6341AB2753D78A78A7C27BB124C6A8A7F4A80EB5"]),
    f"{KEYS}/RPM-GPG-KEY-redhat-release": YumKey(
        url="https://www.redhat.com/security/data/fd431d51.txt",
        fingerprint=["567E347AD0044ADE55BA8A5F199E2F91FD431D51"],
    ),
}


@dataclass(frozen=True)
class Sources:
    """Where one host's packages come from.

    Attributes:
        choice: the operator's ``package_source``, or the release's.
        packages: release packages: they bring .repo files and keys of their own.
        shipped: IDs of repositories that these bring.
        repositories: ID -> what we write.
        keys: file on the host -> the key that must be in it, and known to rpm.
    """

    choice: PackageSource = "none"
    packages: list[str] = field(default_factory=list)
    shipped: list[str] = field(default_factory=list)
    repositories: dict[str, YumRepository] = field(default_factory=dict)
    keys: dict[str, YumKey] = field(default_factory=dict)

    @property
    def enabled(self) -> list[str]:
        """The IDs that yum must look at."""
        ours = [name for name, repository in self.repositories.items() if repository.enabled]
        return [*(name for name in self.shipped if name not in self.repositories), *ours]


def chosen(release: str, package_source: PackageSource | None) -> PackageSource:
    """The operator's choice, or what the release has: release packages on EL 7, RDO after it."""
    return package_source or ("release-package" if Release(release) < "ussuri" else "rdo")


def sources(
    release: str,
    package_source: PackageSource | None = None,
    mirror: str | None = None,
    repositories: Mapping[str, YumRepository | None] | None = None,
    keys: Mapping[str, YumKey] | None = None,
    packages: list[str] | None = None,
) -> Sources:
    """What a host of platform EL gets.

    Args:
        release: the OpenStack release.
        package_source: the operator's choice; None: the release's own.
        mirror: the operator's mirror of it.
        repositories: the operator's own, put over the choice's by ID; None takes one away.
        keys: the operator's own, put over the choice's by file. One that is named by its URL gets a file.
        packages: the platform's release packages.
    """
    choice = chosen(release, package_source)
    found: dict[str, YumRepository] = {}
    trusted: dict[str, YumKey] = {}
    shipped: list[str] = []
    if choice == "rdo":
        found, trusted = rdo(release, mirror), dict(RDO_KEYS)
    elif choice == "osp10":
        found, trusted = osp10(mirror or ""), dict(OSP10_KEYS)
    elif choice == "release-package":
        packages = list(packages or [])
        shipped = [f"centos-openstack-{release}"]
        if release == "liberty":
            # The notes': liberty's packages need some of EPEL.
            packages, shipped = ["epel-release", *packages], ["epel", *shipped]
    for name, repository in (repositories or {}).items():
        if repository is None:
            found.pop(name, None)
        else:
            found[name] = repository
    files = {}
    for place, key in (keys or {}).items():
        if place.startswith("/"):
            trusted[place] = key
            continue
        # yum -y would import whatever that URL has on the day it is asked: the checked copy is named instead.
        path = f"{KEYS}/RPM-GPG-KEY-{place.rpartition('/')[2].removeprefix('RPM-GPG-KEY-')}"
        files[place] = f"file://{path}"
        own = key.file is not None or key.text is not None or key.url is not None
        trusted[path] = key if own else key.model_copy(update={"url": place})
    for name, repository in found.items():
        places = [files.get(place, place) for place in repository.gpgkey]
        if places != repository.gpgkey:
            found[name] = repository.model_copy(update={"gpgkey": places})
    # Of a set's keys only those that are still in use: a set may have been replaced by the operator's own.
    used = {place.removeprefix("file://") for repository in found.values() for place in repository.gpgkey}
    trusted = {path: key for path, key in trusted.items() if path in used or path in (keys or {})}
    return Sources(
        choice=choice,
        packages=(packages or []) if choice == "release-package" else [],
        shipped=shipped,
        repositories=found,
        keys=trusted,
    )


@dataclass(frozen=True)
class Found:
    """A repository as the host's files have it."""

    file: str
    enabled: bool
    gpgcheck: bool


def _boolean(text: str) -> bool:
    return text.strip().lower() in ("1", "yes", "true", "on")


def parse(files: Mapping[str, str]) -> dict[str, Found]:
    """The repositories in a host's files.

    Args:
        files: path -> text, of ``/etc/yum.conf``, ``/etc/dnf/dnf.conf`` and ``/etc/yum.repos.d/*.repo``.

    Raises:
        ValueError: a file is not what yum can read.

    Source: yum.conf(5): a repository is enabled unless it says otherwise; gpgcheck is the main section's
    unless it says otherwise, and that one's is off. Of an ID that comes twice the first one counts.
    """
    sections: dict[str, tuple[str, Mapping[str, str]]] = {}
    for path, text in files.items():
        reader = ConfigParser(interpolation=None, strict=False, allow_no_value=True, default_section="")
        try:
            reader.read_string(text)
        except ConfigError as error:
            raise ValueError(f"{path} can't be read: {' '.join(str(error).split())}") from None
        for name in reader.sections():
            sections.setdefault(name, (path, reader[name]))
    main = sections.pop("main", ("", {}))[1]
    return {
        name: Found(
            file=path,
            enabled=_boolean(options.get("enabled") or "1"),
            gpgcheck=_boolean(options.get("gpgcheck") or main.get("gpgcheck") or "0"),
        )
        for name, (path, options) in sections.items()
    }


@dataclass(frozen=True)
class Comparison:
    """What is enabled on a host against what is declared; each a list of IDs."""

    declared: list[str]
    enabled: list[str]
    unchecked: list[str]

    @property
    def missing(self) -> list[str]:
        return [name for name in self.declared if name not in self.enabled]

    @property
    def undeclared(self) -> list[str]:
        return [name for name in self.enabled if name not in self.declared]

    @property
    def ok(self) -> bool:
        return not (self.missing or self.unchecked)

    @property
    def text(self) -> str:
        parts = [f"declared {len(self.declared)}, enabled {len(self.enabled)}"]
        for what, names in (
            ("not enabled", self.missing),
            ("gpgcheck off", self.unchecked),
            ("not declared", self.undeclared),
        ):
            if names:
                parts.append(f"{what}: {', '.join(names)}")
        return "; ".join(parts)


def compare(wanted: Sources, found: Mapping[str, Found]) -> Comparison:
    """Hold the host's repositories against the declared ones.

    Args:
        wanted: what is declared.
        found: what :func:`parse` gave.
    """
    checked = [
        name
        for name in wanted.enabled
        if name not in wanted.repositories or wanted.repositories[name].gpgcheck
    ]
    return Comparison(
        declared=wanted.enabled,
        enabled=[name for name, repository in found.items() if repository.enabled],
        unchecked=[name for name in checked if name in found and not found[name].gpgcheck],
    )


def warnings(wanted: Sources, found: Mapping[str, Found]) -> list[Problem]:
    """What is enabled and does harm, without standing in the way of a run."""
    epel = [
        name
        for name, repository in found.items()
        if repository.enabled and name.startswith("epel") and name not in wanted.enabled
    ]
    if wanted.choice != "rdo" or not epel:
        return []
    return [
        Problem(
            f"EPEL is enabled beside RDO ({', '.join(epel)}): its newer libraries break RDO's packages",
            f"yum_repositories = {{{epel[0]!r}: {{'enabled': False}}}} switches it off",
        )
    ]


def problems(wanted: Sources, found: Mapping[str, Found]) -> list[Problem]:
    """What stands in the way before the first run, when nothing of ours has been written yet."""
    lines = unaddressed(wanted.repositories, [*found, *wanted.shipped])
    if wanted.choice == "none" and not wanted.enabled and not any(item.enabled for item in found.values()):
        lines.append(
            Problem(
                "package_source is 'none', and the host has no enabled repository",
                "prepare it, or declare some in yum_repositories",
            )
        )
    return lines


def unaddressed(repositories: Mapping[str, YumRepository], there: Iterable[str]) -> list[Problem]:
    """One for each repository that can't be switched on, for nobody knows where it is.

    Args:
        repositories: what is declared.
        there: the IDs that the host has from somewhere else.
    """
    known = set(there)
    return [
        Problem(
            f"yum_repositories: {name} has no address, and no file of the host has a repository of that name",
            f"give it a baseurl, or take it away with {{{name!r}: None}}",
        )
        for name, repository in repositories.items()
        if not repository.addressed and repository.enabled and name not in known
    ]


def fits(pin: str, build: str) -> bool:
    """Whether an installed build is the one that ``package_versions`` wants.

    Args:
        pin: VERSION, VERSION-RELEASE, or either with ``EPOCH:`` before it.
        build: EPOCH:VERSION-RELEASE.
    """
    epoch, _, rest = build.partition(":")
    version = rest.rpartition("-")[0]
    return pin in (build, rest, version, f"{epoch}:{version}")
