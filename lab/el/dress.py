"""The clothes: what makes a Debian root look like CentOS to everything that asks. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from lab.el import infrastructure, real
from lab.el.rpm import BUILD, Rpm, spec
from lab.guest import File, Files

OS_RELEASE = {
    "9": """\
NAME="CentOS Stream"
VERSION="9"
ID="centos"
ID_LIKE="rhel fedora"
VERSION_ID="9"
PLATFORM_ID="platform:el9"
PRETTY_NAME="CentOS Stream 9"
ANSI_COLOR="0;31"
CPE_NAME="cpe:/o:centos:centos:9"
""",
    "7": """\
NAME="CentOS Linux"
VERSION="7 (Core)"
ID="centos"
ID_LIKE="rhel fedora"
VERSION_ID="7"
PRETTY_NAME="CentOS Linux 7 (Core)"
ANSI_COLOR="0;31"
CPE_NAME="cpe:/o:centos:centos:7"
""",
}
SYSTEM_RELEASE = {"9": "CentOS Stream release 9\n", "7": "CentOS Linux release 7.9.2009 (Core)\n"}

# EL's own values.
DNF = """\
[main]
gpgcheck=1
installonly_limit=3
clean_requirements_on_remove=True
best=True
skip_if_unavailable=False
"""

OWN_REPOSITORY = """\
[{id}]
name={name}
baseurl={url}
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-centosofficial
enabled={enabled}
"""
# Version -> folder on the server -> ID of the repository, and whether it is switched on.
OWN_REPOSITORIES = {"9": {"os": ("baseos", 1), "crb": ("crb", 0)}, "7": {"os": ("base", 1)}}

# What apt needs for rpm to work at all, and what it is to be built and signed with.
TOOLS = ("createrepo-c", "dnf", "gnupg", "rpm")

# Debian's own units and files of what has other ones on EL; those of the rest have the same names.
REMOVED_PACKAGES = ("chrony", "mariadb-server", "memcached", "rabbitmq-server", "python3-rtslib-fb")
REMOVED_FILES = ("/etc/mysql", "/var/lib/mysql", "/etc/chrony", "/etc/memcached.conf", "/etc/rabbitmq")


def files(version: str, gateway: str, key: str, programs: bool = False) -> Files:
    """What tells the system, its package manager and its own repository.

    Args:
        version: ``9`` or ``7``.
        gateway: URL below which the lab's packages are.
        key: the public key they are signed with.
        programs: whether OpenStack's are the real ones, whose Python is Debian's: where EL's would look for
            modules there is a link.
    """
    site = {"usr/lib/python3.9/site-packages": File("../python3/dist-packages", link=True)}
    major = "9-stream" if version == "9" else "7"
    own = [
        OWN_REPOSITORY.format(id=name, name=f"CentOS {version} {name}", url=f"{gateway}/{folder}", enabled=on)
        for folder, (name, on) in OWN_REPOSITORIES[version].items()
    ]
    return (site if programs else {}) | {
        "usr/lib/os-release": File(OS_RELEASE[version]),
        "etc/os-release": File("../usr/lib/os-release", link=True),
        "etc/centos-release": File(SYSTEM_RELEASE[version]),
        "etc/redhat-release": File("centos-release", link=True),
        "etc/system-release": File("centos-release", link=True),
        # Debian's rpm keeps its database in root's home.
        "etc/rpm/macros": File(f"%_dbpath /var/lib/rpm\n%dist .el{version}\n"),
        "etc/dnf/dnf.conf": File(DNF),
        "etc/yum.conf": File("dnf/dnf.conf", link=True),
        "etc/dnf/vars/releasever": File(f"{version}\n"),
        "etc/dnf/vars/basearch": File("x86_64\n"),
        "etc/dnf/vars/stream": File(f"{major}\n"),
        "usr/bin/yum": File("dnf-3", link=True),
        "etc/yum.repos.d/centos.repo": File("\n".join(own)),
        "etc/pki/rpm-gpg/RPM-GPG-KEY-centosofficial": File(key),
        # As on a new CentOS.
        "etc/systemd/system/multi-user.target.wants/firewalld.service": File(
            "/usr/lib/systemd/system/firewalld.service", link=True
        ),
        "etc/systemd/system/dnf-makecache.timer": File("/dev/null", link=True),
    }


def installation(debs: Iterable[str]) -> str:
    """The script of the first layer, in a chroot of the base: programs, less Debian's units for them.

    Args:
        debs: Debian's packages whose programs the hosts run.
    """
    names = " ".join((*TOOLS, *debs))
    return "\n".join(
        (
            "apt-get -qq update",
            f"apt-get -qq install --download-only {names}",
            # As for the other hosts (lab/images.py): no network, or a script takes the machine's address.
            f"unshare --net --uts sh -c 'hostname localhost && apt-get -qq install {names}'",
            "find /etc/systemd/system -path '*.wants/*' -name '*.service' "
            "! -name 'ssh*' ! -name 'lab-*' -delete",
            f"for name in {' '.join(REMOVED_PACKAGES)}; do",
            "    dpkg -L $name | grep -E '/systemd/system/|^/etc/(init|logrotate).d/' |",
            '    while read -r path; do [ -d "$path" ] || rm -f "$path"; done',
            "done",
            f"rm -rf {' '.join(REMOVED_FILES)}",
            # What is left of an alias hides the unit of that name: Debian's chrony is chronyd, too.
            "find /etc/systemd/system -xtype l -delete",
            "apt-get clean",
        )
    )


# The layer of what OpenStack's real programs need, in a chroot of the first one. apt is asked what it would
# install for Debian's packages of them. These stay out, and no script of theirs runs; they are kept beside.
DEPENDENCIES = f"""\
apt-get -qq update
mkdir /debs
cd /debs
apt-get -qq download {" ".join(real.debs())}
cd /
names=$(apt-get -qq --simulate install {" ".join((*real.PROGRAMS, *real.debs()))} |
    sed -n 's/^Inst \\([^ ]*\\) .*/\\1/p' | grep -vxF '{chr(10).join((*real.debs(), *real.UNWANTED))}')
apt-get -qq install --download-only $names
unshare --net --uts sh -c "hostname localhost && apt-get -qq install $(echo $names)"
find /etc/systemd/system -path '*.wants/*' -regex '.*/\\(lib\\)?virt[^/]*' -delete
rm -f /lib/systemd/system/libvirt* /lib/systemd/system/virt*
find /etc/systemd/system -xtype l -delete
apt-get clean
{real.DIST_CONF}"""

# The last layer's. Code for the wrong platform must not find what it looks for: hence no apt.
DRESSING = f"""\
cp -a --remove-destination /dressing/. / && rm -r /dressing
rm -f /etc/debian_version /usr/bin/lsb_release /etc/iscsi/initiatorname.iscsi
rpm --initdb
work=/build; mkdir -p $work/root; {BUILD}
rpm -i --nodeps --justdb /build/rpms/*/*.rpm
rm -rf /build /root/.rpmdb /usr/bin/apt*
"""


def base_spec() -> str:
    """The spec of the packages that exist in rpm's database only: for what Debian's base holds already."""
    return spec([Rpm(name, "9.0", provides=provided) for name, provided in infrastructure.BASE.items()], "1")
