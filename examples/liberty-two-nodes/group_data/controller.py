"""What the notes add on the controller."""

config_overrides = {
    "/etc/keystone/keystone.conf": {"DEFAULT": {"verbose": "true"}},
    "/etc/glance/glance-api.conf": {
        "DEFAULT": {"verbose": "True", "notification_driver": "noop"},
        "glance_store": {"stores": None},
    },
    "/etc/glance/glance-registry.conf": {"DEFAULT": {"verbose": "True", "notification_driver": "noop"}},
    "/etc/nova/nova.conf": {
        "DEFAULT": {
            "debug": "true",
            "verbose": "True",
            "vnc_enabled": None,
            "vncserver_listen": "$my_ip",
            "vncserver_proxyclient_address": "$my_ip",
        },
        "glance": {"host": "$my_ip"},
    },
    "/etc/neutron/neutron.conf": {
        "DEFAULT": {"state_path": "/var/lib/neutron", "service_plugins": "router,lbaas"},
        "database": {"connection": "mysql://neutron:neutron@192.168.56.11:3306/neutron"},
        "oslo_concurrency": {"lock_path": "$state_path/lock"},
    },
    # More types of networks than the notes then make.
    "/etc/neutron/plugins/ml2/ml2_conf.ini": {
        "ml2": {
            "type_drivers": "flat,vlan,gre,vxlan,geneve",
            "tenant_network_types": "vlan,gre,vxlan,geneve",
            "mechanism_drivers": "openvswitch,linuxbridge",
        },
    },
}
