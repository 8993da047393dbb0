"""The notes' choices: Liberty, a flat network by linuxbridge on eth0, verbose logs, known passwords."""

platform = "el"
release = "liberty"
cloud_name = "liberty"
timezone = "Asia/Shanghai"
management_network = "192.168.0.0/16"
# The notes' passwords are known to everybody. Never for a cloud that somebody else can reach.
allow_weak_secrets = True

l2_agent = "linuxbridge"
self_service_networks = False
provider_network = "physnet1"
provider_interface = "eth0"
lbaas = True

# What the services do by themselves.
workers = None
rpc_response_timeout = None
service_down_time = None
database_max_connections = None

horizon_settings = {
    "ALLOWED_HOSTS": ["*", "localhost"],
    "OPENSTACK_HYPERVISOR_FEATURES": {
        "can_set_mount_point": True,
        "can_set_password": True,
        "requires_keypair": True,
    },
}
