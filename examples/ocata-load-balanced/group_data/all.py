"""The choices of the notes: Ocata, flat networks by linuxbridge, one address in front, known passwords."""

platform = "el"
release = "ocata"
cloud_name = "ocata"
timezone = "Asia/Shanghai"
management_network = "172.20.0.0/16"
# The notes' passwords are known to everybody. Never for a cloud that somebody else can reach.
allow_weak_secrets = True

# haproxy's address: of the database, RabbitMQ, memcached, keystone and glance. The catalog has the
# controller's.
virtual_address = "172.20.6.240"
balanced = ["keystone", "glance"]
internal_address = "172.20.102.145"
login_address = "172.20.6.240"
keepalived_router_id = 68
keepalived_interval = 2
keepalived_unicast = False

l2_agent = "linuxbridge"
self_service_networks = False
provider_network = "external"
provider_interface = "eth0"

# What the services do by themselves.
workers = None
rpc_response_timeout = None
service_down_time = None

horizon_settings = {
    "ALLOWED_HOSTS": ["*"],
    "OPENSTACK_API_VERSIONS": {"identity": 3, "image": 2, "volume": 2},
    "OPENSTACK_NEUTRON_NETWORK": {
        "enable_router": False,
        "enable_quotas": False,
        "enable_distributed_router": False,
        "enable_ha_router": False,
        "enable_lb": False,
        "enable_firewall": False,
        "enable_vpn": False,
        "enable_fip_topology_check": False,
    },
}
