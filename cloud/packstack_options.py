"""Every option of packstack's answer files, and what becomes of it: a table, from Newton's to today's.

``python -m cloud.packstack_options`` prints it for docs/packstack.md. ``cloud.answers`` reads it.

Sources: the options that packstack defines in its branches stable/newton to stable/victoria and in 26.0.0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Fate = Literal["translated", "not needed", "not supported"]
TRANSLATED: Fate = "translated"
NOT_NEEDED: Fate = "not needed"
NOT_SUPPORTED: Fate = "not supported"

# What packstack writes for a password that it has not generated yet.
PLACEHOLDER = "PW_PLACEHOLDER"
# Values that switch something off, or leave it out.
OFF = ("", "n", "no", "false", "[]", "none")

# Passwords, keys and tokens: never shown. Names of files are none.
SECRET = re.compile(r".*_(PW|PASSWORD|SECRET|SECRET_KEY|TOKEN|AKEY|SAT6_KEY|AUTH_ENC_KEY|HASH)")


@dataclass(frozen=True)
class Group:
    """Options with the same fate.

    Attributes:
        area: what they are about.
        fate: what becomes of them.
        reason: where they go to, or why they go nowhere, in an operator's words.
        options: their names, without ``CONFIG_``, and blanks between.
        switches: those of them that turn on what is not supported; the others then only say how. Without
            any, and not supported, each is a switch.
        lacks: what a cloud lacks that had it on.
    """

    area: str
    fate: Fate
    reason: str
    options: str
    switches: str = ""
    lacks: str = ""

    @property
    def names(self) -> list[str]:
        return [full(name) for name in self.options.split()]

    @property
    def turned_on_by(self) -> list[str]:
        """The options that say whether what is not supported is on."""
        return [full(name) for name in self.switches.split()] or self.names


def full(name: str) -> str:
    """The option as it stands in the file."""
    return name if name == "EXCLUDE_SERVERS" else f"CONFIG_{name}"


# Option -> the secret in secrets.toml that it becomes.
PASSWORDS = {
    "CONFIG_KEYSTONE_ADMIN_PW": "admin_password",
    "CONFIG_KEYSTONE_DEMO_PW": "demo_password",
    "CONFIG_AMQP_AUTH_PASSWORD": "rabbitmq_password",
    "CONFIG_NEUTRON_METADATA_PW": "metadata_proxy_secret",
    "CONFIG_HORIZON_SECRET_KEY": "horizon_secret_key",
    "CONFIG_KEYSTONE_DB_PW": "keystone_database_password",
    "CONFIG_GLANCE_DB_PW": "glance_database_password",
    "CONFIG_GLANCE_KS_PW": "glance_service_password",
    "CONFIG_NOVA_DB_PW": "nova_database_password",
    "CONFIG_NOVA_KS_PW": "nova_service_password",
    "CONFIG_NEUTRON_DB_PW": "neutron_database_password",
    "CONFIG_NEUTRON_KS_PW": "neutron_service_password",
    "CONFIG_CINDER_DB_PW": "cinder_database_password",
    "CONFIG_CINDER_KS_PW": "cinder_service_password",
}

# Older name -> the one that packstack has for it now. It still reads the older ones.
OLDER_NAMES = {
    "CONFIG_AMQP_SERVER": "CONFIG_AMQP_BACKEND",
    **dict.fromkeys(
        (
            "CONFIG_CEILOMETER_HOST", "CONFIG_CINDER_HOST", "CONFIG_GLANCE_HOST", "CONFIG_HEAT_HOST",
            "CONFIG_HORIZON_HOST", "CONFIG_IRONIC_HOST", "CONFIG_KEYSTONE_HOST", "CONFIG_NAGIOS_HOST",
            "CONFIG_NEUTRON_SERVER_HOST", "CONFIG_NEUTRON_LBAAS_HOSTS", "CONFIG_NOVA_API_HOST",
            "CONFIG_NOVA_CERT_HOST", "CONFIG_NOVA_VNCPROXY_HOST", "CONFIG_NOVA_SCHED_HOST",
            "CONFIG_OSCLIENT_HOST", "CONFIG_SWIFT_PROXY_HOSTS",
        ),
        "CONFIG_CONTROLLER_HOST",
    ),
    "CONFIG_NOVA_COMPUTE_HOSTS": "CONFIG_COMPUTE_HOSTS",
    **dict.fromkeys(
        (
            "CONFIG_NEUTRON_L3_HOSTS", "CONFIG_NEUTRON_DHCP_HOSTS", "CONFIG_NEUTRON_METADATA_HOSTS",
            "CONFIG_NOVA_NETWORK_HOSTS",
        ),
        "CONFIG_NETWORK_HOSTS",
    ),
    "CONFIG_MYSQL_HOST": "CONFIG_MARIADB_HOST",
    "CONFIG_MYSQL_INSTALL": "CONFIG_MARIADB_INSTALL",
    "CONFIG_MYSQL_PW": "CONFIG_MARIADB_PW",
    "CONFIG_MYSQL_USER": "CONFIG_MARIADB_USER",
    "CONFIG_PROVISION_ALL_IN_ONE_OVS_BRIDGE": "CONFIG_PROVISION_OVS_BRIDGE",
    "CONFIG_REDIS_MASTER_HOST": "CONFIG_REDIS_HOST",
    **{
        f"CONFIG_SELFSIGN_CACERT_SUBJECT_{part}": f"CONFIG_SSL_CERT_SUBJECT_{part}"
        for part in ("C", "CN", "L", "MAIL", "O", "OU", "ST")
    },
    "CONFIG_SSL_CACHAIN": "CONFIG_HORIZON_SSL_CACERT",
    "CONFIG_SSL_CERT": "CONFIG_HORIZON_SSL_CERT",
    "CONFIG_SSL_KEY": "CONFIG_HORIZON_SSL_KEY",
    "CONFIG_SWIFT_STORAGE_HOSTS": "CONFIG_SWIFT_STORAGES",
    "CONFIG_VCENTER_CLUSTER_NAME": "CONFIG_VCENTER_CLUSTER_NAMES",
}  # fmt: skip

GROUPS: tuple[Group, ...] = (
    Group(
        "Hosts", TRANSLATED, "the groups controller, compute and network of the inventory",
        "CONTROLLER_HOST COMPUTE_HOSTS NETWORK_HOSTS",
    ),
    Group(
        "Hosts", TRANSLATED,
        "the group storage: the controller, or with CONFIG_UNSUPPORTED=y the host named here",
        "STORAGE_HOST UNSUPPORTED",
    ),
    Group(
        "Hosts", TRANSLATED,
        "the group database, where it is not the controller: MariaDB and RabbitMQ are on the same hosts",
        "MARIADB_HOST AMQP_HOST",
    ),
    Group(
        "Hosts", TRANSLATED,
        "a host that packstack leaves alone is in the inventory all the same; --limit leaves it out of a run",
        "EXCLUDE_SERVERS",
    ),
    Group(
        "Hosts", TRANSLATED, "ssh_key: the private key to it, where it is none that SSH finds by itself",
        "SSH_KEY",
    ),
    Group(
        "Hosts", TRANSLATED,
        "'y': networks stand in the place of interfaces. --provider-interface names the bridge's, and "
        "tunnel_address is in the tunnels' network",
        "USE_SUBNETS",
    ),
    Group(
        "Secrets", TRANSLATED, "secrets.toml, by the name there; one that is PW_PLACEHOLDER is made anew",
        "KEYSTONE_ADMIN_PW KEYSTONE_DEMO_PW AMQP_AUTH_PASSWORD NEUTRON_METADATA_PW HORIZON_SECRET_KEY "
        "KEYSTONE_DB_PW GLANCE_DB_PW GLANCE_KS_PW NOVA_DB_PW NOVA_KS_PW NEUTRON_DB_PW NEUTRON_KS_PW "
        "CINDER_DB_PW CINDER_KS_PW",
    ),
    Group(
        "Secrets", TRANSLATED, "in secrets.toml for every password of the answer file that is PW_PLACEHOLDER",
        "DEFAULT_PASSWORD",
    ),
    Group(
        "Secrets", NOT_NEEDED,
        "MariaDB's root logs in by the socket on its own host, without a password",
        "MARIADB_USER MARIADB_PW",
    ),
    Group(
        "Secrets", NOT_NEEDED, "keystone's first administrator is made by its bootstrap, without a token",
        "KEYSTONE_ADMIN_TOKEN",
    ),
    Group(
        "Message queue", NOT_NEEDED, "RabbitMQ, with the user openstack and always with a password",
        "AMQP_BACKEND AMQP_ENABLE_AUTH AMQP_AUTH_USER",
    ),
    Group(
        "Message queue", NOT_SUPPORTED, "RabbitMQ has no TLS here: keep the management network to yourself",
        "AMQP_ENABLE_SSL AMQP_NSS_CERTDB_PW", switches="AMQP_ENABLE_SSL",
        lacks="TLS between the services and RabbitMQ",
    ),
    Group(
        "Services", TRANSLATED, "always there; 'n' is refused",
        "MARIADB_INSTALL NOVA_INSTALL NEUTRON_INSTALL",
    ),
    Group(
        "Services", TRANSLATED, "always there, and reported where they were not",
        "GLANCE_INSTALL HORIZON_INSTALL CLIENT_INSTALL",
    ),
    Group(
        "Services", TRANSLATED, "'y': [DEFAULT] debug in every service's file, by config_overrides",
        "DEBUG_MODE",
    ),
    Group(
        "Services", TRANSLATED,
        "a number becomes workers; packstack's default, one for each processor, becomes ours, which is two",
        "SERVICE_WORKERS",
    ),
    Group("Services", TRANSLATED, "ntp_servers", "NTP_SERVERS"),
    Group("Identity", TRANSLATED, "region", "KEYSTONE_REGION"),
    Group(
        "Identity", NOT_NEEDED,
        "Fernet tokens and version 3 are all that is left; tasks/rotate_keys.py rotates the keys, when you "
        "run it",
        "KEYSTONE_API_VERSION KEYSTONE_TOKEN_FORMAT KEYSTONE_FERNET_TOKEN_ROTATE_ENABLE "
        "KEYSTONE_DB_PURGE_ENABLE",
    ),
    Group(
        "Identity", TRANSLATED, "the administrator is called admin, which is reported, and has no address",
        "KEYSTONE_ADMIN_USERNAME KEYSTONE_ADMIN_EMAIL",
    ),
    Group(
        "Identity", NOT_SUPPORTED,
        "users are in keystone's database; 'ldap' is refused, for its users could not log in",
        "KEYSTONE_IDENTITY_BACKEND KEYSTONE_LDAP_URL KEYSTONE_LDAP_USER_DN KEYSTONE_LDAP_USER_PASSWORD "
        "KEYSTONE_LDAP_SUFFIX KEYSTONE_LDAP_QUERY_SCOPE KEYSTONE_LDAP_PAGE_SIZE KEYSTONE_LDAP_USER_SUBTREE "
        "KEYSTONE_LDAP_USER_FILTER KEYSTONE_LDAP_USER_OBJECTCLASS KEYSTONE_LDAP_USER_ID_ATTRIBUTE "
        "KEYSTONE_LDAP_USER_NAME_ATTRIBUTE KEYSTONE_LDAP_USER_MAIL_ATTRIBUTE "
        "KEYSTONE_LDAP_USER_ENABLED_ATTRIBUTE KEYSTONE_LDAP_USER_ENABLED_MASK "
        "KEYSTONE_LDAP_USER_ENABLED_DEFAULT KEYSTONE_LDAP_USER_ENABLED_INVERT "
        "KEYSTONE_LDAP_USER_ATTRIBUTE_IGNORE KEYSTONE_LDAP_USER_DEFAULT_PROJECT_ID_ATTRIBUTE "
        "KEYSTONE_LDAP_USER_ALLOW_CREATE KEYSTONE_LDAP_USER_ALLOW_UPDATE KEYSTONE_LDAP_USER_ALLOW_DELETE "
        "KEYSTONE_LDAP_USER_PASS_ATTRIBUTE KEYSTONE_LDAP_USER_ENABLED_EMULATION_DN "
        "KEYSTONE_LDAP_USER_ADDITIONAL_ATTRIBUTE_MAPPING KEYSTONE_LDAP_GROUP_SUBTREE "
        "KEYSTONE_LDAP_GROUP_FILTER KEYSTONE_LDAP_GROUP_OBJECTCLASS KEYSTONE_LDAP_GROUP_ID_ATTRIBUTE "
        "KEYSTONE_LDAP_GROUP_NAME_ATTRIBUTE KEYSTONE_LDAP_GROUP_MEMBER_ATTRIBUTE "
        "KEYSTONE_LDAP_GROUP_DESC_ATTRIBUTE KEYSTONE_LDAP_GROUP_ATTRIBUTE_IGNORE "
        "KEYSTONE_LDAP_GROUP_ALLOW_CREATE KEYSTONE_LDAP_GROUP_ALLOW_UPDATE KEYSTONE_LDAP_GROUP_ALLOW_DELETE "
        "KEYSTONE_LDAP_GROUP_ADDITIONAL_ATTRIBUTE_MAPPING KEYSTONE_LDAP_USE_TLS "
        "KEYSTONE_LDAP_TLS_CACERTDIR KEYSTONE_LDAP_TLS_CACERTFILE KEYSTONE_LDAP_TLS_REQ_CERT",
        switches="KEYSTONE_IDENTITY_BACKEND",
    ),
    Group(
        "Images", TRANSLATED, "files on the controller; 'swift' is reported",
        "GLANCE_BACKEND",
    ),
    Group(
        "Volumes", TRANSLATED, "'y': the group storage, with volume_devices; 'n': no volumes",
        "CINDER_INSTALL",
    ),
    Group(
        "Volumes", TRANSLATED,
        "LVM on disks of the storage host, which --volume-device names; another backend is refused",
        "CINDER_BACKEND",
    ),
    Group("Volumes", TRANSLATED, "volume_group", "CINDER_VOLUME_NAME"),
    Group(
        "Volumes", NOT_NEEDED,
        "the group is made on whole disks, or found there; packstack's own is a file of this size",
        "CINDER_VOLUMES_CREATE CINDER_VOLUMES_SIZE",
    ),
    Group(
        "Volumes", NOT_SUPPORTED, "of other backends than LVM",
        "CINDER_NFS_MOUNTS CINDER_GLUSTER_MOUNTS CINDER_SOLIDFIRE_LOGIN CINDER_SOLIDFIRE_PASSWORD "
        "CINDER_SOLIDFIRE_HOSTNAME CINDER_NETAPP_LOGIN CINDER_NETAPP_PASSWORD CINDER_NETAPP_HOSTNAME "
        "CINDER_NETAPP_SERVER_PORT CINDER_NETAPP_STORAGE_FAMILY CINDER_NETAPP_TRANSPORT_TYPE "
        "CINDER_NETAPP_STORAGE_PROTOCOL CINDER_NETAPP_SIZE_MULTIPLIER CINDER_NETAPP_EXPIRY_THRES_MINUTES "
        "CINDER_NETAPP_THRES_AVL_SIZE_PERC_START CINDER_NETAPP_THRES_AVL_SIZE_PERC_STOP "
        "CINDER_NETAPP_NFS_SHARES CINDER_NETAPP_NFS_SHARES_CONFIG CINDER_NETAPP_VOLUME_LIST "
        "CINDER_NETAPP_VFILER CINDER_NETAPP_PARTNER_BACKEND_NAME CINDER_NETAPP_VSERVER "
        "CINDER_NETAPP_CONTROLLER_IPS CINDER_NETAPP_SA_PASSWORD CINDER_NETAPP_ESERIES_HOST_TYPE "
        "CINDER_NETAPP_WEBSERVICE_PATH CINDER_NETAPP_STORAGE_POOLS",
        # A backend that is not LVM is refused before this is asked.
        switches="CINDER_BACKEND",
    ),
    Group(
        "Volumes and compute", NOT_SUPPORTED, "nothing purges the databases' rows of what was deleted",
        "CINDER_DB_PURGE_ENABLE NOVA_DB_PURGE_ENABLE", lacks="the daily purge of deleted rows",
    ),
    Group(
        "Compute", TRANSLATED, "[DEFAULT] of nova.conf, by config_overrides",
        "NOVA_SCHED_CPU_ALLOC_RATIO NOVA_SCHED_RAM_ALLOC_RATIO",
    ),
    Group("Compute", TRANSLATED, "virt_type of the compute hosts", "NOVA_LIBVIRT_VIRT_TYPE"),
    Group(
        "Compute", TRANSLATED, "the flavors m1.tiny to m1.xlarge in resources",
        "NOVA_MANAGE_FLAVORS",
    ),
    Group(
        "Compute", NOT_SUPPORTED, "compute hosts have no way to log in at each other",
        "NOVA_COMPUTE_MIGRATE_PROTOCOL", lacks="migration of instances between compute hosts",
    ),
    Group(
        "Compute", NOT_SUPPORTED, "write it into config_overrides yourself",
        "NOVA_PCI_ALIAS NOVA_PCI_PASSTHROUGH_WHITELIST", lacks="PCI passthrough",
    ),
    Group(
        "Compute", NOT_SUPPORTED, "instances run under libvirt only; 'y' is refused",
        "VMWARE_BACKEND VCENTER_HOST VCENTER_USER VCENTER_PASSWORD VCENTER_CLUSTER_NAMES",
        switches="VMWARE_BACKEND",
    ),
    Group(
        "Compute", NOT_NEEDED, "of nova's own networks, which neutron has replaced",
        "NOVA_COMPUTE_MANAGER NOVA_COMPUTE_PRIVIF NOVA_NETWORK_MANAGER NOVA_NETWORK_PUBIF "
        "NOVA_NETWORK_PRIVIF NOVA_NETWORK_FIXEDRANGE NOVA_NETWORK_FLOATRANGE "
        "NOVA_NETWORK_AUTOASSIGNFLOATINGIP NOVA_NETWORK_VLAN_START NOVA_NETWORK_NUMBER NOVA_NETWORK_SIZE",
    ),
    Group(
        "Networks", TRANSLATED,
        "l2_agent; 'ovn' becomes 'openvswitch', and 'linuxbridge', too, where the release has it no more",
        "NEUTRON_L2_AGENT",
    ),
    Group(
        "Networks", TRANSLATED, "provider_network and provider_bridge: one flat provider network",
        "NEUTRON_OVS_BRIDGE_MAPPINGS NEUTRON_OVN_BRIDGE_MAPPINGS NEUTRON_LB_INTERFACE_MAPPINGS "
        "NEUTRON_OVS_EXTERNAL_PHYSNET NEUTRON_OVN_EXTERNAL_PHYSNET NEUTRON_L3_EXT_BRIDGE "
        "NEUTRON_ML2_FLAT_NETWORKS",
    ),
    Group(
        "Networks", TRANSLATED, "provider_interface of the network hosts, and of the compute hosts that "
        "have the bridge, too",
        "NEUTRON_OVS_BRIDGE_IFACES NEUTRON_OVN_BRIDGE_IFACES NEUTRON_OVS_BRIDGES_COMPUTE "
        "NEUTRON_OVN_BRIDGES_COMPUTE",
    ),
    Group(
        "Networks", TRANSLATED, "tunnel_address, which --tunnel-network or --tunnel-address knows",
        "NEUTRON_OVS_TUNNEL_IF NEUTRON_OVN_TUNNEL_IF",
    ),
    Group(
        "Networks", TRANSLATED,
        "flat, VLAN and VXLAN as they are, by config_overrides of ml2_conf.ini; others become VXLAN",
        "NEUTRON_ML2_TYPE_DRIVERS NEUTRON_ML2_TENANT_NETWORK_TYPES NEUTRON_ML2_VLAN_RANGES",
    ),
    Group("Networks", TRANSLATED, "vxlan_vni_ranges", "NEUTRON_ML2_VNI_RANGES"),
    Group(
        "Networks", TRANSLATED,
        "vxlan_group in ml2_conf.ini, by config_overrides: Open vSwitch's agent makes no use of it, neither "
        "here nor in packstack's clouds; it knows the other hosts",
        "NEUTRON_ML2_VXLAN_GROUP",
    ),
    Group(
        "Networks", TRANSLATED, "vxlan_udp_port in openvswitch_agent.ini, by config_overrides, if not 4789",
        "NEUTRON_OVS_VXLAN_UDP_PORT",
    ),
    Group(
        "Networks", TRANSLATED, "the agent's own driver, with l2population; what else is there is reported",
        "NEUTRON_ML2_MECHANISM_DRIVERS",
    ),
    Group(
        "Networks", NOT_NEEDED, "only GRE's numbers, and what packstack's own firewall lets pass",
        "NEUTRON_ML2_TUNNEL_ID_RANGES NEUTRON_OVS_TUNNEL_SUBNETS NEUTRON_OVN_TUNNEL_SUBNETS",
    ),
    Group(
        "Networks", TRANSLATED, "lbaas until stein; later releases have it no more", "LBAAS_INSTALL",
    ),
    Group(
        "Networks", NOT_SUPPORTED, "no agent for it", "NEUTRON_METERING_AGENT_INSTALL",
        lacks="metering of the routers' traffic",
    ),
    Group("Networks", NOT_SUPPORTED, "no agent for it", "NEUTRON_FWAAS", lacks="firewalls of projects"),
    Group("Networks", NOT_SUPPORTED, "no agent for it", "NEUTRON_VPNAAS", lacks="VPNs of projects"),
    Group(
        "Networks", NOT_SUPPORTED, "no agent for it",
        "NEUTRON_ML2_SRIOV_INTERFACE_MAPPINGS NEUTRON_ML2_SRIOV_AGENT_REQUIRED "
        "NEUTRON_ML2_SUPPORTED_PCI_VENDOR_DEVS",
        switches="NEUTRON_ML2_SRIOV_INTERFACE_MAPPINGS NEUTRON_ML2_SRIOV_AGENT_REQUIRED",
        lacks="SR-IOV",
    ),
    Group(
        "TLS", TRANSLATED,
        "'y': tls = 'all', for on one address internal and public endpoints can't differ: the APIs, too",
        "HORIZON_SSL",
    ),
    Group(
        "TLS", TRANSLATED, "tls_certificate, tls_key and tls_ca; without them python -m cloud.pki makes them",
        "HORIZON_SSL_CERT HORIZON_SSL_KEY HORIZON_SSL_CACERT",
    ),
    Group(
        "TLS", NOT_NEEDED, "consoles show the same certificate as Horizon",
        "VNC_SSL_CERT VNC_SSL_KEY",
    ),
    Group(
        "TLS", NOT_NEEDED, "python -m cloud.pki has a CA of its own, with the cloud's name in it",
        "SSL_CACERT_FILE SSL_CACERT_KEY_FILE SSL_CERT_DIR SSL_CACERT_SELFSIGN SSL_CERT_SUBJECT_C "
        "SSL_CERT_SUBJECT_ST SSL_CERT_SUBJECT_L SSL_CERT_SUBJECT_O SSL_CERT_SUBJECT_OU SSL_CERT_SUBJECT_CN "
        "SSL_CERT_SUBJECT_MAIL",
    ),
    Group(
        "Demo", TRANSLATED, "'y': a public and a private network with a router between them, in resources",
        "PROVISION_DEMO PROVISION_DEMO_FLOATRANGE PROVISION_DEMO_ALLOCATION_POOLS",
    ),
    Group(
        "Demo", TRANSLATED, "the image in resources, with the checksum that --image-sha256 gives",
        "PROVISION_IMAGE_NAME PROVISION_IMAGE_URL PROVISION_IMAGE_FORMAT PROVISION_IMAGE_PROPERTIES",
    ),
    Group(
        "Demo", NOT_NEEDED, "only for Tempest, or for an image in three parts",
        "PROVISION_IMAGE_SSH_USER PROVISION_UEC_IMAGE_NAME PROVISION_UEC_IMAGE_KERNEL_URL "
        "PROVISION_UEC_IMAGE_RAMDISK_URL PROVISION_UEC_IMAGE_DISK_URL",
    ),
    Group(
        "Demo", NOT_NEEDED,
        "the provider bridge has an interface of its own, and no address and no NAT in the demo's network",
        "PROVISION_OVS_BRIDGE",
    ),
    Group(
        "Demo", NOT_SUPPORTED, "tasks/smoke.py tries the cloud instead",
        "PROVISION_TEMPEST RUN_TEMPEST TEMPEST_HOST PROVISION_TEMPEST_USER PROVISION_TEMPEST_USER_PW "
        "PROVISION_TEMPEST_FLOATRANGE PROVISION_TEMPEST_FLAVOR_NAME PROVISION_TEMPEST_FLAVOR_DISK "
        "PROVISION_TEMPEST_FLAVOR_RAM PROVISION_TEMPEST_FLAVOR_VCPUS PROVISION_TEMPEST_FLAVOR_ALT_NAME "
        "PROVISION_TEMPEST_FLAVOR_ALT_DISK PROVISION_TEMPEST_FLAVOR_ALT_RAM "
        "PROVISION_TEMPEST_FLAVOR_ALT_VCPUS PROVISION_TEMPEST_REPO_URI PROVISION_TEMPEST_REPO_REVISION "
        "RUN_TEMPEST_TESTS SKIP_TEMPEST_TESTS",
        switches="PROVISION_TEMPEST RUN_TEMPEST", lacks="Tempest",
    ),
    Group(
        "Packages", TRANSLATED, "platform 'el': yum_repositories", "REPO",
    ),
    Group(
        "Packages", NOT_NEEDED,
        "package_source and yum_repositories say where packages come from; a host is subscribed before it is "
        "deployed",
        "ENABLE_RDO_TESTING USE_EPEL RH_USER RH_PW RH_OPTIONAL RH_PROXY RH_PROXY_PORT RH_PROXY_USER "
        "RH_PROXY_PW RH_SAT6_SERVER RH_SAT6_ORG RH_SAT6_KEY SATELLITE_URL SATELLITE_USER SATELLITE_PW "
        "SATELLITE_AKEY SATELLITE_CACERT SATELLITE_PROFILE SATELLITE_FLAGS SATELLITE_PROXY "
        "SATELLITE_PROXY_USER SATELLITE_PROXY_PW",
    ),
    Group(
        "Other services", NOT_SUPPORTED, "no task for it",
        "SWIFT_INSTALL SWIFT_KS_PW SWIFT_STORAGES SWIFT_STORAGE_ZONES SWIFT_STORAGE_REPLICAS "
        "SWIFT_STORAGE_FSTYPE SWIFT_HASH SWIFT_STORAGE_SIZE",
        switches="SWIFT_INSTALL", lacks="object storage (Swift)",
    ),
    Group(
        "Other services", NOT_SUPPORTED, "no task for it",
        "HEAT_INSTALL HEAT_DB_PW HEAT_AUTH_ENC_KEY HEAT_KS_PW HEAT_CLOUDWATCH_INSTALL HEAT_CFN_INSTALL "
        "HEAT_DOMAIN HEAT_DOMAIN_ADMIN HEAT_DOMAIN_PASSWORD",
        switches="HEAT_INSTALL", lacks="orchestration (Heat)",
    ),
    Group(
        "Other services", NOT_SUPPORTED, "no task for it",
        "CEILOMETER_INSTALL CEILOMETER_SECRET CEILOMETER_KS_PW CEILOMETER_SERVICE_NAME "
        "CEILOMETER_COORDINATION_BACKEND CEILOMETER_METERING_BACKEND CEILOMETER_EVENTS_BACKEND "
        "ENABLE_CEILOMETER_MIDDLEWARE MONGODB_HOST REDIS_HOST REDIS_PORT",
        switches="CEILOMETER_INSTALL", lacks="metering (Ceilometer)",
    ),
    Group(
        "Other services", NOT_SUPPORTED, "no task for it",
        "GNOCCHI_INSTALL GNOCCHI_DB_PW GNOCCHI_KS_PW", switches="GNOCCHI_INSTALL", lacks="metrics (Gnocchi)",
    ),
    Group(
        "Other services", NOT_SUPPORTED, "no task for it",
        "AODH_INSTALL AODH_KS_PW AODH_DB_PW", switches="AODH_INSTALL", lacks="alarms (Aodh)",
    ),
    Group(
        "Other services", NOT_SUPPORTED, "no task for it",
        "PANKO_INSTALL PANKO_DB_PW PANKO_KS_PW", switches="PANKO_INSTALL", lacks="events (Panko)",
    ),
    Group(
        "Other services", NOT_SUPPORTED, "no task for it",
        "MANILA_INSTALL MANILA_DB_PW MANILA_KS_PW MANILA_BACKEND MANILA_NETAPP_DRV_HANDLES_SHARE_SERVERS "
        "MANILA_NETAPP_TRANSPORT_TYPE MANILA_NETAPP_LOGIN MANILA_NETAPP_PASSWORD "
        "MANILA_NETAPP_SERVER_HOSTNAME MANILA_NETAPP_STORAGE_FAMILY MANILA_NETAPP_SERVER_PORT "
        "MANILA_NETAPP_AGGREGATE_NAME_SEARCH_PATTERN MANILA_NETAPP_ROOT_VOLUME_AGGREGATE "
        "MANILA_NETAPP_ROOT_VOLUME_NAME MANILA_NETAPP_VSERVER MANILA_GENERIC_DRV_HANDLES_SHARE_SERVERS "
        "MANILA_GENERIC_VOLUME_NAME_TEMPLATE MANILA_GENERIC_SHARE_MOUNT_PATH MANILA_SERVICE_IMAGE_LOCATION "
        "MANILA_SERVICE_INSTANCE_USER MANILA_SERVICE_INSTANCE_PASSWORD MANILA_NETWORK_TYPE "
        "MANILA_NETWORK_STANDALONE_GATEWAY MANILA_NETWORK_STANDALONE_NETMASK "
        "MANILA_NETWORK_STANDALONE_SEG_ID MANILA_NETWORK_STANDALONE_IP_RANGE "
        "MANILA_NETWORK_STANDALONE_IP_VERSION MANILA_GLUSTERFS_SERVERS "
        "MANILA_GLUSTERFS_NATIVE_PATH_TO_PRIVATE_KEY MANILA_GLUSTERFS_VOLUME_PATTERN "
        "MANILA_GLUSTERFS_TARGET MANILA_GLUSTERFS_MOUNT_POINT_BASE MANILA_GLUSTERFS_NFS_SERVER_TYPE "
        "MANILA_GLUSTERFS_PATH_TO_PRIVATE_KEY MANILA_GLUSTERFS_GANESHA_SERVER_IP",
        switches="MANILA_INSTALL", lacks="shared file systems (Manila)",
    ),
    Group(
        "Other services", NOT_SUPPORTED, "no task for it",
        "SAHARA_INSTALL SAHARA_HOST SAHARA_DB_PW SAHARA_KS_PW",
        switches="SAHARA_INSTALL", lacks="data processing (Sahara)",
    ),
    Group(
        "Other services", NOT_SUPPORTED, "no task for it",
        "TROVE_INSTALL TROVE_DB_PW TROVE_KS_PW TROVE_NOVA_USER TROVE_NOVA_TENANT TROVE_NOVA_PW",
        switches="TROVE_INSTALL", lacks="databases as a service (Trove)",
    ),
    Group(
        "Other services", NOT_SUPPORTED, "no task for it",
        "IRONIC_INSTALL IRONIC_DB_PW IRONIC_KS_PW", switches="IRONIC_INSTALL", lacks="bare metal (Ironic)",
    ),
    Group(
        "Other services", NOT_SUPPORTED, "no task for it",
        "MAGNUM_INSTALL MAGNUM_DB_PW MAGNUM_KS_PW", switches="MAGNUM_INSTALL", lacks="containers (Magnum)",
    ),
    Group(
        "Other services", NOT_SUPPORTED, "tasks/verify.py looks when you ask it, nothing looks by itself",
        "NAGIOS_INSTALL NAGIOS_PW", switches="NAGIOS_INSTALL", lacks="monitoring (Nagios)",
    ),
)  # fmt: skip

OPTIONS: dict[str, Group] = {name: group for group in GROUPS for name in group.names}


def is_secret(name: str) -> bool:
    """Whether an option's value must not be shown."""
    return bool(SECRET.fullmatch(name))


