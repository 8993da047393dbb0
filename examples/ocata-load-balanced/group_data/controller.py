"""What the notes add on the controller."""

_keystone = {"auth_uri": "http://172.20.6.240:5000", "auth_url": "http://172.20.6.240:35357"}

config_overrides = {
    # Not needed beside the bootstrap; the notes leave it there.
    "/etc/keystone/keystone.conf": {"DEFAULT": {"admin_token": "1d9c39eadfbecbf320c7"}},
    # glance logs in through the load balancers, the other services do not.
    "/etc/glance/glance-api.conf": {"keystone_authtoken": _keystone},
    "/etc/glance/glance-registry.conf": {"keystone_authtoken": _keystone},
    "/etc/nova/nova.conf": {
        "scheduler": {"discover_hosts_in_cells_interval": 300},
        "placement": {
            "auth_url": "http://172.20.102.145:35357/v3",
            "project_domain_name": "Default",
            "user_domain_name": "Default",
        },
    },
    "/etc/neutron/plugins/ml2/ml2_conf.ini": {"ml2_type_flat": {"flat_networks": "external,internal"}},
    "/etc/neutron/plugins/ml2/linuxbridge_agent.ini": {
        "linux_bridge": {"physical_interface_mappings": "external:eth0,internal:eth1"},
    },
}
