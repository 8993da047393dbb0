"""Names that differ between operating systems: packages, units, paths, users.

Read from the packages themselves (Debian 13: ``dpkg -L``). Tasks and templates ask here and hold no
``if platform`` (design rule 4).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Platform:
    """One family of operating systems.

    Attributes:
        name: ``debian`` or ``el``.
        os_ids: the ``ID`` values of ``/etc/os-release`` that belong to it.
        packages: part of the cloud -> packages; a part is ``SERVICE`` or ``SERVICE@ROLE``.
        units: ``SERVICE/PROCESS`` -> systemd unit, or None where the platform runs it inside another unit.
        paths: what a file is -> where it lies.
        groups: what a process is -> its system group, where it is not the service's own.
        debconf: questions that the packages ask, and our answers.
    """

    name: str
    os_ids: tuple[str, ...]
    packages: dict[str, list[str]]
    units: dict[str, str]
    paths: dict[str, str]
    groups: dict[str, str]
    debconf: list[str] = field(default_factory=list)


DEBIAN = Platform(
    name="debian",
    os_ids=("debian",),
    packages={
        "base": ["chrony", "python3", "iproute2", "ca-certificates"],
        "database": ["mariadb-server", "mariadb-client", "python3-pymysql"],
        "messaging": ["rabbitmq-server"],
        "cache": ["memcached"],
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
            "neutron-l3-agent",
            "neutron-metadata-agent",
            "neutron-openvswitch-agent",
            "openvswitch-switch",
            "ethtool",
        ],
        "neutron@compute": ["neutron-openvswitch-agent", "openvswitch-switch", "ethtool"],
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
    },
    units={
        "chrony/server": "chrony",
        "database/server": "mariadb",
        "messaging/server": "rabbitmq-server",
        "cache/server": "memcached",
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
        "cinder/api": "cinder-api",
        "cinder/scheduler": "cinder-scheduler",
        "cinder/volume": "cinder-volume",
        "iscsi/target": "rtslib-fb-targetctl",
        "horizon/web": "apache2",
    },
    paths={
        "chrony": "/etc/chrony/chrony.conf",
        "mariadb": "/etc/mysql/mariadb.conf.d/99-openstack.cnf",
        "rabbitmq-env": "/etc/rabbitmq/rabbitmq-env.conf",
        "memcached": "/etc/memcached.conf",
        "keystone-uwsgi": "/etc/keystone/keystone-uwsgi.ini",
        "glance-uwsgi": "/etc/glance/glance-api-uwsgi.ini",
        "placement-uwsgi": "/etc/placement/placement-api-uwsgi.ini",
        "nova-uwsgi": "/etc/nova/nova-api-uwsgi.ini",
        "console-proxy": "/etc/default/nova-consoleproxy",
        "nova-metadata-uwsgi": "/etc/nova/nova-api-metadata-uwsgi.ini",
        "neutron-uwsgi": "/etc/neutron/neutron-api-uwsgi.ini",
        "cinder-uwsgi": "/etc/cinder/cinder-api-uwsgi.ini",
        "horizon-settings": "/etc/openstack-dashboard/local_settings.d/_9999_openstack.py",
        "horizon-wsgi": "/etc/apache2/conf-enabled/openstack-horizon.conf",
        "python": "/usr/lib/python3/dist-packages",
    },
    groups={"web": "www-data"},
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

PLATFORMS: dict[str, Platform] = {"debian": DEBIAN}

# What each role installs, as parts of ``Platform.packages``.
ROLE_PARTS: dict[str, list[str]] = {
    "controller": [
        "client", "keystone", "glance", "placement", "nova@controller", "neutron@controller",
        "cinder@controller", "horizon",
    ],
    "database": ["database", "messaging", "cache"],
    "network": ["neutron@network"],
    "compute": ["nova@compute", "neutron@compute"],
    "storage": ["cinder@storage"],
}  # fmt: skip


def role_packages(platform: str, release: str, roles: set[str]) -> list[str]:
    """The packages that a host with these roles needs, each once, in a stable order.

    Args:
        platform: a key of :data:`PLATFORMS`.
        release: the OpenStack release (today no name differs within a platform).
        roles: the work the host does, as :meth:`cloud.topology.Topology.roles_of` gives it: with
            ``database`` and ``network`` where that work falls to a controller.
    """
    packages = PLATFORMS[platform].packages
    parts = ["base"] + [part for role in ROLE_PARTS if role in roles for part in ROLE_PARTS[role]]
    return list(dict.fromkeys(package for part in parts for package in packages[part]))
