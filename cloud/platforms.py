"""Names that differ between operating systems: packages, units, paths, users.

Debian's were read from the packages themselves (Debian 13: ``dpkg -L``), EL 9's from RDO's spec files
(github.com/rdo-packages, branches ``caracal-rdo`` and ``dalmatian-rdo``), EL 7's are the original install
notes' own. Tasks and templates ask here and hold no ``if platform`` (design rule 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cloud.releases import Release
from cloud.services import SERVICES


@dataclass(frozen=True)
class Platform:
    """One family of operating systems, as one range of releases finds it.

    Attributes:
        name: the family, ``debian`` or ``el``.
        first_release: the oldest release that is packaged with these names.
        os_ids: the ``ID`` values of ``/etc/os-release`` that belong to it.
        packages: part of the cloud -> packages; a part is ``SERVICE`` or ``SERVICE@ROLE``. One that not every
            release has is written ``FEATURE?PACKAGE``, with a feature of ``cloud.releases.SPANS``.
        units: ``SERVICE/PROCESS`` -> systemd unit; it is missing where the process is a part of another.
        paths: what a file is -> where it lies; it is missing where the platform has no such file.
        groups: what a process is -> its system group, where it is not the service's own.
        wsgi_group: mod_wsgi's process group for Horizon, as the package's own configuration names it.
        horizon_path: where Horizon is below the web server's root.
        libraries: modules of Python that the programs of ``operations/remote/`` import on controllers, and
            that no package of the platform brings -> the project that has each.
        debconf: questions that the packages ask, and our answers.
    """

    name: str
    first_release: str
    os_ids: tuple[str, ...]
    packages: dict[str, list[str]]
    units: dict[str, str]
    paths: dict[str, str]
    groups: dict[str, str]
    wsgi_group: str = ""
    horizon_path: str = "/"
    libraries: dict[str, str] = field(default_factory=dict)
    debconf: list[str] = field(default_factory=list)


DEBIAN = Platform(
    name="debian",
    first_release="liberty",
    os_ids=("debian",),
    packages={
        "base": ["chrony", "python3", "iproute2", "ca-certificates"],
        "database": ["mariadb-server", "mariadb-client", "python3-pymysql"],
        "database-cluster": ["galera-4", "mariadb-backup", "rsync", "socat"],
        "messaging": ["rabbitmq-server"],
        "cache": ["memcached"],
        "loadbalancer": ["haproxy", "keepalived"],
        "proxy": ["haproxy"],
        # openstacksdk, for everything that reads or writes the APIs in one process.
        "client": ["python3-openstackclient", "python3-openstacksdk", "python3-pymysql", "python3-memcache"],
        "keystone": ["keystone"],
        "glance": ["glance-api"],
        "placement": ["placement-api"],
        "nova@controller": ["nova-api", "nova-conductor", "nova-scheduler", "nova-consoleproxy", "novnc"],
        "nova@compute": [
            "nova-compute",
            "nova-compute-qemu",
            "qemu-system-x86",
            "qemu-utils",
            "libvirt-daemon-system",
            "libvirt-clients",
            "open-iscsi",
        ],
        "neutron@controller": ["neutron-api", "neutron-rpc-server"],
        "neutron@network": [
            "neutron-dhcp-agent",
            "neutron-metadata-agent",
        ],
        "l3-agent": ["neutron-l3-agent"],
        "redundant-routers": ["keepalived", "conntrack"],
        "openvswitch": ["neutron-openvswitch-agent", "openvswitch-switch", "ethtool"],
        # The agent calls these, and its package names but two of them.
        "linuxbridge": [
            "neutron-linuxbridge-agent",
            "bridge-utils",
            "ebtables",
            "iptables",
            "ipset",
            "conntrack",
            "kmod",
            "procps",
        ],
        "cinder@controller": ["cinder-api", "cinder-scheduler"],
        "cinder@storage": [
            "cinder-volume",
            "lvm2",
            "thin-provisioning-tools",
            "targetcli-fb",
            "python3-rtslib-fb",
            "python3-pymysql",
        ],
        "horizon": [
            "openstack-dashboard-apache",
            "openstack-dashboard",
            "apache2",
            "libapache2-mod-wsgi-py3",
        ],
        "firewall": ["firewalld"],
    },
    units={
        "chrony/server": "chrony",
        "database/server": "mariadb",
        "messaging/server": "rabbitmq-server",
        "cache/server": "memcached",
        "loadbalancer/proxy": "haproxy",
        "loadbalancer/address": "keepalived",
        "keystone/api": "keystone",
        "glance/api": "glance-api",
        "placement/api": "placement-api",
        "nova/api": "nova-api",
        "nova/metadata": "nova-api-metadata",
        "nova/scheduler": "nova-scheduler",
        "nova/conductor": "nova-conductor",
        "nova/novncproxy": "nova-novncproxy",
        "nova/compute": "nova-compute",
        "libvirt/daemon": "libvirtd",
        "openvswitch/daemon": "openvswitch-switch",
        "neutron/api": "neutron-api",
        "neutron/rpc": "neutron-rpc-server",
        "neutron/dhcp": "neutron-dhcp-agent",
        "neutron/l3": "neutron-l3-agent",
        "neutron/metadata": "neutron-metadata-agent",
        "neutron/openvswitch": "neutron-openvswitch-agent",
        "neutron/linuxbridge": "neutron-linuxbridge-agent",
        "cinder/api": "cinder-api",
        "cinder/scheduler": "cinder-scheduler",
        "cinder/volume": "cinder-volume",
        "iscsi/target": "rtslib-fb-targetctl",
        "horizon/web": "apache2",
        "firewall/daemon": "firewalld",
        "network/manager": "NetworkManager",
    },
    paths={
        "chrony": "/etc/chrony/chrony.conf",
        "chrony-drift": "/var/lib/chrony/chrony.drift",
        "chrony-keys": "/etc/chrony/chrony.keys",
        "chrony-nts": "/var/lib/chrony",
        "mariadb": "/etc/mysql/mariadb.conf.d/99-openstack.cnf",
        "galera-provider": "/usr/lib/galera/libgalera_smm.so",
        "rabbitmq-env": "/etc/rabbitmq/rabbitmq-env.conf",
        "rabbitmq": "/etc/rabbitmq/rabbitmq.conf",
        "rabbitmq-cookie": "/var/lib/rabbitmq/.erlang.cookie",
        "memcached": "/etc/memcached.conf",
        "haproxy": "/etc/haproxy/haproxy.cfg",
        "haproxy-socket": "/run/haproxy/admin.sock",
        "keepalived": "/etc/keepalived/keepalived.conf",
        "keepalived-check": "/etc/keepalived/haproxy-answers",
        "ca-anchor": "/usr/local/share/ca-certificates/openstack-pyinfra.crt",
        "ca-bundle": "/etc/ssl/certs/ca-certificates.crt",
        "ca-update": "/usr/sbin/update-ca-certificates",
        # Read by the start scripts of every API.
        "api-defaults": "/etc/default/openstack",
        "keystone-uwsgi": "/etc/keystone/keystone-uwsgi.ini",
        "glance-uwsgi": "/etc/glance/glance-api-uwsgi.ini",
        "placement-uwsgi": "/etc/placement/placement-api-uwsgi.ini",
        "nova-uwsgi": "/etc/nova/nova-api-uwsgi.ini",
        "console-proxy": "/etc/default/nova-consoleproxy",
        "nova-compute": "/etc/nova/nova-compute.conf",
        "nova-metadata-uwsgi": "/etc/nova/nova-api-metadata-uwsgi.ini",
        "neutron-uwsgi": "/etc/neutron/neutron-api-uwsgi.ini",
        "cinder-uwsgi": "/etc/cinder/cinder-api-uwsgi.ini",
        "horizon-settings": "/etc/openstack-dashboard/local_settings.d/_9999_openstack.py",
        "horizon-wsgi": "/etc/apache2/conf-enabled/openstack-horizon.conf",
        # Found before the package's own, by sudo too.
        "ebtables": "/usr/local/sbin/ebtables",
        "python": "/usr/lib/python3/dist-packages",
    },
    groups={"web": "www-data"},
    wsgi_group="horizon",
    # Databases, users and endpoints are ours to make; some of these questions default to "true".
    debconf=[
        "keystone keystone/configure_db boolean false",
        "keystone keystone/create-admin-tenant boolean false",
        "keystone keystone/register-endpoint boolean false",
        *(
            f"{service}-common {service}/{question} boolean false"
            for service in ("glance", "placement", "nova", "neutron", "cinder")
            for question in ("configure_db", "configure_rabbit", "configure_ksat", "ksat-create-service-user")
        ),
        "nova-common nova/configure_placement boolean false",
        "neutron-common neutron/configure_nova boolean false",
        "nova-api novaapi/configure_db boolean false",
        *(
            f"{service}-api {service}/configure_api-endpoint boolean false"
            for service in ("glance", "placement", "nova", "neutron", "cinder")
        ),
        # Horizon's own site on port 80, and none of the package's sites that need a module nobody enabled.
        "openstack-dashboard-apache horizon/activate_vhost boolean true",
        "openstack-dashboard-apache horizon/use_ssl boolean false",
    ],
)

# CentOS 7 with RDO: Liberty, Ocata, Train. Python 2, APIs in httpd or with a server of their own.
EL7 = Platform(
    name="el",
    first_release="liberty",
    os_ids=("centos", "rhel"),
    packages={
        "source": ["centos-release-openstack-{release}"],
        "base": ["chrony", "openstack-selinux"],
        "database": [
            "mariadb",
            "mariadb-server",
            "pymysql?python2-PyMySQL",
            "mysql_python?MySQL-python",
        ],
        "messaging": ["rabbitmq-server"],
        "cache": ["memcached", "python-memcached"],
        "loadbalancer": ["haproxy", "keepalived"],
        "client": ["python-openstackclient"],
        "keystone": ["openstack-keystone", "httpd", "mod_wsgi"],
        "glance": ["openstack-glance"],
        "placement": ["placement_service?openstack-placement-api"],
        "nova@controller": [
            "openstack-nova-api",
            "nova_cert?openstack-nova-cert",
            "openstack-nova-conductor",
            "nova_consoleauth?openstack-nova-console",
            "openstack-nova-novncproxy",
            "openstack-nova-scheduler",
            "placement_in_nova?openstack-nova-placement-api",
        ],
        "nova@compute": ["openstack-nova-compute", "sysfsutils"],
        "neutron@controller": ["openstack-neutron", "openstack-neutron-ml2"],
        "neutron@network": ["openstack-neutron"],
        "l3-agent": ["openstack-neutron"],
        "redundant-routers": ["keepalived", "conntrack-tools"],
        "linuxbridge": ["openstack-neutron-linuxbridge", "ebtables", "ipset"],
        "openvswitch": ["openstack-neutron-openvswitch"],
        "lbaas": ["openstack-neutron-lbaas", "python-neutron-lbaas", "haproxy"],
        "cinder@controller": ["openstack-cinder"],
        "cinder@storage": ["openstack-cinder", "lvm2", "targetcli", "python-oslo-policy"],
        "horizon": ["openstack-dashboard"],
        "firewall": ["firewalld"],
        "kvm": [
            "qemu-kvm",
            "libvirt-client",
            "libvirt-daemon",
            "libvirt-daemon-driver-qemu",
            "python-setuptools",
        ],
        "packstack": ["openstack-packstack"],
        "volume-group": ["lvm2"],
    },
    units={
        "chrony/server": "chronyd",
        "database/server": "mariadb",
        "messaging/server": "rabbitmq-server",
        "cache/server": "memcached",
        "loadbalancer/proxy": "haproxy",
        "loadbalancer/address": "keepalived",
        "keystone/api": "httpd",
        "glance/api": "openstack-glance-api",
        "glance/registry": "openstack-glance-registry",
        "placement/api": "httpd",
        "nova/api": "openstack-nova-api",
        "nova/cert": "openstack-nova-cert",
        "nova/consoleauth": "openstack-nova-consoleauth",
        "nova/scheduler": "openstack-nova-scheduler",
        "nova/conductor": "openstack-nova-conductor",
        "nova/novncproxy": "openstack-nova-novncproxy",
        "nova/compute": "openstack-nova-compute",
        "libvirt/daemon": "libvirtd",
        "neutron/api": "neutron-server",
        "neutron/dhcp": "neutron-dhcp-agent",
        "neutron/l3": "neutron-l3-agent",
        "neutron/metadata": "neutron-metadata-agent",
        "neutron/linuxbridge": "neutron-linuxbridge-agent",
        "neutron/openvswitch": "neutron-openvswitch-agent",
        "openvswitch/daemon": "openvswitch",
        "neutron/lbaas": "neutron-lbaas-agent",
        "cinder/api": "openstack-cinder-api",
        "cinder/scheduler": "openstack-cinder-scheduler",
        "cinder/volume": "openstack-cinder-volume",
        "iscsi/target": "target",
        "horizon/web": "httpd",
        "firewall/daemon": "firewalld",
        "network/manager": "NetworkManager",
    },
    paths={
        "chrony": "/etc/chrony.conf",
        "chrony-drift": "/var/lib/chrony/drift",
        "chrony-keys": "/etc/chrony.keys",
        "mariadb": "/etc/my.cnf.d/openstack.cnf",
        "rabbitmq-env": "/etc/rabbitmq/rabbitmq-env.conf",
        "rabbitmq": "/etc/rabbitmq/rabbitmq.conf",
        "rabbitmq-cookie": "/var/lib/rabbitmq/.erlang.cookie",
        "memcached-sysconfig": "/etc/sysconfig/memcached",
        "haproxy": "/etc/haproxy/haproxy.cfg",
        "haproxy-socket": "/var/lib/haproxy/stats",
        "ca-anchor": "/etc/pki/ca-trust/source/anchors/openstack-pyinfra.pem",
        "ca-bundle": "/etc/pki/tls/certs/ca-bundle.crt",
        "ca-update": "/usr/bin/update-ca-trust",
        "keepalived": "/etc/keepalived/keepalived.conf",
        # Where SELinux lets what keepalived calls have more than keepalived itself.
        "keepalived-check": "/usr/libexec/keepalived/haproxy-answers",
        "httpd": "/etc/httpd/conf.d/00-servername.conf",
        "keystone-wsgi": "/etc/httpd/conf.d/wsgi-keystone.conf",
        "keystone-wsgi-shipped": "/usr/share/keystone/wsgi-keystone.conf",
        "placement-wsgi": "/etc/httpd/conf.d/01-placement-programs.conf",
        "plugin": "/etc/neutron/plugin.ini",
        "horizon-local-settings": "/etc/openstack-dashboard/local_settings",
        "packstack-horizon": "/etc/httpd/conf.d/15-horizon_vhost.conf",
        "python": "/usr/lib/python2.7/site-packages",
    },
    groups={"web": "apache"},
    horizon_path="/dashboard/",
    # Its OpenStack is in Python 2; our programs need Python 3, for which nobody packages these.
    libraries={"openstack": "openstacksdk", "pymysql": "PyMySQL"},
)

# CentOS Stream 9 and its kin with RDO: Zed and later. keystone, placement and Horizon in httpd, all other
# APIs with a server of their own, which also serves nova's metadata and neutron's RPC.
EL9 = Platform(
    name="el",
    first_release="zed",
    os_ids=("centos", "rhel", "rocky", "almalinux"),
    packages={
        "source": ["centos-release-openstack-{release}"],
        "base": ["chrony", "python3", "iproute", "openstack-selinux"],
        "database": ["mariadb", "mariadb-server", "python3-PyMySQL"],
        "database-cluster": ["mariadb-server-galera", "mariadb-backup", "rsync", "socat"],
        "messaging": ["rabbitmq-server"],
        "cache": ["memcached"],
        "loadbalancer": ["haproxy", "keepalived"],
        "client": ["python3-openstackclient", "python3-openstacksdk", "python3-PyMySQL", "python3-memcached"],
        # The package of keystone asks for no web server.
        "keystone": ["openstack-keystone", "httpd", "python3-mod_wsgi"],
        "glance": ["openstack-glance"],
        "placement": ["openstack-placement-api", "python3-osc-placement"],
        "nova@controller": [
            "openstack-nova-api",
            "openstack-nova-conductor",
            "openstack-nova-scheduler",
            "openstack-nova-novncproxy",
        ],
        "nova@compute": ["openstack-nova-compute", "libvirt-client", "sysfsutils", "iscsi-initiator-utils"],
        "neutron@controller": ["openstack-neutron", "openstack-neutron-ml2"],
        # The agents for DHCP, routers and metadata are all in this one.
        "neutron@network": ["openstack-neutron"],
        "l3-agent": ["openstack-neutron"],
        "redundant-routers": ["keepalived", "conntrack-tools"],
        "openvswitch": ["openstack-neutron-openvswitch", "openvswitch", "ethtool"],
        "linuxbridge": ["openstack-neutron-linuxbridge", "ebtables", "ipset"],
        "cinder@controller": ["openstack-cinder"],
        "cinder@storage": [
            "openstack-cinder",
            "lvm2",
            "device-mapper-persistent-data",
            "targetcli",
            "python3-PyMySQL",
        ],
        # The package of Horizon asks for python3-memcached, which Django has no use for any more.
        "horizon": ["openstack-dashboard", "python3-pymemcache"],
        "firewall": ["firewalld"],
        "kvm": [
            "qemu-kvm",
            "libvirt-client",
            "libvirt-daemon",
            "libvirt-daemon-driver-qemu",
            "python3-setuptools",
        ],
        "packstack": ["openstack-packstack"],
        "volume-group": ["lvm2"],
    },
    units={
        "chrony/server": "chronyd",
        "database/server": "mariadb",
        "messaging/server": "rabbitmq-server",
        "cache/server": "memcached",
        "loadbalancer/proxy": "haproxy",
        "loadbalancer/address": "keepalived",
        "keystone/api": "httpd",
        "glance/api": "openstack-glance-api",
        "placement/api": "httpd",
        "nova/api": "openstack-nova-api",
        "nova/scheduler": "openstack-nova-scheduler",
        "nova/conductor": "openstack-nova-conductor",
        "nova/novncproxy": "openstack-nova-novncproxy",
        "nova/compute": "openstack-nova-compute",
        # The sockets: the daemons behind them end when nobody asks, and would look stopped.
        "libvirt/qemu": "virtqemud.socket",
        "libvirt/nodedev": "virtnodedevd.socket",
        "libvirt/secret": "virtsecretd.socket",
        "libvirt/storage": "virtstoraged.socket",
        "libvirt/proxy": "virtproxyd.socket",
        "libvirt/log": "virtlogd.socket",
        "neutron/api": "neutron-server",
        "neutron/dhcp": "neutron-dhcp-agent",
        "neutron/l3": "neutron-l3-agent",
        "neutron/metadata": "neutron-metadata-agent",
        "neutron/linuxbridge": "neutron-linuxbridge-agent",
        "neutron/openvswitch": "neutron-openvswitch-agent",
        "openvswitch/daemon": "openvswitch",
        "cinder/api": "openstack-cinder-api",
        "cinder/scheduler": "openstack-cinder-scheduler",
        "cinder/volume": "openstack-cinder-volume",
        "iscsi/target": "target",
        "horizon/web": "httpd",
        "firewall/daemon": "firewalld",
        "network/manager": "NetworkManager",
    },
    paths={
        "chrony": "/etc/chrony.conf",
        "chrony-drift": "/var/lib/chrony/drift",
        "chrony-keys": "/etc/chrony.keys",
        "chrony-nts": "/var/lib/chrony",
        "mariadb": "/etc/my.cnf.d/openstack.cnf",
        "galera-provider": "/usr/lib64/galera/libgalera_smm.so",
        "rabbitmq-env": "/etc/rabbitmq/rabbitmq-env.conf",
        "rabbitmq": "/etc/rabbitmq/rabbitmq.conf",
        "rabbitmq-cookie": "/var/lib/rabbitmq/.erlang.cookie",
        "memcached-sysconfig": "/etc/sysconfig/memcached",
        "haproxy": "/etc/haproxy/haproxy.cfg",
        "haproxy-socket": "/var/lib/haproxy/stats",
        "ca-anchor": "/etc/pki/ca-trust/source/anchors/openstack-pyinfra.pem",
        "ca-bundle": "/etc/pki/tls/certs/ca-bundle.crt",
        "ca-update": "/usr/bin/update-ca-trust",
        "keepalived": "/etc/keepalived/keepalived.conf",
        # Where SELinux lets what keepalived calls have more than keepalived itself.
        "keepalived-check": "/usr/libexec/keepalived/haproxy-answers",
        "httpd": "/etc/httpd/conf.d/00-servername.conf",
        "keystone-wsgi": "/etc/httpd/conf.d/wsgi-keystone.conf",
        "keystone-wsgi-shipped": "/usr/share/keystone/wsgi-keystone.conf",
        "placement-wsgi": "/etc/httpd/conf.d/01-placement-programs.conf",
        "nova-compute": "/etc/nova/nova-compute.conf",
        # neutron-server's unit reads this one, and no package makes it.
        "plugin": "/etc/neutron/plugin.ini",
        "horizon-local-settings": "/etc/openstack-dashboard/local_settings",
        "packstack-horizon": "/etc/httpd/conf.d/15-horizon_vhost.conf",
        # Beside the package's openstack-dashboard.conf, which an update may replace.
        "horizon-wsgi": "/etc/httpd/conf.d/openstack-horizon.conf",
        "python": "/usr/lib/python3.9/site-packages",
    },
    groups={"web": "apache"},
    wsgi_group="dashboard",
    horizon_path="/dashboard/",
)

# Every table of names, the older one of a family first.
PLATFORMS: dict[str, Platform] = {"debian": DEBIAN, "el7": EL7, "el9": EL9}

# libvirt's daemons, of which a platform has the one that does it all, or one for each kind of work.
LIBVIRT = (
    "libvirt/daemon", "libvirt/qemu", "libvirt/nodedev", "libvirt/secret", "libvirt/storage", "libvirt/proxy",
    "libvirt/log",
)  # fmt: skip


def of(family: str, release: str) -> Platform:
    """The table of names for a family of operating systems that runs a release.

    Args:
        family: ``debian`` or ``el``.
        release: the OpenStack release.

    Raises:
        ValueError: the release is not one we know.
    """
    tables = [platform for platform in PLATFORMS.values() if platform.name == family]
    return [platform for platform in tables if Release(release) >= platform.first_release][-1]


# What each role installs, as parts of ``Platform.packages``.
ROLE_PARTS: dict[str, list[str]] = {
    "controller": [
        "client", "keystone", "glance", "placement", "nova@controller", "neutron@controller",
        "cinder@controller", "horizon",
    ],
    "database": ["database", "messaging", "cache"],
    "network": ["neutron@network", "l3-agent", "openvswitch", "linuxbridge"],
    "compute": ["nova@compute", "openvswitch", "linuxbridge"],
    "loadbalancer": ["loadbalancer"],
    "storage": ["cinder@storage"],
}  # fmt: skip

# The same where packstack installs OpenStack: what the original notes have beforehand, and packstack.
PACKSTACK_PARTS: dict[str, list[str]] = {
    "controller": ["kvm", "packstack"],
    "compute": ["kvm"],
    "storage": ["volume-group"],
}


def role_packages(
    platform: str,
    release: str,
    roles: set[str],
    l2_agent: str = "openvswitch",
    l3_agent: bool = True,
    services: set[str] | None = None,
    extra: Sequence[str] = (),
) -> list[str]:
    """The packages that a host with these roles needs, each once, in a stable order.

    Args:
        platform: the family of the host's operating system.
        release: the OpenStack release, which may lack some of the packages.
        roles: the work the host does, as :meth:`cloud.topology.Topology.roles_of` gives it: with
            ``database`` and ``network`` where that work falls to a controller.
        l2_agent: ``openvswitch`` or ``linuxbridge``: the other one's packages are left out.
        l3_agent: whether the cloud has routers.
        services: the cloud's services (default: all); the packages of others are left out.
        extra: further parts.
    """
    packages = of(platform, release).packages
    left_out = {"openvswitch", "linuxbridge"} - {l2_agent}
    left_out |= set() if l3_agent else {"l3-agent"}
    if services is not None:
        left_out |= {part for part in packages if part.split("@")[0] in set(SERVICES) - services}
    parts = ["base", *(part for role in ROLE_PARTS if role in roles for part in ROLE_PARTS[role]), *extra]
    names = []
    for name in (name for part in parts if part not in left_out for name in packages.get(part, ())):
        feature, _, package = name.rpartition("?")
        if not feature or Release(release).has(feature):
            names.append(package)
    return list(dict.fromkeys(names))