def is_off(value: str) -> bool:
    """Whether a value leaves something out."""
    return value.strip().lower() in OFF


def shortened(group: Group) -> list[str]:
    """The options of a group, without ``CONFIG_``; ``SWIFT_*`` where nothing else begins so."""
    everything = [name for other in GROUPS for name in other.options.split()]
    rest, found = group.options.split(), []
    while rest:
        words = rest[0].split("_")
        prefixes = ["_".join(words[:count]) + "_" for count in range(1, len(words))]
        alike = [[name for name in everything if name.startswith(prefix)] for prefix in prefixes]
        for prefix, names in zip(prefixes, alike, strict=True):
            if len(names) > 2 and set(names) <= set(rest):
                found.append(f"{prefix}*")
                rest = [name for name in rest if name not in names]
                break
        else:
            found.append(rest.pop(0))
    return found


def table() -> str:
    """What becomes of every option, as a table in Markdown."""
    rows = ["| about | options | what becomes of them |", "|---|---|---|"]
    for group in GROUPS:
        names = " ".join(f"`{name}`" for name in shortened(group))
        fate = f"{group.fate}: {group.reason}"
        if group.lacks:
            fate += f". Reported where on: {group.lacks}"
        rows.append(f"| {group.area} | {names} | {fate} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(table(), end="")
